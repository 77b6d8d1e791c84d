"""Money that goes back, the way it came: granted by rule or by somebody, sent by a task, paid out at the desk."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from audit.models import Action
from billing import razorpay
from billing.models import (
    About,
    Account,
    BillingRules,
    CreditNote,
    Invoice,
    Kind,
    Method,
    Payment,
    Refund,
)
from billing.services import cash, crediting, gateway, invoices, ledger, letters
from billing.signals import refunded
from core.codes import new_code
from core.errors import Invalid, NotAllowedNow
from core.money import shown
from core.queue import after_commit
from core.schemas import active
from tenants.models import Hospital

# --- Granting --------------------------------------------------------------------------------------------------------


@transaction.atomic
def ask(
    *,
    hospital: Hospital,
    payment: Payment,
    amount: Decimal | None,
    reason: str,
    by: User,
    may_approve: bool,
    now: datetime,
    idempotency_key: str = "",
) -> Refund:
    """Give money of a payment back by hand, with a credit note over as much of the bill.

    Above the hospital's limit it waits for somebody who may approve money. Without an `amount` it is all that
    is left of the payment; Raises Invalid for more. With an idempotency key that was used, answers that refund.
    """
    invoice = Invoice.objects.locked().get(pk=payment.invoice_id)
    mine = Payment.objects.locked().get(pk=payment.pk)
    done = Refund.objects.filter(asked_by=by, idempotency_key=idempotency_key).first() if idempotency_key else None
    if done:
        if done.payment_id != mine.pk or amount not in (None, done.amount):
            raise Invalid(_("This idempotency key was used for another refund. Use a new one for every refund."))
        return done
    amount = left_of(mine) if amount is None else amount
    _require_left(mine, amount)
    waits = amount > without_approval(invoice) and not may_approve
    refund = _write(mine, amount, reason, by=by, status=Refund.Status.REQUESTED, now=now, key=idempotency_key)
    if not waits:
        _grant(hospital, refund, invoice, by=by, now=now)
    return refund


def without_approval(invoice: Invoice) -> Decimal:
    """How much more of this bill goes back without approval: small refunds, one after the other, do not pass the limit."""
    given_back = invoice.refunds.counting().aggregate(sum=Sum("amount"))["sum"] or Decimal()
    return max(BillingRules.objects.get().refund_limit - given_back, Decimal())


@transaction.atomic
def approve(*, hospital: Hospital, refund: Refund, by: User, now: datetime) -> None:
    """Grant a refund that waited for it."""
    invoice = Invoice.objects.locked().get(pk=refund.invoice_id)
    mine = Refund.objects.locked().select_related("payment").get(pk=refund.pk)
    if mine.status != Refund.Status.REQUESTED:
        raise NotAllowedNow(audit.already(mine))
    _grant(hospital, mine, invoice, by=by, now=now)
    refund.refresh_from_db()


@transaction.atomic
def decline(*, refund: Refund, by: User, reason: str) -> None:
    """Refuse it; whoever asked reads why."""
    audit.move(refund, Refund.Status.DECLINED, by=by, reason=reason)


@transaction.atomic
def give_back(
    *,
    payment: Payment,
    amount: Decimal,
    reason: str,
    by: User | None,
    now: datetime,
    credit_note: CreditNote | None = None,
) -> Refund:
    """Grant a refund that needs nobody's approval: a rule says so, or nobody owed the money. The bill is locked."""
    mine = Payment.objects.locked().get(pk=payment.pk)
    _require_left(mine, amount)
    refund = _write(mine, amount, reason, by=by, status=Refund.Status.REQUESTED, now=now, credit_note=credit_note)
    _grant_without_credit(refund, refund.invoice, by=by, now=now)
    return refund


