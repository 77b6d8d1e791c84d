"""What the clock brings to money: nothing is left lying, and nothing keeps anything else waiting."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from billing import tasks
from billing.models import Invoice, Payment, PaymentOrder, Refund, WebhookEvent
from billing.services import checkout, refunds, sweeping
from billing.services.invoices import Charge
from billing.signals import paid, refunded
from core.schemas import schema_context
from tenants.models import Hospital
from tests.billing.news import hear, tell
from tests.fakes.razorpay import Gateway

Make = Callable[..., Invoice]


@pytest.fixture
def open_checkout(in_cedar: Hospital, gateway: Gateway, draft: Make, asha: User) -> Callable[[], PaymentOrder]:
    """Asha opens a checkout of ₹700."""

    def begin() -> PaymentOrder:
        with schema_context(in_cedar.schema_name):
            return checkout.begin(hospital=in_cedar, invoice=draft(), by=asha, now=now())

    return begin


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """Which payments and refunds somebody above was told of; for `is_deaf` ones the listener fails."""
    heard: list[Any] = []

    def note(payment: Any = None, refund: Any = None, **_said: Any) -> None:
        heard.append(payment or refund)
        if heard[-1].amount == Decimal(13):
            raise RuntimeError("nobody understands this one")

    paid.connect(note)
    refunded.connect(note)
    yield heard
    paid.disconnect(note)
    refunded.disconnect(note)


def sweep(hospital: Hospital, minutes: int) -> None:
    with schema_context(hospital.schema_name):
        sweeping.sweep(hospital=hospital, now=now() + timedelta(minutes=minutes))


def test_beat_sweeps_every_minute() -> None:
    entry = django_settings.CELERY_BEAT_SCHEDULE["sweep money"]
    assert (entry["task"], entry["schedule"]) == ("billing.sweep", 60.0)


def test_the_task_goes_round_all_hospitals(
    open_checkout: Callable[[], PaymentOrder], gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    gateway.pay(open_checkout().gateway_id or "")
    tell(portal, gateway.events("order.paid")[0])

    with time_machine.travel(now() + timedelta(minutes=2)):
        tasks.sweep(schema="public")

    with schema_context(cedar.schema_name):
        assert Payment.objects.get().status == Payment.Status.CAPTURED
        assert WebhookEvent.objects.get().state == WebhookEvent.State.DONE


def test_who_was_just_told_is_given_a_moment(
    open_checkout: Callable[[], PaymentOrder], gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    gateway.pay(open_checkout().gateway_id or "")
    tell(portal, gateway.events("order.paid")[0])

    sweep(cedar, 0)

    with schema_context(cedar.schema_name):
        assert WebhookEvent.objects.get().state == WebhookEvent.State.RECEIVED


def test_a_payment_nobody_passed_on_is_passed_on(
    open_checkout: Callable[[], PaymentOrder], gateway: Gateway, portal: Client, cedar: Hospital, told: list[Any]
) -> None:
    gateway.pay(open_checkout().gateway_id or "")
    hear(portal, cedar, gateway.events())
    with schema_context(cedar.schema_name):
        Payment.objects.update(fulfilled_at=None)
    told.clear()

    sweep(cedar, 2)
    sweep(cedar, 4)

    with schema_context(cedar.schema_name):
        assert told == [Payment.objects.exclude(fulfilled_at=None).get()]


def test_a_payment_that_cannot_be_passed_on_keeps_no_other_waiting(
    in_cedar: Hospital, gateway: Gateway, draft: Make, asha: User, portal: Client, told: list[Any]
) -> None:
    for rupees in (13, 700):
        with schema_context(in_cedar.schema_name):
            invoice = draft(Charge("Consultation", Decimal(rupees)))
            order = checkout.begin(hospital=in_cedar, invoice=invoice, by=asha, now=now())
        gateway.pay(order.gateway_id or "")
    gateway.faults(drop=["*"])

    sweep(in_cedar, 16)
    sweep(in_cedar, 18)

    with schema_context(in_cedar.schema_name):
        done = Payment.objects.exclude(fulfilled_at=None).values_list("amount", flat=True)
        assert list(done) == [Decimal(700)]
        assert Payment.objects.captured().count() == 2


def test_a_refund_of_which_nobody_was_told_is_told_of(
    open_checkout: Callable[[], PaymentOrder],
    gateway: Gateway,
    portal: Client,
    cedar: Hospital,
    hari: User,
    told: list[Any],
) -> None:
    gateway.pay(open_checkout().gateway_id or "")
    hear(portal, cedar, gateway.events())
    with schema_context(cedar.schema_name):
        asked: dict[str, Any] = {"amount": Decimal(700), "reason": "Went home", "by": hari, "may_approve": True}
        refund = refunds.ask(hospital=cedar, payment=Payment.objects.get(), now=now(), **asked)
        refunds.send(refund=refund, now=now())
        assert told[-1] == refund
        Refund.objects.update(told_at=None)
    told.clear()

    sweep(cedar, 2)
    sweep(cedar, 4)

    assert told == [refund]


def test_a_gateway_that_is_away_is_asked_once_a_round(
    open_checkout: Callable[[], PaymentOrder], gateway: Gateway, cedar: Hospital
) -> None:
    """Each wait for an answer takes ten seconds; the other hospitals wait, too."""
    for _number in range(3):
        open_checkout()
    gateway.break_call("orders.payments", "502", "before", times=2)

    sweep(cedar, 16)
    with schema_context(cedar.schema_name):
        assert PaymentOrder.objects.exclude(last_error="").count() == 1
        assert PaymentOrder.objects.filter(asked_at=None).count() == 2
    sweep(cedar, 17)
    sweep(cedar, 18)

    with schema_context(cedar.schema_name):
        assert PaymentOrder.objects.exclude(last_error="").count() == 2
        assert not PaymentOrder.objects.filter(asked_at=None).exists()
