"""Visits are moved, booked, held and cancelled at the same moment: nobody loses a visit, nobody gets a taken time."""

import random
from collections.abc import Callable
from threading import Event, Thread
from typing import Any
from uuid import UUID, uuid5

from django.db import OperationalError, connection, connections, transaction
from django.utils.timezone import now
from psycopg2.extras import DateTimeTZRange

from accounts.models import User
from appointments.models import Appointment, Availability, Status
from appointments.services import booking, day, moving
from audit.models import AuditLog
from core.errors import DomainError
from core.schemas import schema_context
from directory.models import TakenTime
from hospitals.models import Doctor
from notifications.models import Notification
from patients.models import Patient
from tenants.models import Hospital
from tests.conftest import maintenance
from tests.factories import at
from tests.races.crowd import again, booker, crowd, deadlocks, holding, live, overlapping, patients, the_doctor

SPACE = UUID("6f1f6e2e-30f5-4c57-9a2c-1f8d8e4b3a10")


def mover(hospital: Hospital, visit: Appointment, clock: str) -> Callable[[], Appointment]:
    """Moving a visit within tomorrow, for later."""

    def move() -> Appointment:
        mine = Appointment.objects.select_related("doctor__user", "doctor__schedule", "patient__user").get(pk=visit.pk)
        mine.doctor = again(mine.doctor)
        by = mine.patient.user if mine.patient else None
        starts_at = at(hospital, clock)
        return moving.move(hospital=hospital, visit=mine, starts_at=starts_at, by=by, now=now(), by_hospital=False)

    return move


def booked(hospital: Hospital, doctor: Doctor, user: User, clock: str) -> Appointment:
    with schema_context(hospital.schema_name):
        visit: Appointment = booker(hospital, doctor, user, clock)()
        return visit


def test_moving_to_a_time_and_booking_it_leave_one_there(committed: None) -> None:
    cedar, rao = the_doctor()
    people = patients(cedar, 9)
    visits = [booked(cedar, rao, user, f"{9 + number}:00".zfill(5)) for number, user in enumerate(people[:4])]
    movers = [(cedar, mover(cedar, visit, "15:00")) for visit in visits]
    answers = crowd(*movers, *((cedar, booker(cedar, rao, user, "15:00")) for user in people[4:]))
    assert sum(isinstance(answer, Appointment) for answer in answers) == 1
    visits = live(cedar)
    assert [visit.starts_at for visit in visits].count(at(cedar, "15:00")) == 1
    assert len(visits) == 4 + (not any(isinstance(answer, Appointment) for answer in answers[:4]))
    assert TakenTime.objects.filter(is_live=True).count() == len(visits)


def test_two_who_swap_their_visits_wait_for_nobody_and_keep_one_each(committed: None) -> None:
    cedar, rao = the_doctor()
    people = patients(cedar, 2)
    ten, eleven = (booked(cedar, rao, user, clock) for user, clock in zip(people, ("10:00", "11:00"), strict=True))
    for _round in range(10):
        crowd((cedar, mover(cedar, ten, "11:00")), (cedar, mover(cedar, eleven, "10:00")))
        assert [visit.starts_at for visit in live(cedar)] == [at(cedar, "10:00"), at(cedar, "11:00")]
    assert deadlocks() == 0


def test_two_who_swap_what_they_hold_wait_for_nobody(committed: None) -> None:
    cedar, rao = the_doctor()
    holders = [uuid5(SPACE, str(number)) for number in range(2)]
    for clocks in [("10:00", "11:00"), ("11:00", "10:00")] * 5:
        crowd(*((cedar, holding(cedar, rao, holder, clock)) for holder, clock in zip(holders, clocks, strict=True)))
        assert not overlapping(live(cedar))
        assert len(live(cedar)) == 2
    assert deadlocks() == 0


def test_a_visit_that_is_moved_twice_at_once_is_moved_once(committed: None) -> None:
    cedar, rao = the_doctor()
    [user] = patients(cedar, 1)
    visit = booked(cedar, rao, user, "10:00")
    answers = crowd(*((cedar, mover(cedar, visit, clock)) for clock in ("11:00", "12:00", "13:00", "11:00")))
    [left] = live(cedar)
    assert [answer.pk for answer in answers if isinstance(answer, Appointment)] == [left.pk]
    assert all("just been taken" not in str(answer) for answer in answers if isinstance(answer, DomainError))


