"""Paying online: one order for a bill, made known to the gateway, and what became of it.

An order is written before the gateway hears of it, and asked for by its receipt: whatever is lost on the way, asking
again finds the same one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum, auto

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from audit.models import Action
from billing import razorpay
from billing.models import GatewayAccount, Invoice, Payment, PaymentOrder
from billing.services import gateway, ledger, payments
from core.codes import new_code
from core.errors import Conflict, DomainError, NotAllowedNow
from tenants.models import Hospital

# After so long without news an order is asked about (Razorpay's own advice), and after this a checkout is over.
ASK_AFTER = timedelta(minutes=15)
# Somebody who waits for their payment looks again and again; the gateway is not asked more often than this.
LOOK_AGAIN_AFTER = timedelta(seconds=3)


class GatewayDown(DomainError):
    """The gateway does not answer. Nothing is lost: the order is kept, and asked for again."""

    status = 503

    def __init__(self) -> None:
        super().__init__(
            _("We cannot reach the payment service at this moment. Nothing was charged. Try again in a minute.")
        )


class GatewayRefuses(DomainError):
    """The gateway does not take the order, most likely for the hospital's keys: its people have to look."""

    status = 503

    def __init__(self) -> None:
        super().__init__(
            _(
                "The payment service does not accept payments for this hospital now. Nothing was charged. Pay at the desk."
            )
        )


@dataclass(frozen=True)
class Handover:
    """What the gateway's own checkout is opened with: whom to pay, how many paise, and where to come back to."""

    key_id: str
    order_id: str
    amount: int
    currency: str
    name: str
    description: str
    prefill: Mapping[str, str]
    callback_url: str
    is_test: bool


class Outcome(StrEnum):
    """What became of an order, as far as anybody knows."""

    PAID = auto()
    FAILED = auto()
    CHECKING = auto()


def owed(invoice: Invoice) -> Decimal:
    """What is to be paid: all of a draft, the rest of a bill."""
    return invoice.total if invoice.is_draft else ledger.owed_on(invoice)


def begin(*, hospital: Hospital, invoice: Invoice, by: User | None, now: datetime) -> PaymentOrder:
    """An open order over what is owed on the bill, for the checkout: the one there is, or a new one.

    Raises Conflict when nothing is owed, NotAllowedNow where nobody can pay online, and GatewayDown.
    """
    order = _order_for(hospital=hospital, invoice=invoice, by=by, now=now)
    return _made_known(hospital, order, now=now)


@transaction.atomic
def _order_for(*, hospital: Hospital, invoice: Invoice, by: User | None, now: datetime) -> PaymentOrder:
    if not gateway.takes_online():
        raise NotAllowedNow(_("This hospital takes no payments online. Pay at the front desk."))
    mine = Invoice.objects.locked().get(pk=invoice.pk)
    amount = owed(mine)
    if Invoice.objects.awaiting_approval().filter(pk=mine.pk).exists():
        raise NotAllowedNow(_("The hospital still looks at the discount on this bill. Try again later."))
    if mine.status == Invoice.Status.CANCELLED or amount <= 0:
        raise Conflict(audit.already(mine) or _("Nothing is owed on this bill."))
    order = mine.orders.live().first()
    account = GatewayAccount.objects.current()
    if order and order.amount == amount and order.account_id == (account.pk if account else None):
        return order
    if order:  # something was paid or credited since, or the keys have changed
        audit.move(order, PaymentOrder.Status.CLOSED, by=by)
    code = new_code()
    order = PaymentOrder.objects.create(
        code=code, invoice=mine, account=account, receipt=code.hex, amount=amount, created_at=now, created_by=by
    )
    data = {"amount": str(amount), "invoice": str(mine)}
    audit.record(action=Action.PAYMENT_ORDER_NEW, target=order, by=by, new=order.status, data=data)
    return order


def _made_known(hospital: Hospital, order: PaymentOrder, *, now: datetime) -> PaymentOrder:
    """Make sure the gateway knows the order. Outside any transaction: it may take long."""
    if order.status != PaymentOrder.Status.NEW:
        return order
    try:
        found = razorpay.create_order(
            gateway.keys_of(order),
            amount=order.amount,
            receipt=order.receipt,
            notes=gateway.notes(hospital, order.invoice),
        )
    except (razorpay.Unreachable, razorpay.Refused) as fault:
        PaymentOrder.objects.filter(pk=order.pk).update(last_error=str(fault)[:500])
        raise (GatewayRefuses if isinstance(fault, razorpay.Refused) else GatewayDown) from fault
    with transaction.atomic():
        mine = PaymentOrder.objects.locked().get(pk=order.pk)
        if mine.status == PaymentOrder.Status.NEW:
            audit.move(mine, PaymentOrder.Status.OPEN, by=None, also={"gateway_id": found.id, "last_error": ""})
    return mine


