"""The queue of a day: who has arrived, in which order doctors call them, and how long that takes. Nothing here writes.

A token says who somebody is, not when their turn comes: the turn is due at the time of the visit, or on arrival if that
is later (`Appointments.in_line`). So nobody who comes in time is overtaken, and who walks in fills the gaps.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median

from django.db.models import Count

from appointments.models import LIVE, Appointment, Status
from appointments.models.visits import Appointments
from appointments.services import times
from core.visits import VisitKind
from hospitals.models import Doctor
from patients.models import Patient
from tenants.models import Hospital

_MINUTE = timedelta(minutes=1)
# How many visits of the past tell how long one takes, and from how many on they are believed.
_LATELY = 20
_ENOUGH = 3
_HERE = [Status.CHECKED_IN, Status.IN_PROGRESS]
# What counts as a visit of a day: all but what was called off.
EXPECTED = [*(status for status in LIVE if status != Status.HELD), Status.COMPLETED, Status.NO_SHOW]


@dataclass(frozen=True)
class Place:
    """Somebody's place in a doctor's queue: how many are called before them, and in about how many minutes it is time."""

    before: int
    minutes: int


@dataclass(frozen=True)
class Line:
    """A doctor with who is inside and who waits, in the order of being called."""

    doctor: Doctor
    inside: list[Appointment] = field(default_factory=list)
    waiting: list[Appointment] = field(default_factory=list)

    @property
    def room(self) -> str:
        """Where the doctor sees patients; empty if nobody has said it."""
        return times.schedule_of(self.doctor).room


@dataclass(frozen=True)
class Counter:
    """A doctor whom somebody without a booking may see today, with how many wait or are inside."""

    doctor: Doctor
    waiting: int
    is_at_work: bool


@dataclass(frozen=True)
class Counts:
    """A day in numbers."""

    visits: int
    waiting: int
    patients: int


def today_of(hospital: Hospital, now: datetime) -> date:
    """The day it is by the hospital's clocks."""
    return now.astimezone(times.zone_of(hospital)).date()


def of_day(hospital: Hospital, day: date) -> Appointments:
    """The visits, and holds, that begin on a day."""
    return Appointment.objects.between(*times.instants_of(day, times.zone_of(hospital)))


def place_of(visit: Appointment, *, now: datetime) -> Place | None:
    """Where a patient who has arrived stands in the queue; None for one who does not wait. Two queries."""
    if visit.status != Status.CHECKED_IN or visit.checked_in_at is None:
        return None
    theirs = Appointment.objects.filter(doctor_id=visit.doctor_id, token_date=visit.token_date, token__isnull=False)
    here = theirs.filter(status__in=_HERE)
    rows = list(here.in_line().only("status", "called_at", "starts_at", "checked_in_at", "token"))
    waiting = [row.pk for row in rows if row.status == Status.CHECKED_IN]
    before = waiting.index(visit.pk) if visit.pk in waiting else len(waiting)
    usual = usual_length(visit.doctor)
    left = [usual - (now - row.called_at) for row in rows if row.status == Status.IN_PROGRESS and row.called_at]
    until = before * usual + max([timedelta(), *left])
    # Doctors may call earlier than that, but nobody should count on it.
    return Place(before=before, minutes=max(0, round(max(until, visit.starts_at - now) / _MINUTE)))


def usual_length(doctor: Doctor) -> timedelta:
    """How long a visit to this doctor takes: the median of the last twenty, or what is planned when there are too few."""
    done = Appointment.objects.filter(doctor=doctor, status=Status.COMPLETED, called_at__isnull=False)
    lately = done.order_by("-starts_at").values_list("called_at", "completed_at")[:_LATELY]
    lengths = [(completed - called).total_seconds() for called, completed in lately if called and completed]
    if len(lengths) < _ENOUGH:
        return timedelta(minutes=times.schedule_of(doctor).slot_minutes)
    return timedelta(seconds=median(lengths))


def lines(*, hospital: Hospital, now: datetime, doctors: Iterable[Doctor] = ()) -> list[Line]:
    """Today's queues, by the name of the doctor: all with anybody in them, or those of `doctors` alone. One query."""
    here = of_day(hospital, today_of(hospital, now)).filter(status__in=_HERE)
    found = {doctor.pk: Line(doctor=doctor) for doctor in doctors}
    if found:
        here = here.filter(doctor__in=found)
    for visit in here.select_related("patient", "doctor__user", "doctor__schedule").in_line():
        line = found.setdefault(visit.doctor_id, Line(doctor=visit.doctor))
        (line.inside if visit.status == Status.IN_PROGRESS else line.waiting).append(visit)
    return sorted(found.values(), key=lambda line: line.doctor.name.lower())


def counters(*, hospital: Hospital, now: datetime) -> list[Counter]:
    """The doctors for somebody without a booking, the best first: at work today, and the shortest queue."""
    doctors = [
        doctor
        for doctor in Doctor.objects.bookable().with_people().select_related("schedule").order_by("pk")
        if VisitKind.IN_PERSON in doctor.kinds
    ]
    here = of_day(hospital, today_of(hospital, now)).filter(status__in=_HERE, doctor__in=doctors)
    waiting = dict(here.order_by().values_list("doctor").annotate(Count("pk")))
    at_work = times.at_work(hospital=hospital, doctors=doctors, now=now)
    found = [Counter(doctor, waiting.get(doctor.pk, 0), doctor.pk in at_work) for doctor in doctors]
    return sorted(found, key=lambda one: (not one.is_at_work, one.waiting, one.doctor.name.lower()))


def minutes_behind(visits: Iterable[Appointment], *, now: datetime) -> int:
    """How late a doctor runs: for how long the booked patient who waits longest should have been called already."""
    late = [timedelta()]
    for visit in visits:
        if visit.status == Status.CHECKED_IN and visit.source != Appointment.Source.WALK_IN:
            late.append(now - due_at(visit))
        elif visit.status == Status.IN_PROGRESS:
            late.append(now - visit.ends_at)
    return int(max(late) / _MINUTE)


def due_at(visit: Appointment) -> datetime:
    """When the turn of somebody who has arrived was due (see `Appointments.in_line`)."""
    return max(visit.starts_at, visit.checked_in_at or visit.starts_at)


def minutes_waiting(visit: Appointment, *, now: datetime) -> int:
    """For how long somebody who has arrived has been waiting."""
    return max(0, int((now - visit.checked_in_at) / _MINUTE)) if visit.checked_in_at else 0


def counts(*, hospital: Hospital, now: datetime) -> Counts:
    """Today's visits, who waits now, and the patients of the register. Three queries."""
    visits = of_day(hospital, today_of(hospital, now))
    return Counts(
        visits=visits.filter(status__in=EXPECTED).count(),
        waiting=visits.filter(status=Status.CHECKED_IN).count(),
        patients=Patient.objects.current().count(),
    )