@transaction.atomic
def after_cancelling(
    *, hospital: Hospital, about: About, code: UUID, keep: Decimal, reason: str, by: User | None, now: datetime
) -> Decimal:
    """Credit what the hospital does not `keep` of a cancelled visit or order, and give back what of it was paid.

    Returns what goes back. Without an issued bill there is nothing to do.
    """
    found = Invoice.objects.about(about, code).first()
    if found is None:
        return Decimal()
    invoice = Invoice.objects.locked().get(pk=found.pk)
    if invoice.is_draft:
        return Decimal()  # it stays a draft: a late payment may still come for it, and then goes back
    left = invoice.total - ledger.credited_on(invoice) - keep
    note = None
    if left > 0:
        note = crediting.credit(hospital=hospital, invoice=invoice, amount=left, by=by, reason=reason, now=now)
    too_much = -ledger.owed_on(invoice)
    back = Decimal()
    for payment in Payment.objects.captured().filter(invoice=invoice).order_by("-captured_at", "-pk"):
        part = min(too_much - back, left_of(payment))
        if part > 0:
            give_back(payment=payment, amount=part, reason=reason, by=by, now=now, credit_note=note)
            back += part
    return back


def _write(
    payment: Payment,
    amount: Decimal,
    reason: str,
    *,
    by: User | None,
    status: str,
    now: datetime,
    credit_note: CreditNote | None = None,
    key: str = "",
) -> Refund:
    code = new_code()
    refund = Refund.objects.create(
        code=code,
        status=status,
        payment=payment,
        invoice=payment.invoice,
        credit_note=credit_note,
        method=payment.method,
        amount=amount,
        reason=reason[:200],
        receipt=code.hex,
        asked_by=by,
        idempotency_key=key,
        created_at=now,
    )
    data = {"amount": str(amount), "payment": str(payment)}
    audit.record(action=Action.REFUND_REQUESTED, target=refund, by=by, new=status, reason=reason, data=data)
    return refund


def _grant(hospital: Hospital, refund: Refund, invoice: Invoice, *, by: User | None, now: datetime) -> None:
    """Grant it, with a credit note over what of the bill it takes back."""
    left = invoice.total - ledger.credited_on(invoice)
    # What was paid too much is billed to nobody any more: by an earlier credit note, or by one of a refund that failed.
    part = min(left, refund.amount - max(-ledger.owed_on(invoice), Decimal()))
    if part > 0:
        note = crediting.credit(hospital=hospital, invoice=invoice, amount=part, by=by, reason=refund.reason, now=now)
        Refund.objects.filter(pk=refund.pk).update(credit_note=note)
        refund.credit_note = note
    _grant_without_credit(refund, invoice, by=by, now=now)


def _grant_without_credit(refund: Refund, invoice: Invoice, *, by: User | None, now: datetime) -> None:
    audit.move(refund, Refund.Status.APPROVED, by=by, reason=refund.reason, data={"amount": str(refund.amount)})
    ledger.post(
        kind=Kind.REFUND_DUE,
        source=f"refund_due:{refund.code}:{_tries(refund)}",
        at=now,
        by=by,
        invoice=invoice,
        debit={Account.RECEIVABLE: refund.amount},
        credit={Account.REFUNDS: refund.amount},
    )
    invoices.settle(invoice, by=by, reason=refund.reason)
    if refund.method == Method.ONLINE:
        after_commit("billing.send_refund", refund_id=refund.pk)


def _tries(refund: Refund) -> int:
    """How often it has failed: each grant is an entry of its own."""
    return refund.invoice.entries.filter(source__startswith=f"refund_failed:{refund.code}:").count()


def left_of(payment: Payment) -> Decimal:
    """What of a payment was not given back, nor is about to be."""
    given_back = payment.refunds.counting().aggregate(sum=Sum("amount"))["sum"]
    return payment.amount - (given_back or Decimal())


def _require_left(payment: Payment, amount: Decimal) -> None:
    if payment.status != Payment.Status.CAPTURED:
        raise NotAllowedNow(_("This money never arrived, so it cannot be given back."))
    left = left_of(payment)
    if not 0 < amount <= left:
        raise Invalid(
            _("Give back more than nothing, and at most %(left)s.") % {"left": shown(max(left, Decimal()))},
            field="amount",
        )


