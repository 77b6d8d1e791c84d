"""What stands on bills, receipts and credit notes: the page of a bill and its PDF file show the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.maths import Amounts, sum_of
from billing.models import CreditNote, CreditNoteLine, Invoice, InvoiceLine, Payment
from billing.services import gateway
from core.hosts import hospital_url
from core.spelling import in_words
from tenants.models import Hospital

_HEALTH_CARE = "9993"  # how the codes of health care services begin


@dataclass(frozen=True)
class Party:
    """Who gives a document, or gets it."""

    name: str
    address: str
    gstin: str


@dataclass(frozen=True)
class Line:
    """One thing on a bill, or what is taken back of it."""

    description: str
    hsn_sac: str
    quantity: Decimal
    unit_price: Decimal
    tax_percent: Decimal
    amounts: Amounts

    @property
    def how_many(self) -> str:
        """The quantity as people write it."""
        return plain(self.quantity)

    @property
    def rate(self) -> str:
        """The tax in percent."""
        return plain(self.tax_percent)


@dataclass(frozen=True)
class TaxAt:
    """What comes together under one rate of tax."""

    percent: Decimal
    amounts: Amounts

    @property
    def rate(self) -> str:
        """In percent, as people write it."""
        return plain(self.percent)

    @property
    def half(self) -> str:
        """What each of the two governments takes within a state."""
        return plain(self.percent / 2)


@dataclass(frozen=True)
class Paper:
    """A bill, receipt or credit note. `facts` are labels with what stands beside them; a receipt has no lines.

    `page` is the address of the bill's page. `is_test` marks what was paid with test money.
    """

    title: str
    number: str
    day: date
    issued_at: datetime
    seller: Party
    payer: Party
    facts: Sequence[tuple[str, str]]
    lines: Sequence[Line]
    amounts: Amounts
    total: Decimal
    remarks: Sequence[str]
    page: str
    is_test: bool

    @property
    def taxes(self) -> list[TaxAt]:
        """The taxes by rate, the lowest first."""
        rates = sorted({line.tax_percent for line in self.lines})
        return [TaxAt(rate, sum_of(line.amounts for line in self.lines if line.tax_percent == rate)) for rate in rates]

    @property
    def words(self) -> str:
        """The total in words."""
        return in_words(self.total)


# --- What stands in them ---------------------------------------------------------------------------------------------


def bill(*, hospital: Hospital, invoice: Invoice) -> Paper:
    """The bill; of a draft what it will say."""
    lines = [_line(line) for line in invoice.lines.order_by("position")]
    made_at = invoice.issued_at or invoice.created_at
    return Paper(
        title=_title(invoice, lines),
        number=invoice.reference,
        day=invoice.issue_date or _day(hospital, made_at),
        issued_at=made_at,
        facts=[(_("Patient number"), invoice.patient.number), *_supply(invoice)],
        lines=lines,
        amounts=invoice.amounts,
        total=invoice.total,
        remarks=[*_on_taxes(invoice, lines), *filter(None, [invoice.note, invoice.seller_footer])],
        is_test=_paid_with_test_money(invoice),
        seller=_seller(hospital, invoice),
        payer=_payer(invoice),
        page=_page(hospital, invoice),
    )


def receipt(*, hospital: Hospital, payment: Payment) -> Paper:
    """The receipt of money that arrived."""
    invoice, received_at = payment.invoice, payment.captured_at or payment.created_at
    reference = payment.reference or payment.gateway_id or ""
    facts = [
        (_("For bill"), invoice.reference),
        (_("Paid"), payment.get_method_display()),
        *([(_("Reference"), reference)] if reference else []),
    ]
    return Paper(
        title=_("Receipt"),
        number=payment.receipt_number,
        day=_day(hospital, received_at),
        issued_at=received_at,
        facts=facts,
        lines=[],
        amounts=Amounts(gross=payment.amount),
        total=payment.amount,
        remarks=[],
        is_test=bool(payment.order and gateway.is_test(gateway.key_id_of(payment.order))),
        seller=_seller(hospital, invoice),
        payer=_payer(invoice),
        page=_page(hospital, invoice),
    )


def credit_note(*, hospital: Hospital, note: CreditNote) -> Paper:
    """What is taken back of a bill, and why."""
    invoice = note.invoice
    lines = [_credited(one) for one in note.lines.select_related("line").order_by("line__position")]
    facts = [
        (_("For bill"), invoice.reference),
        (_("Dated"), shown_day(invoice.issue_date or note.issue_date)),
        *_supply(invoice),
        (_("Reason"), note.reason),
    ]
    return Paper(
        title=_("Credit note"),
        number=note.reference,
        day=note.issue_date,
        issued_at=note.issued_at,
        facts=facts,
        lines=lines,
        amounts=sum_of(line.amounts for line in lines),
        total=note.total,
        remarks=_on_taxes(invoice, lines),
        is_test=_paid_with_test_money(invoice),
        seller=_seller(hospital, invoice),
        payer=_payer(invoice),
        page=_page(hospital, invoice),
    )


def shown_day(day: date) -> str:
    """A day as it stands on paper: 19 November 2026."""
    return date_format(day, "j F Y")


def _seller(hospital: Hospital, invoice: Invoice) -> Party:
    address = invoice.seller_address or f"{hospital.address}\n{hospital.city}"
    state = invoice.get_seller_state_display()
    return Party(invoice.seller_name or hospital.name, f"{address}\n{state}", invoice.seller_gstin)


def _payer(invoice: Invoice) -> Party:
    return Party(invoice.bill_to, invoice.bill_to_address, invoice.bill_to_gstin)


def _page(hospital: Hospital, invoice: Invoice) -> str:
    return hospital_url(hospital.slug, "bill", invoice.code)


def _line(line: InvoiceLine) -> Line:
    return Line(line.description, line.hsn_sac, line.quantity, line.unit_price, line.tax_percent, line.amounts)


def _credited(one: CreditNoteLine) -> Line:
    amounts = Amounts(gross=one.taxable, cgst=one.cgst, sgst=one.sgst, igst=one.igst)
    return Line(one.line.description, one.line.hsn_sac, Decimal(1), one.taxable, one.line.tax_percent, amounts)


def _title(invoice: Invoice, lines: Sequence[Line]) -> str:
    """What the law calls it: only who is registered for GST gives tax invoices and bills of supply."""
    if not invoice.seller_gstin:
        return _("Bill")
    taxed = [bool(line.tax_percent) for line in lines]
    if all(taxed):
        return _("Tax invoice")
    return _("Invoice-cum-bill of supply") if any(taxed) else _("Bill of supply")


def _supply(invoice: Invoice) -> list[tuple[str, str]]:
    return [(_("Place of supply"), invoice.get_place_of_supply_display())]


def _on_taxes(invoice: Invoice, lines: Iterable[Line]) -> list[str]:
    said = []
    if any(line.hsn_sac.startswith(_HEALTH_CARE) and not line.tax_percent for line in lines):
        said.append(_("Health care services are exempt from GST."))
    if invoice.seller_gstin and any(line.tax_percent for line in lines):
        said.append(_("No tax is payable on reverse charge."))
    return said


def _paid_with_test_money(invoice: Invoice) -> bool:
    payments = Payment.objects.captured().filter(invoice=invoice, order__isnull=False)
    return any(
        payment.order and gateway.is_test(gateway.key_id_of(payment.order))
        for payment in payments.select_related("order__account")
    )


def _day(hospital: Hospital, moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(hospital.time_zone)).date()


def plain(number: Decimal) -> str:
    """A quantity or a rate without the zeros that say nothing: 1, 2.5, 18."""
    return f"{number:f}".rstrip("0").rstrip(".") if number % 1 else f"{number:.0f}"