def test_a_hundred_rounds_of_everything_at_once_end_without_a_deadlock(committed: None) -> None:
    cedar, rao = the_doctor()
    people = patients(cedar, 6)
    with schema_context(cedar.schema_name):
        Availability.objects.filter(weekday=at(cedar, "10:00").weekday()).update(ends="11:00")  # six times, for six
    clocks = [f"{9 + number // 3:02}:{number % 3 * 20:02}" for number in range(6)]
    problems: list[Any] = []

    def live_through(number: int, user: User) -> None:
        dice = random.Random(number)
        holder = uuid5(SPACE, str(number))
        for _round in range(100):
            clock = dice.choice(clocks)
            mine = Appointment.objects.to_come().filter(patient__user=user)
            visit = mine.select_related("doctor__user", "doctor__schedule", "patient__user").first()
            try:
                _something(dice, cedar, rao, user, holder, clock, visit)
            except DomainError:
                continue
            except Exception as problem:
                problems.append(problem)

    crowd(*((cedar, lambda number=number, user=user: live_through(number, user)) for number, user in enumerate(people)))
    assert not problems
    visits = live(cedar)
    assert not overlapping(visits)
    booked_now = {visit.code for visit in visits if visit.status != Status.HELD}
    assert set(TakenTime.objects.filter(is_live=True).values_list("appointment", flat=True)) == booked_now
    assert deadlocks() == 0


def _something(
    dice: random.Random,
    hospital: Hospital,
    doctor: Doctor,
    user: User,
    holder: UUID,
    clock: str,
    visit: Appointment | None,
) -> None:
    """One of the things people do, on and on."""
    what = dice.choice(["hold", "hold", "book", "move", "move", "cancel", "run out"])
    if what == "hold":
        holding(hospital, doctor, holder, clock)()
    elif what == "run out":
        Appointment.objects.filter(holder=holder, status=Status.HELD).update(held_until=now())
        booking.release_run_out(now=now())
    elif visit is None:
        booker(hospital, doctor, user, clock)()
    elif what == "move":
        mover(hospital, visit, clock)()
    elif what == "cancel":
        day.cancel(hospital=hospital, visit=visit, by=user, reason="", now=now(), by_hospital=False)


def test_a_connection_that_dies_in_the_middle_of_a_booking_leaves_nothing(committed: None) -> None:
    cedar, rao = the_doctor()
    [user] = patients(cedar, 1)
    pid: list[int] = []
    died = Event()

    def book() -> None:
        try:
            with schema_context(cedar.schema_name):
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_backend_pid()")
                    pid.append(cursor.fetchone()[0])
                booker(cedar, rao, user)()
        except OperationalError:
            died.set()
        finally:
            connections.close_all()

    with transaction.atomic():  # the person's time is in dispute: the booking waits, its visit written already
        TakenTime.objects.create(
            user=user,
            person=user.code,
            hospital=cedar,
            appointment=uuid5(SPACE, "rival"),
            period=DateTimeTZRange(at(cedar, "10:00"), at(cedar, "10:20")),
        )
        thread = Thread(target=book)
        thread.start()
        _wait_until_it_waits(pid, thread)
        with maintenance() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", pid)
        thread.join(30)
        transaction.set_rollback(True)
    assert died.is_set()
    assert not TakenTime.objects.exists()
    with schema_context(cedar.schema_name):
        assert not Appointment.objects.exists()
        assert not AuditLog.objects.filter(entity="appointments.appointment").exists()
        assert not Notification.objects.filter(template="visit_booked").exists()
        assert Patient.objects.count() == 1
        assert booker(cedar, rao, user)().status == Status.CONFIRMED


def _wait_until_it_waits(pid: list[int], thread: Thread) -> None:
    with connection.cursor() as cursor:
        while thread.is_alive():
            cursor.execute("SELECT 1 FROM pg_locks WHERE pid = ANY(%s) AND NOT granted", [pid])
            if cursor.fetchone():
                return
            cursor.execute("SELECT pg_stat_clear_snapshot()")
