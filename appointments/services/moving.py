"""Moving a visit to another time: the new one first, then the old one is released, in one transaction."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from appointments.models import Appointment, Status
from appointments.services import booking, letters, paying, taking, times
from appointments.services.claiming import claim
from appointments.slots import Slot
from audit import services as audit
from audit.models import Action
from core.errors import Conflict, NotAllowedNow
from core.queue import after_commit
from core.visits import VisitKind
from hospitals.models import Doctor
from tenants.models import Hospital

_CARRIED = [
    "patient",
    "reason",
    "source",
    "payment_status",
    "fee",
    "booked_at",
    "booked_by",
    "pay_until",
    "late_cancellation_percent",
    "no_show_percent",
]


def move(
    *,
    hospital: Hospital,
    visit: Appointment,
    starts_at: datetime,
    by: User | None,
    now: datetime,
    by_hospital: bool,
    doctor: Doctor | None = None,
    reason: str = "",
    actor: str = "",
    holder: UUID | None = None,
) -> Appointment:
    """Give a visit another time, of the same doctor unless the hospital names another; answer the new visit.

    It keeps what was paid, its price and its rules. A time that `holder` holds is theirs to take. Raises SlotTaken and
    leaves everything as it was when the new time is taken; NotAllowedNow for a visit that has begun.
    """
    to = doctor if doctor and by_hospital else visit.doctor
    _require_movable(visit, to=to, starts_at=starts_at, now=now, by_hospital=by_hospital)
    ask: dict[str, Any] = {
        "hospital": hospital,
        "doctor": to,
        "starts_at": starts_at,
        "kind": VisitKind(visit.kind),
        "now": now,
    }
    with transaction.atomic():
        times.keep_hours(to)
        slot = times.offered_slot(**ask, any_notice=by_hospital)
        fresh = _carried_over(visit, to, slot, now=now, by_hospital=by_hospital)
        overlaps = to.pk == visit.doctor_id and _meet(slot, visit)
        if overlaps:  # it would be refused for the sake of the visit itself; nobody sees a moment in between
            taking.wait_in_line(to)
            audit.move(visit, Status.RESCHEDULED, by=by, reason=reason)
        moved = taking.take(hospital, fresh, slot, now=now, holder=holder)
        if moved:
            if not overlaps:
                audit.move(visit, Status.RESCHEDULED, by=by, reason=reason)
            data = {"from": visit.reference} | ({"by": actor} if actor else {})
            action = Action(f"appointment.{fresh.status}")
            audit.record(action=action, target=fresh, by=by, new=fresh.status, reason=reason, data=data)
            claim(hospital, fresh, by=by)
            paying.carry_over(old=visit, new=fresh)
            if by_hospital or not fresh.waits_for_payment:
                letters.moved(hospital=hospital, visit=fresh, old=visit, by=by, now=now)
            after_commit("appointments.time_freed", appointment_id=visit.pk)
            taking.tell_search(fresh, now=now)
        else:
            transaction.set_rollback(True)
    if not moved:
        visit.refresh_from_db(fields=["status"])
        if not visit.is_to_come:  # somebody else has moved it, or cancelled it
            raise Conflict(audit.already(visit))
        raise times.taken_refusal(**ask, holder=holder)
    return fresh


def _require_movable(visit: Appointment, *, to: Doctor, starts_at: datetime, now: datetime, by_hospital: bool) -> None:
    if not visit.is_to_come or (not by_hospital and now >= visit.starts_at):
        raise NotAllowedNow(audit.already(visit) or _("The visit has begun. It cannot be moved any more."))
    if to.pk == visit.doctor_id and starts_at == visit.starts_at:
        raise NotAllowedNow(_("The visit is at this time already."))
    if not by_hospital and visit.patient:
        booking.require_may_book(visit.patient)


def _carried_over(visit: Appointment, to: Doctor, slot: Slot, *, now: datetime, by_hospital: bool) -> Appointment:
    """The visit at its new time, not written yet."""
    carried = {name: getattr(visit, name) for name in _CARRIED}
    fresh = taking.fresh(doctor=to, slot=slot, kind=VisitKind(visit.kind), status=visit.status, **carried)
    fresh.rescheduled_from, fresh.created_at = visit, now  # reminders count from here
    until = visit.free_cancellation_until
    if until:
        # What a patient moves when it is too late to cancel it free stays so: else moving it would make it free.
        is_late = not by_hospital and now > until
        fresh.free_cancellation_until = until if is_late else slot.starts_at - (visit.starts_at - until)
    return fresh


def _meet(slot: Slot, visit: Appointment) -> bool:
    """Whether the slot and the visit's own time overlap; without its own, as for a walk-in, nothing does."""
    since, until = (visit.busy.lower, visit.busy.upper) if visit.busy else (None, None)
    return bool(since and until and slot.busy_from < until and slot.busy_until > since)
