"""Writing the books. What is owed, paid and refunded is read from here and from nowhere else."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.db.models import F, Sum

from accounts.models import User
from billing.models import Account, Invoice, JournalEntry, Kind, Posting

Sides = Mapping[Account, Decimal]


def post(
    *,
    kind: Kind,
    source: str,
    at: datetime,
    by: User | None,
    invoice: Invoice | None,
    debit: Sides,
    credit: Sides,
) -> bool:
    """Write an entry, unless one of this `source` stands already; tell whether it was written.

    Amounts of nothing are left out. Postgres refuses the commit if the two sides differ.
    """
    written = JournalEntry.objects.bulk_create(
        [JournalEntry(kind=kind, source=source, happened_at=at, recorded_by=by, invoice=invoice)],
        ignore_conflicts=True,
    )
    entry = JournalEntry.objects.get(source=source)
    if entry.code != written[0].code:
        return False
    Posting.objects.bulk_create(
        [Posting(entry=entry, account=account, debit=amount) for account, amount in debit.items() if amount]
        + [Posting(entry=entry, account=account, credit=amount) for account, amount in credit.items() if amount]
    )
    return True


def owed_on(invoice: Invoice) -> Decimal:
    """What is still to be paid on a bill; less than nothing where more was paid than is due."""
    return Posting.objects.filter(entry__invoice=invoice).on(Account.RECEIVABLE).balance()


def paid_on(invoice: Invoice) -> Decimal:
    """What patient and insurer have put towards a bill, refunds not taken off."""
    return -_receivable(invoice, [Kind.RECEIVED, Kind.APPLIED, Kind.INSURED])


def refunded_on(invoice: Invoice) -> Decimal:
    """What is given back of it, or about to be."""
    return _receivable(invoice, [Kind.REFUND_DUE, Kind.REFUND_FAILED])


def credited_on(invoice: Invoice) -> Decimal:
    """What credit notes have taken back of it."""
    return -_receivable(invoice, [Kind.CREDITED])


def balances() -> dict[str, Decimal]:
    """What stands on each account that was ever used: debits less credits."""
    rows = Posting.objects.values("account").annotate(left=Sum(F("debit") - F("credit")))
    return {row["account"]: row["left"] for row in rows}


def _receivable(invoice: Invoice, kinds: list[Kind]) -> Decimal:
    rows = Posting.objects.filter(entry__invoice=invoice, entry__kind__in=kinds)
    return rows.on(Account.RECEIVABLE).balance()
