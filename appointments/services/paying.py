"""What a visit costs: when it must be paid first, its bill, and what becomes of the money when it does not take place.

The bill's own room keeps the books; what a visit says about its payment follows from them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from accounts.models import User
from appointments.models import Appointment, Status
from audit import services as audit
from audit.models import Action
from billing.models import About, Invoice, Payment, Refund
from billing.services import checkout, gateway, invoices, ledger, refunds
from billing.services.invoices import Charge, Draft
from core.errors import NotAllowedNow
from core.money import percent_of
from core.visits import VisitKind
from hospitals.models import BookingPolicy
from tenants.models import Hospital

PaymentStatus = Appointment.PaymentStatus

TIME_TO_PAY = timedelta(minutes=20)
# How much longer a time is kept for somebody who has just begun to pay, and how long for anybody.
ONE_TRY = timedelta(minutes=15)
LONGEST = timedelta(hours=2)
_UNDER_WAY = Q(status__in=[Payment.Status.CREATED, Payment.Status.AUTHORIZED]) | Q(
    status=Payment.Status.CAPTURED, fulfilled_at=None
)
# A visit that nobody has confirmed is not paid for, unless paying confirms it.
_PAID_LATER = [Status.CONFIRMED, Status.CHECKED_IN, Status.IN_PROGRESS, Status.COMPLETED]


@dataclass(frozen=True)
class Money:
    """What becomes of the fee of a visit that does not take place: kept by the rules, given back, and still owed."""

    kept: Decimal = Decimal()
    refund: Decimal = Decimal()
    due: Decimal = Decimal()


# --- Paying first ----------------------------------------------------------------------------------------------------


def is_paid_first(*, policy: BookingPolicy, kind: str, fee: Decimal) -> bool:
    """Whether patients confirm such a visit by paying for it: online consultations, and all where the hospital says so.

    Where nothing can be paid online, nobody has to.
    """
    is_asked = kind != VisitKind.IN_PERSON or policy.confirmation == BookingPolicy.Confirmation.PAYMENT
    return bool(fee) and is_asked and gateway.takes_online()


def pay_until(*, policy: BookingPolicy, kind: str, fee: Decimal, starts_at: datetime, now: datetime) -> datetime | None:
    """Until when such a visit, booked now, must be paid; None for one that is confirmed without."""
    return min(now + TIME_TO_PAY, starts_at) if is_paid_first(policy=policy, kind=kind, fee=fee) else None


def keep_longer(visit: Appointment, *, until: datetime, now: datetime) -> bool:
    """Let somebody who is about to pay keep the time, two hours after booking at most; tell whether they still do."""
    until = min(until, (visit.booked_at or visit.created_at) + LONGEST)
    if visit.pay_until and until > visit.pay_until:
        Appointment.objects.filter(pk=visit.pk, status=Status.PENDING).update(pay_until=until)
        visit.pay_until = until
    return visit.pay_until is not None and visit.pay_until > now


def is_payable(visit: Appointment) -> bool:
    """Whether something is to be paid for the visit now."""
    if not visit.fee or visit.payment_status != PaymentStatus.UNPAID:
        return False
    return visit.waits_for_payment or visit.status in _PAID_LATER or visit.kept_fee > 0


@transaction.atomic
def begin(*, hospital: Hospital, visit: Appointment, by: User, now: datetime) -> Invoice:
    """The bill that somebody is about to pay online; a time that waits for it is kept a quarter of an hour longer.

    Raises NotAllowedNow when there is nothing to pay, or not here.
    """
    mine = Appointment.objects.with_people().locked().get(pk=visit.pk)
    if not is_payable(mine):
        raise NotAllowedNow(audit.already(mine) or _("Nothing is to be paid for this visit."))
    if not gateway.takes_online():
        raise NotAllowedNow(_("This hospital takes no payments online. Pay at the front desk."))
    if mine.waits_for_payment:
        keep_longer(mine, until=now + ONE_TRY, now=now)
    return bill(hospital=hospital, visit=mine, by=by, now=now)


def is_under_way(visit: Appointment) -> bool:
    """Whether the gateway knows of a payment for the visit of which nobody knows yet what becomes of it."""
    mine = Payment.objects.filter(invoice__about=About.VISIT, invoice__about_code=visit.code)
    return mine.filter(_UNDER_WAY).exists()


# --- The bill --------------------------------------------------------------------------------------------------------


def bill(*, hospital: Hospital, visit: Appointment, by: User | None, now: datetime) -> Invoice:
    """The bill of a visit: the one there is, or else a draft over its fee.

    Raises NotAllowedNow for a visit that costs nothing.
    """
    if not visit.fee or visit.patient is None:
        raise NotAllowedNow(_("Nothing is to be paid for this visit."))
    words = {
        VisitKind.IN_PERSON: _("Consultation: %(doctor)s"),
        VisitKind.VIDEO: _("Consultation by video: %(doctor)s"),
        VisitKind.CHAT: _("Consultation by chat: %(doctor)s"),
    }
    what = words[VisitKind(visit.kind)] % {"doctor": visit.doctor.name}
    draft = Draft(
        patient=visit.patient,
        charges=[Charge(what, visit.fee)],
        about=About.VISIT,
        about_code=visit.code,
        doctor=visit.doctor,
        department=visit.department,
    )
    return invoices.draft(hospital=hospital, draft=draft, by=by, now=now)


def bill_of(visit: Appointment) -> Invoice | None:
    """The bill there is; none that was dropped."""
    return Invoice.objects.about(About.VISIT, visit.code).first()


def owed_for(visit: Appointment) -> Decimal:
    """What is still to be paid for it: what is left of its bill, or its fee while there is none."""
    found = bill_of(visit) if visit.fee else None
    if found is None:
        return visit.fee
    return found.total if found.is_draft else max(ledger.owed_on(found), Decimal())


@transaction.atomic
def charge(*, hospital: Hospital, visit: Appointment, by: User | None, now: datetime) -> None:
    """Issue the bill of a visit that takes place. Doing it twice changes nothing.

    What the desk has cancelled stays so, and a draft whose discount waits for approval is issued after that.
    """
    if not visit.fee or visit.payment_status != PaymentStatus.UNPAID:
        return
    mine = Invoice.objects.filter(about=About.VISIT, about_code=visit.code)
    if bill_of(visit) or not mine.exists():
        _issue(hospital, visit, by=by, now=now)


def _issue(hospital: Hospital, visit: Appointment, *, by: User | None, now: datetime) -> None:
    invoice = bill(hospital=hospital, visit=visit, by=by, now=now)
    if invoice.is_draft and not Invoice.objects.awaiting_approval().filter(pk=invoice.pk).exists():
        invoices.issue(hospital=hospital, invoice=invoice, by=by, now=now)


def carry_over(*, old: Appointment, new: Appointment) -> None:
    """The bill goes with a visit that is moved: what was paid stays paid."""
    invoices.carry_over(about=About.VISIT, old=old.code, new=new.code)


# --- A visit that does not take place --------------------------------------------------------------------------------


def share_of(visit: Appointment, percent: int) -> Decimal:
    """So many percent of what the visit costs: of its bill, discounts taken off, or else of its fee."""
    found = bill_of(visit) if visit.fee and percent else None
    return percent_of(found.total if found else visit.fee, percent)


def money_if(visit: Appointment, *, kept: Decimal) -> Money:
    """What would become of the money if the visit were ended now and the hospital kept so much."""
    paid, back = _paid_and_back(visit)
    left = paid - back
    return Money(kept=kept, refund=max(left - kept, Decimal()), due=max(kept - left, Decimal()))


def money_of(visit: Appointment) -> Money:
    """What has become of the money of a visit that has ended."""
    paid, back = _paid_and_back(visit)
    return Money(kept=visit.kept_fee, refund=back, due=max(visit.kept_fee - (paid - back), Decimal()))


def _paid_and_back(visit: Appointment) -> tuple[Decimal, Decimal]:
    """What was paid for the visit, and what of it is given back or about to be."""
    found = bill_of(visit) if visit.fee else None
    return (ledger.paid_on(found), ledger.refunded_on(found)) if found else (Decimal(), Decimal())


@transaction.atomic
def end(*, hospital: Hospital, visit: Appointment, by: User | None, now: datetime) -> None:
    """Settle a visit that has ended without taking place: all but `kept_fee` is credited, and what was paid goes back.

    What is kept is owed on a bill. Safe to run twice, also when money comes later.
    """
    words = {Status.NO_SHOW: _("Visit missed"), Status.EXPIRED: _("The time was given up before it was paid")}
    why = words.get(Status(visit.status)) or _("Visit cancelled")
    if visit.kept_fee:
        _issue(hospital, visit, by=by, now=now)
    refunds.after_cancelling(
        hospital=hospital, about=About.VISIT, code=visit.code, keep=visit.kept_fee, reason=why, by=by, now=now
    )
    found = Invoice.objects.filter(about=About.VISIT, about_code=visit.code).order_by("-pk").first()
    if found:
        checkout.close(invoice=found, by=by)
        follow_books(visit, found, by=by)


# --- What the visit says ---------------------------------------------------------------------------------------------


def follow_books(visit: Appointment, invoice: Invoice, *, by: User | None) -> None:
    """Bring what the visit says about its payment to what the books say of its bill."""
    to = _by_the_books(visit, invoice)
    if to == PaymentStatus.UNPAID:
        return
    if Appointment.objects.filter(pk=visit.pk).exclude(payment_status=to).update(payment_status=to):
        visit.payment_status = to
        audit.record(action=Action(f"appointment.{to}"), target=visit, by=by, data={"invoice": str(invoice)})


def _by_the_books(visit: Appointment, invoice: Invoice) -> PaymentStatus:
    if invoice.number is None:
        return PaymentStatus.UNPAID
    paid, back = ledger.paid_on(invoice), ledger.refunded_on(invoice)
    is_paid = paid > back and ledger.owed_on(invoice) <= 0
    takes_place = visit.is_live or visit.status == Status.COMPLETED
    if back and not (is_paid and takes_place):
        done = invoice.refunds.filter(status=Refund.Status.PROCESSED).aggregate(sum=Sum("amount"))["sum"] or Decimal()
        return PaymentStatus.REFUNDED if done >= back else PaymentStatus.REFUND_DUE
    return PaymentStatus.PAID if is_paid else PaymentStatus.UNPAID
