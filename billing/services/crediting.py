"""Taking an issued bill back, all of it or a part: by credit notes, never by changing it."""

from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from audit.models import Action
from billing.maths import Amounts, spread, sum_of
from billing.models import (
    Account,
    CreditNote,
    CreditNoteLine,
    Invoice,
    InvoiceLine,
    Kind,
    NumberCounter,
    Series,
    financial_year_of,
)
from billing.services import invoices, ledger, letters
from core.errors import Invalid, NotAllowedNow
from core.money import shown
from tenants.models import Hospital

_PAISA, _TWO_PAISE = Decimal("0.01"), Decimal("0.02")


@transaction.atomic
def cancel(*, hospital: Hospital, invoice: Invoice, by: User | None, reason: str, now: datetime) -> None:
    """Drop a draft, or take an issued bill back by a credit note over all that is left of it.

    Raises NotAllowedNow when something was paid on it: that is refunded instead.
    """
    mine = Invoice.objects.locked().get(pk=invoice.pk)
    if mine.status == Invoice.Status.CANCELLED:
        raise NotAllowedNow(audit.already(mine))
    if mine.is_draft:
        audit.move(mine, Invoice.Status.CANCELLED, by=by, reason=reason)
    else:
        if ledger.paid_on(mine) > 0:
            raise NotAllowedNow(_("Something was paid on this bill. Refund it instead."))
        if not mine.total:
            audit.move(mine, Invoice.Status.CANCELLED, by=by, reason=reason)
        else:
            credit(
                hospital=hospital,
                invoice=mine,
                amount=mine.total - ledger.credited_on(mine),
                by=by,
                reason=reason,
                now=now,
                is_sent=True,
            )
    invoice.refresh_from_db()


@transaction.atomic
def correct(
    *, hospital: Hospital, invoice: Invoice, amount: Decimal, by: User, reason: str, now: datetime
) -> CreditNote:
    """Take back by hand a part of what is still owed. What was paid is refunded, which credits the bill by itself."""
    mine = Invoice.objects.locked().get(pk=invoice.pk)
    owed = max(ledger.owed_on(mine), Decimal())
    if not mine.is_draft and not 0 < amount <= owed:
        raise Invalid(
            _("Take back more than nothing, and at most the %(owed)s that are owed. What was paid is refunded instead.")
            % {"owed": shown(owed)},
            field="amount",
        )
    note = credit(hospital=hospital, invoice=mine, amount=amount, by=by, reason=reason, now=now)
    invoice.refresh_from_db()
    return note


@transaction.atomic
def credit(
    *,
    hospital: Hospital,
    invoice: Invoice,
    amount: Decimal,
    by: User | None,
    reason: str,
    now: datetime,
    is_sent: bool = False,
) -> CreditNote:
    """Take so much of an issued bill back, tax included, spread over its lines; answer the credit note.

    `is_sent` writes to the patient; a refund has a letter of its own. Raises Invalid for more than is left of it.
    """
    mine = Invoice.objects.locked().get(pk=invoice.pk)
    if mine.is_draft or mine.number is None:
        raise NotAllowedNow(_("This bill is not issued. Change it, or drop it."))
    lines = list(mine.lines.order_by("position").prefetch_related("credits"))
    left = [line.total - sum((credit.total for credit in line.credits.all()), Decimal()) for line in lines]
    if not 0 < amount <= sum(left, Decimal()):
        raise Invalid(_("A credit note is over more than nothing, and at most over what is left of the bill."))
    shares = [(line, _share(line, part)) for line, part in zip(lines, spread(amount, left), strict=True) if part]
    whole = sum_of(share for _line, share in shares)
    day = invoices.today_at(hospital, now)
    year = financial_year_of(day)
    number = NumberCounter.take(Series.CREDIT_NOTE, year)
    note = CreditNote.objects.create(
        financial_year=year,
        number=number,
        reference=f"CN/{year}/{number:06d}",
        invoice=mine,
        reason=reason[:200],
        taxable=whole.taxable,
        cgst=whole.cgst,
        sgst=whole.sgst,
        igst=whole.igst,
        total=whole.total,
        issue_date=day,
        issued_at=now,
        issued_by=by,
    )
    CreditNoteLine.objects.bulk_create(
        CreditNoteLine(
            credit_note=note,
            line=line,
            taxable=share.taxable,
            cgst=share.cgst,
            sgst=share.sgst,
            igst=share.igst,
            total=share.total,
        )
        for line, share in shares
    )
    audit.record(
        action=Action.CREDIT_NOTE_ISSUED,
        target=note,
        by=by,
        reason=reason,
        data={"invoice": mine.reference, "total": str(note.total)},
    )
    ledger.post(
        kind=Kind.CREDITED,
        source=f"credit_note:{note.code}",
        at=now,
        by=by,
        invoice=mine,
        debit={
            Account.REVENUE: note.taxable,
            Account.CGST: note.cgst,
            Account.SGST: note.sgst,
            Account.IGST: note.igst,
        },
        credit={Account.RECEIVABLE: note.total},
    )
    invoices.settle(mine, by=by, reason=reason)
    if is_sent:
        letters.credited(hospital=hospital, note=note)
    invoice.refresh_from_db()
    return note


def _share(line: InvoiceLine, part: Decimal) -> Amounts:
    """`part` rupees of a line, divided into price and taxes as what is left of it is: the last part takes all of each.

    CGST and SGST are taken back alike, as tax returns want it; only the last paisa of a line may stand alone.
    """
    before = list(line.credits.all())
    cgst, sgst = (
        getattr(line, tax) - sum((getattr(one, tax) for one in before), Decimal()) for tax in ("cgst", "sgst")
    )
    igst = line.igst - sum((one.igst for one in before), Decimal())
    price = line.amounts.taxable - sum((one.taxable for one in before), Decimal())
    taxable, both, integrated = spread(part, [price, cgst + sgst, igst])
    if both % _TWO_PAISE:
        step = _PAISA if taxable < price else -_PAISA if both < cgst + sgst and taxable else Decimal()
        taxable, both = taxable + step, both - step
    central = min(max((both / 2).quantize(_PAISA, rounding=ROUND_DOWN), both - sgst), cgst)
    return Amounts(gross=taxable, cgst=central, sgst=both - central, igst=integrated)
