"""Reading a doctor's time: the timetable from the database, and what of it is free."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.models import Appointment, Availability, Schedule
from appointments.slots import EVERY_KIND, LOOK_BACK, Hours, Leave, Rules, Slot, Taken, Timetable
from core.errors import Conflict, Invalid
from core.prepared import given, prepared
from core.visits import VisitKind
from hospitals.models import Doctor, bookable
from tenants.models import Hospital

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_FURTHEST = 400 * _DAY  # more than any horizon; the front desk has none


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


def keep_hours(doctor: Doctor) -> None:
    """See to it that the doctor's hours stay as they are until the transaction ends.

    A time that is found in them after this is still in them when it is booked. Bookers do not wait for each other,
    unless the doctor's day has a limit (see taking.take).
    """
    if schedule_of(doctor).max_per_day is None:
        row = Schedule.objects.kept(doctor)
    else:
        row = Schedule.objects.locked().filter(doctor=doctor).first()
    if row:
        doctor.schedule = row


def timetable(
    *,
    hospital: Hospital,
    doctor: Doctor,
    first: date,
    last: date,
    now: datetime,
    holder: UUID | None = None,
    is_taken_read: bool = True,
    is_for_booking: bool = False,
) -> Timetable:
    """The doctor's time from `first` to `last`: hours, leave, and live visits, in two queries.

    A hold of `holder` counts as free, since it is theirs, and so does one that has run out. With `is_taken_read` off the
    visits are left out, in one query: for a booking, which the constraint judges. With `is_for_booking` a doctor whom
    nobody may book at present has no hours.
    """
    zone = zone_of(hospital)
    hours_on = _bookable_hours if is_for_booking else _hours
    rows = hours_on(doctor=doctor.pk, first=first - LOOK_BACK, last=last + _DAY)
    taken: Iterable[Taken] = ()
    if is_taken_read:
        since = datetime.combine(first, time(), zone) - _DAY
        until = datetime.combine(last, time(), zone) + 2 * _DAY
        live = Appointment.objects.live().between(since, until).filter(doctor=doctor, busy__isnull=False)
        idle = Q(held_until__lte=now) | Q(holder=holder) if holder else Q(held_until__lte=now)
        live = live.exclude(idle, status=Appointment.Status.HELD)
        # The ends of the ranges, which Postgres takes apart faster than Python does.
        ends = ["busy__startswith", "busy__endswith", "places__startswith", "places__endswith"]
        taken = [_taken(*row) for row in live.values_list("starts_at", *ends)]
    return _built(zone, doctor, rows, taken)


@prepared
def _hours() -> QuerySet[Availability]:
    return Availability.objects.touching(given("first"), given("last")).filter(doctor=given("doctor")).order_by("pk")


@prepared
def _bookable_hours() -> QuerySet[Availability]:
    rows = Availability.objects.touching(given("first"), given("last"))
    return rows.filter(doctor=given("doctor"), doctor__in=bookable()).order_by("pk")


def at_work(*, hospital: Hospital, doctors: Sequence[Doctor], now: datetime) -> set[int]:
    """The keys of those of these doctors who still have hours today that they are not on leave for; in one query."""
    zone = zone_of(hospital)
    today = now.astimezone(zone).date()
    touching = Availability.objects.touching(today - LOOK_BACK, today + _DAY).filter(doctor__in=doctors)
    by_doctor: dict[int, list[Availability]] = {}
    for row in touching.order_by("pk"):
        by_doctor.setdefault(row.doctor_id, []).append(row)
    tables = {doctor.pk: _built(zone, doctor, by_doctor.get(doctor.pk, []), ()) for doctor in doctors}
    return {pk for pk, table in tables.items() if any(slot.ends_at > now for slot in table.offered(today, today))}


def _built(zone: ZoneInfo, doctor: Doctor, rows: list[Availability], taken: Iterable[Taken]) -> Timetable:
    schedule, kinds = schedule_of(doctor), frozenset(doctor.kinds)
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
        hours=[hours_of(row, kinds) for row in rows if row.kind != Availability.Kind.LEAVE],
        leave=[leave_of(row) for row in rows if row.kind == Availability.Kind.LEAVE],
        taken=list(taken),
    )


def _taken(starts_at: datetime, busy_from: datetime, busy_until: datetime, place: int, beyond: int | None) -> Taken:
    return Taken(busy_from, busy_until, starts_at, first_place=place, last_place=None if beyond is None else beyond - 1)


def hours_of(row: Availability, offered: frozenset[VisitKind] = EVERY_KIND) -> Hours:
    """Weekly or extra hours as the timetable wants them, with the kinds of visit that the doctor offers."""
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


def leave_of(row: Availability) -> Leave:
    """Time off as the timetable wants it."""
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
    table = timetable(
        hospital=hospital, doctor=doctor, first=first, last=last, now=now, holder=holder, is_for_booking=True
    )
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
    if not now - _DAY < starts_at < now + _FURTHEST:
        raise Invalid(_not_then(), field="starts_at")
    day = starts_at.astimezone(zone_of(hospital)).date()
    table = timetable(
        hospital=hospital, doctor=doctor, first=day, last=day, now=now, is_taken_read=False, is_for_booking=True
    )
    for slot in table.free(day, day, now=now, kind=kind, any_notice=any_notice):
        if slot.starts_at == starts_at:
            return slot
    if not Doctor.objects.bookable().filter(pk=doctor.pk).exists():
        raise Invalid(_("This doctor takes no bookings at present. Choose another doctor."), field="doctor")
    raise Invalid(_not_then(), field="starts_at")


def _not_then() -> str:
    return _("The doctor cannot be booked at this time. Choose one of the times shown.")


def taken_refusal(
    *, hospital: Hospital, doctor: Doctor, starts_at: datetime, kind: VisitKind, now: datetime, holder: UUID | None
) -> SlotTaken:
    """What somebody is told whose time was taken a moment ago: the next one they can have, or else an earlier one."""
    zone = zone_of(hospital)
    today = now.astimezone(zone).date()
    last = max(starts_at.astimezone(zone).date(), today + _DAY * schedule_of(doctor).horizon_days)
    free = free_slots(hospital=hospital, doctor=doctor, first=today, last=last, now=now, kind=kind, holder=holder)
    later = next((slot for slot in free if slot.starts_at > starts_at), free[0] if free else None)
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
