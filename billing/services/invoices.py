"""Bills: begun as a draft, issued with a number that has no gap."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from audit.models import Action
from billing.maths import Amounts, amounts_of, gross_of, sum_of
from billing.models import (
    About,
    Account,
    BillingRules,
    Invoice,
    InvoiceLine,
    Kind,
    NumberCounter,
    PromoCode,
    Series,
    TaxCategory,
    financial_year_of,
)
from billing.services import discounts, ledger, letters
from core.errors import Conflict, Invalid, NotAllowedNow
from core.money import shown
from hospitals.models import Department, Doctor
from patients.models import Patient
from tenants.models import Hospital

_MOST = Decimal(999_999_999)  # before tax; more does not fit into its columns


@dataclass(frozen=True)
class Charge:
    """One thing to bill. `category` is the key of a tax category; `discount` is in rupees, off the whole line."""

    description: str
    unit_price: Decimal
    category: str = TaxCategory.CONSULTATION
    quantity: Decimal = Decimal(1)
    discount: Decimal = Decimal()


@dataclass(frozen=True)
class Draft:
    """What is to be billed to whom, and for what. `place_of_supply` is a state; the hospital's own when empty."""

    patient: Patient
    charges: Sequence[Charge]
    about: About = About.OTHER
    about_code: UUID | None = None
    doctor: Doctor | None = None
    department: Department | None = None
    bill_to: str = ""
    bill_to_address: str = ""
    bill_to_gstin: str = ""
    place_of_supply: str = ""
    note: str = ""
    promo_word: str = ""
    discount_reason: str = ""
    idempotency_key: str = ""


@dataclass(frozen=True)
class Reckoning:
    """What a bill comes to, line by line."""

    lines: list[InvoiceLine]
    promo: PromoCode | None

    @property
    def amounts(self) -> Amounts:
        """All lines together."""
        return sum_of(line.amounts for line in self.lines)

    @property
    def needs_approval(self) -> bool:
        """Whether somebody has to approve a discount before it is issued."""
        return any(line.needs_approval for line in self.lines)


# --- Drafts ----------------------------------------------------------------------------------------------------------


def draft(*, hospital: Hospital, draft: Draft, by: User | None, now: datetime) -> Invoice:
    """Begin a bill. For a visit or an order there is only ever one: asked again, answers the one there is.

    Raises Invalid for a charge, discount or promo code that cannot be; a discount above the limit waits for approval.
    """
    found = _existing(draft, by)
    if found:
        return found
    with transaction.atomic():
        invoice = Invoice(
            about=draft.about,
            about_code=draft.about_code,
            patient=draft.patient,
            doctor=draft.doctor,
            department=draft.department,
            bill_to=draft.bill_to or draft.patient.name,
            bill_to_address=draft.bill_to_address,
            bill_to_gstin=draft.bill_to_gstin,
            seller_state=hospital.state,
            place_of_supply=draft.place_of_supply or hospital.state,
            note=draft.note,
            discount_reason=draft.discount_reason,
            created_at=now,
            created_by=by,
            idempotency_key=draft.idempotency_key,
        )
        # Two who begin the same bill at once: the database lets one, and the other gets that one.
        [written] = Invoice.objects.bulk_create([invoice], ignore_conflicts=True)
        invoice = Invoice.objects.filter(code=written.code).first() or invoice
        if invoice.pk:
            audit.record(action=Action.INVOICE_DRAFTED, target=invoice, by=by, new=invoice.status)
            _write_lines(invoice, draft.charges, draft.promo_word, today=today_at(hospital, now))
            return invoice
    found = _existing(draft, by)
    if found is None:
        raise Conflict(_("This bill is being written at this moment. Look at it again."))
    return found


@transaction.atomic
def write(*, hospital: Hospital, asked: Draft, by: User, now: datetime) -> Invoice:
    """Begin a bill and send it to the patient; while a discount above the limit waits for approval it stays a draft."""
    invoice = draft(hospital=hospital, draft=asked, by=by, now=now)
    if invoice.is_draft and not Invoice.objects.awaiting_approval().filter(pk=invoice.pk).exists():
        issue(hospital=hospital, invoice=invoice, by=by, now=now, is_sent=True)
    return invoice


@transaction.atomic
def preview(*, hospital: Hospital, draft: Draft, now: datetime, invoice: Invoice | None = None) -> Reckoning:
    """What a bill, or a draft that is changed, would come to. Nothing is kept; whoever uses the same code waits."""
    asked = Invoice(
        pk=invoice.pk if invoice else None,
        patient=draft.patient,
        seller_state=invoice.seller_state if invoice else hospital.state,
        place_of_supply=draft.place_of_supply or hospital.state,
    )
    return _reckon(asked, draft.charges, draft.promo_word, today=today_at(hospital, now))


