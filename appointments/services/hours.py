"""Changing doctors' hours, schedule and leave. Who has booked is never forgotten.

A change that takes hours away from under booked visits is refused with the list of them (`VisitsAffected`) until
somebody has said what becomes of each: then hours and visits change together, or not at all.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import User
from appointments.models import Availability, Schedule
from appointments.services import times
from appointments.services.displacing import Decisions, find_displaced, settle
from appointments.slots import overlap
from audit import services as audit
from audit.models import Action
from core.errors import Invalid
from core.queue import after_commit
from core.visits import VisitKind
from hospitals.models import Doctor
from tenants.models import Hospital

Kind = Availability.Kind
_DAY = timedelta(days=1)
_MIDNIGHT = time()
_MOST_A_WEEK = 60
_LONGEST_LEAVE = timedelta(days=366)


@dataclass(frozen=True)
class Stretch:
    """Hours as somebody enters them. No kinds means all that the doctor offers."""

    starts: time
    ends: time
    ends_next_day: bool = False
    visit_kinds: Sequence[str] = ()
    capacity: int = 1
    first_date: date | None = None
    last_date: date | None = None
    note: str = ""

    @property
    def columns(self) -> dict[str, Any]:
        """What a row of it holds."""
        kinds = sorted(set(self.visit_kinds))
        return {**asdict(self), "visit_kinds": [] if len(kinds) == len(VisitKind) else kinds}


# --- How hours are divided -------------------------------------------------------------------------------------------


def set_schedule(*, doctor: Doctor, by: User, **columns: Any) -> Schedule:
    """Say how long a visit is, what pauses it needs, and how early and late it may be booked. Booked visits stay."""
    with transaction.atomic():
        schedule = _locked(doctor)
        _reschedule(schedule, by=by, columns=columns)
        after_commit("appointments.refresh_times", doctor_id=doctor.pk)
    return schedule


def _reschedule(schedule: Schedule, *, by: User, columns: Mapping[str, Any]) -> None:
    changes = audit.changes(schedule, columns)
    if changes:
        Schedule.objects.filter(pk=schedule.pk).update(**columns)
        for name, value in columns.items():
            setattr(schedule, name, value)
        audit.record(action=Action.SCHEDULE_CHANGED, target=schedule, by=by, data=changes)


# --- Hours of every week ---------------------------------------------------------------------------------------------


def add_weekly(
    *, hospital: Hospital, doctor: Doctor, weekdays: Iterable[int], stretch: Stretch, by: User, now: datetime
) -> list[Availability]:
    """Add the same hours to each of these days of the week. Raises Invalid, at the field, for what cannot be."""
    with transaction.atomic():
        schedule = _locked(doctor)
        _check(stretch, schedule)
        rows = [_row(doctor, Kind.WEEKLY, stretch, weekday=weekday) for weekday in sorted(set(weekdays))]
        for row in rows:
            _add(hospital, row, by=by, now=now)
        after_commit("appointments.refresh_times", doctor_id=doctor.pk)
    return rows


def change_weekly(
    *,
    hospital: Hospital,
    row: Availability,
    weekday: int,
    stretch: Stretch,
    by: User,
    now: datetime,
    decisions: Decisions | None,
) -> None:
    """Change hours of every week. Raises VisitsAffected while nobody has decided about visits that would fall out."""
    with _change(hospital=hospital, doctor=row.doctor, by=by, now=now, decisions=decisions) as schedule:
        _check(stretch, schedule)
        columns = {**stretch.columns, "weekday": weekday}
        changed = _row(row.doctor, Kind.WEEKLY, stretch, weekday=weekday)
        changed.pk = row.pk
        _require_room(hospital, changed, now=now)
        found = Availability.objects.locked().filter(pk=row.pk, kind=Kind.WEEKLY).first()
        if found is None:
            raise Invalid(_("Somebody else has removed these hours. Add them anew."))
        changes = {
            name: [_in_words(name, before), _in_words(name, after)]
            for name, after in columns.items()
            if (before := getattr(found, name)) != after
        }
        if changes:
            Availability.objects.filter(pk=row.pk).update(**columns)
            for name, value in columns.items():
                setattr(row, name, value)
            audit.record(action=Action.HOURS_CHANGED, target=row, by=by, data=_whose(row) | changes)


def remove(*, hospital: Hospital, row: Availability, by: User, now: datetime, decisions: Decisions | None) -> None:
    """Remove hours or leave. Raises VisitsAffected while nobody has decided about visits that would fall out."""
    with _change(hospital=hospital, doctor=row.doctor, by=by, now=now, decisions=decisions):
        _remove(row, by=by)
        if row.kind == Kind.LEAVE:
            _tell_waiting(hospital, row)


def replace_week(
    *,
    hospital: Hospital,
    doctor: Doctor,
    week: Sequence[tuple[int, Stretch]],
    by: User,
    now: datetime,
    decisions: Decisions | None,
    schedule: Mapping[str, Any] | None = None,
) -> None:
    """Make the whole week as given, each stretch with its day; what stays as it was is not touched.

    With `schedule` the way hours are divided changes, too. Raises as the single steps do.
    """
    if len(week) > _MOST_A_WEEK:
        raise Invalid(_("A week has at most %(n)d stretches of hours.") % {"n": _MOST_A_WEEK}, field="weekly")
    with _change(hospital=hospital, doctor=doctor, by=by, now=now, decisions=decisions) as row:
        if schedule:
            _reschedule(row, by=by, columns=schedule)
        present = {_key(kept): kept for kept in doctor.availability.weekly() if not _is_past(hospital, kept, now)}
        wanted = [_row(doctor, Kind.WEEKLY, stretch, weekday=weekday) for weekday, stretch in week]
        keys = {_key(one) for one in wanted}
        for key, kept in present.items():
            if key not in keys:
                _remove(kept, by=by)
        for (_weekday, stretch), one in zip(week, wanted, strict=True):
            _check(stretch, row)
            if present.pop(_key(one), None) is None:
                _add(hospital, one, by=by, now=now)


def copy_day(
    *,
    hospital: Hospital,
    doctor: Doctor,
    weekday: int,
    to: Iterable[int],
    by: User,
    now: datetime,
    decisions: Decisions | None,
) -> None:
    """Give other days of the week the same hours as this one, in place of theirs."""
    targets = set(to) - {weekday}
    rows = [row for row in doctor.availability.weekly() if not _is_past(hospital, row, now)]
    model = [_stretch(row) for row in rows if row.weekday == weekday]
    if not model:
        raise Invalid(_("There are no hours on this day to copy."), field="weekday")
    week = [(row.weekday, _stretch(row)) for row in rows if row.weekday is not None and row.weekday not in targets]
    week += [(target, stretch) for target in sorted(targets) for stretch in model]
    replace_week(hospital=hospital, doctor=doctor, week=week, by=by, now=now, decisions=decisions)


# --- Single days -----------------------------------------------------------------------------------------------------


def add_extra(
    *, hospital: Hospital, doctor: Doctor, day: date, stretch: Stretch, by: User, now: datetime
) -> Availability:
    """Add hours on one day only. Raises Invalid where the doctor works already, or is on leave."""
    with transaction.atomic():
        _check(stretch, _locked(doctor))
        row = _row(doctor, Kind.EXTRA, stretch, first_date=day, last_date=day)
        if _ends(row) <= _wall(hospital, now):
            raise Invalid(_("This time has passed. Choose a later one."), field="date")
        for leave in doctor.availability.filter(kind=Kind.LEAVE).touching(day - _DAY, day + _DAY):
            if datetime.combine(day, row.starts) < _ends(leave) and _begins(leave) < _ends(row):
                raise Invalid(
                    _("The doctor is on leave then: %(leave)s. Remove the leave first.") % {"leave": leave},
                    field="date",
                )
        _add(hospital, row, by=by, now=now)
        after_commit("appointments.refresh_times", doctor_id=doctor.pk)
        _tell_waiting(hospital, row)
    return row


def add_leave(
    *,
    hospital: Hospital,
    doctor: Doctor,
    first_date: date,
    last_date: date,
    starts: time | None = None,
    ends: time | None = None,
    note: str = "",
    by: User,
    now: datetime,
    decisions: Decisions | None,
) -> Availability:
    """Take leave from `starts` on the first day until `ends` on the last; without times, whole days.

    Raises VisitsAffected while nobody has decided about visits in that time.
    """
    with _change(hospital=hospital, doctor=doctor, by=by, now=now, decisions=decisions):
        if last_date < first_date:
            raise Invalid(_("The last day is before the first one."), field="to")
        if last_date - first_date > _LONGEST_LEAVE:
            raise Invalid(_("Leave lasts a year at most. Enter it in parts."), field="to")
        row = Availability(
            doctor=doctor,
            kind=Kind.LEAVE,
            first_date=first_date,
            last_date=last_date,
            starts=starts or _MIDNIGHT,
            ends=ends or _MIDNIGHT,
            ends_next_day=ends is None or ends == _MIDNIGHT,
            note=note,
        )
        if _ends(row) <= _begins(row):
            raise Invalid(_("The end must be after the start."), field="to_time")
        if _ends(row) <= _wall(hospital, now):
            raise Invalid(_("This time has passed. Choose a later one."), field="to")
        _write(row, by=by)
    return row


# --- The parts -------------------------------------------------------------------------------------------------------


def _locked(doctor: Doctor) -> Schedule:
    """The doctor's schedule, made if there is none: who holds it is the only one to change the doctor's hours."""
    Schedule.objects.get_or_create(doctor=doctor)
    doctor.schedule = Schedule.objects.locked().get(doctor=doctor)
    return doctor.schedule


@contextmanager
def _change(
    *, hospital: Hospital, doctor: Doctor, by: User, now: datetime, decisions: Decisions | None
) -> Iterator[Schedule]:
    """Around a change that may take hours away: all of it, and what is decided about visits, or nothing."""
    with transaction.atomic():
        schedule = _locked(doctor)
        find = find_displaced(hospital=hospital, doctor=doctor, now=now)
        yield schedule
        settle(hospital=hospital, doctor=doctor, displaced=find(), by=by, now=now, decisions=decisions)
        after_commit("appointments.refresh_times", doctor_id=doctor.pk)


def _row(doctor: Doctor, kind: Kind, stretch: Stretch, **columns: Any) -> Availability:
    return Availability(doctor=doctor, kind=kind, **{**stretch.columns, **columns})


def _stretch(row: Availability) -> Stretch:
    return Stretch(**{name: getattr(row, name) for name in Stretch.__dataclass_fields__})


def _key(row: Availability) -> tuple[Any, ...]:
    columns = _stretch(row).columns
    return (row.weekday, *(tuple(value) if isinstance(value, list) else value for value in columns.values()))


def _add(hospital: Hospital, row: Availability, *, by: User, now: datetime) -> None:
    _require_room(hospital, row, now=now)
    _write(row, by=by)


def _write(row: Availability, *, by: User) -> None:
    row.save(force_insert=True)
    audit.record(action=Action.HOURS_ADDED, target=row, by=by, data=_whose(row))


def _remove(row: Availability, *, by: User) -> None:
    removed, _rows = Availability.objects.filter(pk=row.pk).delete()
    if removed:  # perhaps somebody else was first
        audit.record(action=Action.HOURS_REMOVED, target=row, by=by, data=_whose(row))


def _tell_waiting(hospital: Hospital, row: Availability) -> None:
    """Offer the times that can be booked now, and could not before, to who waits for one."""
    zone = times.zone_of(hospital)
    since, until = (wall.replace(tzinfo=zone).isoformat() for wall in (_begins(row), _ends(row)))
    after_commit("appointments.times_opened", doctor_id=row.doctor_id, since=since, until=until)


def _whose(row: Availability) -> dict[str, Any]:
    return {"doctor": row.doctor.name}


def _in_words(name: str, value: Any) -> str:
    """A column of hours as the log shows it."""
    if name == "weekday":
        return str(WEEKDAYS[value])
    if name == "visit_kinds":
        return ", ".join(str(VisitKind(kind).label) for kind in value) or _("Every kind")
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return f"{value:%H:%M}" if isinstance(value, time) else str("" if value is None else value)


def _check(stretch: Stretch, schedule: Schedule) -> None:
    """Refuse hours that run backwards, or that no visit fits in."""
    day = date(2000, 1, 1)
    closes = datetime.combine(day + _DAY if stretch.ends_next_day else day, stretch.ends)
    lasts = closes - datetime.combine(day, stretch.starts)
    if lasts <= timedelta():
        raise Invalid(_("The hours end before they start. If they end after midnight, say so."), field="end_time")
    if lasts > _DAY:
        raise Invalid(_("Hours last a day at most. Check whether they really end after midnight."), field="end_time")
    if lasts < timedelta(minutes=schedule.slot_minutes):
        raise Invalid(
            _("These hours are too short for a visit of %(minutes)d minutes.") % {"minutes": schedule.slot_minutes},
            field="end_time",
        )
    if stretch.first_date and stretch.last_date and stretch.last_date < stretch.first_date:
        raise Invalid(_("The last day is before the first one."), field="valid_to")


def _require_room(hospital: Hospital, row: Availability, *, now: datetime) -> None:
    """Refuse hours that overlap others of the doctor, on any day from today on."""
    today = now.astimezone(times.zone_of(hospital)).date()
    mine = times.hours_of(row)
    others = row.doctor.availability.exclude(kind=Kind.LEAVE).exclude(pk=row.pk)
    for other in others.touching(today - _DAY, date.max).order_by("weekday", "first_date", "starts", "pk"):
        if overlap(mine, times.hours_of(other), since=today - _DAY):
            raise Invalid(
                _("%(hours)s overlaps other hours of the doctor: %(others)s. Change one of them.")
                % {"hours": _named(row), "others": _named(other)},
                field="start_time",
            )


def _named(row: Availability) -> str:
    words = {"starts": f"{row.starts:%H:%M}", "ends": f"{row.ends:%H:%M}"}
    day = date_format(_begins(row), "D j M") if row.weekday is None else WEEKDAYS[row.weekday]
    return _("%(day)s, %(starts)s to %(ends)s") % {**words, "day": day}


def _is_past(hospital: Hospital, row: Availability, now: datetime) -> bool:
    today = now.astimezone(times.zone_of(hospital)).date()
    return row.last_date is not None and row.last_date < today


def _wall(hospital: Hospital, now: datetime) -> datetime:
    """What the hospital's clocks show."""
    return now.astimezone(times.zone_of(hospital)).replace(tzinfo=None)


def _begins(row: Availability) -> datetime:
    assert row.first_date  # noqa: S101  (availability_says_when)
    return datetime.combine(row.first_date, row.starts)


def _ends(row: Availability) -> datetime:
    assert row.last_date  # noqa: S101  (availability_says_when)
    return datetime.combine(row.last_date + _DAY if row.ends_next_day else row.last_date, row.ends)
