"""Money that arrives, at the desk or through the gateway.

It is written down the moment it is known, in a transaction of its own; what it buys comes second, and a task sees to it
if nobody was left to.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from audit.models import Action
from billing import razorpay
from billing.models import (
    AT_THE_DESK,
    Account,
    Invoice,
    Kind,
    Method,
    NumberCounter,
    Payment,
    PaymentOrder,
    Series,
    financial_year_of,
)
from billing.services import cash, invoices, ledger, letters, refunds
from billing.signals import paid
from core.errors import Conflict, Invalid, NotAllowedNow
from core.money import shown
from core.queue import after_commit
from core.schemas import active
from tenants.models import Hospital


@dataclass(frozen=True)
class Taking:
    """Money handed over at the desk. `reference` is the card terminal's, UPI's or insurer's; cash has none.

    Without an `amount` it is all that is owed.
    """

    method: Method
    amount: Decimal | None
    reference: str = ""
    idempotency_key: str = ""


# --- At the desk -----------------------------------------------------------------------------------------------------


def take(*, hospital: Hospital, invoice: Invoice, taking: Taking, by: User, now: datetime) -> Payment:
    """Take money for a bill; a draft is issued with it. With an idempotency key that was used, answers that payment.

    Raises Invalid for more than is owed, or for a method the desk does not take; NotAllowedNow for cash without an open
    cash day.
    """
    done = _done(taking, by)
    if done is None:
        done = _take(hospital=hospital, invoice=invoice, taking=taking, by=by, now=now)
    elif (done.invoice_id, done.method) != (invoice.pk, taking.method) or taking.amount not in (None, done.amount):
        raise Invalid(_("This idempotency key was used for another payment. Use a new one for every payment."))
    fulfil(payment=done, now=now)
    return done


@transaction.atomic
def _take(*, hospital: Hospital, invoice: Invoice, taking: Taking, by: User, now: datetime) -> Payment:
    if taking.method not in AT_THE_DESK:
        raise Invalid(_("Online payments arrive by themselves. Choose how the patient pays here."), field="method")
    if taking.method != Method.CASH and not taking.reference:
        raise Invalid(_("Type the number on the slip or in the app."), field="reference")
    mine = Invoice.objects.locked().get(pk=invoice.pk)
    again = _done(taking, by)  # the same request may have been served while this one waited for the bill
    if again:
        return again
    if mine.status == Invoice.Status.CANCELLED:
        raise NotAllowedNow(audit.already(mine))
    if mine.is_draft:
        invoices.issue(hospital=hospital, invoice=mine, by=by, now=now)
    owed = ledger.owed_on(mine)
    amount = owed if taking.amount is None else taking.amount
    if not 0 < amount <= owed:
        raise _too_much(mine, owed)
    payment = Payment(
        status=Payment.Status.CAPTURED,
        invoice=mine,
        method=taking.method,
        amount=amount,
        reference=taking.reference,
        cash_day=cash.day_for(clerk=by, method=taking.method),
        received_by=by,
        idempotency_key=taking.idempotency_key,
        created_at=now,
        captured_at=now,
        **_receipt(hospital, now),
    )
    payment.save(force_insert=True)
    _record(payment, mine, by=by)
    ledger.post(
        kind=Kind.RECEIVED,
        source=f"payment:{payment.code}",
        at=now,
        by=by,
        invoice=mine,
        debit={taking.method.account: payment.amount},
        credit={Account.RECEIVABLE: payment.amount},
    )
    invoices.settle(mine, by=by)
    letters.receipt(hospital=hospital, payment=payment)
    _pass_on_later(payment)
    invoice.refresh_from_db()
    return payment


def _too_much(invoice: Invoice, owed: Decimal) -> Conflict | Invalid:
    if owed <= 0:
        return Conflict(audit.already(invoice) or _("Nothing is owed on this bill."))
    return Invalid(_("Take more than nothing, and at most %(owed)s.") % {"owed": shown(owed)}, field="amount")


def _done(taking: Taking, by: User) -> Payment | None:
    key = taking.idempotency_key
    return Payment.objects.filter(received_by=by, idempotency_key=key).first() if key else None


# --- Through the gateway ---------------------------------------------------------------------------------------------


@transaction.atomic
def seen(*, hospital: Hospital, order: PaymentOrder, found: razorpay.Payment, now: datetime) -> Payment:
    """Take in what the gateway says of a payment, whoever heard it: a webhook, a callback that was checked, or a fetch.

    The one place in which an online payment changes. It only goes forward, so that old news changes nothing, and the
    same news heard twice, or in whatever order, ends in the same books.
    """
    mine = PaymentOrder.objects.locked().select_related("invoice").get(pk=order.pk)
    payment = Payment.objects.filter(gateway_id=found.id).locked().first() or _first_seen(mine, found, now)
    if payment.order_id != mine.pk:
        raise Conflict(_("This payment belongs to another order."))
    to = _status_of(found)
    if to == payment.status or to not in Payment.TRANSITIONS[payment.status]:
        return payment
    also: dict[str, object] = {"gateway_method": found.method[:20], "failure": (found.error_description or "")[:300]}
    if to == Payment.Status.CAPTURED:
        also |= {"failure": "", "captured_at": now, "gateway_fee": found.fee, **_receipt(hospital, now)}
    audit.move(payment, to, by=None, also=also, data={"amount": str(payment.amount)})
    if to == Payment.Status.CAPTURED:
        ledger.post(
            kind=Kind.RECEIVED,
            source=f"payment:{payment.code}",
            at=now,
            by=None,
            invoice=None,
            debit={Account.GATEWAY: payment.amount},
            credit={Account.ADVANCES: payment.amount},
        )
        if mine.status != PaymentOrder.Status.PAID:
            if mine.status == PaymentOrder.Status.NEW:  # its answer was lost, the payment tells of it
                audit.move(mine, PaymentOrder.Status.OPEN, by=None, also={"gateway_id": found.order_id})
            audit.move(mine, PaymentOrder.Status.PAID, by=None)
        _pass_on_later(payment)
    return payment


def _first_seen(order: PaymentOrder, found: razorpay.Payment, now: datetime) -> Payment:
    payment = Payment.objects.create(
        status=Payment.Status.CREATED,
        invoice=order.invoice,
        method=Method.ONLINE,
        amount=found.amount,
        order=order,
        gateway_id=found.id,
        created_at=now,
    )
    _record(payment, order.invoice, by=None)
    return payment


def _status_of(found: razorpay.Payment) -> str:
    """Razorpay's word for it; `refunded` of a payment that was never captured means that it gave the money back."""
    if found.status == "refunded":
        return Payment.Status.CAPTURED if found.captured else Payment.Status.VOIDED
    return Payment.Status(found.status)


