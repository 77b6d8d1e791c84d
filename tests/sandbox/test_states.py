"""How orders, payments and refunds move at the sandbox, and what it tells of that."""

from typing import Any

import pytest

from tests.fakes.razorpay import Gateway, SandboxError, until


def told(gateway: Gateway) -> list[str]:
    return [event.name for event in gateway.events()]


def test_a_paid_order_is_told_with_snapshots(gateway: Gateway, order: dict[str, Any]) -> None:
    payment = gateway.pay(order["id"])["payment"]
    authorized, captured, paid = gateway.events()
    assert [event.name for event in (authorized, captured, paid)] == [
        "payment.authorized",
        "payment.captured",
        "order.paid",
    ]
    assert authorized.payload["payload"]["payment"]["entity"]["status"] == "authorized"
    assert captured.payload["payload"]["payment"]["entity"] == payment
    assert paid.payload["contains"] == ["payment", "order"]
    assert paid.payload["payload"]["order"]["entity"]["amount_paid"] == 70_000
    assert len({event.id for event in gateway.events()}) == 3


def test_a_failed_payment_leaves_the_order_open_for_the_next(
    client: Any, gateway: Gateway, order: dict[str, Any]
) -> None:
    failed = gateway.pay(order["id"], "fails")
    assert failed["payment"]["error_code"] == failed["callback"]["error[code]"] == "BAD_REQUEST_ERROR"
    assert client.order.fetch(order["id"])["status"] == "attempted"
    gateway.pay(order["id"])
    assert (client.order.fetch(order["id"])["status"], client.order.fetch(order["id"])["attempts"]) == ("paid", 2)
    assert told(gateway) == ["payment.failed", "payment.authorized", "payment.captured", "order.paid"]


def test_a_paid_order_takes_no_second_payment(gateway: Gateway, order: dict[str, Any]) -> None:
    gateway.pay(order["id"])
    with pytest.raises(SandboxError, match="Payment already done for this order"):
        gateway.pay(order["id"])


def test_an_account_that_captures_by_hand_leaves_payments_authorized(client: Any, gateway: Gateway) -> None:
    gateway.change(capture="manual")
    order = client.order.create({"amount": 70_000, "currency": "INR"})
    assert gateway.pay(order["id"])["payment"]["status"] == "authorized"
    at_once = client.order.create({"amount": 70_000, "currency": "INR", "payment_capture": 1})
    assert gateway.pay(at_once["id"])["payment"]["status"] == "captured"


def test_a_late_answer_of_the_bank_pays_the_order_after_all(
    client: Any, gateway: Gateway, order: dict[str, Any]
) -> None:
    gateway.faults(late_seconds=0)
    payment = gateway.pay(order["id"], "late")["payment"]
    assert payment["status"] == "failed"
    gateway.authorize_late(payment["id"])
    assert client.payment.fetch(payment["id"])["status"] == "captured"
    assert client.payment.fetch(payment["id"])["error_code"] is None
    assert told(gateway) == ["payment.failed", "payment.authorized", "payment.captured", "order.paid"]


def test_a_late_answer_comes_by_itself(client: Any, gateway: Gateway, order: dict[str, Any]) -> None:
    gateway.faults(late_seconds=0.05)
    payment = gateway.pay(order["id"], "late")["payment"]
    until(lambda: client.payment.fetch(payment["id"])["status"] == "captured", "the late answer")


def test_a_late_answer_for_an_order_that_is_paid_is_not_captured_and_goes_back(
    client: Any, gateway: Gateway, order: dict[str, Any]
) -> None:
    gateway.faults(late_seconds=0)
    late = gateway.pay(order["id"], "late")["payment"]
    gateway.pay(order["id"])
    gateway.authorize_late(late["id"])
    assert client.payment.fetch(late["id"])["status"] == "authorized"
    gateway.expire(late["id"])
    assert client.payment.fetch(late["id"])["status"] == "refunded"
    event = gateway.events("refund.processed")[0]
    assert event.payload["payload"]["payment"]["entity"]["captured"] is False


def test_a_pending_refund_arrives_or_comes_back(client: Any, gateway: Gateway, order: dict[str, Any]) -> None:
    gateway.faults(refunds="pending")
    payment = gateway.pay(order["id"])["payment"]
    arrives, fails = (client.payment.refund(payment["id"], {"amount": 10_000}) for _ in range(2))
    assert arrives["status"] == "pending"
    gateway.finish_refund(arrives["id"])
    gateway.finish_refund(fails["id"], "fail")
    assert client.refund.fetch(arrives["id"])["status"] == "processed"
    assert client.refund.fetch(fails["id"])["status"] == "failed"
    assert client.payment.fetch(payment["id"])["amount_refunded"] == 10_000
    assert told(gateway)[-4:] == ["refund.created", "refund.created", "refund.processed", "refund.failed"]


def test_everything_outlives_a_kill(client: Any, gateway: Gateway, order: dict[str, Any]) -> None:
    payment = gateway.pay(order["id"])["payment"]
    events = gateway.events()
    gateway.sandbox.kill()
    gateway.sandbox.start()
    assert client.payment.fetch(payment["id"]) == payment
    assert gateway.events() == events
