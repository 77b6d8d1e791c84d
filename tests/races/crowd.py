"""Many people at once, each over a database connection of their own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier, Semaphore
from typing import Any

from django.db import connection, connections
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment
from appointments.services import booking
from appointments.services.booking import Booking
from core.errors import DomainError
from core.schemas import schema_context
from core.visits import VisitKind
from hospitals.models import Doctor
from tenants.models import Hospital
from tests import factories

AT_ONCE = 60  # connections; the tests' server has two hundred for its workers


def crowd(*acts: tuple[Hospital, Callable[[], Any]]) -> list[Any]:
    """What each act answers in its hospital, or how it is refused; as many as can begin at the same moment.

    Anything but a refusal, a deadlock for one, is an error of the test.
    """
    seats, gate = Semaphore(AT_ONCE), Barrier(min(len(acts), AT_ONCE))

    def do(number: int) -> Any:
        hospital, act = acts[number]
        with seats:
            try:
                with schema_context(hospital.schema_name):
                    connection.ensure_connection()
                    if number < AT_ONCE:
                        gate.wait(60)
                    return act()
            except DomainError as refusal:
                return refusal
            finally:
                connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(do, range(len(acts))))


def patients(hospital: Hospital, count: int) -> list[User]:
    """People who are in the hospital's register already."""
    people = [factories.person(f"crowd{number}@example.com", f"Person{number}") for number in range(count)]
    with schema_context(hospital.schema_name):
        for user in people:
            factories.patient(user)
    return people


def the_doctor(slug: str = "cedar", email: str = "rao@cedar.example") -> tuple[Hospital, Doctor]:
    """A hospital with a doctor whom patients can book every day from 9 to 17."""
    hospital = Hospital.objects.get(slug=slug)
    admin = User.objects.get(email=hospital.email)
    with schema_context(hospital.schema_name):
        return hospital, factories.bookable_doctor(hospital, admin, email)


def booker(hospital: Hospital, doctor: Doctor, user: User, clock: str = "10:00", **asked: Any) -> Callable[[], Any]:
    """Booking a time of tomorrow, for later. Every booker reads the doctor anew, as requests do."""

    def book() -> Appointment:
        return booking.book(
            hospital=hospital,
            doctor=again(doctor),
            starts_at=factories.at(hospital, clock),
            kind=VisitKind.IN_PERSON,
            booking=Booking(patient=factories.patient(user), **asked),
            by=user,
            now=now(),
        )

    return book


def holding(hospital: Hospital, doctor: Doctor, holder: Any, clock: str = "10:00") -> Callable[[], Appointment]:
    """Holding a time of tomorrow, for later."""
    return partial(_hold, hospital, doctor, holder, clock)


def _hold(hospital: Hospital, doctor: Doctor, holder: Any, clock: str) -> Appointment:
    starts_at = factories.at(hospital, clock)
    return booking.hold(
        hospital=hospital,
        doctor=again(doctor),
        starts_at=starts_at,
        kind=VisitKind.IN_PERSON,
        holder=holder,
        by=None,
        now=now(),
    )


def again(doctor: Doctor) -> Doctor:
    """The doctor, read anew."""
    return Doctor.objects.select_related("user", "schedule").get(pk=doctor.pk)


def live(hospital: Hospital) -> list[Appointment]:
    """What keeps its time now, the earliest first."""
    with schema_context(hospital.schema_name):
        return list(Appointment.objects.live().by_time())


def overlapping(visits: Sequence[Appointment]) -> list[tuple[Appointment, Appointment]]:
    """Pairs of live visits of one doctor that share a moment and a place."""
    pairs = [(one, other) for number, one in enumerate(visits) for other in visits[:number]]
    return [(one, other) for one, other in pairs if one.doctor_id == other.doctor_id and _meet(one, other)]


def _meet(one: Appointment, other: Appointment) -> bool:
    with connection.cursor() as cursor:
        ranges: list[Any] = [one.busy, other.busy, one.places, other.places]
        cursor.execute("SELECT %s::tstzrange && %s::tstzrange AND %s::int4range && %s::int4range", ranges)
        return bool(cursor.fetchone()[0])


def deadlocks() -> int:
    """How many Postgres has had to break in this database; sessions report when they end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
