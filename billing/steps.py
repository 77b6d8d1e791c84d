"""What can be done with a bill and an insurer's claim at this moment, by this person: pages and the API offer the same."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from accounts.models import User
from accounts.permissions import Permission, granted
from billing.models import Discrepancy, InsuranceClaim, Invoice, Payment, Refund
from billing.models.refunds import RefundStatus
from billing.services import insurance
from billing.services.insurance import CHANGEABLE
from billing.services.refunds import ways


class Step(StrEnum):
    """What is done with a bill."""

    EDIT = "edit"
    ISSUE = "issue"
    CANCEL = "cancel"
    CREDIT = "credit"
    TAKE = "mark_paid"
    APPROVE_DISCOUNT = "approve_discount"
    DECLINE_DISCOUNT = "decline_discount"
    INSURE = "insure"
    SEND = "send"


class ClaimStep(StrEnum):
    """What is done with an insurer's claim."""

    CHANGE = "change"
    ASK_PREAUTH = "ask_preauth"
    GIVE_PREAUTH = "give_preauth"
    REFUSE_PREAUTH = "refuse_preauth"
    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    SETTLE = "settle"


class RefundStep(StrEnum):
    """What is done with a refund."""

    APPROVE = "approve"
    DECLINE = "decline"
    PAY_OUT = "pay_out"
    RETRY = "retry"


class DiscrepancyStep(StrEnum):
    """What is done with what does not match."""

    TAKE = "take"
    EXPLAIN = "explain"
    BOOK = "book"


_ASKS = {
    Step.TAKE: Permission.PAYMENT_TAKE,
    Step.APPROVE_DISCOUNT: Permission.MONEY_APPROVE,
    Step.DECLINE_DISCOUNT: Permission.MONEY_APPROVE,
}
_LEADS_TO = {
    ClaimStep.ASK_PREAUTH: InsuranceClaim.Status.PREAUTH_ASKED,
    ClaimStep.GIVE_PREAUTH: InsuranceClaim.Status.PREAUTH_GIVEN,
    ClaimStep.REFUSE_PREAUTH: InsuranceClaim.Status.PREAUTH_REFUSED,
    ClaimStep.SUBMIT: InsuranceClaim.Status.SUBMITTED,
    ClaimStep.APPROVE: InsuranceClaim.Status.APPROVED,
    ClaimStep.REJECT: InsuranceClaim.Status.REJECTED,
    ClaimStep.SETTLE: InsuranceClaim.Status.SETTLED,
}


def possible(request: Any, invoice: Invoice) -> list[Step]:
    """The steps that the bill's state and the person's place here permit. The bill is read `with_books`."""
    can = _drafted(invoice) if invoice.is_draft else _issued(invoice)
    return [step for step in can if granted(request, request.user, _ASKS.get(step, Permission.INVOICE_EDIT))]


def _drafted(invoice: Invoice) -> list[Step]:
    if waits(invoice):
        return [Step.APPROVE_DISCOUNT, Step.DECLINE_DISCOUNT, Step.EDIT, Step.CANCEL]
    steps = [Step.ISSUE, Step.EDIT, Step.CANCEL]
    return [*steps, Step.TAKE, *_insurable(invoice)] if invoice.total else steps


def _issued(invoice: Invoice) -> list[Step]:
    owed, paid = _books(invoice)
    steps = [Step.TAKE, Step.CREDIT, *_insurable(invoice)] if owed > 0 else []
    if invoice.status != Invoice.Status.CANCELLED and paid == 0:
        steps.append(Step.CANCEL)
    if invoice.number is not None and _address_of(invoice):
        steps.append(Step.SEND)
    return steps


def _insurable(invoice: Invoice) -> list[Step]:
    return [] if hasattr(invoice, "claim") else [Step.INSURE]


def _books(invoice: Invoice) -> tuple[Decimal, Decimal]:
    return invoice.owed, invoice.paid  # type: ignore[attr-defined]  # by with_books


def _address_of(invoice: Invoice) -> str:
    return invoice.patient.user.email if invoice.patient.user else invoice.patient.email


def waits(invoice: Invoice) -> bool:
    """Whether a discount on it waits for approval. Its lines are read beforehand."""
    return (
        invoice.is_draft
        and invoice.discount_approved_at is None
        and any(line.needs_approval for line in invoice.lines.all())
    )


def on_claim(request: Any, claim: InsuranceClaim) -> list[ClaimStep]:
    """The steps that a claim's state and the person's place here permit."""
    if not granted(request, request.user, Permission.INVOICE_EDIT):
        return []
    can = [step for step, status in _LEADS_TO.items() if status in claim.TRANSITIONS[claim.status]]
    return [*can, ClaimStep.CHANGE] if claim.status in CHANGEABLE else can


def refundable(request: Any, payment: Payment) -> Decimal:
    """What of a payment this person may ask to be given back. Its refunds are read beforehand."""
    if payment.status != Payment.Status.CAPTURED or not granted(request, request.user, Permission.REFUND_GIVE):
        return Decimal()
    counting = [one for one in payment.refunds.all() if one.status not in (RefundStatus.FAILED, RefundStatus.DECLINED)]
    return payment.amount - sum((one.amount for one in counting), Decimal())


def on_refund(request: Any, refund: Refund) -> list[RefundStep]:
    """The steps that a refund's state and the person's place here permit."""
    may_approve = granted(request, request.user, Permission.MONEY_APPROVE)
    can = [RefundStep.APPROVE, RefundStep.DECLINE] if refund.status == RefundStatus.REQUESTED and may_approve else []
    if granted(request, request.user, Permission.REFUND_GIVE):
        can += [RefundStep.RETRY] if refund.status == RefundStatus.FAILED else []
        can += [RefundStep.PAY_OUT] if ways(refund) else []
    return can


def on_discrepancy(request: Any, row: Discrepancy) -> list[DiscrepancyStep]:
    """The steps that are possible with what does not match; a refund made at the gateway can be taken into the books."""
    if not row.is_open or not granted(request, request.user, Permission.MONEY_VIEW):
        return []
    can = [DiscrepancyStep.TAKE, DiscrepancyStep.EXPLAIN]
    is_bookable = row.kind == Discrepancy.Kind.UNKNOWN_REFUND and row.payment_id is not None
    may_book = is_bookable and granted(request, request.user, Permission.REFUND_GIVE)
    return [*can, DiscrepancyStep.BOOK] if may_book else can


def take(step: ClaimStep, *, claim: InsuranceClaim, by: User, now: datetime, **said: Any) -> None:
    """Take a step on a claim, with what was said of it."""
    if step is ClaimStep.APPROVE:
        insurance.approve(claim=claim, by=by, now=now, **said)
    elif step is ClaimStep.SETTLE:
        insurance.settle(claim=claim, by=by, now=now, **said)
    else:
        _TAKERS[step](claim=claim, by=by, **said)


_TAKERS: dict[ClaimStep, Callable[..., None]] = {
    ClaimStep.ASK_PREAUTH: insurance.ask_preauth,
    ClaimStep.GIVE_PREAUTH: insurance.give_preauth,
    ClaimStep.REFUSE_PREAUTH: insurance.refuse_preauth,
    ClaimStep.SUBMIT: insurance.submit,
    ClaimStep.REJECT: insurance.reject,
}
