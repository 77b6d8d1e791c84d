"""Two people change a doctor's hours at the same moment, or one does while a patient books."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import time
from threading import Barrier
from typing import Any

from django.db import connections
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Availability, Status
from appointments.services import hours
from appointments.services.displacing import Decisions
from appointments.services.hours import Stretch
from core.errors import DomainError
from core.schemas import schema_context
from hospitals.models import Doctor
from tenants.models import Hospital
from tests import factories
from tests.factories import at, visit


def at_once(hospital: Hospital, *acts: Callable[[], Any]) -> list[str]:
    """Do all of it at the same moment; answer "done" or the refusal for each."""
    gate = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> str:
        try:
            with schema_context(hospital.schema_name):
                Availability.objects.exists()  # the connection is open before the start
                gate.wait(10)
                act()
                return "done"
        except DomainError as error:
            return str(error)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_of_many_who_add_the_same_hours_one_does(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    hari = User.objects.get(email="hari@cedar.example")
    with schema_context(cedar.schema_name):
        pk = factories.bookable_doctor(cedar, hari).pk

    def add() -> None:
        doctor = Doctor.objects.select_related("user").get(pk=pk)
        stretch = Stretch(time(18), time(20))
        hours.add_weekly(hospital=cedar, doctor=doctor, weekdays=[0], stretch=stretch, by=hari, now=now())

    answers = at_once(cedar, *[add] * 6)
    assert answers.count("done") == 1
    assert all("overlaps other hours" in answer for answer in answers if answer != "done")


def test_nobody_books_into_leave_that_is_taken_at_the_same_moment(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    hari = User.objects.get(email="hari@cedar.example")
    with schema_context(cedar.schema_name):
        pk = factories.bookable_doctor(cedar, hari).pk
        people = [factories.person(f"p{number}@example.com") for number in range(5)]

    for days in range(2, 10):
        day = at(cedar, "10:00", days).date()

        def rest(day: Any = day) -> None:
            doctor = Doctor.objects.select_related("user").get(pk=pk)
            undecided = Decisions()
            hours.add_leave(
                hospital=cedar, doctor=doctor, first_date=day, last_date=day, by=hari, now=now(), decisions=undecided
            )

        def booker(user: User, clock: str, days: int = days) -> Callable[[], Any]:
            doctor = Doctor.objects.select_related("user", "schedule").get(pk=pk)
            return lambda: visit(cedar, doctor, user, clock, days)

        with schema_context(cedar.schema_name):
            acts = [booker(user, f"{9 + number}:00".zfill(5)) for number, user in enumerate(people)]
        answers = at_once(cedar, rest, *acts)
        with schema_context(cedar.schema_name):
            booked = Appointment.objects.filter(status=Status.CONFIRMED, starts_at__date=day).count()
            is_leave = Availability.objects.filter(kind=Availability.Kind.LEAVE, first_date=day).exists()
        assert is_leave == (answers[0] == "done")
        assert booked == answers[1:].count("done")
        assert not (booked and is_leave)
