"""Money arrives at the moment at which the time is given up, booked by somebody else, or told of twice."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import pytest
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Status
from appointments.services import day, gate
from billing.models import Payment, PaymentOrder, Refund
from billing.services import checkout, ledger
from core.schemas import schema_context
from directory.models import TakenTime
from hospitals.models import Doctor
from notifications.models import Notification
from tenants.models import Hospital
from tests.appointments.money import as_it_is, at_checkout, by_video
from tests.factories import at
from tests.fakes.razorpay import Gateway
from tests.races.crowd import crowd, deadlocks, patients, the_doctor

LATE = timedelta(minutes=21)


@dataclass
class Scene:
    """A video visit of Asha's, whose payment the gateway has taken and nobody knows of yet."""

    cedar: Hospital
    rao: Doctor
    visit: Appointment
    order: PaymentOrder

    def hear(self, when: timedelta = timedelta()) -> None:
        """The news arrives."""
        order = PaymentOrder.objects.select_related("invoice", "account").get(pk=self.order.pk)
        checkout.ask(hospital=self.cedar, order=order, now=now() + when)

    def give_up(self) -> int:
        """The clock looks whether it is paid."""
        return gate.release_unpaid(hospital=self.cedar, now=now() + LATE)

    def now_is(self) -> Appointment:
        """The visit as it is."""
        return as_it_is(self.visit)


@pytest.fixture
def scene(committed: None, gateway: Gateway) -> Iterator[Scene]:
    """Asha has paid for tomorrow at ten."""
    cedar, rao = the_doctor()
    with schema_context(cedar.schema_name):
        visit = by_video(cedar, rao, User.objects.get(email="asha@example.com"))
        order = at_checkout(cedar, visit)
        gateway.pay(order.gateway_id or "")
        yield Scene(cedar, rao, visit, order)


def run(scene: Scene, *acts: Callable[[], object]) -> None:
    """All at once."""
    crowd(*((scene.cedar, act) for act in acts))


def require_settled(scene: Scene, live: int = 1) -> None:
    """One visit at that time; Asha has hers and has paid, or has her money back; and the books balance."""
    mine = scene.now_is()
    assert Appointment.objects.live().filter(starts_at=at(scene.cedar, "10:00")).count() == live
    has_it = mine.status == Status.CONFIRMED
    assert (mine.payment_status == "paid") == has_it
    assert Refund.objects.count() == (not has_it)
    assert TakenTime.objects.get(appointment=mine.code).is_live == has_it
    assert Payment.objects.get().fulfilled_at
    assert sum(ledger.balances().values()) == 0
    assert deadlocks() == 0


def test_the_news_heard_many_times_at_once_confirms_once(scene: Scene) -> None:
    run(scene, *[scene.hear] * 8)
    require_settled(scene)
    assert scene.now_is().status == Status.CONFIRMED
    assert Notification.objects.filter(template="visit_booked").count() == 1
    assert Notification.objects.filter(template="bill_receipt").count() == 1


def test_the_news_and_the_clock_at_once_leave_it_paid(scene: Scene) -> None:
    run(scene, scene.hear, scene.give_up, scene.give_up, partial(scene.hear, LATE))
    require_settled(scene)
    assert scene.now_is().status == Status.CONFIRMED


@pytest.mark.parametrize("_time", range(4))
def test_of_a_late_payer_and_the_next_booker_one_gets_the_time(scene: Scene, _time: int) -> None:
    Appointment.objects.filter(pk=scene.visit.pk).update(pay_until=now() - timedelta(hours=1))
    gate._release(scene.cedar, scene.visit, is_heard=True, now=now() + LATE)
    assert scene.now_is().status == Status.EXPIRED
    others = [partial(by_video, scene.cedar, scene.rao, user) for user in patients(scene.cedar, 6)]
    run(scene, *others[:3], partial(scene.hear, LATE), *others[3:])
    require_settled(scene)


def test_the_news_and_a_cancellation_at_once_leave_no_money(scene: Scene) -> None:
    asha = User.objects.get(email="asha@example.com")

    def cancel() -> None:
        day.cancel(hospital=scene.cedar, visit=scene.now_is(), by=asha, reason="", now=now(), by_hospital=False)

    run(scene, scene.hear, cancel)
    if scene.now_is().status == Status.CONFIRMED:  # the money was faster, and the cancellation was refused
        cancel()
    require_settled(scene, live=0)
