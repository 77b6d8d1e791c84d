"""How we talk to Razorpay: lost answers, second tries, wrong keys, signatures. The other end is the sandbox."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing import razorpay
from billing.razorpay import Event, Keys, Order, Payment, Refused, Unreachable, WrongKeys
from tests.fakes.razorpay import Gateway

RUPEES_700 = Decimal("700.00")
BROKEN = [
    ("close", "before"),
    ("close", "after"),
    ("500", "before"),
    ("500", "after"),
    ("502", "after"),
    ("429", "before"),
]


@pytest.fixture
def order(gateway: Gateway) -> Order:
    return razorpay.create_order(gateway.keys, amount=RUPEES_700, receipt="bill-1", notes={"bill": "B-1"})


@pytest.fixture
def payment(gateway: Gateway, order: Order) -> Payment:
    gateway.pay(order.id)
    [payment] = razorpay.payments_of(gateway.keys, order.id)
    return payment


def money_back(gateway: Gateway, payment: Payment, rupees: str = "200", receipt: str = "refund-1") -> razorpay.Refund:
    return razorpay.refund(gateway.keys, payment.id, amount=Decimal(rupees), receipt=receipt, notes={})


# Orders and payments


def test_an_order_is_in_rupees_and_exact(gateway: Gateway) -> None:
    made = razorpay.create_order(gateway.keys, amount=Decimal("1999.99"), receipt="bill-2", notes={"bill": "B-2"})
    assert razorpay.fetch_order(gateway.keys, made.id) == made
    assert (made.amount, made.amount_paid, made.status) == (Decimal("1999.99"), Decimal("0.00"), "created")
    assert (made.receipt, made.notes) == ("bill-2", {"bill": "B-2"})
    assert abs(made.created_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_part_of_a_paisa_is_never_asked_for(gateway: Gateway) -> None:
    with pytest.raises(ValueError, match="no whole number of paise"):
        razorpay.create_order(gateway.keys, amount=Decimal("0.005"), receipt="bill-2", notes={})


def test_a_paid_order_shows_its_payment_with_fee_and_without_whose_card_it_was(gateway: Gateway, order: Order) -> None:
    gateway.pay(order.id, method="card")
    [payment] = razorpay.payments_of(gateway.keys, order.id)
    assert razorpay.fetch_payment(gateway.keys, payment.id) == payment
    assert (payment.status, payment.captured, payment.method, payment.amount) == ("captured", True, "card", RUPEES_700)
    assert (payment.fee, payment.tax) == (Decimal("16.52"), Decimal("2.52"))
    assert razorpay.fetch_order(gateway.keys, order.id).amount_paid == RUPEES_700
    assert not {"card_id", "vpa", "email", "contact", "bank"} & set(vars(payment))


def test_a_failed_payment_says_why(gateway: Gateway, order: Order) -> None:
    gateway.pay(order.id, "fails")
    [payment] = razorpay.payments_of(gateway.keys, order.id)
    assert (payment.status, payment.error_code) == ("failed", "BAD_REQUEST_ERROR")
    assert "declined" in payment.error_description


@pytest.mark.parametrize(("how", "when"), BROKEN)
def test_a_second_try_after_a_lost_answer_makes_no_second_order(gateway: Gateway, how: str, when: str) -> None:
    gateway.break_call("orders.create", how, when)
    with pytest.raises(Unreachable):
        razorpay.create_order(gateway.keys, amount=RUPEES_700, receipt="bill-1", notes={})
    tries = [razorpay.create_order(gateway.keys, amount=RUPEES_700, receipt="bill-1", notes={}) for _ in range(2)]
    assert tries[0] == tries[1]


def test_tries_at_the_same_moment_make_one_order_and_one_refund(gateway: Gateway, payment: Payment) -> None:
    def order_again(_try: int) -> str:
        return razorpay.create_order(gateway.keys, amount=RUPEES_700, receipt="bill-2", notes={}).id

    with ThreadPoolExecutor(8) as crowd:
        assert len(set(crowd.map(order_again, range(16)))) == 1
        assert len({refund.id for refund in crowd.map(lambda _try: money_back(gateway, payment), range(16))}) == 1
    assert len(razorpay.refunds_of(gateway.keys, payment.id)) == 1


def test_a_receipt_is_not_reused_for_another_amount(gateway: Gateway, order: Order) -> None:
    with pytest.raises(Refused, match="another amount"):
        razorpay.create_order(gateway.keys, amount=Decimal(800), receipt="bill-1", notes={})


def test_an_answer_that_does_not_come_is_waited_for_only_so_long(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert razorpay.TIMEOUT == (3.0, 10.0)
    monkeypatch.setattr(razorpay, "TIMEOUT", (3.0, 0.2))
    gateway.break_call("orders.create", "timeout")
    with pytest.raises(Unreachable, match="ReadTimeout"):
        razorpay.create_order(gateway.keys, amount=RUPEES_700, receipt="bill-1", notes={})


def test_nobody_there_is_unreachable(gateway: Gateway, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.RAZORPAY_API_URL = "http://127.0.0.1:1"
    with pytest.raises(Unreachable) as said:
        razorpay.check_keys(gateway.keys)
    assert gateway.keys.key_secret not in repr(said.value) + repr(gateway.keys) + capsys.readouterr().out


def test_an_authorized_payment_is_captured_and_asking_twice_is_harmless(gateway: Gateway, order: Order) -> None:
    gateway.pay(order.id, "authorized")
    [payment] = razorpay.payments_of(gateway.keys, order.id)
    gateway.break_call("payments.capture")
    with pytest.raises(Unreachable):
        razorpay.capture(gateway.keys, payment.id, amount=RUPEES_700)
    captured = razorpay.capture(gateway.keys, payment.id, amount=RUPEES_700)
    assert (captured.id, captured.status, captured.captured) == (payment.id, "captured", True)


def test_another_amount_or_a_failed_payment_is_not_captured(gateway: Gateway, order: Order) -> None:
    gateway.pay(order.id, "fails")
    gateway.pay(order.id, "authorized")
    for payment in razorpay.payments_of(gateway.keys, order.id):
        with pytest.raises(Refused):
            razorpay.capture(gateway.keys, payment.id, amount=Decimal(600))


@pytest.mark.parametrize("browsers", ["order_../payments", "pay_x", "", "order_x?y", "order_é"])
def test_an_id_that_is_none_never_reaches_an_address(gateway: Gateway, browsers: str) -> None:
    with pytest.raises(Refused, match="is no id of Razorpay's"):
        razorpay.fetch_order(gateway.keys, browsers)


# Refunds


def test_a_refund_asked_for_twice_is_one(gateway: Gateway, payment: Payment) -> None:
    first = money_back(gateway, payment)
    assert money_back(gateway, payment) == first
    with pytest.raises(Refused, match="another amount"):
        money_back(gateway, payment, "300")
    assert razorpay.refunds_of(gateway.keys, payment.id) == [first]
    assert razorpay.fetch_refund(gateway.keys, payment.id, first.id) == first
    assert (first.amount, first.receipt, first.status) == (Decimal("200.00"), "refund-1", "processed")
    assert razorpay.fetch_payment(gateway.keys, payment.id).amount_refunded == Decimal("200.00")


@pytest.mark.parametrize(("how", "when"), BROKEN)
def test_a_second_try_after_a_lost_answer_makes_no_second_refund(
    gateway: Gateway, payment: Payment, how: str, when: str
) -> None:
    gateway.break_call("payments.refund", how, when)
    with pytest.raises(Unreachable):
        money_back(gateway, payment)
    money_back(gateway, payment)
    assert [refund.receipt for refund in razorpay.refunds_of(gateway.keys, payment.id)] == ["refund-1"]


def test_too_much_is_refused_in_razorpays_words(gateway: Gateway, payment: Payment) -> None:
    with pytest.raises(Refused) as refusal:
        money_back(gateway, payment, "700.01")
    assert refusal.value.code == "BAD_REQUEST_ERROR"
    assert refusal.value.description == "The total refund amount is greater than the refund payment amount"


def test_every_refund_is_listed_however_many(
    gateway: Gateway, payment: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(razorpay, "PAGE", 2)
    receipts = [f"refund-{number}" for number in range(5)]
    for receipt in receipts:
        money_back(gateway, payment, "1", receipt)
    assert [refund.receipt for refund in razorpay.refunds_of(gateway.keys, payment.id)] == receipts[::-1]


# Settlements, keys, signatures


def test_a_days_settlement_is_read_line_by_line(gateway: Gateway, payment: Payment) -> None:
    back = money_back(gateway, payment)
    settled = gateway.settle()
    india = datetime.now(UTC) + timedelta(hours=5, minutes=30)
    first, second = razorpay.settlement_lines(gateway.keys, day=india.date())
    assert (first.entity_id, first.type, first.payment_id, first.credit) == (
        payment.id,
        "payment",
        payment.id,
        Decimal("683.48"),
    )
    assert (second.entity_id, second.type, second.payment_id, second.debit) == (
        back.id,
        "refund",
        payment.id,
        Decimal("200.00"),
    )
    assert (first.utr, first.settlement_id, first.order_receipt) == (settled["utr"], settled["id"], "bill-1")
    assert razorpay.settlement_lines(gateway.keys, day=india.date() - timedelta(days=1)) == []


def test_keys_are_checked(gateway: Gateway) -> None:
    razorpay.check_keys(gateway.keys)
    with pytest.raises(WrongKeys):
        razorpay.check_keys(Keys(gateway.keys.key_id, "wrong"))


def test_the_checkouts_signature_holds_for_its_order_and_payment_only(gateway: Gateway, order: Order) -> None:
    brought = {name.removeprefix("razorpay_"): value for name, value in gateway.pay(order.id)["callback"].items()}

    def holds(**other: str) -> bool:
        return razorpay.checkout_signature_holds(gateway.keys, **{**brought, **other})

    assert holds()
    assert not holds(payment_id="pay_other")
    assert not holds(signature="")
    assert not holds(signature="é" * 64)
    assert not razorpay.checkout_signature_holds(Keys(gateway.keys.key_id, ""), **brought)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body + b" ",
        lambda body: body[:-1],
        lambda body: body.replace(b"70000", b"70001"),
        lambda body: b"\xff" + body,
        lambda body: b"\xef\xbb\xbf" + body,
        lambda _body: b"",
    ],
)
def test_a_webhooks_signature_holds_for_its_bytes_only(
    gateway: Gateway, payment: Payment, change: Callable[[bytes], bytes]
) -> None:
    event = gateway.events("order.paid")[0]
    secret = gateway.webhook_secret
    assert event.signature == gateway.sign(event.body)
    assert razorpay.webhook_signature_holds(body=event.body, signature=event.signature, secret=secret)
    for body, signature, key in (
        (change(event.body), event.signature, secret),
        (event.body, event.signature, "another"),
        (event.body, event.signature, ""),
        (event.body, "", secret),
        (event.body, event.signature.upper(), secret),
    ):
        assert not razorpay.webhook_signature_holds(body=body, signature=signature, secret=key)


def test_an_event_reads_as_what_fetching_answers(gateway: Gateway, payment: Payment) -> None:
    money_back(gateway, payment)
    told = [Event.from_payload(event.payload) for event in gateway.events()]
    assert [event.name for event in told] == [
        "payment.authorized",
        "payment.captured",
        "order.paid",
        "refund.created",
        "refund.processed",
    ]
    assert told[1].payment == payment
    assert told[2].order == razorpay.fetch_order(gateway.keys, payment.order_id)
    assert told[4].refund == razorpay.refunds_of(gateway.keys, payment.id)[0]
