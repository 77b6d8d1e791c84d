"""What the staff's pages show of a visit: where it stands, in words, and the buttons for what can be done now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zlib import crc32

from django.utils.dateparse import parse_date
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appointments import steps
from appointments.models import Appointment, Status
from appointments.services import queue
from appointments.steps import Step
from core.http import HospitalRequest

LONG = 20  # minutes somebody waits before the page says that it is long
_A_WHILE = timedelta(minutes=5)  # how long a list offers to take a step back; the page of the visit always does

# Which button stands first, by who looks: the desk lets people in, a doctor sees them.
AT_DESK = (Step.CHECK_IN, Step.CALL, Step.COMPLETE)
AT_DOCTOR = (Step.CONFIRM, Step.COMPLETE, Step.CALL)
_BESIDE = (Step.UNDO, Step.MISS, Step.CONFIRM)
_TONES = {
    Status.PENDING: "warn",
    Status.CHECKED_IN: "info",
    Status.IN_PROGRESS: "accent",
    Status.COMPLETED: "ok",
    Status.NO_SHOW: "bad",
}


@dataclass(frozen=True)
class Button:
    """A step as a button."""

    step: Step
    label: str
    icon: str


@dataclass(frozen=True)
class Row:
    """A visit in a list: `state` in words, the button that stands first, and at most one beside it."""

    visit: Appointment
    state: str
    tone: str
    main: Button | None = None
    beside: Button | None = None


def row(request: HospitalRequest, visit: Appointment, *, now: datetime, order: Sequence[Step] = AT_DESK) -> Row:
    """A visit with what can be done with it at this hour."""
    can = possible_now(request, visit, now=now)
    main = next((step for step in order if step in can), None)
    offered = [step for step in _BESIDE if step != Step.UNDO or now - _last_step_at(visit) < _A_WHILE]
    beside = next((step for step in offered if step in can and step != main), None)
    minutes = queue.minutes_waiting(visit, now=now)
    is_long = visit.status == Status.CHECKED_IN and minutes > LONG
    return Row(
        visit=visit,
        state=state_of(visit, minutes=minutes, is_doctors=order is AT_DOCTOR),
        tone="warn" if is_long else _TONES.get(Status(visit.status), ""),
        main=button(main) if main else None,
        beside=button(beside) if beside else None,
    )


def _last_step_at(visit: Appointment) -> datetime:
    """When the patient was called or, before that, checked in."""
    return visit.called_at or visit.checked_in_at or visit.starts_at


def rows(
    request: HospitalRequest, visits: Iterable[Appointment], *, now: datetime, order: Sequence[Step] = AT_DESK
) -> list[Row]:
    """The same for many."""
    return [row(request, visit, now=now, order=order) for visit in visits]


def possible_now(request: HospitalRequest, visit: Appointment, *, now: datetime) -> list[Step]:
    """What the caller may do as the hospital and what makes sense at this hour: nobody checks in for tomorrow."""
    can = [step for step in steps.possible(request, visit) if steps.acts_for_hospital(request, visit, step)]
    is_today = localdate(visit.starts_at) == localdate(now)
    has_come = visit.status in (Status.CHECKED_IN, Status.IN_PROGRESS)
    if not is_today:
        can = [step for step in can if step != Step.CHECK_IN and (step != Step.CALL or has_come)]
    if now < visit.starts_at and not has_come:
        can = [step for step in can if step != Step.MISS]
    return can


def button(step: Step) -> Button:
    """How a step is called and drawn."""
    buttons = {
        Step.CONFIRM: Button(step, _("Confirm"), icon="check"),
        Step.CHECK_IN: Button(step, _("Check in"), icon="user-check"),
        Step.CALL: Button(step, _("Call"), icon="bell"),
        Step.UNDO: Button(step, _("Undo"), icon="undo-2"),
        Step.COMPLETE: Button(step, _("Complete"), icon="circle-check"),
        Step.MISS: Button(step, _("Did not attend"), icon="user-x"),
    }
    return buttons[step]


def state_of(visit: Appointment, *, minutes: int, is_doctors: bool = False) -> str:
    """Where a visit stands, as the staff say it."""
    if visit.status == Status.CHECKED_IN:
        return ngettext("Waiting %(n)s min", "Waiting %(n)s min", minutes) % {"n": minutes}
    if visit.status == Status.IN_PROGRESS and is_doctors:
        return _("With you")
    if visit.waits_for_payment:
        return _("Not paid yet")
    words = {
        Status.PENDING: _("To confirm"),
        Status.CONFIRMED: _("Booked"),
        Status.COMPLETED: _("Done"),
        Status.EXPIRED: _("Not paid in time"),
    }
    return words.get(Status(visit.status)) or str(visit.get_status_display())


def day_asked(request: HospitalRequest, name: str, fallback: date) -> date:
    """The day an address names, or `fallback` where it names none."""
    try:
        found = parse_date(request.GET.get(name, ""))
    except ValueError:  # like 30 February
        found = None
    return found if found and 2000 <= found.year < 2100 else fallback


def codes_of(texts: Iterable[str]) -> list[UUID]:
    """Those of the texts that are codes."""
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def fingerprint(*shown: object) -> str:
    """A short name of what a page shows: as long as it stays, a page that asks again is told that nothing is new."""
    return f"{crc32(repr(shown).encode()):08x}"