# --- Through the gateway ---------------------------------------------------------------------------------------------


def send(*, refund: Refund, now: datetime) -> None:
    """Tell the gateway of a granted refund. Told twice it refunds once, by the receipt.

    Raises razorpay.Unreachable when nobody knows whether it heard: the task tries again.
    """
    if refund.status != Refund.Status.APPROVED or refund.method != Method.ONLINE:
        return
    hospital = Hospital.objects.get(schema_name=active())
    Refund.objects.filter(pk=refund.pk).update(asked_at=now)
    try:
        found = razorpay.refund(
            gateway.keys_of(refund.payment.order),
            refund.payment.gateway_id or "",
            amount=refund.amount,
            receipt=refund.receipt,
            notes=gateway.notes(hospital, refund.invoice),
        )
    except razorpay.Refused as refusal:
        fail(refund=refund, failure=refusal.description, now=now)
        return
    seen(refund=refund, found=found, now=now)


def seen(*, refund: Refund, found: razorpay.Refund, now: datetime) -> None:
    """Take in what the gateway says of a refund, whoever heard it. It only goes forward."""
    with transaction.atomic():
        Invoice.objects.locked().get(pk=refund.invoice_id)
        mine = Refund.objects.locked().select_related("payment", "invoice").get(pk=refund.pk)
        also: dict[str, object] = {"gateway_id": found.id}
        if mine.status == Refund.Status.APPROVED and found.status != "processed":
            audit.move(mine, Refund.Status.PROCESSING, by=None, also=also)
        is_paid = found.status == "processed" and mine.status in (Refund.Status.APPROVED, Refund.Status.PROCESSING)
        if is_paid:
            _paid_out(mine, by=None, now=now, also=also)
    if found.status == "failed":
        fail(refund=mine, failure=_("The gateway could not refund it."), now=now)
    if is_paid:
        tell(refund=mine, now=now)
    refund.refresh_from_db()


@transaction.atomic
def adopt(
    *, hospital: Hospital, payment: Payment, found: razorpay.Refund, reason: str, by: User, now: datetime
) -> Refund:
    """Take into the books what somebody has given back at the gateway itself, with a credit note over as much of the bill.

    The money has left already, so nobody approves it. Raises NotAllowedNow if it is known, or came to nothing.
    """
    invoice = Invoice.objects.locked().get(pk=payment.invoice_id)
    mine = Payment.objects.locked().get(pk=payment.pk)
    if found.status == "failed" or Refund.objects.filter(gateway_id=found.id).exists():
        raise NotAllowedNow(_("This refund is in the books already, or it came to nothing."))
    _require_left(mine, found.amount)
    refund = _write(mine, found.amount, reason, by=by, status=Refund.Status.REQUESTED, now=now)
    _grant(hospital, refund, invoice, by=by, now=now)
    if found.status == "processed":
        _paid_out(refund, by=by, now=now, also={"gateway_id": found.id})
        after_commit("billing.tell_refunded", refund_id=refund.pk)
    else:
        audit.move(refund, Refund.Status.PROCESSING, by=by, also={"gateway_id": found.id})
    return refund


@transaction.atomic
def fail(*, refund: Refund, failure: str, now: datetime) -> None:
    """It did not get through: the money is owed to the patient again, and somebody has to see to it."""
    invoice = Invoice.objects.locked().get(pk=refund.invoice_id)
    mine = Refund.objects.locked().get(pk=refund.pk)
    if Refund.Status.FAILED not in Refund.TRANSITIONS[mine.status]:
        return
    ledger.post(
        kind=Kind.REFUND_FAILED,
        source=f"refund_failed:{mine.code}:{_tries(mine)}",
        at=now,
        by=None,
        invoice=invoice,
        debit={Account.REFUNDS: mine.amount},
        credit={Account.RECEIVABLE: mine.amount},
    )
    audit.move(mine, Refund.Status.FAILED, by=None, reason=failure[:300], also={"failure": failure[:300]})
    invoices.settle(invoice, by=None)
    refund.refresh_from_db()