@transaction.atomic
def change(*, hospital: Hospital, invoice: Invoice, draft: Draft, by: User, now: datetime) -> None:
    """Write a draft anew. An issued bill is never changed: see `crediting`."""
    mine = Invoice.objects.locked().get(pk=invoice.pk)
    if not mine.is_draft:
        raise NotAllowedNow(_("This bill is issued. Correct it by a credit note."))
    if mine.orders.live().exists():  # what they pay is what they were shown
        raise NotAllowedNow(_("Somebody is about to pay this bill online. Wait until they are done."))
    mine.lines.all().delete()
    Invoice.objects.filter(pk=mine.pk).update(
        patient=draft.patient,
        doctor=draft.doctor,
        department=draft.department,
        bill_to=draft.bill_to or draft.patient.name,
        bill_to_address=draft.bill_to_address,
        bill_to_gstin=draft.bill_to_gstin,
        place_of_supply=draft.place_of_supply or hospital.state,
        note=draft.note,
        discount_reason=draft.discount_reason,
        discount_approved_at=None,
        discount_approved_by=None,
        promo_code=None,
    )
    invoice.refresh_from_db()
    _write_lines(invoice, draft.charges, draft.promo_word, today=today_at(hospital, now))
    audit.record(action=Action.INVOICE_CHANGED, target=invoice, by=by, data={"total": str(invoice.total)})


@transaction.atomic
def use_promo(*, hospital: Hospital, invoice: Invoice, word: str, by: User, now: datetime) -> None:
    """Take what a promo code gives off a draft, in place of what another one gave; an empty word takes nothing off.

    Raises Invalid for a code that does not count, or that leaves nothing to pay.
    """
    mine = Invoice.objects.locked().get(pk=invoice.pk)
    if not mine.is_draft:
        raise NotAllowedNow(_("This bill is issued already. A code counts only before that."))
    lines = list(mine.lines.order_by("position"))
    for line in lines:
        line.promo_discount = Decimal()
    found = _with_promo(mine, lines, word, BillingRules.objects.get(), today_at(hospital, now))
    if word and found.amounts.total < 1:  # the gateway takes no less, and nobody is told of a payment that never comes
        raise Invalid(_("With this code nothing is left to pay. Show it at the front desk."), field="promo_code")
    InvoiceLine.objects.bulk_update(lines, ["promo_discount", "cgst", "sgst", "igst", "total"])
    _sum_up(mine, found)
    audit.record(action=Action.INVOICE_CHANGED, target=mine, by=by, data={"total": str(mine.total)})
    invoice.refresh_from_db()


def _existing(draft: Draft, by: User | None) -> Invoice | None:
    if draft.about_code:
        return Invoice.objects.about(draft.about, draft.about_code).first()
    if draft.idempotency_key and by:
        return Invoice.objects.filter(created_by=by, idempotency_key=draft.idempotency_key).first()
    return None


def _write_lines(invoice: Invoice, charges: Sequence[Charge], promo_word: str, *, today: date) -> None:
    reckoning = _reckon(invoice, charges, promo_word, today=today)
    InvoiceLine.objects.bulk_create(reckoning.lines)
    _sum_up(invoice, reckoning)


def _reckon(invoice: Invoice, charges: Sequence[Charge], promo_word: str, *, today: date) -> Reckoning:
    if not charges:
        raise Invalid(_("A bill needs at least one line."))
    rules = BillingRules.objects.get()
    categories = {one.key: one for one in TaxCategory.objects.with_rate(today)}
    lines = [_line(invoice, position, charge, categories, rules) for position, charge in enumerate(charges, start=1)]
    if sum((line.gross for line in lines), Decimal()) > _MOST:
        raise Invalid(_("A bill can come to at most %(most)s.") % {"most": shown(_MOST)})
    return _with_promo(invoice, lines, promo_word, rules, today)


def _with_promo(invoice: Invoice, lines: list[InvoiceLine], word: str, rules: BillingRules, today: date) -> Reckoning:
    """The lines with what the code takes off them, and the tax on what is left."""
    promo = discounts.apply_promo(invoice, lines, word, rules=rules, today=today) if word else None
    for line in lines:
        amounts = amounts_of(
            quantity=line.quantity,
            unit_price=line.unit_price,
            discount=line.discount,
            tax_percent=line.tax_percent,
            is_interstate=invoice.is_interstate,
        )
        line.cgst, line.sgst, line.igst, line.total = amounts.cgst, amounts.sgst, amounts.igst, amounts.total
    return Reckoning(lines, promo)


def _sum_up(invoice: Invoice, reckoning: Reckoning) -> None:
    whole = reckoning.amounts
    columns = {
        "gross": whole.gross,
        "discount": whole.discount,
        "cgst": whole.cgst,
        "sgst": whole.sgst,
        "igst": whole.igst,
        "total": whole.total,
        "promo_code": reckoning.promo,
    }
    Invoice.objects.filter(pk=invoice.pk).update(**columns)
    for name, value in columns.items():
        setattr(invoice, name, value)


