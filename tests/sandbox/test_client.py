"""The gateway's own Python client, unmodified, does its calls at the sandbox."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import razorpay
from razorpay.errors import BadRequestError, SignatureVerificationError

from tests.fakes.razorpay import Gateway

INDIA = timedelta(hours=5, minutes=30)


def test_an_order_is_created_as_the_gateway_shows_it(client: Any) -> None:
    order = client.order.create({"amount": 70_000, "currency": "INR", "receipt": "bill-1", "notes": {"visit": "V-1"}})
    assert re.fullmatch(r"order_[A-Za-z0-9]{14}", order["id"])
    assert isinstance(order["created_at"], int)
    assert {name: order[name] for name in order if name not in ("id", "created_at")} == {
        "entity": "order",
        "amount": 70_000,
        "amount_paid": 0,
        "amount_due": 70_000,
        "currency": "INR",
        "receipt": "bill-1",
        "offer_id": None,
        "status": "created",
        "attempts": 0,
        "notes": {"visit": "V-1"},
    }


def test_an_order_is_fetched_listed_and_found_by_its_receipt(client: Any, order: dict[str, Any]) -> None:
    other = client.order.create({"amount": 100, "currency": "INR", "receipt": "bill-2"})
    assert client.order.fetch(order["id"]) == order
    assert client.order.all() == {"entity": "collection", "count": 2, "items": [other, order]}
    assert client.order.all({"receipt": "bill-1"})["items"] == [order]
    assert client.order.all({"count": 1, "skip": 1})["items"] == [order]
    assert client.order.all({"authorized": 1})["items"] == []


def test_the_notes_of_an_order_change_and_nothing_else_does(client: Any, order: dict[str, Any]) -> None:
    assert client.order.edit(order["id"], {"notes": {"desk": "2"}}) == {**order, "notes": {"desk": "2"}}
    with pytest.raises(BadRequestError):
        client.order.edit(order["id"], {"amount": 100})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"amount": 99}, "Order amount less than minimum amount allowed"),
        ({"amount": 700.5}, "The amount must be an integer."),
        ({"amount": None}, "amount: is required."),
        ({"currency": ""}, "currency: is required."),
        ({"receipt": "x" * 41}, "The receipt may not be greater than 40 characters."),
        ({"notes": dict.fromkeys("abcdefghijklmnop", "x")}, "notes: at most 15 pairs"),
    ],
)
def test_an_order_that_cannot_be_is_refused_in_the_gateways_words(
    client: Any, wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadRequestError, match=said):
        client.order.create({"amount": 70_000, "currency": "INR", **wrong})


def test_a_unique_receipt_answers_with_the_first_order(client: Any) -> None:
    asked = {"amount": 70_000, "currency": "INR", "receipt": "bill-1", "unique_receipt": True}
    assert client.order.create(asked) == client.order.create(asked)
    with pytest.raises(BadRequestError, match="Order receipt should be unique"):
        client.order.create({**asked, "amount": 80_000})
    assert client.order.all()["count"] == 1


def test_a_payment_is_fetched_and_listed(client: Any, gateway: Gateway, order: dict[str, Any]) -> None:
    paid = gateway.pay(order["id"], method="card")["payment"]
    assert client.payment.fetch(paid["id"]) == paid
    assert client.order.payments(order["id"])["items"] == client.payment.all()["items"] == [paid]
    assert re.fullmatch(r"pay_[A-Za-z0-9]{14}", paid["id"])
    assert (paid["status"], paid["captured"], paid["method"]) == ("captured", True, "card")
    assert (paid["fee"], paid["tax"]) == (1652, 252), "2 per cent, and 18 per cent on that"


def test_an_authorized_payment_is_captured_once_and_whole(client: Any, gateway: Gateway, order: dict[str, Any]) -> None:
    payment = gateway.pay(order["id"], "authorized")["payment"]
    with pytest.raises(BadRequestError, match="Capture amount must be equal to the amount authorized"):
        client.payment.capture(payment["id"], 100)
    assert client.payment.capture(payment["id"], 70_000)["status"] == "captured"
    assert client.order.fetch(order["id"])["status"] == "paid"
    with pytest.raises(BadRequestError, match="This payment has already been captured"):
        client.payment.capture(payment["id"], 70_000)


def test_a_payment_is_refunded_in_parts_and_never_too_much(
    client: Any, gateway: Gateway, order: dict[str, Any]
) -> None:
    payment = gateway.pay(order["id"])["payment"]
    refund = client.payment.refund(payment["id"], {"amount": 20_000, "receipt": "refund-1", "notes": {"why": "late"}})
    assert re.fullmatch(r"rfnd_[A-Za-z0-9]{14}", refund["id"])
    assert (refund["amount"], refund["status"], refund["receipt"]) == (20_000, "processed", "refund-1")
    assert client.payment.fetch(payment["id"])["refund_status"] == "partial"
    with pytest.raises(BadRequestError, match="The total refund amount is greater than the refund payment amount"):
        client.payment.refund(payment["id"], {"amount": 50_001})
    rest = client.payment.refund(payment["id"], {})
    assert rest["amount"] == 50_000
    assert client.payment.fetch(payment["id"])["status"] == "refunded"
    with pytest.raises(BadRequestError, match="The payment has been fully refunded already"):
        client.payment.refund(payment["id"], {})
    assert client.refund.fetch(refund["id"]) == refund
    assert (
        client.refund.all()["items"] == client.payment.fetch_multiple_refund(payment["id"])["items"] == [rest, refund]
    )
    assert client.payment.fetch_refund_id(payment["id"], refund["id"]) == refund


def test_only_captured_money_is_refunded(client: Any, gateway: Gateway, order: dict[str, Any]) -> None:
    payment = gateway.pay(order["id"], "authorized")["payment"]
    with pytest.raises(BadRequestError, match="The payment status should be captured for action to be taken"):
        client.payment.refund(payment["id"], {"amount": 100})


def test_the_same_idempotency_key_is_the_same_refund(client: Any, gateway: Gateway, order: dict[str, Any]) -> None:
    payment = gateway.pay(order["id"])["payment"]
    once = {"X-Refund-Idempotency": "refund-of-bill-1"}
    first = client.payment.refund(payment["id"], {"amount": 100}, headers=dict(once))
    assert client.payment.refund(payment["id"], {"amount": 100}, headers=dict(once)) == first
    with pytest.raises(BadRequestError, match="Different request with the same idempotency key"):
        client.payment.refund(payment["id"], {"amount": 200}, headers=dict(once))


def test_a_signature_of_the_checkout_is_verified(client: Any, gateway: Gateway, order: dict[str, Any]) -> None:
    brought = gateway.pay(order["id"])["callback"]
    assert client.utility.verify_payment_signature(brought)
    with pytest.raises(SignatureVerificationError):
        client.utility.verify_payment_signature({**brought, "razorpay_payment_id": "pay_AnotherPayment"})


def test_a_signature_of_a_webhook_is_verified(client: Any, gateway: Gateway, order: dict[str, Any]) -> None:
    gateway.pay(order["id"])
    for event in gateway.events():
        assert client.utility.verify_webhook_signature(event.body.decode(), event.signature, gateway.webhook_secret)
    with pytest.raises(SignatureVerificationError):
        client.utility.verify_webhook_signature(event.body.decode() + " ", event.signature, gateway.webhook_secret)


def test_what_was_captured_and_refunded_is_settled_line_by_line(
    client: Any, gateway: Gateway, order: dict[str, Any]
) -> None:
    payment = gateway.pay(order["id"])["payment"]
    refund = client.payment.refund(payment["id"], {"amount": 20_000})
    settlement = gateway.settle()
    assert settlement["amount"] == 70_000 - 1652 - 20_000
    assert client.settlement.all()["items"] == [client.settlement.fetch(settlement["id"])] == [settlement]
    day = datetime.now(UTC) + INDIA
    lines = client.settlement.report({"year": day.year, "month": day.month, "day": day.day})["items"]
    assert [(line["entity_id"], line["type"], line["credit"], line["debit"]) for line in lines] == [
        (payment["id"], "payment", 68_348, 0),
        (refund["id"], "refund", 0, 20_000),
    ]
    assert {line["settlement_utr"] for line in lines} == {settlement["utr"]}
    assert gateway.events("settlement.processed")


def test_wrong_keys_and_other_accounts_things_are_refused(client: Any, gateway: Gateway, order: dict[str, Any]) -> None:
    stranger = gateway.sandbox.account()
    theirs = razorpay.Client(auth=(stranger.keys.key_id, stranger.keys.key_secret), base_url=gateway.url)
    with theirs.session, pytest.raises(BadRequestError, match="The id provided does not exist"):
        theirs.order.fetch(order["id"])
    client.auth = (gateway.keys.key_id, "wrong")
    with pytest.raises(BadRequestError, match="Authentication failed"):
        client.order.fetch(order["id"])
