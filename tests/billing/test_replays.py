"""Whatever order the gateway's messages come in, and however often: the books end the same. Without any, too."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from random import Random

import pytest
from django.db import transaction
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from billing import razorpay
from billing.models import Account, Invoice, Payment, PaymentOrder, Refund, WebhookEvent
from billing.services import checkout, refunds, sweeping
from core.schemas import schema_context
from tenants.models import Hospital
from tests.billing.news import Books, books, hear, tell, work_off
from tests.fakes.razorpay import Gateway, Webhook

Make = Callable[..., Invoice]
TIMES = 5
PAID = [(str(Invoice.Status.PAID), Decimal(), Decimal(700), Decimal())]


@pytest.fixture
def order(in_cedar: Hospital, gateway: Gateway, draft: Make, asha: User) -> PaymentOrder:
    """Asha is about to pay ₹700."""
    gateway.faults(late_seconds=0)
    return checkout.begin(hospital=in_cedar, invoice=draft(), by=asha, now=now())


@contextmanager
def undone() -> Iterator[None]:
    """What happens here has not happened afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def replayed(door: Client, hospital: Hospital, events: Sequence[Webhook]) -> Books:
    """The books after these events, in this order, each five times, taken in anew each time.

    As if the worker had died each time just before it noted that it was done.
    """
    with undone():
        for event in events:
            for _time in range(TIMES):
                assert tell(door, event).status_code == 200
                with schema_context(hospital.schema_name):
                    WebhookEvent.objects.filter(event_id=event.id).update(
                        state=WebhookEvent.State.RECEIVED, next_attempt_at=now() - timedelta(minutes=1)
                    )
                work_off(hospital)
        return books(hospital)


def swept(hospital: Hospital) -> Books:
    """The books when no message ever comes, and only the clock asks."""
    with undone(), schema_context(hospital.schema_name):
        for minutes in (6, 17):
            sweeping.sweep(hospital=hospital, now=now() + timedelta(minutes=minutes))
        return books(hospital)


def assert_all_the_same(door: Client, hospital: Hospital, events: list[Webhook]) -> Books:
    """In every order, and without any of them; answers how the books end."""
    expected = replayed(door, hospital, events)
    for another in permutations(events):
        names = [event.name for event in another]
        assert replayed(door, hospital, another) == expected, names
    assert swept(hospital) == expected
    assert sum(expected.balances.values()) == 0
    return expected


def test_a_payment_that_succeeds(order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital) -> None:
    gateway.pay(order.gateway_id or "")
    events = gateway.events()
    assert [event.name for event in events] == ["payment.authorized", "payment.captured", "order.paid"]

    ended = assert_all_the_same(portal, cedar, events)

    assert ended.bills == PAID
    assert ended.balances == {
        Account.GATEWAY: 700,
        Account.ADVANCES: 0,
        Account.RECEIVABLE: 0,
        Account.REVENUE: -700,
    }


