"""What somebody does with a link from a message, without being signed in: come, move, cancel.

A link works until the visit begins and does its one thing once: what was done stands in the visit itself.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto

from django.utils.translation import gettext as _

from appointments.models import Appointment, Status
from appointments.services import day, letters, moving, tokens
from appointments.services.tokens import Purpose
from core.errors import Gone, NotAllowedNow
from tenants.models import Hospital


class State(StrEnum):
    """Whether a link still does something."""

    OPEN = auto()
    DONE = auto()  # the visit says what became of it
    OVER = auto()  # the visit's time has come


@dataclass(frozen=True)
class Link:
    """A link, the visit it is about, and whether it still does something."""

    purpose: Purpose
    visit: Appointment
    state: State

    @property
    def now_at(self) -> datetime:
        """When the visit is, wherever it was moved."""
        return _latest(self.visit).starts_at

    @property
    def first_name(self) -> str:
        """All that the page says of the patient."""
        return self.visit.patient.name.split()[0] if self.visit.patient else ""

    @property
    def money(self) -> str:
        """What is charged or paid back for a visit that was cancelled."""
        return letters.money_of(self.visit)


def behind(*, token: str, now: datetime) -> Link:
    """What a link is about. Raises Gone for one that is not whole or was written by another hospital."""
    slip = tokens.read(token)
    found = Appointment.objects.booked().with_people().select_related("doctor__schedule")
    visit = found.filter(code=slip.code).first() if slip and slip.purpose != Purpose.OFFER else None
    if slip is None or visit is None:
        raise Gone(
            _("This link is not complete, or another hospital wrote it. Copy the whole address from our message.")
        )
    return Link(purpose=slip.purpose, visit=visit, state=_state(slip.purpose, visit, now))


def _state(purpose: Purpose, visit: Appointment, now: datetime) -> State:
    if visit.is_to_come:
        if now >= visit.starts_at:
            return State.OVER
        is_said = purpose == Purpose.COMES and visit.patient_confirmed_at is not None
        return State.DONE if is_said else State.OPEN
    if visit.status == Status.CANCELLED or (visit.status == Status.RESCHEDULED and now < _latest(visit).starts_at):
        return State.DONE
    return State.OVER


def _latest(visit: Appointment) -> Appointment:
    """The visit as it is now, wherever it was moved."""
    while visit.status == Status.RESCHEDULED:
        following = Appointment.objects.filter(rescheduled_from=visit).first()
        if following is None:
            break
        visit = following
    return visit


def use(*, hospital: Hospital, link: Link, now: datetime, starts_at: datetime | None = None) -> None:
    """Do what the link is for, in the patient's name; moving it goes to `starts_at`.

    Raises what the service that does it raises, and NotAllowedNow for a link that does nothing any more.
    """
    if link.state != State.OPEN:
        raise NotAllowedNow(_("This link was used already, or its time is over."))
    visit = link.visit
    name = visit.patient.name if visit.patient else ""
    if link.purpose == Purpose.COMES:
        day.patient_comes(visit=visit, by=None, now=now)
    elif link.purpose == Purpose.CANCEL:
        day.cancel(hospital=hospital, visit=visit, by=None, reason="", now=now, by_hospital=False, actor=name)
    elif starts_at is not None:
        moving.move(
            hospital=hospital, visit=visit, starts_at=starts_at, by=None, now=now, by_hospital=False, actor=name
        )
