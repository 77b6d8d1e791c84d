"""What the pages of a doctor's hours show."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.http import QueryDict
from django.utils.dates import WEEKDAYS

from appointments.forms.hours import FOR_ALL, OF_VISIT, SEEN, TIME_OF_VISIT, decisions_in, notice_in_words
from appointments.models import Appointment, Availability
from appointments.services import times
from appointments.services.displacing import VisitsAffected
from appointments.slots import by_day
from core.visits import VisitKind
from hospitals.models import Doctor
from tenants.models import Hospital

_DAY = timedelta(days=1)
_PREVIEW = 7
_MIDNIGHT = 24 * 60
Url = Callable[..., str]


@dataclass(frozen=True)
class Bar:
    """Where hours stand in the day, in minutes from midnight."""

    start: int
    length: int


@dataclass(frozen=True)
class Block:
    """Hours as a day's column shows them."""

    row: Availability
    kinds: list[str]
    is_to_come: bool
    url: str


@dataclass(frozen=True)
class Column:
    """A day of the week."""

    weekday: int
    name: str
    blocks: list[Block]
    bars: list[Bar]
    add_url: str
    copy_url: str


@dataclass(frozen=True)
class Dated:
    """Extra hours or leave."""

    row: Availability
    kinds: list[str]
    remove_url: str

    @property
    def is_leave(self) -> bool:
        """Whether it is time off."""
        return self.row.kind == Availability.Kind.LEAVE


@dataclass(frozen=True)
class Preview:
    """A day of the next seven, and how many times of it patients can book."""

    day: date
    number: int


def week(*, hospital: Hospital, doctor: Doctor, url: Url, now: datetime) -> dict[str, Any]:
    """The week of a doctor, single days, the schedule, and what patients find in the next days."""
    today = now.astimezone(times.zone_of(hospital)).date()
    schedule = times.schedule_of(doctor)
    rows = [row for row in doctor.availability.order_by("starts", "pk") if not row.last_date or row.last_date >= today]
    weekly = [row for row in rows if row.kind == Availability.Kind.WEEKLY]
    dated = sorted((row for row in rows if row.weekday is None), key=lambda row: (row.first_date, row.starts))
    return {
        "columns": [
            _column(number, [row for row in weekly if row.weekday == number], url, today) for number in range(7)
        ],
        "is_empty": not weekly,
        "dated": [Dated(row, _kinds(row), url("remove", row.code)) for row in dated],
        "schedule": schedule,
        "notice": notice_in_words(schedule.notice_minutes),
        "preview": _preview(hospital, doctor, today, now),
        "steps": {step: url(step) for step in ("add", "extra", "leave", "schedule")},
    }


def _column(weekday: int, rows: list[Availability], url: Url, today: date) -> Column:
    return Column(
        weekday=weekday,
        name=str(WEEKDAYS[weekday]),
        blocks=[
            Block(row, _kinds(row), bool(row.first_date and row.first_date > today), url("change", row.code))
            for row in rows
        ],
        bars=[_bar(row) for row in rows],
        add_url=f"{url('add')}?day={weekday}",
        copy_url=url("copy", weekday),
    )


def _bar(row: Availability) -> Bar:
    start = _minutes(row.starts)
    end = _MIDNIGHT if row.ends_next_day else _minutes(row.ends)
    return Bar(start, end - start)


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _kinds(row: Availability) -> list[str]:
    return [str(kind.label) for kind in VisitKind if kind in row.visit_kinds]


def _preview(hospital: Hospital, doctor: Doctor, today: date, now: datetime) -> list[Preview]:
    last = today + _DAY * (_PREVIEW - 1)
    free = times.free_slots(hospital=hospital, doctor=doctor, first=today, last=last, now=now)
    found = by_day(free, times.zone_of(hospital))
    days = [today + _DAY * number for number in range(_PREVIEW)]
    return [Preview(day, sum(slot.left for slot in found.get(day, []))) for day in days]


@dataclass(frozen=True)
class Asked:
    """A visit that would lose its time, and what was chosen for it so far."""

    visit: Appointment
    free: list[datetime]
    choice: str
    time: str
    is_open: bool

    @property
    def name(self) -> str:
        """What the decision is called in the form."""
        return f"{OF_VISIT}{self.visit.code}"

    @property
    def time_name(self) -> str:
        """What the chosen time is called in the form."""
        return f"{TIME_OF_VISIT}{self.visit.code}"


def affected(refusal: VisitsAffected, data: QueryDict) -> dict[str, Any]:
    """The visits, each with its choices, and all that was sent before, to be sent once more."""
    decided = decisions_in(data)
    seen = data.getlist(SEEN)
    is_open = bool(seen) and not decided.others
    asked = []
    for one in refusal.displaced:
        choice = decided.each.get(one.visit.code)
        asked.append(
            Asked(
                visit=one.visit,
                free=one.free,
                choice=choice.what if choice else "",
                time=data.get(f"{TIME_OF_VISIT}{one.visit.code}", ""),
                is_open=is_open and choice is None,
            )
        )
    ours = ("csrfmiddlewaretoken", FOR_ALL, SEEN)
    kept = [
        (name, value)
        for name, values in data.lists()
        if name not in ours and not name.startswith((OF_VISIT, TIME_OF_VISIT))
        for value in values
    ]
    return {
        "asked": asked,
        "kept": kept,
        "can_move_all": all(one.free for one in refusal.displaced),
        "has_changed": bool(seen) and set(seen) != {str(one.visit.code) for one in refusal.displaced},
        "why_not": refusal.why_not,
    }
