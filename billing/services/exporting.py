"""The files of bills and of payments."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from audit.models import Action
from billing.models import About, Invoice, Method, Payment
from billing.models.invoices import Invoices
from billing.models.payments import Payments
from core import spreadsheets
from core.schemas import schema_context
from tenants.models import Hospital

_AT_ONCE = 500
M = TypeVar("M", bound=Model)


@transaction.atomic
def export(*, hospital: Hospital, bills: Invoices, narrowed_by: list[str], by: User) -> Iterator[str]:
    """The bills as lines of a CSV file, read a part at a time while they are sent; that it was taken is recorded.

    `narrowed_by` names the filters, not what was typed into them: that may be a patient's name.
    """
    data = {"bills": bills.count(), "narrowed_by": ", ".join(narrowed_by)}
    audit.record(action=Action.INVOICES_EXPORTED, target=hospital, by=by, data=data)
    heads = [
        _("Bill number"),
        _("Date"),
        _("Status"),
        _("For"),
        _("Patient number"),
        _("Patient"),
        _("Bill to"),
        _("GSTIN of the payer"),
        _("Place of supply"),
        _("Doctor"),
        _("Department"),
        _("Before discount"),
        _("Discount"),
        _("CGST"),
        _("SGST"),
        _("IGST"),
        _("Total"),
        _("Taken back"),
        _("Paid"),
        _("Refunded"),
        _("Owed"),
    ]
    # The file is written after the page has been answered, when neither the schema nor the language is set any more.
    words = {value: str(label) for value, label in [*Invoice.Status.choices, *About.choices]}
    return _lines(hospital, bills, heads, words)


@transaction.atomic
def export_payments(*, hospital: Hospital, payments: Payments, narrowed_by: list[str], by: User) -> Iterator[str]:
    """The payments as lines of a CSV file, in the same way."""
    data = {"payments": payments.count(), "narrowed_by": ", ".join(narrowed_by)}
    audit.record(action=Action.PAYMENTS_EXPORTED, target=hospital, by=by, data=data)
    heads = [
        _("Receipt"),
        _("Date"),
        _("Time"),
        _("Status"),
        _("Method"),
        _("Amount"),
        _("Refunded"),
        _("Reference"),
        _("Payment id"),
        _("Fee of the gateway"),
        _("Bill number"),
        _("Patient number"),
        _("Patient"),
        _("Taken by"),
    ]
    words = {value: str(label) for value, label in [*Payment.Status.choices, *Method.choices]}
    return _payment_lines(hospital, payments, heads, words)


def _payment_lines(hospital: Hospital, payments: Payments, heads: list[str], words: dict[str, str]) -> Iterator[str]:
    yield spreadsheets.MARK + spreadsheets.line(heads)
    zone = ZoneInfo(hospital.time_zone)
    rows = payments.with_people().with_refunded().order_by("pk")
    for payment in _in_parts(hospital, rows):
        yield spreadsheets.line(_payment_cells(payment, zone, words))


def _payment_cells(payment: Payment, zone: ZoneInfo, words: dict[str, str]) -> list[object]:
    when = (payment.captured_at or payment.created_at).astimezone(zone)
    refunded: Decimal = payment.refunded  # type: ignore[attr-defined]  # by with_refunded
    return [
        payment.receipt_number,
        f"{when:%Y-%m-%d}",
        f"{when:%H:%M}",
        words[payment.status],
        words[payment.method],
        payment.amount,
        refunded,
        payment.reference,
        payment.gateway_id or "",
        "" if payment.gateway_fee is None else payment.gateway_fee,
        payment.invoice.reference,
        payment.invoice.patient.number,
        payment.invoice.patient.name,
        str(payment.received_by) if payment.received_by else "",
    ]


def _lines(hospital: Hospital, bills: Invoices, heads: list[str], words: dict[str, str]) -> Iterator[str]:
    yield spreadsheets.MARK + spreadsheets.line(heads)
    for invoice in _in_parts(hospital, bills.with_people().with_books().order_by("pk")):
        yield spreadsheets.line(_cells(invoice, words))


def _in_parts(hospital: Hospital, rows: QuerySet[M]) -> Iterator[M]:
    part = None
    while part is None or len(part) == _AT_ONCE:
        after = Q(pk__gt=part[-1].pk) if part else Q()
        with schema_context(hospital.schema_name):
            part = list(rows.filter(after)[:_AT_ONCE])
        yield from part


def _cells(invoice: Invoice, words: dict[str, str]) -> list[object]:
    books: list[Decimal] = [getattr(invoice, name) for name in ("credited", "paid", "refunded", "owed")]
    return [
        invoice.reference,
        f"{invoice.issue_date:%Y-%m-%d}" if invoice.issue_date else "",
        words[invoice.status],
        words[invoice.about],
        invoice.patient.number,
        invoice.patient.name,
        invoice.bill_to,
        invoice.bill_to_gstin,
        invoice.place_of_supply,
        invoice.doctor.name if invoice.doctor else "",
        invoice.department.name if invoice.department else "",
        invoice.gross,
        invoice.discount,
        invoice.cgst,
        invoice.sgst,
        invoice.igst,
        invoice.total,
        *books,
    ]
