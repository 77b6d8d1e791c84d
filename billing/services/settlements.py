"""What the gateway has paid out to the bank: kept line by line, matched with payments and refunds, and booked."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Min
from django.utils.translation import gettext as _

from accounts.models import User
from billing import razorpay
from billing.models import Account, Discrepancy, Kind, Method, Payment, Refund, SettlementLine
from billing.services import discrepancies, ledger
from core.money import shown

INDIA = ZoneInfo("Asia/Kolkata")  # the gateway's calendar
PAYMENT, REFUND = "payment", "refund"
# The gateway pays out after two working days; what is later than this is on the list.
PAID_OUT_AFTER = 4
_AT_ONCE = 500

Thing = TypeVar("Thing")
Line = razorpay.SettlementLine


@dataclass(frozen=True)
class Taken:
    """What became of lines: `new` ones of ours, those `known` already, and those of others, which are left out."""

    new: int = 0
    known: int = 0
    others: int = 0

    def __add__(self, more: "Taken") -> "Taken":
        return Taken(self.new + more.new, self.known + more.known, self.others + more.others)


def take_in(*, lines: Iterable[Line], is_own: bool, by: User | None, now: datetime) -> Taken:
    """Keep what was paid out, and book what it is for. The same lines twice change nothing.

    Of the hospital's own keys (`is_own`) every line is the hospital's, and what is unknown lands on the list. With the
    platform's keys many hospitals are paid: there only lines count whose payment is known here.
    """
    taken = Taken()
    for part in _parts(line for line in lines if line.settlement_id and line.settled_at):
        taken += _keep(part, is_own=is_own, by=by, now=now)
    return taken


@transaction.atomic
def _keep(lines: list[Line], *, is_own: bool, by: User | None, now: datetime) -> Taken:
    known = _known_here(lines)
    ours = [line for line in lines if is_own or line.entity_id in known or line.payment_id in known]
    written = {row.pk for row in _write(ours, now)}
    book(by=by, now=now)
    for row in SettlementLine.objects.unmatched().filter(pk__in=written).order_by("pk"):
        _note_unknown(row, {line.entity_id: line for line in ours}[row.entity_id], now)
    return Taken(new=len(written), known=len(ours) - len(written), others=len(lines) - len(ours))


def _known_here(lines: Sequence[Line]) -> set[str]:
    """Which of the payments and refunds that they name are the hospital's."""
    ids = {line.entity_id for line in lines} | {line.payment_id for line in lines}
    found: set[str] = set()
    for things in (Payment.objects.all(), Refund.objects.all()):
        rows = things.filter(gateway_id__in=ids - {""}).values_list("gateway_id", flat=True)
        found |= {name for name in rows if name}
    return found


def _write(lines: Sequence[Line], now: datetime) -> list[SettlementLine]:
    """Keep the lines; answer those that were not kept before."""
    rows = [_row(line, now) for line in lines]
    before = SettlementLine.objects.filter(settlement_id__in={row.settlement_id for row in rows})
    kept = set(before.values_list("settlement_id", "entity_id", "kind"))
    fresh = {(row.settlement_id, row.entity_id, row.kind): row for row in rows}
    fresh = {key: row for key, row in fresh.items() if key not in kept}
    SettlementLine.objects.bulk_create(fresh.values(), ignore_conflicts=True)
    written = SettlementLine.objects.filter(settlement_id__in={row.settlement_id for row in fresh.values()})
    return [row for row in written if (row.settlement_id, row.entity_id, row.kind) in fresh]


def _row(line: Line, now: datetime) -> SettlementLine:
    """`amount` is what the payment or refund is over, `fee` what the gateway has kept besides."""
    amount, fee = line.credit - line.debit, Decimal()
    if line.type == PAYMENT:
        amount, fee = line.amount, line.amount - line.credit
    elif line.type == REFUND:
        amount, fee = line.debit - line.fee, line.fee
    return SettlementLine(
        settlement_id=line.settlement_id[:40],
        entity_id=line.entity_id[:40],
        kind=line.type[:20],
        amount=amount,
        fee=fee,
        settled_at=line.settled_at or now,
        bank_reference=line.utr[:60],
        created_at=now,
    )


def _note_unknown(row: SettlementLine, line: Line, now: datetime) -> None:
    if Discrepancy.objects.filter(kind=Discrepancy.Kind.UNKNOWN_PAYMENT, key=row.entity_id).exists():
        return  # it is on the list since it was paid, or was explained
    payment = Payment.objects.filter(gateway_id=line.payment_id).first() if line.payment_id else None
    is_refund = row.kind == REFUND and payment is not None
    details = _("%(kind)s in settlement %(settlement)s") % {"kind": row.kind, "settlement": row.settlement_id}
    discrepancies.note(
        kind=Discrepancy.Kind.UNKNOWN_REFUND if is_refund else Discrepancy.Kind.UNKNOWN_SETTLEMENT,
        key=row.entity_id,
        amount=row.amount,
        details=details,
        payment=payment,
        now=now,
    )