@transaction.atomic
def close(*, invoice: Invoice, by: User | None) -> None:
    """Give up the live order of a bill that nobody is to pay any more. A payment that comes for it all the same counts."""
    for order in invoice.orders.live().locked():
        audit.move(order, PaymentOrder.Status.CLOSED, by=by)


def handover(*, hospital: Hospital, order: PaymentOrder, by: User, callback_url: str) -> Handover:
    """How the browser, or an app, opens the gateway's checkout for an open order. It names no treatment."""
    invoice = order.invoice
    number = {"number": invoice.reference}
    return Handover(
        key_id=gateway.key_id_of(order),
        order_id=order.gateway_id or "",
        amount=razorpay.paise(order.amount),
        currency="INR",
        name=hospital.name,
        description=_("Bill %(number)s") % number if invoice.reference else _("Your bill"),
        prefill={"name": str(by), "email": by.email, "contact": str(by.phone or "")},
        callback_url=callback_url,
        is_test=gateway.is_test(gateway.key_id_of(order)),
    )


def look(*, hospital: Hospital, order: PaymentOrder, now: datetime) -> Outcome:
    """What became of an order, for who waits to hear it: the gateway is asked, though not more often than is polite."""
    known = outcome(order)
    if known == Outcome.PAID:
        return known
    is_stale = Q(asked_at=None) | Q(asked_at__lte=now - LOOK_AGAIN_AFTER)
    if PaymentOrder.objects.filter(is_stale, pk=order.pk).update(asked_at=now):
        ask(hospital=hospital, order=order, now=now)
    return outcome(order)


def outcome(order: PaymentOrder) -> Outcome:
    """What we know of it; nobody else is asked."""
    tries = list(order.payments.newest_first())
    if any(one.status == Payment.Status.CAPTURED for one in tries):
        return Outcome.PAID
    if tries and tries[0].status in (Payment.Status.FAILED, Payment.Status.VOIDED):
        return Outcome.FAILED
    return Outcome.CHECKING


def returned(
    *, hospital: Hospital, order: PaymentOrder, payment_id: str, signature: str, now: datetime
) -> Payment | None:
    """The browser is back and says that it has paid. Its word counts for nothing: the gateway is asked.

    Answers the payment, or None while the gateway cannot be reached: then "we are checking your payment". Raises
    Conflict for a signature that is not the gateway's.
    """
    keys = gateway.keys_of(order)
    held = razorpay.checkout_signature_holds(
        keys, order_id=order.gateway_id or "", payment_id=payment_id, signature=signature
    )
    if not held:
        raise Conflict(_("This answer is not from the payment service. Nothing was changed."))
    ask(hospital=hospital, order=order, now=now)
    return order.payments.filter(gateway_id=payment_id).first()


def ask(*, hospital: Hospital, order: PaymentOrder, now: datetime) -> bool:
    """Ask the gateway what became of an order; tell whether it answered."""
    try:
        hear(hospital=hospital, order=order, now=now)
    except (razorpay.Unreachable, razorpay.Refused, GatewayDown, GatewayRefuses) as fault:
        PaymentOrder.objects.filter(pk=order.pk).update(last_error=str(fault)[:500])
        return False
    return True


def hear(*, hospital: Hospital, order: PaymentOrder, now: datetime) -> None:
    """Ask the gateway for every payment of an order, and take in what it says; raises what keeps it from answering.

    What is only authorised is captured. Whatever a lost message would have told is known then.
    """
    order = _made_known(hospital, order, now=now)
    for found in razorpay.payments_of(gateway.keys_of(order), order.gateway_id or ""):
        take_in(hospital=hospital, order=order, found=found, now=now)
    PaymentOrder.objects.filter(pk=order.pk).update(asked_at=now, last_error="")


def take_in(*, hospital: Hospital, order: PaymentOrder, found: razorpay.Payment, now: datetime) -> Payment:
    """Take in news of a payment, capture it if it is only authorised, and pass on what it buys."""
    payment = payments.seen(hospital=hospital, order=order, found=found, now=now)
    if payment.status == Payment.Status.AUTHORIZED:
        try:
            captured = razorpay.capture(gateway.keys_of(order), found.id, amount=payment.amount)
        except razorpay.Refused as refusal:
            # Another try has paid the order already: the gateway gives this money back itself, and tells so.
            PaymentOrder.objects.filter(pk=order.pk).update(last_error=str(refusal)[:500])
            return payment
        payment = payments.seen(hospital=hospital, order=order, found=captured, now=now)
    payments.fulfil(payment=payment, now=now)
    return payment