# --- What it buys ----------------------------------------------------------------------------------------------------


def fulfil(*, payment: Payment, now: datetime) -> None:
    """Put received money towards its bill and tell who waited for it. Doing it twice changes nothing.

    Money that nobody owes goes back by itself.
    """
    hospital = Hospital.objects.get(schema_name=active())
    if _apply(hospital=hospital, payment=payment, now=now):
        paid.send(sender=Payment, payment=payment, now=now)
        Payment.objects.filter(pk=payment.pk, fulfilled_at=None).update(fulfilled_at=now)
        payment.fulfilled_at = now


@transaction.atomic
def _apply(*, hospital: Hospital, payment: Payment, now: datetime) -> bool:
    """Issue the bill if it is a draft, and put the money towards it; tell whether there is something to pass on."""
    invoice = Invoice.objects.locked().get(pk=payment.invoice_id)
    mine = Payment.objects.locked().get(pk=payment.pk)
    if mine.status != Payment.Status.CAPTURED or mine.fulfilled_at:
        return False
    if mine.method != Method.ONLINE:
        return True
    if invoice.is_draft:
        invoices.issue(hospital=hospital, invoice=invoice, by=None, now=now)
    is_new = ledger.post(
        kind=Kind.APPLIED,
        source=f"payment_applied:{mine.code}",
        at=now,
        by=None,
        invoice=invoice,
        debit={Account.ADVANCES: mine.amount},
        credit={Account.RECEIVABLE: mine.amount},
    )
    if is_new:
        invoices.settle(invoice, by=None)
        letters.receipt(hospital=hospital, payment=mine)
        too_much = min(-ledger.owed_on(invoice), mine.amount)
        if too_much > 0:
            refunds.give_back(payment=mine, amount=too_much, reason=_("Paid more than was owed."), by=None, now=now)
    return True


# --- The parts -------------------------------------------------------------------------------------------------------


def _receipt(hospital: Hospital, now: datetime) -> dict[str, object]:
    """The next number of the receipts."""
    year = financial_year_of(now.astimezone(ZoneInfo(hospital.time_zone)).date())
    number = NumberCounter.take(Series.RECEIPT, year)
    return {"financial_year": year, "number": number, "receipt_number": f"RCT/{year}/{number:06d}"}


def _record(payment: Payment, invoice: Invoice, *, by: User | None) -> None:
    audit.record(
        action=Action(f"payment.{payment.status}"),
        target=payment,
        by=by,
        new=payment.status,
        data={"amount": str(payment.amount), "method": payment.method, "invoice": str(invoice)},
    )


def _pass_on_later(payment: Payment) -> None:
    after_commit("billing.fulfil", payment_id=payment.pk)
