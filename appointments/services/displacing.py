"""Visits that a change of hours leaves without their time: finding them, and doing what is decided about each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from appointments.models import Appointment, Status
from appointments.services import day, moving, taking, times
from appointments.slots import Slot
from audit import services as audit
from audit.models import Action
from core.errors import Conflict, DomainError, NotAllowedNow
from core.visits import VisitKind
from hospitals.models import Doctor
from tenants.models import Hospital

_WAITING = [Status.HELD, Status.PENDING, Status.CONFIRMED]
_MINUTE = timedelta(minutes=1)
# How far behind the last of the visits another time is looked for, and how many times are tried and proposed.
_AHEAD = timedelta(days=60)
_TRIES = 40
_CHOICE = 24


class Decision(StrEnum):
    """What becomes of a visit whose time is no longer in the doctor's hours."""

    MOVE = auto()
    CANCEL = auto()
    KEEP = auto()


@dataclass(frozen=True)
class Choice:
    """A decision; a move goes to `starts_at`, or to the next free time if that is None."""

    what: Decision
    starts_at: datetime | None = None


@dataclass(frozen=True)
class Decisions:
    """What was decided about each visit, by its code, and about all the others."""

    each: Mapping[UUID, Choice] = field(default_factory=dict)
    others: Choice | None = None

    def about(self, visit: Appointment) -> Choice | None:
        """The decision about this visit, if there is one."""
        return self.each.get(visit.code, self.others)


@dataclass(frozen=True)
class Displaced:
    """A visit without its time, and the free times it could have instead; the first one is kept for it in the list."""

    visit: Appointment
    status: str
    free: list[datetime]

    @property
    def next_free_at(self) -> datetime | None:
        """The next time it could have."""
        return self.free[0] if self.free else None


class VisitsAffected(Conflict):
    """Booked visits would lose their time, and somebody has to decide about each.

    `why_not` says why what was decided about one of them cannot be done.
    """

    def __init__(self, displaced: list[Displaced], zone: ZoneInfo, why_not: str = "") -> None:
        number = len(displaced)
        sentence = ngettext(
            "%(n)d booked visit would be outside the hours. Decide what becomes of it.",
            "%(n)d booked visits would be outside the hours. Decide what becomes of each.",
            number,
        )
        super().__init__(why_not or sentence % {"n": number}, field="affected")
        self.why_not = why_not
        self.displaced = displaced
        self.more = {"affected": [_shown(one, zone) for one in displaced]}


def _shown(one: Displaced, zone: ZoneInfo) -> dict[str, Any]:
    visit = one.visit
    return {
        "id": str(visit.code),
        "reference": visit.reference,
        "patient": visit.patient.name if visit.patient else "",
        "kind": visit.kind,
        "status": one.status,
        "starts_at": visit.starts_at.astimezone(zone).isoformat(),
        "next_free_at": one.next_free_at.astimezone(zone).isoformat() if one.next_free_at else None,
    }


def find_displaced(*, hospital: Hospital, doctor: Doctor, now: datetime) -> Callable[[], list[Appointment]]:
    """Look at the hours as they are; what is returned looks again, and tells which visits were in them and are not now.

    The visits it tells are locked, holds among them. Whoever changes hours holds the schedule, so that no visit is
    booked in between (see times.keep_hours).
    """
    waiting = Appointment.objects.filter(doctor=doctor, status__in=_WAITING, busy__isnull=False, ends_at__gt=now)
    rows = list(waiting.only("starts_at", "ends_at", "kind").by_time())
    inside = _covered(hospital, doctor, rows, now)

    def again() -> list[Appointment]:
        still = _covered(hospital, doctor, inside, now)
        lost = {row.pk for row in inside} - {row.pk for row in still}
        if not lost:
            return []
        found = list(Appointment.objects.with_people().filter(pk__in=lost, status__in=_WAITING).locked())
        return sorted(found, key=lambda visit: (visit.starts_at, visit.pk))

    return again


def _covered(hospital: Hospital, doctor: Doctor, rows: list[Appointment], now: datetime) -> list[Appointment]:
    """Those of the visits that lie in the doctor's hours."""
    if not rows:
        return []
    zone = times.zone_of(hospital)
    first, last = (row.starts_at.astimezone(zone).date() for row in (rows[0], rows[-1]))
    table = times.timetable(
        hospital=hospital, doctor=doctor, first=first, last=last + timedelta(days=1), now=now, is_taken_read=False
    )
    return [row for row in rows if table.covers(row.starts_at, row.ends_at, VisitKind(row.kind))]


