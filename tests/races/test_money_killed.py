"""kill -9 of web and worker at each step between order and confirmation: paid and confirmed, or refunded; never lost.

No message reaches a worker in these tests: what the dead left is taken up by the clock alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Schedule, Status
from appointments.services import booking, day, gate, paying
from billing import razorpay
from billing.models import Account, Payment, PaymentOrder, Refund, WebhookEvent
from billing.services import checkout, ledger, refunds, sweeping, webhooks
from core import schemas
from core.schemas import schema_context
from core.visits import VisitKind
from hospitals.models import Doctor
from tenants.models import Hospital
from tests import factories
from tests.appointments.money import as_it_is
from tests.conftest import browser
from tests.fakes.razorpay import Gateway, Webhook
from tests.races.dying import every_death

PaymentStatus = Appointment.PaymentStatus


@dataclass
class Story:
    """Asha books a video visit and pays for it; each time another one."""

    hospital: Hospital
    doctor: Doctor
    asha: User
    gateway: Gateway
    visit: Appointment = field(init=False)
    order: PaymentOrder = field(init=False)
    told: dict[str, Any] = field(init=False)
    _numbers: Iterator[int] = field(default_factory=count)

    def books(self) -> None:
        """A time nobody has had yet."""
        days, slot = divmod(next(self._numbers), 24)
        clock = f"{9 + slot // 3:02d}:{slot % 3 * 20:02d}"
        with schema_context(self.hospital.schema_name):
            made = booking.book(
                hospital=self.hospital,
                doctor=Doctor.objects.select_related("user", "schedule").get(pk=self.doctor.pk),
                starts_at=factories.at(self.hospital, clock, 1 + days),
                kind=VisitKind.VIDEO,
                booking=booking.Booking(patient=factories.patient(self.asha)),
                by=self.asha,
                now=now(),
            )
            self.visit = as_it_is(made)

    def opens_checkout(self) -> None:
        """Asha is about to pay."""
        with schema_context(self.hospital.schema_name):
            bill = paying.begin(hospital=self.hospital, visit=self.visit, by=self.asha, now=now())
            self.order = checkout.begin(hospital=self.hospital, invoice=bill, by=self.asha, now=now())

    def pays(self, outcome: str = "succeeds") -> None:
        """At the gateway; we have heard nothing yet."""
        self.told = self.gateway.pay(self.order.gateway_id or "", outcome)

    def stands_at_checkout(self) -> None:
        self.books()
        self.opens_checkout()

    def has_paid(self) -> None:
        self.stands_at_checkout()
        self.pays()

    def events(self, name: str) -> list[Webhook]:
        """What the gateway tells of this order."""
        payment = self.told["payment"]["id"].encode()
        return [event for event in self.gateway.events(name) if payment in event.body]

    def clock_goes_round(self) -> None:
        """For half an hour."""
        with schema_context(self.hospital.schema_name):
            for minutes in (7, 18, 24):
                moment = now() + timedelta(minutes=minutes)
                sweeping.sweep(hospital=self.hospital, now=moment)
                gate.release_unpaid(hospital=self.hospital, now=moment)

    def is_paid_and_confirmed(self, how: str) -> None:
        """And paid once."""
        with schema_context(self.hospital.schema_name):
            visit = as_it_is(self.visit)
            assert (visit.status, visit.payment_status) == (Status.CONFIRMED, PaymentStatus.PAID), how
            assert Payment.objects.captured().filter(invoice__about_code=visit.code).count() == 1, how
        self.books_agree(how)

    def is_refunded(self, how: str) -> None:
        """All of it, once, and the visit says so."""
        with schema_context(self.hospital.schema_name):
            visit = as_it_is(self.visit)
            assert visit.payment_status == PaymentStatus.REFUNDED, how
            assert visit.status in (Status.EXPIRED, Status.CANCELLED), how
        self.books_agree(how)

    def books_agree(self, how: str) -> None:
        """What the gateway holds of this order is what the books say, and nothing is on its way."""
        with schema_context(self.hospital.schema_name):
            self.order = PaymentOrder.objects.get(invoice__about_code=self.visit.code)
            tries = razorpay.payments_of(self.gateway.keys, self.order.gateway_id or "")
            held = sum(one.amount - one.amount_refunded for one in tries if one.captured)
            paid, back = ledger.paid_on(self.order.invoice), ledger.refunded_on(self.order.invoice)
            assert held == paid - back, how
            assert not Payment.objects.unfulfilled().exists(), how
            assert not Refund.objects.open().exists(), how
            assert not Refund.objects.untold().exists(), how
            left = ledger.balances()
            assert [left.get(account, 0) for account in (Account.ADVANCES, Account.REFUNDS, Account.RECEIVABLE)] == [
                0
            ] * 3, how
            assert sum(left.values()) == 0, how


@pytest.fixture
def story(committed: None, gateway: Gateway) -> Story:
    """Dr Rao sees patients by video in the next weeks."""
    cedar = Hospital.objects.get(slug="cedar")
    hari, asha = (User.objects.get(email=email) for email in ("hari@cedar.example", "asha@example.com"))
    with schema_context(cedar.schema_name):
        rao = factories.bookable_doctor(cedar, hari)
        Schedule.objects.update(horizon_days=30)
    gateway.faults(late_seconds=0)
    return Story(cedar, rao, asha, gateway)


def test_the_web_dies_on_the_way_to_the_checkout(story: Story) -> None:
    """Nothing is charged. Asha tries again: there is one order, and she pays it."""

    def tries_again(how: str) -> None:
        story.opens_checkout()
        story.pays()
        story.clock_goes_round()
        story.is_paid_and_confirmed(how)
        with razorpay._client(story.gateway.keys) as client:
            assert len(client.order.all({"receipt": story.order.receipt})["items"]) == 1, how

    assert every_death(story.opens_checkout, begin=story.books, end=tries_again) >= 8


def test_the_web_dies_when_the_payers_browser_comes_back(story: Story) -> None:
    def comes_back() -> None:
        browser(story.hospital.host.partition(":")[0]).post(
            f"/bills/pay/{story.order.code}/return/", story.told["callback"]
        )

    def is_confirmed(how: str) -> None:
        story.clock_goes_round()
        story.is_paid_and_confirmed(how)

    assert every_death(comes_back, begin=story.has_paid, end=is_confirmed) >= 10


def test_the_web_dies_at_the_door_for_messages(story: Story) -> None:
    """The gateway has no answer then, and tells again."""

    def is_told() -> None:
        [event] = story.events("payment.captured")
        answer = Client(HTTP_HOST="localhost").post(
            "/webhooks/razorpay/", data=event.body, content_type="application/json", headers=event.headers
        )
        assert answer.status_code == 200

    def is_told_again(how: str) -> None:
        is_told()
        schemas.enter_public()
        with schema_context(story.hospital.schema_name):
            [event] = story.events("payment.captured")
            assert WebhookEvent.objects.filter(event_id=event.id).count() == 1, how
        story.clock_goes_round()
        story.is_paid_and_confirmed(how)

    assert every_death(is_told, begin=story.has_paid, end=is_told_again) >= 4


@pytest.mark.parametrize(("outcome", "event"), [("succeeds", "payment.captured"), ("authorized", "payment.authorized")])
def test_the_worker_dies_over_a_message(story: Story, outcome: str, event: str) -> None:
    """Also while it captures what is only authorised."""

    def is_told() -> None:
        story.stands_at_checkout()
        story.pays(outcome)
        [told] = story.events(event)
        message = webhooks.Message(told.body, told.signature, told.id)
        assert webhooks.receive(hospital=None, message=message, now=now())

    def works() -> None:
        with schema_context(story.hospital.schema_name):
            webhooks.take_in(event_id=story.events(event)[0].id, now=now())

    def is_confirmed(how: str) -> None:
        story.clock_goes_round()
        story.is_paid_and_confirmed(how)
        with schema_context(story.hospital.schema_name):
            assert not WebhookEvent.objects.exclude(state=WebhookEvent.State.DONE).exists(), how

    assert every_death(works, begin=is_told, end=is_confirmed) >= 10


def test_the_worker_dies_over_money_that_comes_too_late(story: Story) -> None:
    """The time was given up, and somebody else has it: the money goes back, whoever dies."""
    nita = factories.person("nita@example.com", "Nita")

    def is_too_late() -> None:
        story.stands_at_checkout()
        with schema_context(story.hospital.schema_name):
            gate.release_unpaid(hospital=story.hospital, now=now() + timedelta(minutes=40))
            assert as_it_is(story.visit).status == Status.EXPIRED
            PaymentOrder.objects.update(
                created_at=now() - timedelta(minutes=40), asked_at=now() - timedelta(minutes=20)
            )
            factories.visit(
                story.hospital,
                Doctor.objects.select_related("user", "schedule").get(pk=story.doctor.pk),
                nita,
                *_when(story),
            )
        story.pays()

    def works() -> None:
        with schema_context(story.hospital.schema_name):
            order = PaymentOrder.objects.select_related("invoice", "account").get(pk=story.order.pk)
            checkout.ask(hospital=story.hospital, order=order, now=now())

    def is_refunded(how: str) -> None:
        story.clock_goes_round()
        story.is_refunded(how)

    assert every_death(works, begin=is_too_late, end=is_refunded) >= 10


def _when(story: Story) -> tuple[str, int]:
    """The clock and the day of the visit, as factories take them."""
    zone = ZoneInfo(story.hospital.time_zone)
    starts = story.visit.starts_at.astimezone(zone)
    return f"{starts:%H:%M}", (starts.date() - now().astimezone(zone).date()).days


@pytest.mark.parametrize("fate", ["processed", "pending"])
def test_the_worker_dies_over_a_refund(story: Story, fate: str) -> None:
    """The gateway refunds once, however often it is asked."""

    def is_cancelled() -> None:
        story.gateway.faults(late_seconds=0, refunds=fate)
        story.has_paid()
        with schema_context(story.hospital.schema_name):
            checkout.ask(hospital=story.hospital, order=story.order, now=now())
            day.cancel(
                hospital=story.hospital, visit=as_it_is(story.visit), by=None, reason="", now=now(), by_hospital=True
            )

    def works() -> None:
        with schema_context(story.hospital.schema_name):
            refund = Refund.objects.select_related("payment__order__account", "invoice").get(
                invoice__about_code=story.visit.code
            )
            refunds.send(refund=refund, now=now())

    def is_refunded(how: str) -> None:
        story.clock_goes_round()
        [made] = razorpay.refunds_of(story.gateway.keys, story.told["payment"]["id"])
        if fate == "pending":
            story.gateway.finish_refund(made.id)
            [event] = [told for told in story.gateway.events("refund.processed") if made.id.encode() in told.body]
            webhooks.receive(hospital=None, message=webhooks.Message(event.body, event.signature, event.id), now=now())
            story.clock_goes_round()
        story.is_refunded(how)

    assert every_death(works, begin=is_cancelled, end=is_refunded) >= 6
