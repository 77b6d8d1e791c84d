"""A week of a doctor's free times as patients choose from it: seven days with counts, and one of them opened."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from appointments.services import times
from appointments.slots import Slot, by_day
from core.visits import VisitKind
from hospitals.models import Doctor
from tenants.models import Hospital

_DAY = timedelta(days=1)
_DAYS = 7
_HALF_A_YEAR = timedelta(days=180)
_NOON, _FIVE = 12, 17


@dataclass(frozen=True)
class Time:
    """A time that can be chosen, by the hospital's clocks. `value` is how an address and a form say it."""

    starts_at: datetime
    is_chosen: bool = False

    @property
    def value(self) -> str:
        """The instant, like `2026-11-23T04:30Z`."""
        return f"{self.starts_at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


@dataclass(frozen=True)
class Day:
    """A day of the strip. `is_shown` marks the one whose times stand below."""

    date: date
    free: int
    is_shown: bool


@dataclass(frozen=True)
class Part:
    """Morning, afternoon or evening, with what is free then."""

    label: str
    icon: str
    times: list[Time]


@dataclass(frozen=True)
class Week:
    """What a page shows. `earlier` and `later` name a day of the neighbouring weeks, where there is one to look at.

    `next_free` is the next time that can be had, asked for only when this week has none. `zone` names the clocks.
    """

    days: list[Day]
    parts: list[Part]
    chosen: Time | None
    earlier: date | None
    later: date | None
    next_free: datetime | None
    zone: str

    @property
    def first(self) -> date:
        """The day it begins on."""
        return self.days[0].date

    @property
    def last(self) -> date:
        """The day it ends on."""
        return self.days[-1].date

    @property
    def shown(self) -> date | None:
        """The day whose times stand below."""
        return next((day.date for day in self.days if day.is_shown), None)


def week_of(
    *,
    hospital: Hospital,
    doctor: Doctor,
    kind: VisitKind,
    now: datetime,
    asked: date | None = None,
    at: datetime | None = None,
    holder: UUID | None = None,
    any_notice: bool = False,
) -> Week:
    """The week of the day that is asked for, with that day opened; else the first week in which something is free.

    `at` is the time somebody has chosen already: its day is opened. Weeks begin today, and end with the doctor's horizon,
    or, for the hospital's own people (`any_notice`), half a year from now.
    """
    zone = times.zone_of(hospital)
    today = now.astimezone(zone).date()
    horizon = today + (_HALF_A_YEAR if any_notice else _DAY * times.schedule_of(doctor).horizon_days)
    target = at.astimezone(zone).date() if at else asked
    free_slots = partial(
        times.free_slots, hospital=hospital, doctor=doctor, kind=kind, now=now, holder=holder, any_notice=any_notice
    )
    first = _week_begin(today, min(target, horizon) if target else today)
    free = free_slots(first=first, last=first + _DAY * (_DAYS - 1))
    next_free = None
    if not free:
        coming = times.next_free(hospital=hospital, doctor=doctor, now=now, kind=kind, holder=holder)
        next_free = coming.starts_at.astimezone(zone) if coming else None
        if next_free and target is None:
            first = _week_begin(today, next_free.date())
            free = free_slots(first=first, last=first + _DAY * (_DAYS - 1))
            next_free = None
    days = by_day(free, zone)
    shown = target if target in days else next(iter(days), None)
    slots = days[shown] if shown else []
    offered = [Time(slot.starts_at.astimezone(zone), slot.starts_at == at) for slot in slots]
    after = first + _DAY * _DAYS
    return Week(
        days=[_day(first + _DAY * number, days, shown) for number in range(_DAYS)],
        parts=_parts(offered),
        chosen=next((time for time in offered if time.is_chosen), None),
        earlier=first - _DAY * _DAYS if first > today else None,
        later=after if after <= horizon else None,
        next_free=next_free,
        zone=f"{now.astimezone(zone):%Z}",
    )


def times_like(
    *, hospital: Hospital, doctor: Doctor, kind: VisitKind, wanted: datetime, now: datetime, limit: int
) -> list[Time]:
    """Times that can be had instead of the one that was wanted: from then on, or else the next ones of all."""
    zone = times.zone_of(hospital)
    today = now.astimezone(zone).date()
    last = today + _DAY * times.schedule_of(doctor).horizon_days
    free = times.free_slots(hospital=hospital, doctor=doctor, first=today, last=last, now=now, kind=kind)
    later = [slot for slot in free if slot.starts_at >= wanted]
    return [Time(slot.starts_at.astimezone(zone)) for slot in (later or free)[:limit]]


def _week_begin(today: date, day: date) -> date:
    """The first day of the seven, counted from today, in which the day lies."""
    return today + _DAY * (max(0, (day - today).days) // _DAYS * _DAYS)


def _day(day: date, free: dict[date, list[Slot]], shown: date | None) -> Day:
    return Day(day, len(free.get(day, [])), day == shown)


def _parts(offered: list[Time]) -> list[Part]:
    morning = [time for time in offered if time.starts_at.hour < _NOON]
    afternoon = [time for time in offered if _NOON <= time.starts_at.hour < _FIVE]
    evening = [time for time in offered if time.starts_at.hour >= _FIVE]
    parts = [
        Part(pgettext("part of the day", "Morning"), icon="sunrise", times=morning),
        Part(_("Afternoon"), icon="sun", times=afternoon),
        Part(_("Evening"), icon="moon", times=evening),
    ]
    return [part for part in parts if part.times]
