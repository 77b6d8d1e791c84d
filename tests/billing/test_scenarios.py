"""Razorpay's numbered scenarios for integrations ("Best practices: scenarios to test your integration"), one test each.

They run against the sandbox over HTTP. BP-17 and BP-36 concern payment methods that are down: the gateway's own checkout
shows those, not we.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from billing import razorpay
from billing.models import Invoice, Payment, PaymentOrder
from billing.services import checkout, sweeping
from billing.services.checkout import Outcome
from core.errors import Conflict
from core.schemas import schema_context
from tenants.models import Hospital
from tests.billing.news import books, hear, knock, tell, work_off
from tests.fakes.razorpay import Gateway, until
from tests.sandbox.receiver import receiving

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


# --- One state machine, fed by webhooks and by fetches ---------------------------------------------------------------


def test_bp_01_the_webhook_fulfils_though_the_browser_never_comes_back(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    gateway.pay(order.gateway_id or "")

    hear(portal, cedar, gateway.events("order.paid"))

    assert books(cedar).bills == PAID


def test_bp_01_a_callback_alone_fulfils_nothing(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    """Its signature is right, but the gateway does not answer: we are checking. The webhook then settles it."""
    told = gateway.pay(order.gateway_id or "")["callback"]
    gateway.break_call("orders.payments", "502", "before")

    assert back(cedar, order, told) is None

    assert outcome(cedar, order) == Outcome.CHECKING
    assert books(cedar).entries == []
    hear(portal, cedar, gateway.events("payment.captured"))
    assert books(cedar).bills == PAID


def test_bp_02_a_callback_with_a_changed_signature_or_of_another_order_is_refused(
    order: PaymentOrder, gateway: Gateway, cedar: Hospital
) -> None:
    told = gateway.pay(order.gateway_id or "")["callback"]
    first = "0" if told["razorpay_signature"][0] != "0" else "1"
    other = razorpay.create_order(gateway.keys, amount=Decimal(1), receipt="other", notes={})
    foreign = gateway.pay(other.id)["callback"]

    for forged in ({**told, "razorpay_signature": first + told["razorpay_signature"][1:]}, foreign):
        with pytest.raises(Conflict):
            back(cedar, order, forged)

    assert books(cedar).entries == []


def test_bp_37_a_webhook_with_one_changed_character_is_refused(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    gateway.pay(order.gateway_id or "")
    [event] = gateway.events("order.paid")
    again = json.dumps(event.payload).encode()

    assert again != event.body
    assert knock(portal, event.body.replace(b"paid", b"paiD", 1), event.headers).status_code == 400
    assert knock(portal, again, event.headers).status_code == 400
    assert tell(portal, event).status_code == 200


def test_bp_03_a_repeat_is_ignored_and_a_changed_copy_refused(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    gateway.pay(order.gateway_id or "")
    hear(portal, cedar, gateway.events())
    before = books(cedar)
    [event] = gateway.events("order.paid")

    assert tell(portal, event).status_code == 200
    assert knock(portal, event.body.replace(b'"paid"', b'"open"'), event.headers).status_code == 400

    work_off(cedar)
    assert books(cedar) == before


def test_bp_04_what_the_door_could_not_take_is_taken_when_it_is_repeated(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    with receiving() as receiver:
        receiver.answers = [500, 500]
        gateway.change(webhook_url=receiver.url)
        gateway.faults(retry_seconds=0.05, drop=["payment.authorized", "payment.captured"])
        gateway.pay(order.gateway_id or "")
        until(lambda: len(receiver.received) == 3, "the third try")
        last = receiver.received[-1]

    theirs = {name: text for name, text in last.headers.items() if name.startswith("x-razorpay-")}
    assert knock(portal, last.body, theirs).status_code == 200
    work_off(cedar)
    assert books(cedar).bills == PAID


def test_bp_05_asking_recovers_what_no_webhook_told(order: PaymentOrder, gateway: Gateway, cedar: Hospital) -> None:
    gateway.faults(drop=["*"])
    gateway.pay(order.gateway_id or "")

    later(cedar, minutes=14)
    assert books(cedar).entries == []
    later(cedar, minutes=16)

    assert books(cedar).bills == PAID


def test_bp_06_a_late_authorisation_is_fulfilled_once(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    gateway.faults(late_seconds=0)
    payment = gateway.pay(order.gateway_id or "", "late")["payment"]["id"]
    hear(portal, cedar, gateway.events("payment.failed"))
    assert outcome(cedar, order) == Outcome.FAILED
    with schema_context(cedar.schema_name):
        order.refresh_from_db()
        assert order.status == PaymentOrder.Status.OPEN

    gateway.authorize_late(payment)
    hear(portal, cedar, gateway.events())

    assert books(cedar).bills == PAID
    assert books(cedar).payments == [(payment, "captured", True)]


@pytest.mark.parametrize("hours", [1, 71])
def test_bp_06_a_late_authorisation_nobody_told_of_is_found_for_three_days(
    order: PaymentOrder, gateway: Gateway, cedar: Hospital, hours: int
) -> None:
    gateway.faults(late_seconds=0, drop=["*"])
    payment = gateway.pay(order.gateway_id or "", "late")["payment"]["id"]
    later(cedar)
    gateway.authorize_late(payment)

    later(cedar, minutes=hours * 60)

    assert books(cedar).bills == PAID


def test_bp_06_late_and_captured_by_hand(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    """What is only authorised is captured by us, before the gateway gives it back."""
    gateway.pay(order.gateway_id or "", "authorized")

    hear(portal, cedar, gateway.events("payment.authorized"))

    [found] = razorpay.payments_of(gateway.keys, order.gateway_id or "")
    assert found.captured
    assert books(cedar).bills == PAID


def test_bp_06_what_was_not_captured_in_time_never_was_ours(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    payment = gateway.pay(order.gateway_id or "", "authorized")["payment"]["id"]
    gateway.expire(payment)

    hear(portal, cedar, gateway.events("refund.processed"))

    assert books(cedar).payments == [(payment, "voided", False)]
    assert books(cedar).entries == []
