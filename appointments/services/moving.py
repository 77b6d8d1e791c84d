"""Moving a visit to another time: the new one first, then the old one is released, in one transaction."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from appointments.models import Appointment
from appointments.services import booking, letters, times
from appointments.slots import Slot
from audit import services as audit
from audit.models import Action
from core.errors import NotAllowedNow
from core.queue import after_commit
from core.visits import VisitKind
from directory import services as directory
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
) -> Appointment:
    """Give a visit another time, of the same doctor unless the hospital names another; answer the new visit.

    It keeps what was paid, its price and its rules. Raises SlotTaken and leaves everything as it was when the new time
    is taken; NotAllowedNow for a visit that has begun.
    """
    to = doctor or visit.doctor
    kind = VisitKind(visit.kind)
    if not visit.is_to_come or (not by_hospital and now >= visit.starts_at):
        raise NotAllowedNow(audit.already(visit) or _("The visit has begun. It cannot be moved any more."))
    if to.pk == visit.doctor_id and starts_at == visit.starts_at:
        raise NotAllowedNow(_("The visit is at this time already."))
    slot = times.offered_slot(
        hospital=hospital, doctor=to, starts_at=starts_at, kind=kind, now=now, any_notice=by_hospital
    )
    with transaction.atomic():
        carried = {name: getattr(visit, name) for name in _CARRIED}
        fresh = booking.fresh(doctor=to, slot=slot, kind=kind, status=visit.status, **carried)
        if visit.free_cancellation_until:
            fresh.free_cancellation_until = starts_at - (visit.starts_at - visit.free_cancellation_until)
        fresh.rescheduled_from = visit
        overlaps = to.pk == visit.doctor_id and _meet(slot, visit)
        if overlaps:  # it would be refused for the sake of the visit itself; nobody sees a moment in between
            audit.move(visit, Appointment.Status.RESCHEDULED, by=by, reason=reason)
        moved = booking.take(hospital, fresh, slot, now=now)
        if moved:
            if not overlaps:
                audit.move(visit, Appointment.Status.RESCHEDULED, by=by, reason=reason)
            data = {"from": visit.reference} | ({"by": actor} if actor else {})
            action = Action(f"appointment.{fresh.status}")
            audit.record(action=action, target=fresh, by=by, new=fresh.status, reason=reason, data=data)
            directory.end_time(appointment=visit.code)
            booking.claim(hospital, fresh)
            letters.moved(hospital=hospital, visit=fresh, old=visit, reason=reason)
            after_commit("appointments.time_freed", appointment_id=visit.pk)
            after_commit("appointments.refresh_times", doctor_id=to.pk)
        else:
            transaction.set_rollback(True)
    if not moved:
        visit.refresh_from_db(fields=["status"])
        raise times.taken_refusal(hospital=hospital, doctor=to, starts_at=starts_at, kind=kind, now=now, holder=None)
    return fresh


def _meet(slot: Slot, visit: Appointment) -> bool:
    """Whether the slot and the visit's own time overlap; without its own, as for a walk-in, nothing does."""
    since, until = (visit.busy.lower, visit.busy.upper) if visit.busy else (None, None)
    return bool(since and until and slot.busy_from < until and slot.busy_until > since)
