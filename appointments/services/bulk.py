"""Cancelling or moving many visits: each in its own transaction, so that one that cannot be does not hold up the others."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from django.utils.translation import gettext as _

from accounts.models import User
from appointments.models import Appointment
from appointments.services import day as visits_day
from appointments.services import moving, times
from audit import services as audit
from core.errors import Conflict, DomainError, Invalid, NotAllowedNow
from core.visits import VisitKind
from hospitals.models import Doctor
from tenants.models import Hospital

LIMIT = 200  # what one request can do without keeping anybody waiting
_DAYS = 14
_TRIES = 40


@dataclass(frozen=True)
class Outcome:
    """What became of one of many visits: `moved_to` where it was moved, `refusal` why nothing was changed."""

    visit: Appointment
    moved_to: Appointment | None = None
    refusal: str = ""


@dataclass(frozen=True)
class _Wish:
    """Where visits are to go, in whose name and why."""

    hospital: Hospital
    doctor: Doctor | None
    on: date | None
    by: User
    reason: str
    now: datetime


def cancel(*, hospital: Hospital, visits: Iterable[Appointment], by: User, reason: str, now: datetime) -> list[Outcome]:
    """Cancel each of the visits in the hospital's name, those of patients who have arrived too."""

    def one(visit: Appointment) -> None:
        visits_day.cancel(hospital=hospital, visit=visit, by=by, reason=reason, now=now, by_hospital=True)

    return _each(visits, one)


def move(
    *,
    hospital: Hospital,
    visits: Iterable[Appointment],
    doctor: Doctor | None,
    on: date | None,
    by: User,
    reason: str,
    now: datetime,
) -> list[Outcome]:
    """Move each of the visits to the next free time, of another doctor or on another day, the earliest visit first.

    On a day that is named, the time of day is kept where it is free; else the next one after it, else the first before
    it. Without a day it is the next free time within two weeks from the one the visit has. Raises Invalid when neither
    a doctor nor a day is named.
    """
    if doctor is None and on is None:
        raise Invalid(_("Choose another doctor, another day, or both."), field="doctor")
    wish = _Wish(hospital=hospital, doctor=doctor, on=on, by=by, reason=reason, now=now)
    return _each(sorted(visits, key=lambda visit: (visit.starts_at, visit.pk)), partial(_move, wish))


def _move(wish: _Wish, visit: Appointment) -> Appointment:
    if not visit.is_to_come:
        raise NotAllowedNow(audit.already(visit) or _("This step is not possible now."))
    tried: set[datetime] = set()
    while len(tried) < _TRIES:
        starts_at = _best(wish, visit, besides=tried)
        if starts_at is None:
            break
        tried.add(starts_at)
        try:
            return moving.move(
                hospital=wish.hospital,
                visit=visit,
                starts_at=starts_at,
                by=wish.by,
                now=wish.now,
                by_hospital=True,
                doctor=wish.doctor,
                reason=wish.reason,
            )
        except Conflict:  # taken a moment ago, or the patient has another visit then: the next one
            visit.refresh_from_db(fields=["status"])
            if not visit.is_to_come:
                raise
    raise NotAllowedNow(_("No time is free that day.") if wish.on else _("No time is free within two weeks."))


def _best(wish: _Wish, visit: Appointment, *, besides: set[datetime]) -> datetime | None:
    """The free time that suits best, of those that were not tried; read anew each time, since others book too."""
    doctor = wish.doctor or visit.doctor
    zone = times.zone_of(wish.hospital)
    was = visit.starts_at.astimezone(zone)
    first = wish.on or max(was.date(), wish.now.astimezone(zone).date())
    free = times.free_slots(
        hospital=wish.hospital,
        doctor=doctor,
        first=first,
        last=wish.on or first + timedelta(days=_DAYS),
        now=wish.now,
        kind=VisitKind(visit.kind),
        any_notice=True,
    )
    if doctor.pk == visit.doctor_id:
        besides = besides | {visit.starts_at}
    left = [slot.starts_at for slot in free if slot.starts_at not in besides]
    wanted = datetime.combine(first, was.time(), zone)
    later = [starts_at for starts_at in left if starts_at >= wanted]
    earlier = left if wish.on else []
    return next(iter(later + earlier), None)


def _each(visits: Iterable[Appointment], act: Callable[[Appointment], Appointment | None]) -> list[Outcome]:
    outcomes = []
    for visit in visits:
        try:
            outcomes.append(Outcome(visit, moved_to=act(visit)))
        except DomainError as refusal:
            outcomes.append(Outcome(visit, refusal=str(refusal)))
    return outcomes