# --- Booking ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def book(*, by: User | None, now: datetime) -> int:
    """Book the kept lines whose payment or refund is known by now; return how many."""
    kept = SettlementLine.objects.unmatched()
    names = kept.values("entity_id")
    payments = {one.gateway_id: one for one in Payment.objects.captured().filter(gateway_id__in=names)}
    refunds = {one.gateway_id: one for one in Refund.objects.filter(gateway_id__in=names).select_related("payment")}
    rows = kept.filter(entity_id__in=[*payments, *refunds]).locked()
    for row in rows:
        _book(row, payments.get(row.entity_id), refunds.get(row.entity_id), by=by, now=now)
    return len(rows)


def _book(
    row: SettlementLine, payment: Payment | None, refund: Refund | None, *, by: User | None, now: datetime
) -> None:
    thing = payment if row.kind == PAYMENT else refund if row.kind == REFUND else None
    if thing is None:
        return
    SettlementLine.objects.filter(pk=row.pk).update(payment=payment, refund=refund)
    discrepancies.heal(kind=Discrepancy.Kind.UNKNOWN_SETTLEMENT, key=row.entity_id, now=now)
    if row.amount != thing.amount or row.fee < 0:
        details = _("Settled for %(theirs)s with a fee of %(fee)s, here it is %(ours)s. It is not booked.") % {
            "theirs": shown(row.amount),
            "fee": shown(row.fee),
            "ours": shown(thing.amount),
        }
        discrepancies.note(
            kind=Discrepancy.Kind.AMOUNT_DIFFERS,
            key=str(row),
            amount=row.amount - thing.amount,
            details=details,
            payment=payment,
            refund=refund,
            now=now,
        )
        return
    came = {Account.BANK: row.amount - row.fee, Account.GATEWAY_FEES: row.fee}
    went = {Account.GATEWAY: row.amount, Account.GATEWAY_FEES: row.fee}
    ledger.post(
        kind=Kind.SETTLED,
        source=f"settled:{row.settlement_id}:{row.kind}:{row.entity_id}",
        at=row.settled_at,
        by=by,
        invoice=None,
        debit=came if payment else went,
        credit={Account.GATEWAY: row.amount} if payment else {Account.BANK: row.amount + row.fee},
    )


# --- What is missing -------------------------------------------------------------------------------------------------


def first_unsettled(account_id: int | None) -> datetime | None:
    """Since when money received with these keys waits to be paid out; None where all of it was."""
    waiting = Payment.objects.captured().filter(method=Method.ONLINE, settlement_lines=None)
    first: datetime | None = waiting.filter(order__account=account_id).aggregate(first=Min("captured_at"))["first"]
    refunds = Refund.objects.filter(status=Refund.Status.PROCESSED, method=Method.ONLINE, settlement_lines=None)
    went: datetime | None = refunds.filter(payment__order__account=account_id).aggregate(at=Min("processed_at"))["at"]
    return min((moment for moment in (first, went) if moment), default=None)


def note_missing(*, now: datetime) -> None:
    """Put on the list what should have been paid out to the bank by now, and take off it what was."""
    since = _working_days_before(now, PAID_OUT_AFTER)
    payments = Payment.objects.captured().filter(method=Method.ONLINE, settlement_lines=None, captured_at__lt=since)
    refunds = Refund.objects.filter(
        status=Refund.Status.PROCESSED, method=Method.ONLINE, settlement_lines=None, processed_at__lt=since
    )
    kind = Discrepancy.Kind.NOT_SETTLED
    still = []
    for payment in payments.order_by("pk"):
        still.append(str(payment.gateway_id))
        discrepancies.note(kind=kind, key=still[-1], amount=payment.amount, payment=payment, now=now)
    for refund in refunds.select_related("payment").order_by("pk"):
        still.append(str(refund))
        discrepancies.note(
            kind=kind, key=still[-1], amount=-refund.amount, payment=refund.payment, refund=refund, now=now
        )
    over = Discrepancy.objects.open().filter(kind=kind).exclude(payment=None).exclude(key__in=still)
    for key in over.values_list("key", flat=True):
        discrepancies.heal(kind=kind, key=key, now=now)


def _working_days_before(now: datetime, days: int) -> datetime:
    """The beginning of the day that lies so many days of banks back."""
    day: date = now.astimezone(INDIA).date()
    while days:
        day -= timedelta(days=1)
        days -= day.weekday() < 5
    return datetime.combine(day, time.min, INDIA).astimezone(UTC)


def _parts(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    """Some at a time."""
    rest = iter(things)
    while part := list(islice(rest, _AT_ONCE)):
        yield part
