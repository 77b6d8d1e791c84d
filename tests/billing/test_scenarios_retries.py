"""Razorpay's numbered scenarios for integrations ("Best practices: scenarios to test your integration"), one test each: retries and reconciling.

They run against the sandbox over HTTP. BP-17 and BP-36 concern payment methods that are down: the gateway's own checkout
shows those, not we.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from billing import razorpay
from billing.models import Invoice, Payment, PaymentOrder, Refund, WebhookEvent
from billing.services import checkout, ledger, refunds, sweeping
from billing.services.checkout import Outcome
from core.errors import Conflict
from core.schemas import schema_context
from tenants.models import Hospital
from tests.billing.news import books, hear, tell, work_off
from tests.fakes.razorpay import Gateway

Make = Callable[..., Invoice]
PAID = [(str(Invoice.Status.PAID), Decimal(), Decimal(700), Decimal())]


@pytest.fixture
def invoice(in_cedar: Hospital, draft: Make) -> Invoice:
    """What Asha owes: ₹700, not issued yet."""
    return draft()


@pytest.fixture
def begin(in_cedar: Hospital, gateway: Gateway, invoice: Invoice, asha: User) -> Callable[[], PaymentOrder]:
    """Asha opens the checkout."""

    def open_checkout() -> PaymentOrder:
        with schema_context(in_cedar.schema_name):
            return checkout.begin(hospital=in_cedar, invoice=invoice, by=asha, now=now())

    return open_checkout


@pytest.fixture
def order(begin: Callable[[], PaymentOrder]) -> PaymentOrder:
    """Asha is at the checkout."""
    return begin()


def back(hospital: Hospital, order: PaymentOrder, told: dict[str, str]) -> Payment | None:
    """Asha's browser comes back with what the gateway gave it."""
    with schema_context(hospital.schema_name):
        return checkout.returned(
            hospital=hospital,
            order=order,
            payment_id=told["razorpay_payment_id"],
            signature=told["razorpay_signature"],
            now=now(),
        )


def later(hospital: Hospital, minutes: int = 16) -> None:
    """The clock goes round."""
    with schema_context(hospital.schema_name):
        sweeping.sweep(hospital=hospital, now=now() + timedelta(minutes=minutes))


def outcome(hospital: Hospital, order: PaymentOrder) -> Outcome:
    with schema_context(hospital.schema_name):
        return checkout.outcome(order)


# --- Retries ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "when"), [("close", "after"), ("502", "after"), ("500", "before"), ("429", "before")])
def test_bp_07_an_order_whose_answer_was_lost_is_asked_for_again_and_is_one(
    begin: Callable[[], PaymentOrder], gateway: Gateway, cedar: Hospital, how: str, when: str
) -> None:
    gateway.break_call("orders.create", how, when)
    with pytest.raises(checkout.GatewayDown):
        begin()

    order = begin()

    with razorpay._client(gateway.keys) as client:
        assert [made["id"] for made in client.order.all()["items"]] == [order.gateway_id]


def test_bp_07_nobody_has_to_come_back_for_the_order(
    begin: Callable[[], PaymentOrder], gateway: Gateway, cedar: Hospital
) -> None:
    gateway.break_call("orders.create", "close", "after")
    with pytest.raises(checkout.GatewayDown):
        begin()

    later(cedar)

    assert books(cedar).orders == [(PaymentOrder.Status.OPEN, Decimal(700))]


def test_bp_08_before_anybody_pays_again_the_gateway_is_asked_what_was_paid(
    begin: Callable[[], PaymentOrder], gateway: Gateway, cedar: Hospital
) -> None:
    """Asha pays, the answer is lost. Her second try is on the same order, which takes no second payment."""
    order = begin()
    gateway.pay(order.gateway_id or "")

    again = begin()

    assert again == order
    with pytest.raises(Exception, match="already done"):
        gateway.pay(again.gateway_id or "")
    with schema_context(cedar.schema_name):
        assert checkout.look(hospital=cedar, order=again, now=now()) == Outcome.PAID
    with pytest.raises(Conflict):
        begin()