def settle(
    *,
    hospital: Hospital,
    doctor: Doctor,
    displaced: list[Appointment],
    by: User,
    now: datetime,
    decisions: Decisions | None,
) -> None:
    """Do what was decided about each visit; give mere holds up. Part of the transaction that changes the hours.

    `decisions` is None for who may not see visits. Raises VisitsAffected, with the visits as they are now, when one of
    them has no decision, when a decision is about one that has changed meanwhile, or cannot be carried out.
    """
    for hold in displaced:
        if hold.status == Status.HELD:
            taking.give_up(hold, by=by)
    visits = [visit for visit in displaced if visit.status in (Status.PENDING, Status.CONFIRMED)]
    if not visits:
        return
    if decisions is None:
        raise NotAllowedNow(
            _("Visits are booked in this time. Somebody of the hospital who sees them has to make this change.")
        )
    pool = _Pool(hospital, doctor, visits, now)
    asked, zone = pool.proposals(visits), times.zone_of(hospital)
    is_known = set(decisions.each) <= {visit.code for visit in visits}
    if not is_known or any(decisions.about(visit) is None for visit in visits):
        raise VisitsAffected(asked, zone)
    for visit in visits:
        choice = decisions.about(visit)
        assert choice  # noqa: S101  (asked above)
        try:
            _carry_out(choice, visit, pool, by=by)
        except DomainError as error:
            raise VisitsAffected(asked, zone, why_not=str(error)) from error


def _carry_out(choice: Choice, visit: Appointment, pool: "_Pool", *, by: User) -> None:
    why = _("The doctor is not available at that time.")
    if choice.what == Decision.CANCEL:
        day.cancel(hospital=pool.hospital, visit=visit, by=by, reason=why, now=pool.now, by_hospital=True)
    elif choice.what == Decision.KEEP:
        kept = _("Kept, although it is outside the doctor’s hours.")
        audit.record(action=Action.VISIT_CHANGED, target=visit, by=by, reason=kept)
    elif choice.starts_at:
        _move(pool.hospital, visit, choice.starts_at, by=by, now=pool.now, why=why)
    else:
        pool.move(visit, by=by, why=why)


def _move(hospital: Hospital, visit: Appointment, to: datetime, *, by: User, now: datetime, why: str) -> None:
    moving.move(hospital=hospital, visit=visit, starts_at=to, by=by, now=now, by_hospital=True, reason=why)


class _Pool:
    """The times that displaced visits can have instead: free ones, after the visit's own, with the usual notice."""

    def __init__(self, hospital: Hospital, doctor: Doctor, visits: list[Appointment], now: datetime) -> None:
        self.hospital, self.doctor, self.now = hospital, doctor, now
        zone = times.zone_of(hospital)
        self.first, last = (visit.starts_at.astimezone(zone).date() for visit in (visits[0], visits[-1]))
        self.last = last + _AHEAD
        self.places: dict[datetime, int] = {}
        self.slots: list[Slot] = []
        self.read()

    def read(self) -> None:
        """Look what is free now."""
        found = times.free_slots(
            hospital=self.hospital, doctor=self.doctor, first=self.first, last=self.last, now=self.now, any_notice=True
        )
        earliest = self.now + times.schedule_of(self.doctor).notice_minutes * _MINUTE
        self.slots = [slot for slot in found if slot.starts_at >= earliest]
        self.places = {slot.starts_at: slot.left for slot in self.slots}

    def open_to(self, visit: Appointment) -> list[datetime]:
        """What the visit can have, the next time first."""
        return [
            slot.starts_at
            for slot in self.slots
            if slot.starts_at > visit.starts_at and visit.kind in slot.kinds and self.places[slot.starts_at] > 0
        ]

    def proposals(self, visits: list[Appointment]) -> list[Displaced]:
        """Each visit with some times it can have; the first one is not the first of another visit."""
        places = dict(self.places)
        found = []
        for visit in visits:
            free = self.open_to(visit)[:_CHOICE]
            if free:
                self.places[free[0]] -= 1
            found.append(Displaced(visit, visit.status, free))
        self.places = places
        return found

    def move(self, visit: Appointment, *, by: User, why: str) -> None:
        """Give the visit the next free time that suits the patient, too."""
        tried: set[datetime] = set()
        for _try in range(_TRIES):
            free = [starts_at for starts_at in self.open_to(visit) if starts_at not in tried]
            if not free:
                break
            tried.add(free[0])
            status = visit.status
            try:
                with transaction.atomic():
                    _move(self.hospital, visit, free[0], by=by, now=self.now, why=why)
            except Conflict:  # taken, the day is full, or the patient is elsewhere at that time
                visit.status = status
                self.read()
                continue
            self.places[free[0]] -= 1
            return
        raise Conflict(
            _("No other time is free for the visit %(reference)s. Cancel or keep it, or choose a time.")
            % {"reference": visit.reference},
            field="affected",
        )
