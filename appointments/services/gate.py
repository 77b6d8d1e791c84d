"""From the money to the visit: confirmed when it is paid, given up when nobody pays, refunded when money comes too late.

Everything here bears being done twice: payments are told of again when whoever was told of them died on the way.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max

from appointments.models import Appointment, Status
from appointments.services import claiming, letters, paying, taking, times
from audit import services as audit
from billing.models import About, Invoice, Payment, PaymentOrder, Refund
from billing.models.payments import PaymentOrders
from billing.services import checkout
from core import schemas
from core.errors import Invalid
from core.queue import after_commit
from core.visits import VisitKind
from directory import services as directory
from hospitals.models import BookingPolicy
from tenants.models import Hospital

logger = logging.getLogger(__name__)

# How much longer a time is kept each time the gateway does not answer, or a payment is on its way.
_A_WHILE = timedelta(minutes=5)
_AT_ONCE = 200


# --- Money has come, or gone back ------------------------------------------------------------------------------------


def note_paid(*, payment: Payment, now: datetime, **_said: Any) -> None:
    """Money has arrived for a bill. If it is a visit's, the visit is confirmed by it, had again, or refunded."""
    visit = _visit_of(payment.invoice_id)
    if visit is None:
        return
    hospital = Hospital.objects.get(schema_name=schemas.active())
    with transaction.atomic():
        if visit.status in (Status.PENDING, Status.EXPIRED):  # who may take a time waits for hours, doctor and visit
            times.keep_hours(visit.doctor)
            taking.wait_in_line(visit.doctor)
        _passed_on(hospital, _locked(visit), Invoice.objects.get(pk=payment.invoice_id), now)


def _passed_on(hospital: Hospital, visit: Appointment, invoice: Invoice, now: datetime) -> None:
    paying.follow_books(visit, invoice, by=None)
    if visit.status in (Status.CANCELLED, Status.NO_SHOW):
        paying.end(hospital=hospital, visit=visit, by=None, now=now)
    elif visit.status == Status.EXPIRED:
        if _come_back(hospital, visit, now):
            paying.follow_books(visit, invoice, by=None)
            letters.booked(hospital=hospital, visit=visit, by=None, now=now)
            taking.tell_search(visit, now=now)
        else:
            _too_late(hospital, visit, now)
    elif visit.status == Status.PENDING and visit.payment_status == Appointment.PaymentStatus.PAID:
        _confirm(hospital, visit, now)


def _confirm(hospital: Hospital, visit: Appointment, now: datetime) -> None:
    """The visit is paid: it waits for the hospital's word, where the hospital wants to give it, or is confirmed."""
    policy = BookingPolicy.objects.get()
    had_to_pay = visit.pay_until is not None
    if had_to_pay and now >= visit.ends_at:
        _give_up(visit)
        _too_late(hospital, visit, now)
    elif policy.confirmation == BookingPolicy.Confirmation.DOCTOR:
        if Appointment.objects.filter(pk=visit.pk, pay_until__isnull=False).update(pay_until=None):
            visit.pay_until = None
            letters.booked(hospital=hospital, visit=visit, by=None, now=now)
    elif had_to_pay:
        audit.move(visit, Status.CONFIRMED, by=None, also={"pay_until": None})
        letters.booked(hospital=hospital, visit=visit, by=None, now=now)
    elif policy.confirmation == BookingPolicy.Confirmation.PAYMENT:
        audit.move(visit, Status.CONFIRMED, by=None)
        letters.confirmed(hospital=hospital, visit=visit)


def _come_back(hospital: Hospital, visit: Appointment, now: datetime) -> bool:
    """Give a visit its time again that was given up, if it is still ahead, offered and free, for patient and doctor."""
    if now >= visit.starts_at or visit.payment_status != Appointment.PaymentStatus.PAID:
        return False
    try:
        slot = times.offered_slot(
            hospital=hospital,
            doctor=visit.doctor,
            starts_at=visit.starts_at,
            kind=VisitKind(visit.kind),
            now=now,
            any_notice=True,
        )
    except Invalid:
        return False
    was, had = visit.status, visit.places
    with transaction.atomic():
        is_back = taking.take_again(hospital, visit, slot, now=now) and claiming.claim_again(visit)
        if not is_back:
            transaction.set_rollback(True)
            visit.status, visit.places = was, had
    return is_back