def test_bp_10_captured_may_come_before_authorised(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    """All orders: test_replays.py."""
    gateway.pay(order.gateway_id or "")

    hear(portal, cedar, reversed(gateway.events()))

    assert books(cedar).bills == PAID
    assert [status for _id, status, _fulfilled in books(cedar).payments] == ["captured"]


def test_bp_11_the_door_answers_before_anything_is_done(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    """Whatever taking it in costs, and though the gateway does not answer: the door does not wait for it."""
    gateway.pay(order.gateway_id or "", "authorized")
    gateway.break_call("*", "502", "before", times=9)
    [event] = gateway.events("payment.authorized")

    assert [tell(portal, event).status_code for _impatience in range(3)] == [200, 200, 200]

    work_off(cedar)
    assert books(cedar).entries == []
    gateway.faults()
    later(cedar, minutes=3)
    assert books(cedar).bills == PAID


@pytest.fixture
def refund(order: PaymentOrder, gateway: Gateway, portal: Client, in_cedar: Hospital, hari: User) -> Refund:
    """₹200 of what Asha has paid are to go back."""
    gateway.pay(order.gateway_id or "")
    hear(portal, in_cedar, gateway.events())
    with schema_context(in_cedar.schema_name):
        return refunds.ask(
            hospital=in_cedar,
            payment=Payment.objects.get(),
            amount=Decimal(200),
            reason="Went home",
            by=hari,
            may_approve=True,
            now=now(),
        )


@pytest.mark.parametrize(("how", "when"), [("close", "after"), ("502", "after"), ("500", "before")])
def test_bp_12_a_refund_asked_for_twice_is_one(
    refund: Refund, gateway: Gateway, cedar: Hospital, how: str, when: str
) -> None:
    gateway.break_call("payments.refund", how, when)
    with schema_context(cedar.schema_name), pytest.raises(razorpay.Unreachable):
        refunds.send(refund=refund, now=now())

    later(cedar, minutes=6)
    later(cedar, minutes=12)

    made = razorpay.refunds_of(gateway.keys, refund.payment.gateway_id or "")
    assert [(one.amount, one.receipt) for one in made] == [(Decimal(200), refund.receipt)]
    with schema_context(cedar.schema_name):
        refund.refresh_from_db()
        assert refund.status == Refund.Status.PROCESSED
        assert ledger.balances()["gateway"] == 500


def test_a_refund_the_gateway_refuses_is_owed_again_and_not_sent_again(
    refund: Refund, gateway: Gateway, cedar: Hospital
) -> None:
    """What is wrong with the request stays wrong: only a fault of the gateway's own is tried again."""
    paid = refund.payment.gateway_id or ""
    razorpay.refund(gateway.keys, paid, amount=Decimal(700), receipt="all of it", notes={})

    later(cedar, minutes=6)
    later(cedar, minutes=12)

    with schema_context(cedar.schema_name):
        refund.refresh_from_db()
        assert refund.status == Refund.Status.FAILED
        assert "fully refunded" in refund.failure
    assert len(razorpay.refunds_of(gateway.keys, paid)) == 1


# --- Reconciling -----------------------------------------------------------------------------------------------------


def test_bp_20_every_order_without_news_is_asked_about_after_a_quarter_of_an_hour(
    begin: Callable[[], PaymentOrder], gateway: Gateway, cedar: Hospital
) -> None:
    """One that nobody tried, one that failed: both are asked about, and asked again less and less often."""
    order = begin()
    gateway.faults(drop=["*"])
    gateway.pay(order.gateway_id or "", "fails")

    later(cedar, minutes=16)

    with schema_context(cedar.schema_name):
        assert order.payments.get().status == Payment.Status.FAILED
        asked = PaymentOrder.objects.get().asked_at
        assert asked
        for minutes, is_due in ((10, False), (16, True), (300, True)):
            due = PaymentOrder.objects.to_ask_about(asked + timedelta(minutes=minutes), after=checkout.ASK_AFTER)
            assert due.exists() == is_due
        PaymentOrder.objects.update(created_at=now() - timedelta(days=30))
        for days, is_due in ((1, False), (4, True)):
            due = PaymentOrder.objects.to_ask_about(asked + timedelta(days=days), after=checkout.ASK_AFTER)
            assert due.exists() == is_due


def test_bp_20_lost_messages_and_lost_answers_end_in_the_same_books(
    begin: Callable[[], PaymentOrder], gateway: Gateway, portal: Client, cedar: Hospital, hari: User
) -> None:
    gateway.faults(drop=["*"])
    gateway.break_call("orders.create", "close", "after")
    with pytest.raises(checkout.GatewayDown):
        begin()
    later(cedar)
    with schema_context(cedar.schema_name):
        order = PaymentOrder.objects.get()
        PaymentOrder.objects.update(asked_at=None)
    gateway.pay(order.gateway_id or "", "fails")
    gateway.pay(order.gateway_id or "", "authorized")
    gateway.break_call("payments.capture", "close", "after")
    later(cedar)
    later(cedar, minutes=40)
    assert books(cedar).bills == PAID

    with schema_context(cedar.schema_name):
        payment = Payment.objects.captured().get()
        act: dict[str, Any] = {"hospital": cedar, "reason": "Went home", "by": hari, "now": now()}
        refunds.ask(payment=payment, amount=Decimal(700), may_approve=True, **act)
    gateway.break_call("payments.refund", "close", "after")
    later(cedar, minutes=6)
    later(cedar, minutes=12)

    ended = books(cedar)
    assert [status for status, *_amounts in ended.bills] == [Invoice.Status.REFUNDED]
    assert {account: left for account, left in ended.balances.items() if left} == {}
    assert not states_left(cedar)


def states_left(hospital: Hospital) -> list[str]:
    """Messages that were not taken in."""
    with schema_context(hospital.schema_name):
        return list(WebhookEvent.objects.exclude(state=WebhookEvent.State.DONE).values_list("event_id", flat=True))