@transaction.atomic
def retry(*, refund: Refund, by: User, now: datetime) -> None:
    """Try a failed refund again, under a new receipt: the gateway has closed the old one."""
    invoice = Invoice.objects.locked().get(pk=refund.invoice_id)
    mine = Refund.objects.locked().select_related("payment", "invoice").get(pk=refund.pk)
    if mine.status != Refund.Status.FAILED:
        raise NotAllowedNow(audit.already(mine))
    _require_left(mine.payment, mine.amount)
    Refund.objects.filter(pk=mine.pk).update(receipt=new_code().hex, gateway_id=None, failure="")
    _grant_without_credit(mine, invoice, by=by, now=now)
    refund.refresh_from_db()


# --- At the desk -----------------------------------------------------------------------------------------------------


def ways(refund: Refund) -> list[Method]:
    """How the desk may hand it out: the way it came. What the gateway gave up, and an insurer's money, also otherwise."""
    came = Method(refund.payment.method)
    if came == Method.ONLINE:
        return [Method.CASH, Method.UPI] if refund.status == Refund.Status.FAILED else []
    if refund.status != Refund.Status.APPROVED:
        return []
    return [Method.INSURANCE, Method.CASH, Method.UPI] if came == Method.INSURANCE else [came]


@transaction.atomic
def pay_out(*, refund: Refund, method: Method, reference: str, by: User, now: datetime) -> None:
    """Hand granted money back at the desk: cash out of the clerk's open day, or back on the card or by UPI.

    Money that came online goes back online, unless that has failed: then the desk pays it out.
    """
    invoice = Invoice.objects.locked().get(pk=refund.invoice_id)
    mine = Refund.objects.locked().select_related("payment", "invoice").get(pk=refund.pk)
    possible = ways(mine)
    if not possible:
        is_online = mine.payment.method == Method.ONLINE and mine.status != Refund.Status.PROCESSED
        why = _("This was paid online: it goes back the same way, by itself.") if is_online else audit.already(mine)
        raise NotAllowedNow(why or _("This refund is not to be paid now."))
    if method not in possible:
        raise Invalid(_("Money goes back the way it came."), field="method")
    if method != Method.CASH and not reference:
        raise Invalid(_("Type the number on the slip or in the app."), field="reference")
    day = cash.day_for(clerk=by, method=method)
    mine.method = method
    if mine.status == Refund.Status.FAILED:
        _require_left(mine.payment, mine.amount)
        _grant_without_credit(mine, invoice, by=by, now=now)
    also: dict[str, object] = {"method": method, "reference": reference, "failure": "", "cash_day": day}
    _paid_out(mine, by=by, now=now, also=also)
    refund.refresh_from_db()
    after_commit("billing.tell_refunded", refund_id=refund.pk)


def _paid_out(refund: Refund, *, by: User | None, now: datetime, also: dict[str, object]) -> None:
    audit.move(
        refund,
        Refund.Status.PROCESSED,
        by=by,
        also={**also, "processed_at": now},
        data={"amount": str(refund.amount), "method": refund.method},
    )
    ledger.post(
        kind=Kind.REFUND_PAID,
        source=f"refund_paid:{refund.code}",
        at=now,
        by=by,
        invoice=refund.invoice,
        debit={Account.REFUNDS: refund.amount},
        credit={Method(refund.method).account: refund.amount},
    )
    letters.refunded(hospital=Hospital.objects.get(schema_name=active()), refund=refund)


def tell(*, refund: Refund, now: datetime) -> None:
    """Tell who waits for it that the money is back. Doing it twice changes nothing."""
    if refund.status == Refund.Status.PROCESSED:
        refunded.send(sender=Refund, refund=refund, now=now)
        Refund.objects.filter(pk=refund.pk, told_at=None).update(told_at=now)
