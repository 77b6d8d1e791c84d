"""Comparing the gateway with the books, so that every rupee is matched, or on the list of what is not.

What a lost message would have told is known afterwards. Nothing here holds a transaction while the gateway is asked, and
all of it can be repeated.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from time import monotonic

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from billing import razorpay
from billing.models import (
    Discrepancy,
    GatewayAccount,
    JournalEntry,
    Kind,
    Method,
    Payment,
    PaymentOrder,
    Reconciliation,
    Refund,
    WebhookEvent,
)
from billing.services import books, checkout, discrepancies, gateway, refunds, settlements
from billing.services.checkout import GatewayDown, GatewayRefuses
from core.errors import NotAllowedNow
from core.money import shown
from core.queue import after_commit
from core.schemas import active
from tenants import rounds
from tenants.models import Hospital

logger = logging.getLogger(__name__)

# Payments are compared one by one for so long; what happens to them later, settlements and messages tell.
WINDOW = timedelta(days=3)
# Settlements are read from the first day on that something waits to be paid out, but never from earlier than this.
OLDEST_SETTLEMENT = timedelta(days=31)
LATEST_SETTLEMENTS = timedelta(days=2)
# A refund is with the bank for five to seven working days, and with us for a moment.
SENT_WITHIN, ARRIVES_WITHIN = timedelta(days=1), timedelta(days=10)
# Whoever is at work longer than this has died.
LEASE = timedelta(minutes=30)

Report = Callable[[razorpay.Keys, date], list[razorpay.SettlementLine]]


@dataclass
class _Look:
    """One comparison under way."""

    hospital: Hospital
    row: Reconciliation
    now: datetime
    report: Report
    faults: list[str] = field(default_factory=list)

    def keep(self) -> None:
        """Write down how far it has come."""
        row = self.row
        Reconciliation.objects.filter(pk=row.pk).update(
            orders=row.orders, payments=row.payments, refunds=row.refunds, settled=row.settled, repaired=row.repaired
        )


# --- Beginning and ending --------------------------------------------------------------------------------------------


@transaction.atomic
def ask(*, now: datetime) -> Reconciliation:
    """Have everything compared now, by a task. Raises NotAllowedNow while that is being done."""
    row = _begin(now)
    if row is None:
        raise NotAllowedNow(_("Razorpay and the books are being compared at this moment."))
    after_commit("billing.reconcile", begun_id=row.pk)
    return row


def run_asked(*, begun_id: int, now: datetime) -> None:
    """Do the comparison that somebody has asked for, or the hospital's regular one when none is named."""
    hospital = Hospital.objects.get(schema_name=active())
    row = Reconciliation.objects.running().filter(pk=begun_id).first() if begun_id else _begin(now)
    if row:
        _run(hospital=hospital, row=row, report=_report, now=now)


def run_everywhere(*, now: datetime) -> None:
    """The regular comparison of every hospital. What the platform's keys have settled is read once for all of them."""
    report = cache(_report)
    rounds.everywhere(lambda hospital: run(hospital=hospital, now=now, report=report), alone="billing.reconcile")


def run(*, hospital: Hospital, now: datetime, report: Report | None = None) -> Reconciliation | None:
    """Compare everything of the active hospital; None if somebody else is at it already."""
    row = _begin(now)
    if row:
        _run(hospital=hospital, row=row, report=report or _report, now=now)
    return row


def _begin(now: datetime) -> Reconciliation | None:
    """The row of a new comparison. There is one at a time; one whose worker has died is ended first."""
    dead = Reconciliation.objects.running().filter(began_at__lt=now - LEASE)
    dead.update(ended_at=now, error=_("It was interrupted."))
    [written] = Reconciliation.objects.bulk_create([Reconciliation(began_at=now)], ignore_conflicts=True)
    return Reconciliation.objects.filter(code=written.code).first()


def _run(*, hospital: Hospital, row: Reconciliation, report: Report, now: datetime) -> None:
    look, start = _Look(hospital, row, now, report), monotonic()
    try:
        for account in _accounts(now):
            _with_the_gateway(look, account)
        _within_the_house(look)
    except Exception:
        look.faults.append(_("Something broke on our side."))
        raise
    finally:
        look.keep()
        row.found = Discrepancy.objects.open().count()
        row.error = " ".join(look.faults)[:300]
        row.ended_at = now + timedelta(seconds=monotonic() - start)
        values = {name: getattr(row, name) for name in ("found", "error", "ended_at")}
        Reconciliation.objects.filter(pk=row.pk).update(**values)


