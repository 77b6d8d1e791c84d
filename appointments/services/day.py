"""What happens to a booked visit: confirmed, checked in, called, completed, missed, cancelled."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from appointments.models import Appointment, Status, TokenCounter
from appointments.services import letters, paying, times
from appointments.services.paying import Money
from audit import services as audit
from audit.models import Action
from core import schemas
from core.errors import NotAllowedNow
from core.queue import after_commit
from directory import services as directory
from hospitals.models import BookingPolicy
from tenants.models import Hospital


@transaction.atomic
def confirm(*, hospital: Hospital, visit: Appointment, by: User) -> None:
    """Confirm a visit that waits for it, and tell the patient."""
    if visit.status != Status.PENDING:
        raise NotAllowedNow(audit.already(visit))
    audit.move(visit, Status.CONFIRMED, by=by, also={"pay_until": None})
    letters.confirmed(hospital=hospital, visit=visit)


@transaction.atomic
def patient_comes(*, visit: Appointment, by: User | None, now: datetime) -> None:
    """Note that the patient says they come. Doing it twice changes nothing."""
    if not visit.is_to_come:
        raise NotAllowedNow(audit.already(visit))
    if Appointment.objects.filter(pk=visit.pk, patient_confirmed_at__isnull=True).update(patient_confirmed_at=now):
        visit.patient_confirmed_at = now
        actor = visit.patient.name if visit.patient and by is None else ""
        audit.record(action=Action.VISIT_PATIENT_CONFIRMED, target=visit, by=by, actor=actor)


@transaction.atomic
def check_in(*, hospital: Hospital, visit: Appointment, by: User, now: datetime, as_patient: bool = False) -> None:
    """Note that the patient has arrived, or waits online; they get the doctor's next token of the day.

    Patients do it themselves (`as_patient`) from some time before the visit until its end; the desk all day.
    """
    zone = times.zone_of(hospital)
    today = now.astimezone(zone).date()
    if visit.starts_at.astimezone(zone).date() != today:
        raise NotAllowedNow(_("This visit is not today."))
    if as_patient:
        _require_check_in_time(visit, now)
    if visit.status == Status.PENDING:
        audit.move(visit, Status.CONFIRMED, by=by, also={"pay_until": None})
    token = visit.token or TokenCounter.take(visit.doctor, today)
    audit.move(visit, Status.CHECKED_IN, by=by, also={"checked_in_at": now, "token": token, "token_date": today})
    paying.charge(hospital=hospital, visit=visit, by=by, now=now)


def checks_in_from(visit: Appointment, policy: BookingPolicy) -> datetime:
    """From when on the patient may check in themselves."""
    return visit.starts_at - policy.check_in


def _require_check_in_time(visit: Appointment, now: datetime) -> None:
    if visit.status == Status.PENDING:
        raise NotAllowedNow(_("The hospital has not confirmed this visit yet."))
    if now > visit.ends_at:
        raise NotAllowedNow(_("The time of this visit has passed. Ask at the front desk."))
    if now < checks_in_from(visit, BookingPolicy.objects.get()):
        raise NotAllowedNow(_("It is too early to check in. Come back shortly before your visit."))


@transaction.atomic
def call(*, visit: Appointment, by: User, now: datetime) -> None:
    """Call the patient in: the visit begins. Who had not checked in has with it, and has a token like everybody else."""
    if visit.status == Status.CONFIRMED:
        check_in(hospital=Hospital.objects.get(schema_name=schemas.active()), visit=visit, by=by, now=now)
    audit.move(visit, Status.IN_PROGRESS, by=by, also={"called_at": now})


@transaction.atomic
def undo(*, visit: Appointment, by: User) -> None:
    """Take the last step of the queue back: who was called waits again, who was checked in has not arrived.

    The token stays with the visit, so that numbers keep no gap.
    """
    if visit.status == Status.IN_PROGRESS:
        audit.move(visit, Status.CHECKED_IN, by=by, also={"called_at": None})
    elif visit.source == Appointment.Source.WALK_IN:
        raise NotAllowedNow(_("Somebody who walked in has no booking to go back to. Cancel the visit instead."))
    else:
        audit.move(visit, Status.CONFIRMED, by=by, also={"checked_in_at": None})


@transaction.atomic
def complete(*, visit: Appointment, by: User, now: datetime) -> None:
    """The visit is over."""
    audit.move(visit, Status.COMPLETED, by=by, also={"completed_at": now})
    directory.end_time(appointment=visit.code)
    hospital = Hospital.objects.get(schema_name=schemas.active())
    paying.charge(hospital=hospital, visit=visit, by=by, now=now)


@transaction.atomic
def miss(*, hospital: Hospital, visit: Appointment, by: User | None, now: datetime) -> None:
    """The patient did not come; what the rules keep of the fee is noted."""
    if now < visit.starts_at and visit.status != Status.CHECKED_IN:
        raise NotAllowedNow(_("The visit has not begun. Cancel it instead."))
    is_agreed = visit.status != Status.PENDING  # what the hospital has not confirmed costs nothing
    kept = paying.share_of(visit, visit.no_show_percent) if is_agreed else Decimal()
    audit.move(visit, Status.NO_SHOW, by=by, also={"kept_fee": kept})
    directory.end_time(appointment=visit.code)
    paying.end(hospital=hospital, visit=visit, by=by, now=now)
    letters.missed(hospital=hospital, visit=visit)


@transaction.atomic
def cancel(
    *,
    hospital: Hospital,
    visit: Appointment,
    by: User | None,
    reason: str,
    now: datetime,
    by_hospital: bool,
    actor: str = "",
) -> None:
    """Cancel a visit and give its time back. Late, a patient may owe a part of the fee; the hospital never keeps any.

    `actor` names a patient who used the link in a message without being signed in.
    """
    if not by_hospital:
        if not visit.is_to_come:
            raise NotAllowedNow(audit.already(visit))
        if now >= visit.starts_at:
            raise NotAllowedNow(_("The visit has begun. Call the hospital if you cannot come."))
    kept = Decimal() if by_hospital else late_fee(visit, now)
    data = {"by": actor} if actor else None
    also = {"kept_fee": kept, "cancelled_by_hospital": by_hospital}
    audit.move(visit, Status.CANCELLED, by=by, reason=reason, data=data, also=also)
    directory.end_time(appointment=visit.code)
    paying.end(hospital=hospital, visit=visit, by=by, now=now)
    letters.cancelled(hospital=hospital, visit=visit, by=by, now=now)
    after_commit("appointments.time_freed", appointment_id=visit.pk)


def late_fee(visit: Appointment, now: datetime) -> Decimal:
    """What cancelling now would cost the patient, in rupees: nothing as long as the hospital has not confirmed."""
    until = visit.free_cancellation_until
    if until is None or now <= until or visit.status == Status.PENDING:
        return Decimal()
    return paying.share_of(visit, visit.late_cancellation_percent)


def if_cancelled(visit: Appointment, now: datetime) -> Money:
    """What would become of the money if the patient cancelled now."""
    return paying.money_if(visit, kept=late_fee(visit, now))
