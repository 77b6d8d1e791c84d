"""Whether the books say what the payments and refunds say: each has its entry, over its amount, and no entry is without."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, UUIDField, Value
from django.db.models.functions import Cast, Concat, Substr
from django.utils.translation import gettext as _

from billing.models import Account, Discrepancy, Invoice, JournalEntry, Kind, Method, Payment, Posting, Refund
from billing.models.invoices import Status
from billing.services import discrepancies
from core.money import shown

# Money that arrived is put towards its bill at once, or by the sweep a minute later.
APPLIED_AFTER = timedelta(hours=1)
_NONE = Decimal()
_RECEIVED, _APPLIED, _PAID, _INVOICED = "payment:", "payment_applied:", "refund_paid:", "invoice:"


@dataclass(frozen=True)
class Difference:
    """One thing whose amount is `ours`, and `booked` in the books."""

    key: str
    ours: Decimal
    booked: Decimal
    payment: Payment | None = None
    refund: Refund | None = None


def check(*, now: datetime) -> None:
    """Put on the list whatever differs, and take off it what does not any more."""
    still = []
    kind = Discrepancy.Kind.BOOKS_DIFFER
    for one in differences(now=now):
        still.append(one.key)
        details = _("Here %(ours)s, in the books %(booked)s.") % {"ours": shown(one.ours), "booked": shown(one.booked)}
        discrepancies.note(
            kind=kind,
            key=one.key,
            amount=one.ours - one.booked,
            details=details,
            payment=one.payment,
            refund=one.refund,
            now=now,
        )
    discrepancies.heal_others(kind=kind, still=still, now=now)


def differences(*, now: datetime) -> Iterator[Difference]:
    """Everything of which the books say something else."""
    captured = Payment.objects.captured()
    for payment in _differing(captured, _RECEIVED):
        yield Difference(f"{_RECEIVED}{payment.code}", payment.amount, payment.booked or _NONE, payment=payment)
    online = captured.filter(method=Method.ONLINE, captured_at__lt=now - APPLIED_AFTER)
    for payment in _differing(online, _APPLIED):
        yield Difference(f"{_APPLIED}{payment.code}", payment.amount, payment.booked or _NONE, payment=payment)
    for refund in _differing(Refund.objects.filter(status=Refund.Status.PROCESSED).select_related("payment"), _PAID):
        yield Difference(
            f"{_PAID}{refund.code}", refund.amount, refund.booked or _NONE, payment=refund.payment, refund=refund
        )
    issued = Invoice.objects.issued().filter(total__gt=0)
    for invoice in _differing(issued, _INVOICED, amount="total"):
        yield Difference(str(invoice), invoice.total, invoice.booked or _NONE)
    yield from _without(captured, Kind.RECEIVED, _RECEIVED)
    yield from _without(Refund.objects.filter(status=Refund.Status.PROCESSED), Kind.REFUND_PAID, _PAID)
    yield from _statuses()


def _differing(things: "QuerySet[Any]", source: str, *, amount: str = "amount") -> "QuerySet[Any]":
    """Those whose entry is missing, or over another amount."""
    mine = Posting.objects.filter(entry__source=Concat(Value(source), Cast(OuterRef("code"), CharField())))
    debits = mine.order_by().values("entry").annotate(sum=Sum("debit")).values("sum")
    rows: QuerySet[Any] = things.annotate(booked=Subquery(debits))
    return rows.filter(Q(booked=None) | ~Q(booked=F(amount))).order_by("pk")


def _without(things: "QuerySet[Any]", kind: Kind, source: str) -> Iterator[Difference]:
    """Entries of this kind whose payment or refund is not there."""
    code = Cast(Substr(OuterRef("source"), len(source) + 1), UUIDField())
    entries = JournalEntry.objects.filter(kind=kind, source__startswith=source).annotate(sum=Sum("postings__debit"))
    for entry in entries.filter(~Exists(things.filter(code=code))).order_by("pk"):
        yield Difference(entry.source, _NONE, entry.sum or _NONE)


def _statuses() -> Iterator[Difference]:
    """Bills that are called paid while something is owed on them."""
    owed = Posting.objects.on(Account.RECEIVABLE).filter(entry__invoice__status=Status.PAID)
    rows = owed.values("entry__invoice__reference").annotate(left=Sum(F("debit") - F("credit")))
    for row in rows.filter(left__gt=0).order_by("entry__invoice"):
        yield Difference(f"{row['entry__invoice__reference']} paid", _NONE, row["left"])