def _line(
    invoice: Invoice, position: int, charge: Charge, categories: dict[str, TaxCategory], rules: BillingRules
) -> InvoiceLine:
    category = categories.get(charge.category)
    percent = getattr(category, "percent", None)
    if category is None or percent is None:
        raise Invalid(_("There is no tax rate for this line on this day. Add one in the billing settings."))
    if charge.quantity <= 0 or charge.unit_price < 0:
        raise Invalid(_("Quantity and price must be more than nothing."))
    gross = gross_of(quantity=charge.quantity, unit_price=charge.unit_price)
    return InvoiceLine(
        invoice=invoice,
        position=position,
        description=charge.description,
        hsn_sac=category.hsn_sac,
        quantity=charge.quantity,
        unit_price=charge.unit_price,
        own_discount=charge.discount,
        needs_approval=discounts.judge(gross=gross, discount=charge.discount, rules=rules, what=charge.description),
        tax_percent=percent,
        gross=gross,
    )


# --- Issuing ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def issue(*, hospital: Hospital, invoice: Invoice, by: User | None, now: datetime, is_sent: bool = False) -> None:
    """Give a draft its number: from here on it is owed, and never changes. Doing it twice changes nothing.

    `is_sent` writes to the patient; who has just paid gets a receipt instead. Raises NotAllowedNow while its discount
    waits for approval. A bill of nothing is paid at once.
    """
    mine = Invoice.objects.locked().get(pk=invoice.pk)
    if mine.is_draft:
        if mine.discount_approved_at is None and mine.lines.filter(needs_approval=True).exists():
            raise NotAllowedNow(_("The discount on this bill is above the limit. It waits for approval."))
        rules = BillingRules.objects.get()
        day = today_at(hospital, now)
        year = financial_year_of(day)
        number = NumberCounter.take(Series.INVOICE, year)
        also = {
            "financial_year": year,
            "number": number,
            "reference": f"{rules.series}/{year}/{number:06d}",
            "issue_date": day,
            "issued_at": now,
            "seller_name": rules.legal_name or hospital.name,
            "seller_address": f"{hospital.address}\n{hospital.city}",
            "seller_gstin": rules.gstin,
            "seller_footer": rules.footer,
        }
        audit.move(mine, Invoice.Status.UNPAID, by=by, also=also, data={"total": str(mine.total)})
        if mine.total:
            _book(mine, by=by, now=now)
        settle(mine, by=by)
        if is_sent and mine.total:
            letters.issued(hospital=hospital, invoice=mine)
    invoice.refresh_from_db()


def _book(invoice: Invoice, *, by: User | None, now: datetime) -> None:
    ledger.post(
        kind=Kind.INVOICED,
        source=f"invoice:{invoice.code}",
        at=now,
        by=by,
        invoice=invoice,
        debit={Account.RECEIVABLE: invoice.total},
        credit={
            Account.REVENUE: invoice.amounts.taxable,
            Account.CGST: invoice.cgst,
            Account.SGST: invoice.sgst,
            Account.IGST: invoice.igst,
        },
    )


@transaction.atomic
def send(*, hospital: Hospital, invoice: Invoice, by: User) -> None:
    """Send an issued bill to the patient by e-mail, once more if it was sent before."""
    if invoice.number is None:
        raise NotAllowedNow(_("This bill is not issued. Issue it first."))
    if not (invoice.patient.user.email if invoice.patient.user else invoice.patient.email):
        raise NotAllowedNow(_("No e-mail address is known of this patient."))
    letters.issued(hospital=hospital, invoice=invoice)
    audit.record(action=Action.INVOICE_SENT, target=invoice, by=by)


def settle(invoice: Invoice, *, by: User | None, reason: str = "") -> None:
    """Bring a bill's status to what the ledger says. The bill is locked by the caller, who has just posted to it.

    A draft that was dropped never became a bill: it stays dropped, even while late money for it comes and goes back.
    """
    if invoice.number is None:
        return
    to = _status_by_the_books(invoice)
    if to != invoice.status:
        audit.move(invoice, to, by=by, reason=reason)


def _status_by_the_books(invoice: Invoice) -> str:
    paid, given_back = ledger.paid_on(invoice), ledger.refunded_on(invoice)
    if given_back > 0:
        is_all = given_back >= paid
        return Invoice.Status.REFUNDED if is_all else Invoice.Status.PARTIALLY_REFUNDED
    if invoice.total and ledger.credited_on(invoice) >= invoice.total:
        return Invoice.Status.CANCELLED
    if ledger.owed_on(invoice) <= 0:
        return Invoice.Status.PAID
    return Invoice.Status.PARTIALLY_PAID if paid > 0 else Invoice.Status.UNPAID


@transaction.atomic
def carry_over(*, about: About, old: UUID, new: UUID) -> None:
    """The bill of a visit goes with it when it is moved: what was paid stays paid."""
    Invoice.objects.filter(about=about, about_code=old).update(about_code=new)


def today_at(hospital: Hospital, now: datetime) -> date:
    """The day on the hospital's calendar: bills are dated by it."""
    return now.astimezone(ZoneInfo(hospital.time_zone)).date()