def _report(keys: razorpay.Keys, day: date) -> list[razorpay.SettlementLine]:
    return razorpay.settlement_lines(keys, day=day)


def _accounts(now: datetime) -> list[GatewayAccount | None]:
    """The keys with which anything was asked for lately, or is now; None stands for the platform's."""
    lately = PaymentOrder.objects.filter(created_at__gte=now - timedelta(days=90))
    used = set(lately.values_list("account", flat=True))
    own = GatewayAccount.objects.filter(Q(pk__in=used - {None}) | Q(is_active=True)).order_by("pk")
    return [*own, None] if None in used and settings.RAZORPAY_KEY_ID else [*own]


# --- With the gateway ------------------------------------------------------------------------------------------------


def _with_the_gateway(look: _Look, account: GatewayAccount | None) -> None:
    """Everything that was done with one pair of keys. What keeps the gateway from answering is noted."""
    try:
        for part in (_orders, _refunds_to_send, _payments, _settlements):
            part(look, account)
            look.keep()
    except (razorpay.Unreachable, GatewayDown):
        look.faults.append(_("Razorpay did not answer. What is left is compared next time."))
    except (razorpay.Refused, GatewayRefuses) as refusal:
        logger.warning("The comparison at %s was refused: %r", look.hospital.slug, refusal.__cause__ or refusal)
        look.faults.append(_("Razorpay does not accept the keys, or refused to answer."))


def _orders(look: _Look, account: GatewayAccount | None) -> None:
    """Hear what became of everything that can still be paid."""
    waiting = PaymentOrder.objects.payable(look.now).filter(account=account)
    for order in waiting.select_related("invoice", "account").order_by("created_at", "pk"):
        _hear(look, order)
        look.row.orders += 1


def _hear(look: _Look, order: PaymentOrder) -> None:
    kind = Discrepancy.Kind.NOT_AT_GATEWAY
    before = order.payments.captured().count()
    try:
        checkout.hear(hospital=look.hospital, order=order, now=look.now)
    except razorpay.WrongKeys:
        raise
    except GatewayRefuses as refusal:
        if isinstance(refusal.__cause__, razorpay.WrongKeys):
            raise
        return  # an order that nobody could pay: nothing is missing
    except razorpay.Refused as refusal:
        details = refusal.description
        discrepancies.note(
            kind=kind, key=order.receipt, amount=order.amount, details=details, order=order, now=look.now
        )
        return
    discrepancies.heal(kind=kind, key=order.receipt, now=look.now)
    look.row.repaired += order.payments.captured().count() > before


def _refunds_to_send(look: _Look, account: GatewayAccount | None) -> None:
    """Tell the gateway of refunds whose sending was lost. Told twice, it refunds once."""
    waiting = Refund.objects.to_send(not_since=look.now - timedelta(minutes=5))
    rows = waiting.filter(payment__order__account=account).select_related("payment__order__account", "invoice")
    for refund in rows.order_by("pk"):
        refunds.send(refund=refund, now=look.now)
        look.row.repaired += refund.status != Refund.Status.APPROVED


def _payments(look: _Look, account: GatewayAccount | None) -> None:
    """Compare each payment of the last days, and each of which something is open, with what the gateway says of it."""
    doubted = Discrepancy.objects.open().exclude(kind=Discrepancy.Kind.NOT_SETTLED).exclude(payment=None)
    pending = Refund.objects.filter(status=Refund.Status.PROCESSING, method=Method.ONLINE)
    which = Q(captured_at__gte=look.now - WINDOW) | Q(pk__in=doubted.values("payment"))
    which |= Q(pk__in=pending.values("payment"))
    listed = _listed(look, account) if account else {}
    ours = Payment.objects.captured().filter(which, method=Method.ONLINE, order__account=account)
    for payment in ours.select_related("order__account", "invoice").order_by("pk"):
        found = listed.get(payment.gateway_id or "") or _fetched(look, payment)
        if found:
            look.row.payments += _matches(look, payment, found)


