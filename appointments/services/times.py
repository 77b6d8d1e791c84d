"""Reading a doctor's time: the timetable from the database, and what of it is free."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.models import Appointment, Availability, Schedule
from appointments.slots import EVERY_KIND, Hours, Leave, Rules, Slot, Taken, Timetable
from core.errors import Conflict, Invalid
from core.visits import VisitKind
from hospitals.models import Doctor
from tenants.models import Hospital

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


class SlotTaken(Conflict):
    """Somebody else was first. `next_free_at` is the next time that can be had, or None."""

    def __init__(self, sentence: str, *, next_free_at: datetime | None) -> None:
        super().__init__(sentence, field="starts_at")
        self.next_free_at = next_free_at
        self.more = {"next_free_at": next_free_at.isoformat() if next_free_at else None}


@dataclass(frozen=True)
class DaySlots:
    """A day with its slots."""

    day: date
    slots: list[Slot]


def zone_of(hospital: Hospital) -> ZoneInfo:
    """The zone the hospital's clocks show."""
    return ZoneInfo(hospital.time_zone)


def instants_of(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When a day begins and when the next one does."""
    return datetime.combine(day, time(), zone), datetime.combine(day + _DAY, time(), zone)


def schedule_of(doctor: Doctor) -> Schedule:
    """How the doctor's hours are divided; the usual way until somebody has said otherwise."""
    found: Schedule | None = getattr(doctor, "schedule", None)
    return found or Schedule(doctor=doctor)


def timetable(
    *,
    hospital: Hospital,
    doctor: Doctor,
    first: date,
    last: date,
    now: datetime,
    holder: UUID | None = None,
    is_taken_read: bool = True,
) -> Timetable:
    """The doctor's time from `first` to `last`: hours, leave, and live visits, in two queries.

    A hold of `holder` counts as free, since it is theirs, and so does one that has run out. With `is_taken_read` off the
    visits are left out, in one query: for a booking, which the constraint judges.
    """
    zone, schedule = zone_of(hospital), schedule_of(doctor)
    rows = list(Availability.objects.touching(first - _DAY, last + _DAY).filter(doctor=doctor).order_by("pk"))
    kinds = frozenset(doctor.kinds)
    taken: Iterable[Taken] = ()
    if is_taken_read:
        since = datetime.combine(first, time(), zone) - _DAY
        until = datetime.combine(last, time(), zone) + 2 * _DAY
        live = Appointment.objects.live().between(since, until).filter(doctor=doctor, busy__isnull=False)
        fields = ("status", "holder", "held_until", "starts_at", "busy", "places")
        taken = [_taken(row) for row in live.only(*fields) if _counts(row, holder, now)]
    return Timetable(
        zone=zone,
        rules=Rules(
            length=schedule.slot_minutes * _MINUTE,
            buffer_before=schedule.buffer_before * _MINUTE,
            buffer_after=schedule.buffer_after * _MINUTE,
            notice=schedule.notice_minutes * _MINUTE,
            horizon_days=schedule.horizon_days,
            max_per_day=schedule.max_per_day,
        ),
        hours=[_hours(row, kinds) for row in rows if row.kind != Availability.Kind.LEAVE],
        leave=[_leave(row) for row in rows if row.kind == Availability.Kind.LEAVE],
        taken=list(taken),
    )


def _counts(row: Appointment, holder: UUID | None, now: datetime) -> bool:
    if row.status != Appointment.Status.HELD:
        return True
    return row.holder != holder and row.held_until is not None and row.held_until > now


def _taken(row: Appointment) -> Taken:
    return Taken(
        busy_from=cast(datetime, row.busy.lower),
        busy_until=cast(datetime, row.busy.upper),
        starts_at=row.starts_at,
        first_place=cast(int, row.places.lower),
        last_place=None if row.places.upper is None else cast(int, row.places.upper) - 1,
    )


def _hours(row: Availability, offered: frozenset[VisitKind]) -> Hours:
    kinds = frozenset(VisitKind(kind) for kind in row.visit_kinds) or EVERY_KIND
    return Hours(
        starts=row.starts,
        ends=row.ends,
        weekday=row.weekday,
        first_date=row.first_date,
        last_date=row.last_date,
        ends_next_day=row.ends_next_day,
        kinds=kinds & offered,
        capacity=row.capacity,
    )


def _leave(row: Availability) -> Leave:
    assert row.first_date  # noqa: S101  (availability_says_when)
    assert row.last_date  # noqa: S101
    last = row.last_date + _DAY if row.ends_next_day else row.last_date
    return Leave(datetime.combine(row.first_date, row.starts), datetime.combine(last, row.ends))


def free_slots(
    *,
    hospital: Hospital,
    doctor: Doctor,
    first: date,
    last: date,
    now: datetime,
    kind: VisitKind | None = None,
    holder: UUID | None = None,
    any_notice: bool = False,
) -> list[Slot]:
    """The times of these days that can be booked now, the earliest first (see slots.Timetable.free)."""
    table = timetable(hospital=hospital, doctor=doctor, first=first, last=last, now=now, holder=holder)
    return [slot for slot in table.free(first, last, now=now, kind=kind, any_notice=any_notice) if slot.kinds]


def next_free(
    *, hospital: Hospital, doctor: Doctor, now: datetime, kind: VisitKind | None, holder: UUID | None = None
) -> Slot | None:
    """The earliest time that can be had."""
    today = now.astimezone(zone_of(hospital)).date()
    last = today + _DAY * schedule_of(doctor).horizon_days
    found = free_slots(hospital=hospital, doctor=doctor, first=today, last=last, now=now, kind=kind, holder=holder)
    return found[0] if found else None


def offered_slot(
    *,
    hospital: Hospital,
    doctor: Doctor,
    starts_at: datetime,
    kind: VisitKind,
    now: datetime,
    any_notice: bool = False,
) -> Slot:
    """The slot of the doctor's hours that begins then, whether it is taken or not. Raises Invalid if there is none."""
    if kind not in doctor.kinds:
        raise Invalid(_("This doctor does not offer such visits. Choose another kind."), field="kind")
    day = starts_at.astimezone(zone_of(hospital)).date()
    table = timetable(hospital=hospital, doctor=doctor, first=day, last=day, now=now, is_taken_read=False)
    for slot in table.free(day, day, now=now, kind=kind, any_notice=any_notice):
        if slot.starts_at == starts_at:
            return slot
    raise Invalid(_("The doctor cannot be booked at this time. Choose one of the times shown."), field="starts_at")


def taken_refusal(
    *, hospital: Hospital, doctor: Doctor, starts_at: datetime, kind: VisitKind, now: datetime, holder: UUID | None
) -> SlotTaken:
    """What somebody is told whose time was taken a moment ago: the next one they can have."""
    zone = zone_of(hospital)
    later = next_free(hospital=hospital, doctor=doctor, now=now, kind=kind, holder=holder)
    shown = starts_at.astimezone(zone)
    if later is None:
        sentence = _("%(time)s has just been taken, and no other time is free.") % {"time": f"{shown:%H:%M}"}
        return SlotTaken(sentence, next_free_at=None)
    following = later.starts_at.astimezone(zone)
    words = {"time": f"{shown:%H:%M}", "next": f"{following:%H:%M}", "day": date_format(following, "D j M")}
    if following.date() == shown.date():
        sentence = _("%(time)s has just been taken. The next free time is %(next)s.") % words
    else:
        sentence = _("%(time)s has just been taken. The next free time is %(day)s at %(next)s.") % words
    return SlotTaken(sentence, next_free_at=later.starts_at)