def _too_late(hospital: Hospital, visit: Appointment, now: datetime) -> None:
    """All of it goes back, and the patient is told which other times there are: once."""
    had = paying.money_of(visit).refund
    paying.end(hospital=hospital, visit=visit, by=None, now=now)
    if paying.money_of(visit).refund > had:
        letters.too_late(hospital=hospital, visit=visit, now=now)


def note_refunded(*, refund: Refund, now: datetime, **_said: Any) -> None:
    """Money is back with who paid. The visit says so when all of what was to go back is."""
    visit = _visit_of(refund.invoice_id)
    if visit:
        with transaction.atomic():
            paying.follow_books(_locked(visit), Invoice.objects.get(pk=refund.invoice_id), by=None)


def _visit_of(invoice_id: int) -> Appointment | None:
    """The visit that a bill is for; None for a bill of something else."""
    code = Invoice.objects.filter(pk=invoice_id, about=About.VISIT).values_list("about_code", flat=True).first()
    visits = Appointment.objects.with_people().select_related("doctor__schedule", "patient__user")
    return visits.filter(code=code).first() if code else None


def _locked(visit: Appointment) -> Appointment:
    """The visit for the length of the transaction, where it is now if somebody has moved it meanwhile."""
    rows = Appointment.objects.with_people().select_related("doctor__schedule", "patient__user").locked()
    mine = rows.get(pk=visit.pk)
    while mine.status == Status.RESCHEDULED:
        mine = rows.get(rescheduled_from=mine)
    return mine


# --- Nobody has paid -------------------------------------------------------------------------------------------------


def release_unpaid(*, hospital: Hospital, now: datetime) -> int:
    """Give up the visits that were to be paid by now and are not; return how many.

    The gateway is asked first. While it does not answer, or somebody is about to pay, the time is kept.
    """
    late = Appointment.objects.unpaid(now).by_time()[:_AT_ONCE]
    return sum(_release(hospital, visit, is_heard=_is_heard(hospital, visit, now), now=now) for visit in late)


def _is_heard(hospital: Hospital, visit: Appointment, now: datetime) -> bool:
    """Ask the gateway what became of the order for the visit; tell whether everything is known then."""
    order = _orders(visit).select_related("invoice", "account").first()
    try:
        return order is None or checkout.ask(hospital=hospital, order=order, now=now)
    except Exception:  # whatever it is, this time is kept a while, and the next patient's must not wait for it
        logger.exception("The payment for visit %s could not be asked about.", visit.reference)
        return False


@transaction.atomic
def _release(hospital: Hospital, visit: Appointment, *, is_heard: bool, now: datetime) -> bool:
    rows = Appointment.objects.unpaid(now).with_people().filter(pk=visit.pk)
    mine = rows.locked(skip_locked=True).first()
    if mine is None:  # paid, moved or cancelled meanwhile
        return False
    until = _about_to_pay_until(mine, now) if is_heard else now + _A_WHILE
    if until and paying.keep_longer(mine, until=until, now=now):
        return False
    _give_up(mine)
    paying.end(hospital=hospital, visit=mine, by=None, now=now)
    return True


def _about_to_pay_until(visit: Appointment, now: datetime) -> datetime | None:
    """Until when the time is kept for somebody at the checkout; None if nobody is."""
    if paying.is_under_way(visit):
        return now + _A_WHILE
    begun = _orders(visit).aggregate(order=Max("created_at"), tried=Max("payments__created_at"))
    lately = [moment + paying.ONE_TRY for moment in begun.values() if moment]
    return max(lately, default=None)


def _orders(visit: Appointment) -> PaymentOrders:
    return PaymentOrder.objects.live().filter(invoice__about=About.VISIT, invoice__about_code=visit.code)


def _give_up(visit: Appointment) -> None:
    """The time is free for others."""
    audit.move(visit, Status.EXPIRED, by=None)
    directory.end_time(appointment=visit.code)
    after_commit("appointments.time_freed", appointment_id=visit.pk)
