"""A time becomes free and many act at the same moment: it is offered to one, and one gets it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Status, WaitlistEntry
from appointments.services import booking, day, waiting
from appointments.services.waiting import Wish
from core.errors import DomainError
from core.schemas import schema_context
from core.visits import VisitKind
from hospitals.models import Doctor
from notifications.models import Notification
from tenants.models import Hospital
from tests import factories
from tests.factories import at, person, visit

WAITING = 4


@pytest.fixture
def cedar(committed: None) -> Iterator[Hospital]:
    """Dr Rao's time of the day after tomorrow at ten was given up, and four wait for it."""
    hospital = Hospital.objects.get(slug="cedar")
    hari = User.objects.get(email="hari@cedar.example")
    with schema_context(hospital.schema_name):
        rao = factories.bookable_doctor(hospital, hari)
        today = at(hospital, "00:00", 0).date()
        for number in range(WAITING):
            waiting.join(
                hospital=hospital,
                doctor=rao,
                member=None,
                wish=Wish(today, today + timedelta(days=9), []),
                by=person(f"w{number}@example.com", f"W{number}"),
                now=now() - timedelta(hours=WAITING - number),
            )
        given_up = visit(hospital, rao, User.objects.get(email="asha@example.com"), days=2)
        day.cancel(hospital=hospital, visit=given_up, by=hari, reason="", now=now(), by_hospital=True)
    yield hospital


def at_once(hospital: Hospital, *acts: Callable[[], object]) -> list[object]:
    """What each act answers, or the refusal it meets."""
    gate = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        try:
            with schema_context(hospital.schema_name):
                Appointment.objects.exists()  # the connection is open before the start
                gate.wait(10)
                return act()
        except DomainError as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def given_up() -> Appointment:
    return Appointment.objects.get(status=Status.CANCELLED)


def test_a_time_that_is_freed_many_times_at_once_is_offered_to_one(cedar: Hospital) -> None:
    at_once(cedar, *[lambda: waiting.freed(appointment_id=given_up().pk, now=now())] * 6)
    with schema_context(cedar.schema_name):
        offered = WaitlistEntry.objects.filter(status=WaitlistEntry.Status.OFFERED)
        assert [entry.patient.name.split()[0] for entry in offered] == ["W0"]
        assert Appointment.objects.live().count() == 1
        assert Notification.objects.filter(template="waitlist_offer").count() == 1


def test_an_offer_that_is_accepted_many_times_at_once_is_booked_once(cedar: Hospital) -> None:
    with schema_context(cedar.schema_name):
        waiting.freed(appointment_id=given_up().pk, now=now())
        entry = WaitlistEntry.objects.get(status=WaitlistEntry.Status.OFFERED)
    answers = at_once(cedar, *[lambda: waiting.accept(hospital=cedar, entry=entry, by=None, now=now()).pk] * 6)
    with schema_context(cedar.schema_name):
        assert {*answers} == {Appointment.objects.live().get().pk}
        assert Notification.objects.filter(template="visit_booked", to_address="w0@example.com").count() == 1


def test_of_an_answer_in_the_last_second_and_the_clock_one_wins(cedar: Hospital) -> None:
    with schema_context(cedar.schema_name):
        waiting.freed(appointment_id=given_up().pk, now=now())
        entry = WaitlistEntry.objects.select_related("offer").get(status=WaitlistEntry.Status.OFFERED)
    assert entry.offer
    assert entry.offer.held_until
    end = entry.offer.held_until
    at_once(
        cedar,
        lambda: waiting.accept(hospital=cedar, entry=entry, by=None, now=end - timedelta(seconds=1)),
        lambda: waiting.go_round(hospital=cedar, now=end),
        lambda: booking.release_run_out(now=end),
        lambda: waiting.decline(entry=entry, by=None),
    )
    with schema_context(cedar.schema_name):
        entry.refresh_from_db()
        live = Appointment.objects.live()
        assert live.count() <= 1
        is_booked = entry.status == WaitlistEntry.Status.BOOKED
        assert is_booked == live.filter(patient=entry.patient).exists()
        assert WaitlistEntry.objects.filter(status=WaitlistEntry.Status.OFFERED).count() + is_booked <= 1


def test_somebody_who_books_while_the_time_is_offered_does_not_get_it_as_well(cedar: Hospital) -> None:
    quick = person("quick@example.com")

    def book() -> Appointment:
        return booking.book(
            hospital=cedar,
            doctor=Doctor.objects.select_related("user", "schedule").get(),
            starts_at=at(cedar, "10:00", 2),
            kind=VisitKind.IN_PERSON,
            booking=booking.Booking(patient=factories.patient(quick)),
            by=quick,
            now=now(),
        )

    at_once(cedar, book, *[lambda: waiting.freed(appointment_id=given_up().pk, now=now())] * 3)
    with schema_context(cedar.schema_name):
        [taken] = Appointment.objects.live()
        offered = WaitlistEntry.objects.filter(status=WaitlistEntry.Status.OFFERED).count()
        assert offered == (taken.status == Status.HELD)


def test_two_times_that_are_freed_at_once_are_not_offered_to_the_same_person(cedar: Hospital) -> None:
    with schema_context(cedar.schema_name):
        rao = Doctor.objects.select_related("user", "schedule").get()
        other = visit(cedar, rao, User.objects.get(email="asha@example.com"), "11:00", days=2)
        day.cancel(hospital=cedar, visit=other, by=None, reason="", now=now(), by_hospital=True)
        times = list(Appointment.objects.filter(status=Status.CANCELLED).values_list("pk", flat=True))
    at_once(cedar, *[lambda pk=pk: waiting.freed(appointment_id=pk, now=now()) for pk in times * 2])
    with schema_context(cedar.schema_name):
        holders = {hold.holder for hold in Appointment.objects.held(now())}
        offered = {entry.code for entry in WaitlistEntry.objects.filter(status=WaitlistEntry.Status.OFFERED)}
        assert holders == offered
        assert len(holders) == 2