def _listed(look: _Look, account: GatewayAccount) -> dict[str, razorpay.Payment]:
    """All that was paid with the hospital's own keys in the last days; what we do not know is taken in, or listed."""
    found = razorpay.payments_between(gateway.keys(account), look.now - WINDOW - timedelta(days=1), look.now)
    ours = Payment.objects.captured().filter(gateway_id__in=[one.id for one in found])
    known = set(ours.values_list("gateway_id", flat=True))
    for one in found:
        if not one.captured or one.id in known:
            continue
        order = PaymentOrder.objects.filter(account=account, gateway_id=one.order_id).first()
        if order:
            _hear(look, order)
        else:
            kind, details = Discrepancy.Kind.UNKNOWN_PAYMENT, _("Paid by %(method)s") % {"method": one.method}
            discrepancies.note(kind=kind, key=one.id, amount=one.amount, details=details, now=look.now)
    return {one.id: one for one in found}


def _fetched(look: _Look, payment: Payment) -> razorpay.Payment | None:
    kind, key = Discrepancy.Kind.NOT_AT_GATEWAY, payment.gateway_id or ""
    try:
        found = razorpay.fetch_payment(gateway.keys_of(payment.order), key)
    except razorpay.WrongKeys:
        raise
    except razorpay.Refused as refusal:
        details = refusal.description
        discrepancies.note(kind=kind, key=key, amount=payment.amount, details=details, payment=payment, now=look.now)
        return None
    discrepancies.heal(kind=kind, key=key, now=look.now)
    return found


def _matches(look: _Look, payment: Payment, found: razorpay.Payment) -> bool:
    """Whether the gateway says the same of a payment and its refunds."""
    kind, wrong = Discrepancy.Kind.AMOUNT_DIFFERS, ""
    if found.amount != payment.amount:
        amounts = {"ours": shown(payment.amount), "theirs": shown(found.amount)}
        wrong = _("Here %(ours)s, at Razorpay %(theirs)s.") % amounts
    elif not found.captured:
        wrong = _("Here it is received, at Razorpay it is not.")
    if wrong:
        amount = found.amount - payment.amount
        discrepancies.note(kind=kind, key=found.id, amount=amount, details=wrong, payment=payment, now=look.now)
    else:
        discrepancies.heal(kind=kind, key=found.id, now=look.now)
    ours = payment.refunds.filter(method=Method.ONLINE).select_related("invoice", "payment")
    sent = list(ours.exclude(gateway_id=None))
    if found.amount_refunded or sent:
        _compare_refunds(look, payment, sent)
    return not wrong


def _compare_refunds(look: _Look, payment: Payment, sent: list[Refund]) -> None:
    """Each refund the gateway has made, with ours. One of theirs alone was made in Razorpay's dashboard."""
    theirs = {one.id: one for one in razorpay.refunds_of(gateway.keys_of(payment.order), payment.gateway_id or "")}
    waiting = payment.refunds.filter(method=Method.ONLINE).select_related("invoice", "payment")
    ours = {one.receipt: one for one in waiting}
    for refund in sent:
        _compare_refund(look, refund, theirs.get(refund.gateway_id or ""))
    known = {refund.gateway_id for refund in sent}
    kind = Discrepancy.Kind.UNKNOWN_REFUND
    for found in theirs.values():
        if found.id in known:
            continue
        if found.receipt in ours:  # ours, and the answer to our asking was lost
            _compare_refund(look, ours[found.receipt], found)
        elif found.status == "failed":  # an earlier try
            discrepancies.heal(kind=kind, key=found.id, now=look.now)
        else:
            discrepancies.note(kind=kind, key=found.id, amount=found.amount, payment=payment, now=look.now)


def _compare_refund(look: _Look, refund: Refund, found: razorpay.Refund | None) -> None:
    before = refund.status
    if found and found.amount == refund.amount:
        refunds.seen(refund=refund, found=found, now=look.now)
    wrong = _("The gateway does not know this refund.") if found is None else ""
    if found and found.amount != refund.amount:
        amounts = {"ours": shown(refund.amount), "theirs": shown(found.amount)}
        wrong = _("Here %(ours)s, at Razorpay %(theirs)s.") % amounts
    elif found and found.status == "failed" and refund.status == Refund.Status.PROCESSED:
        wrong = _("Here it is refunded, at Razorpay it has failed.")
    kinds = [Discrepancy.Kind.NOT_AT_GATEWAY, Discrepancy.Kind.AMOUNT_DIFFERS]
    if wrong:
        discrepancies.note(
            kind=kinds[found is not None],
            key=refund.receipt,
            amount=refund.amount,
            details=wrong,
            payment=refund.payment,
            refund=refund,
            now=look.now,
        )
        return
    for kind in kinds:
        discrepancies.heal(kind=kind, key=refund.receipt, now=look.now)
    look.row.refunds += 1
    look.row.repaired += refund.status != before