def test_a_payment_that_fails_and_one_that_succeeds(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    gateway.pay(order.gateway_id or "", "fails")
    gateway.pay(order.gateway_id or "", method="card")

    ended = assert_all_the_same(portal, cedar, gateway.events())

    assert ended.bills == PAID
    assert sorted(status for _id, status, _fulfilled in ended.payments) == ["captured", "failed"]


def test_a_payment_that_fails_and_is_authorised_late(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    payment = gateway.pay(order.gateway_id or "", "late")["payment"]["id"]
    gateway.authorize_late(payment)
    events = gateway.events()
    assert [event.name for event in events][:2] == ["payment.failed", "payment.authorized"]

    ended = assert_all_the_same(portal, cedar, events)

    assert ended.payments == [(payment, "captured", True)]


def test_a_payment_that_only_we_capture(order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital) -> None:
    gateway.pay(order.gateway_id or "", "authorized")

    ended = assert_all_the_same(portal, cedar, gateway.events())

    assert ended.bills == PAID


def test_a_payment_nobody_captured_in_time(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    payment = gateway.pay(order.gateway_id or "", "authorized")["payment"]["id"]
    gateway.expire(payment)
    events = gateway.events()
    assert [event.name for event in events] == ["payment.authorized", "refund.created", "refund.processed"]

    ended = assert_all_the_same(portal, cedar, events)

    assert ended.payments == [(payment, "voided", False)]
    assert ended.entries == []


# --- Refunds ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def payment(order: PaymentOrder, gateway: Gateway, portal: Client, in_cedar: Hospital) -> Payment:
    """Asha has paid, and we know."""
    gateway.pay(order.gateway_id or "")
    hear(portal, in_cedar, gateway.events())
    with schema_context(in_cedar.schema_name):
        return Payment.objects.get()


def granted(hospital: Hospital, payment: Payment, rupees: int, by: User) -> Refund:
    """Somebody grants a refund; the gateway hears of it, and its answer is lost."""
    refund = refunds.ask(
        hospital=hospital,
        payment=payment,
        amount=Decimal(rupees),
        reason="Went home",
        by=by,
        may_approve=True,
        now=now(),
    )
    send(refund)
    return refund


def send(refund: Refund) -> None:
    with pytest.raises(razorpay.Unreachable):
        refunds.send(refund=refund, now=now() - timedelta(minutes=5))


def test_two_refunds_of_parts(payment: Payment, gateway: Gateway, portal: Client, cedar: Hospital, hari: User) -> None:
    paying = gateway.events()
    with schema_context(cedar.schema_name):
        for rupees in (200, 300):
            gateway.break_call("payments.refund", "close", "after")
            granted(cedar, payment, rupees, hari)
    told = gateway.events("refund.created", "refund.processed")
    assert len(told) == 4

    ended = assert_all_the_same(portal, cedar, told)

    assert ended.bills == [(str(Invoice.Status.PARTIALLY_REFUNDED), Decimal(), Decimal(700), Decimal(500))]
    assert ended.balances[Account.GATEWAY] == 200
    assert ended.balances[Account.REFUNDS] == 0
    order_of_things, everything = Random(5), [*paying, *told]
    for _round in range(12):  # 5,040 orders would take an hour
        order_of_things.shuffle(everything)
        assert replayed(portal, cedar, everything) == ended


def test_a_refund_that_fails(payment: Payment, gateway: Gateway, portal: Client, cedar: Hospital, hari: User) -> None:
    gateway.faults(refunds="pending")
    gateway.break_call("payments.refund", "close", "after")
    with schema_context(cedar.schema_name):
        granted(cedar, payment, 200, hari)
    [made] = razorpay.refunds_of(gateway.keys, payment.gateway_id or "")
    gateway.finish_refund(made.id, "fail")
    told = gateway.events("refund.created", "refund.failed")

    ended = assert_all_the_same(portal, cedar, told)

    assert [status for _receipt, status, _amount in ended.refunds] == ["failed"]
    assert ended.balances[Account.GATEWAY] == 700
    assert ended.balances[Account.RECEIVABLE] == -200


def test_a_refund_that_fails_and_succeeds_when_it_is_tried_again(
    payment: Payment, gateway: Gateway, portal: Client, cedar: Hospital, hari: User
) -> None:
    gateway.faults(refunds="pending")
    with schema_context(cedar.schema_name):
        gateway.break_call("payments.refund", "close", "after")
        refund = granted(cedar, payment, 200, hari)
        [made] = razorpay.refunds_of(gateway.keys, payment.gateway_id or "")
        gateway.finish_refund(made.id, "fail")
        refunds.send(refund=refund, now=now())
        refund.refresh_from_db()
        refunds.retry(refund=refund, by=hari, now=now())
        gateway.faults()
        gateway.break_call("payments.refund", "close", "after")
        send(refund)
    told = gateway.events("refund.created", "refund.failed", "refund.processed")
    assert len(told) == 4

    ended = assert_all_the_same(portal, cedar, told)

    assert [status for _receipt, status, _amount in ended.refunds] == ["processed"]
    assert ended.balances[Account.GATEWAY] == 500
    assert ended.balances[Account.REFUNDS] == 0
