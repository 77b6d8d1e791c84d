"""A doctor's week by the clock: the doctor's own, and for the office that of any doctor."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, granted, requires
from appointments.models import Appointment, Availability
from appointments.services import queue, times
from appointments.slots import Slot
from appointments.steps import Step
from appointments.views.rows import AT_DESK, AT_DOCTOR, Row, codes_of, day_asked, rows
from appointments.week_grid import LANES, Grid, Lane, Span, lanes, together
from core.http import HospitalRequest
from core.pages import page
from hospitals.models import Doctor

_DAY = timedelta(days=1)
_WEEK = 7
Stretch = tuple[datetime, datetime]


@dataclass(frozen=True)
class Piece:
    """A visit, time off, or so many more visits than there is room for, and where it stands by the clock."""

    place: str
    row: Row | None = None
    absence: Availability | None = None
    more: int = 0
    is_beyond: bool = False


@dataclass(frozen=True)
class Column:
    """A day: its hours in words, and by the clock its hours, what is in it, and the present moment."""

    date: date
    is_today: bool
    hours: list[str]
    open: list[str]
    pieces: list[Piece]
    now: str


@dataclass
class _Day:
    """What is known of a day before it is drawn."""

    open: list[Stretch] = field(default_factory=list)
    leave: list[tuple[Availability, Span]] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


@require_safe
@requires(Permission.OWN_DAY)
def own_week(request: HospitalRequest) -> HttpResponse:
    """The week of the doctor who is signed in, or the one of ?week=."""
    doctor = get_object_or_404(Doctor.objects.of(request.user).select_related("user", "schedule"))
    return page(request, "day/week.html", _shown(request, doctor, is_own=True))


@require_safe
@requires(Permission.APPOINTMENT_VIEW)
def doctor_week(request: HospitalRequest) -> HttpResponse:
    """The week of the doctor ?doctor=, or of the first by name, for those who see every visit."""
    doctors = sorted(
        Doctor.objects.verified().with_people().select_related("schedule"), key=lambda doctor: doctor.name.lower()
    )
    if not doctors:
        return page(request, "day/week_of.html", {"doctors": []})
    doctor = doctors[0]
    if asked := codes_of([request.GET.get("doctor", "")]):
        doctor = next((each for each in doctors if each.code == asked[0]), doctor)
    context = {
        **_shown(request, doctor, is_own=False),
        "doctors": doctors,
        "may_book": granted(request, request.user, Permission.APPOINTMENT_DESK),
        "may_edit_hours": granted(request, request.user, Permission.HOURS_EDIT),
    }
    return page(request, "day/week_of.html", context, part="week")


def _shown(request: HospitalRequest, doctor: Doctor, *, is_own: bool) -> dict[str, Any]:
    """What both pages show of the week that the address names."""
    now = timezone.now()
    this_day = queue.today_of(request.hospital, now)
    asked = day_asked(request, "week", this_day)
    monday = asked - _DAY * asked.weekday()
    days = [monday + _DAY * number for number in range(_WEEK)]
    known = _known(request, doctor, days, now, order=AT_DOCTOR if is_own else AT_DESK)
    grid, columns = _drawn(known, times.zone_of(request.hospital), slot=times.schedule_of(doctor).slot_minutes, now=now)
    free = times.free_slots(
        hospital=request.hospital, doctor=doctor, first=days[0], last=days[-1], now=now, any_notice=True
    )
    return {
        "doctor": doctor,
        "is_own": is_own,
        "grid": grid,
        "columns": columns,
        "visits": sum(len(day.rows) for day in known.values()),
        "free": len(free),
        "first": days[0],
        "last": days[-1],
        "before": monday - _DAY * _WEEK,
        "after": monday + _DAY * _WEEK,
        "is_this_week": this_day in days,
    }


def _known(
    request: HospitalRequest, doctor: Doctor, days: Sequence[date], now: datetime, order: Sequence[Step]
) -> dict[date, _Day]:
    """Visits, hours and leave of each of these days."""
    zone = times.zone_of(request.hospital)
    known = {day: _Day() for day in days}
    since, until = times.instants_of(days[0], zone)[0], times.instants_of(days[-1], zone)[1]
    visits = Appointment.objects.between(since, until).filter(doctor=doctor, status__in=queue.EXPECTED)
    for row in rows(request, visits.with_people().by_time(), now=now, order=order):
        known[row.visit.starts_at.astimezone(zone).date()].rows.append(row)
    table = times.timetable(
        hospital=request.hospital, doctor=doctor, first=days[0], last=days[-1], now=now, is_taken_read=False
    )
    for opens, closes in _stretches(table.offered(days[0], days[-1])):
        known[opens.astimezone(zone).date()].open.append((opens, closes))
    leave = Availability.objects.touching(days[0], days[-1]).filter(doctor=doctor, kind=Availability.Kind.LEAVE)
    for absence in leave.order_by("first_date", "starts"):
        stretch = times.leave_of(absence)
        for day in days:
            if span := Span.on(day, stretch.starts, stretch.ends):
                known[day].leave.append((absence, span))
    return known


def _stretches(slots: list[Slot]) -> Iterator[Stretch]:
    """Slots that follow one another, as stretches of hours."""
    opens, last = None, None
    for slot in slots:
        if opens is None or last is None or slot.busy_from > last.busy_until:
            if opens is not None and last is not None:
                yield opens, last.ends_at
            opens = slot.starts_at
        last = slot
    if opens is not None and last is not None:
        yield opens, last.ends_at


def _drawn(known: dict[date, _Day], zone: ZoneInfo, *, slot: int, now: datetime) -> tuple[Grid, list[Column]]:
    """The days by the clock, and the hours they show: those in which somebody can come, or does."""

    def span(day: date, starts: datetime, ends: datetime) -> Span:
        return Span.on(day, starts.astimezone(zone), ends.astimezone(zone))

    stretches = [stretch for its in known.values() for stretch in its.open]
    opens = {day: [one for stretch in stretches if (one := span(day, *stretch))] for day in known}
    visits = {
        day: [span(day, row.visit.starts_at, row.visit.ends_at) for row in its.rows] for day, its in known.items()
    }
    absent = [one for its in known.values() for _absence, one in its.leave if not one.is_whole_day]
    grid = Grid.around([*chain(*opens.values()), *chain(*visits.values()), *absent], slot=slot)
    columns = []
    for day, its in known.items():
        is_today = day == now.astimezone(zone).date()
        moment = span(day, now, now)
        leave = [Piece(grid.place(one), absence=absence) for absence, one in its.leave]
        columns.append(
            Column(
                date=day,
                is_today=is_today,
                hours=[_words(stretch, zone) for stretch in its.open],
                open=[grid.place(one) for one in opens[day]],
                pieces=[*leave, *_visits(grid, its.rows, visits[day])],
                now=grid.place(moment) if is_today and grid.shows(moment) else "",
            )
        )
    return grid, columns


def _visits(grid: Grid, listed: list[Row], spans: list[Span]) -> Iterator[Piece]:
    """The visits of a day, and after them how many more there are wherever there is no room for all."""
    beside = lanes(spans)
    for row, span, lane in zip(listed, spans, beside, strict=True):
        yield Piece(grid.place(span, lane), row=row, is_beyond=lane.is_beyond)
    for group in together(spans):
        beyond = [spans[position] for position in group if beside[position].is_beyond]
        if beyond:
            around = Span(min(span.start for span in beyond), max(span.end for span in beyond))
            yield Piece(grid.place(around, Lane(LANES - 1, LANES)), more=len(beyond))


def _words(stretch: Stretch, zone: ZoneInfo) -> str:
    opens, closes = stretch
    return f"{opens.astimezone(zone):%H:%M}–{closes.astimezone(zone):%H:%M}"