def _settlements(look: _Look, account: GatewayAccount | None) -> None:
    """Read what was paid out since the first day that something waits for it."""
    waits_since = settlements.first_unsettled(account.pk if account else None)
    if account is None and waits_since is None:
        return
    today = look.now.astimezone(settlements.INDIA).date()
    first = (waits_since or look.now).astimezone(settlements.INDIA).date()
    day = max(min(first, today - LATEST_SETTLEMENTS), today - OLDEST_SETTLEMENT)
    while day <= today:
        lines = look.report(gateway.keys(account), day)
        _hear_of_late_ones(look, account, lines)
        taken = settlements.take_in(lines=lines, is_own=account is not None, by=None, now=look.now)
        look.row.settled += taken.new + taken.known
        look.keep()
        day += timedelta(days=1)


def _hear_of_late_ones(look: _Look, account: GatewayAccount | None, lines: list[razorpay.SettlementLine]) -> None:
    """A payment that is paid out was captured: one that we still wait for is asked about, however old its order is."""
    ids = {line.payment_id: line.order_id for line in lines if line.type == settlements.PAYMENT}
    known = set(Payment.objects.captured().filter(gateway_id__in=ids).values_list("gateway_id", flat=True))
    late = {order for payment, order in ids.items() if payment not in known}
    orders = PaymentOrder.objects.filter(account=account, gateway_id__in=late)
    for order in orders.select_related("invoice", "account").order_by("pk"):
        _hear(look, order)


# --- Within the house ------------------------------------------------------------------------------------------------


def _within_the_house(look: _Look) -> None:
    """What needs nobody's answer."""
    settlements.book(by=None, now=look.now)
    if not look.faults:
        settlements.note_missing(now=look.now)
    _note_stuck_refunds(look.now)
    _heal_what_is_known(look.now)
    books.check(now=look.now)


def _note_stuck_refunds(now: datetime) -> None:
    """Refunds that failed, or that are on their way for too long."""
    kind, still = Discrepancy.Kind.REFUND_STUCK, []
    online = Refund.objects.filter(payment__method=Method.ONLINE).select_related("payment", "invoice")
    for refund in online.on_their_way() | online.failed():
        granted = JournalEntry.objects.filter(kind=Kind.REFUND_DUE, source__startswith=f"refund_due:{refund.code}:")
        since = granted.aggregate(at=Max("happened_at"))["at"] or refund.created_at
        patience = SENT_WITHIN if refund.status == Refund.Status.APPROVED else ARRIVES_WITHIN
        if refund.status != Refund.Status.FAILED and now - since < patience:
            continue
        still.append(refund.receipt)
        moment = date_format(localtime(since), "j F Y")
        details = refund.failure or _("On its way since %(day)s.") % {"day": moment}
        discrepancies.note(
            kind=kind,
            key=refund.receipt,
            amount=refund.amount,
            details=details,
            payment=refund.payment,
            refund=refund,
            now=now,
        )
    discrepancies.heal_others(kind=kind, still=still, now=now)


def _heal_what_is_known(now: datetime) -> None:
    """What was unknown when it was noted, and is known by now."""
    rows = Discrepancy.objects.open()
    known = {
        Discrepancy.Kind.UNKNOWN_PAYMENT: Payment.objects.captured().values("gateway_id"),
        Discrepancy.Kind.UNKNOWN_REFUND: Refund.objects.exclude(gateway_id=None).values("gateway_id"),
        Discrepancy.Kind.UNREADABLE_EVENT: WebhookEvent.objects.filter(state=WebhookEvent.State.DONE).values(
            "event_id"
        ),
    }
    for kind, keys in known.items():
        for key in rows.filter(kind=kind, key__in=keys).values_list("key", flat=True):
            discrepancies.heal(kind=kind, key=key, now=now)
