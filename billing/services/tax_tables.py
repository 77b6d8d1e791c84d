"""The tables of the GST return (GSTR-1): numbers in brackets are those of its form.

Bills and credit notes stand apart. Health care is exempt: what carries no tax is only in the summaries.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from django.db.models import Case, CharField, Count, F, Max, Min, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Left, Length
from django.utils.translation import gettext as _

from billing.models import CreditNote, CreditNoteLine, Invoice, InvoiceLine
from billing.services.periods import Parts, Period
from billing.services.tables import Row, Table
from tenants.states import State

LARGE = Decimal(100_000)  # above it a bill to a patient of another state is listed by itself, since August 2024
_BUSINESS, _LARGE, _PATIENTS = "business", "large", "patients"
_DIGITS = 7  # a slash and the number, at the end of a reference


def for_the_return() -> list[Table]:
    """Everything the return asks for."""
    return [
        _summary(_("Bills by HSN or SAC code and rate (12)"), _bill_lines, _bill_line_sums),
        _summary(_("Credit notes by HSN or SAC code and rate (12)"), _note_lines, _note_line_sums),
        _bills(_("Taxed bills to businesses with a GSTIN (4)"), _BUSINESS),
        _bills(_("Taxed bills above ₹1,00,000 to patients of other states (5)"), _LARGE),
        _by_place(_("Other taxed bills to patients (7)"), _bill_lines, _bill_line_sums),
        _by_place(_("Credit notes over those (7)"), _note_lines, _note_line_sums),
        _exempt(_("Exempt: bills (8)"), _bill_lines, _bill_line_sums),
        _exempt(_("Exempt: credit notes (8)"), _note_lines, _note_line_sums),
        _notes(_("Credit notes to businesses with a GSTIN (9B)"), _BUSINESS),
        _notes(_("Credit notes over bills above ₹1,00,000 to patients of other states (9B)"), _LARGE),
        Table(
            _("Documents issued (13)"),
            [_("Series"), _("First"), _("Last")],
            [_("Documents")],
            _documents,
            Parts.WHOLE,
            has_total=False,
        ),
    ]


# --- Lines of bills and credit notes alike ---------------------------------------------------------------------------

Lines = Callable[[Period], "QuerySet[Any]"]
Sums = Callable[[], dict[str, Any]]


def _bill_lines(part: Period) -> "QuerySet[Any]":
    days = Q(invoice__issue_date__gte=part.first, invoice__issue_date__lte=part.last)
    return InvoiceLine.objects.filter(days, invoice__number__isnull=False).annotate(
        code=F("hsn_sac"),
        rate=F("tax_percent"),
        place=F("invoice__place_of_supply"),
        is_outside=_is_outside("invoice"),
        to=_to_whom("invoice"),
    )


def _note_lines(part: Period) -> "QuerySet[Any]":
    days = Q(credit_note__issue_date__gte=part.first, credit_note__issue_date__lte=part.last)
    return CreditNoteLine.objects.filter(days).annotate(
        code=F("line__hsn_sac"),
        rate=F("line__tax_percent"),
        place=F("line__invoice__place_of_supply"),
        is_outside=_is_outside("line__invoice"),
        to=_to_whom("line__invoice"),
    )


def _is_outside(invoice: str) -> Case:
    """Whether the bill goes to another state."""
    return Case(When(**{f"{invoice}__place_of_supply": F(f"{invoice}__seller_state")}, then=False), default=True)


def _to_whom(invoice: str) -> Case:
    """In whose tables of the return a bill stands."""
    is_outside = ~Q(**{f"{invoice}__place_of_supply": F(f"{invoice}__seller_state")})
    return Case(
        When(~Q(**{f"{invoice}__bill_to_gstin": ""}), then=Value(_BUSINESS)),
        When(is_outside & Q(**{f"{invoice}__total__gt": LARGE}), then=Value(_LARGE)),
        default=Value(_PATIENTS),
        output_field=CharField(),
    )


def _bill_line_sums() -> dict[str, Any]:
    return {"before": Sum(F("gross") - F("own_discount") - F("promo_discount")), **_tax_sums()}


def _note_line_sums() -> dict[str, Any]:
    return {"before": Sum("taxable"), **_tax_sums()}


def _tax_sums() -> dict[str, Any]:
    return {f"sum_{name}": Sum(name) for name in ("cgst", "sgst", "igst", "total")}


def _amounts(found: dict[str, Any]) -> tuple[Decimal, ...]:
    return found["before"], found["sum_cgst"], found["sum_sgst"], found["sum_igst"]


def _grouped(lines: "QuerySet[Any]", sums: Sums, *by: str) -> Any:
    return lines.order_by().values(*by).annotate(**sums())


def _rate(percent: Decimal) -> str:
    """A rate of tax as it stands in a table."""
    return f"{percent.normalize():f} %" if percent else _("Exempt")


def _place(state: str) -> str:
    return str(State(state).label)


def _taxes() -> list[str]:
    return [_("Before tax"), _("CGST"), _("SGST"), _("IGST")]


# --- Summaries -------------------------------------------------------------------------------------------------------


def _summary(title: str, lines: Lines, sums: Sums) -> Table:
    def read(part: Period, _most: int | None) -> Iterator[Row]:
        for found in _grouped(lines(part), sums, "code", "rate", "to"):
            to = _("Business") if found["to"] == _BUSINESS else _("Patient")
            key = (found["code"], found["rate"], to)
            yield Row((found["code"], _rate(found["rate"]), to), (*_amounts(found), found["sum_total"]), key)

    return Table(title, [_("HSN/SAC"), _("GST"), _("To")], [*_taxes(), _("Total")], read)


def _by_place(title: str, lines: Lines, sums: Sums) -> Table:
    def read(part: Period, _most: int | None) -> Iterator[Row]:
        for found in _grouped(lines(part).filter(to=_PATIENTS, rate__gt=0), sums, "place", "rate"):
            place = _place(found["place"])
            yield Row((place, _rate(found["rate"])), _amounts(found), (place, found["rate"]))

    return Table(title, [_("Place of supply"), _("GST")], _taxes(), read)


def _exempt(title: str, lines: Lines, sums: Sums) -> Table:
    def read(part: Period, _most: int | None) -> Iterator[Row]:
        for found in _grouped(lines(part).filter(rate=0), sums, "to", "is_outside"):
            to = _("Business with a GSTIN") if found["to"] == _BUSINESS else _("Patient")
            where = _("Another state") if found["is_outside"] else _("This state")
            yield Row((to, where), (found["before"],))

    return Table(title, [_("To"), _("Place of supply")], [_("Amount")], read)


# --- One by one ------------------------------------------------------------------------------------------------------


def _bills(title: str, to: str) -> Table:
    def read(part: Period, most: int | None) -> Iterator[Row]:
        lines = _bill_lines(part).filter(to=to, rate__gt=0)
        of_bill = ("invoice__bill_to_gstin", "invoice__bill_to", "invoice__reference", "invoice__issue_date")
        found = _grouped(lines, _bill_line_sums, *of_bill, "place", "rate", "invoice__total", "invoice_id")
        for row in found.order_by("invoice__issue_date", "invoice_id", "rate")[:most]:
            gstin, name, number, day = (row[column] for column in of_bill)
            labels = (gstin, name, number, day, _place(row["place"]), row["invoice__total"], _rate(row["rate"]))
            yield Row(labels[0 if gstin else 1 :], _amounts(row))

    heads = [_("Name"), _("Bill"), _("Date"), _("Place of supply"), _("Value of the bill"), _("GST")]
    return _list(title, [*_gstin(to), *heads], read)


def _notes(title: str, to: str) -> Table:
    def read(part: Period, most: int | None) -> Iterator[Row]:
        lines = _note_lines(part).filter(to=to, rate__gt=0)
        of_note = ("credit_note__reference", "credit_note__issue_date", "line__invoice__reference")
        of_bill = ("line__invoice__bill_to_gstin", "line__invoice__bill_to")
        found = _grouped(lines, _note_line_sums, *of_bill, *of_note, "place", "rate", "credit_note_id")
        for row in found.order_by("credit_note__issue_date", "credit_note_id", "rate")[:most]:
            gstin, name, number, day, bill = (row[column] for column in (*of_bill, *of_note))
            labels = (gstin, name, number, day, bill, _place(row["place"]), _rate(row["rate"]))
            yield Row(labels[0 if gstin else 1 :], _amounts(row))

    heads = [_("Name"), _("Credit note"), _("Date"), _("For bill"), _("Place of supply"), _("GST")]
    return _list(title, [*_gstin(to), *heads], read)


def _gstin(to: str) -> list[str]:
    return [_("GSTIN")] if to == _BUSINESS else []


def _list(title: str, labels: list[str], read: Callable[[Period, int | None], Iterator[Row]]) -> Table:
    return Table(title, labels, _taxes(), read, Parts.DAYS, is_list=True)


def _documents(part: Period, _most: int | None) -> Iterator[Row]:
    """From which number to which: between them none is missing."""
    issued: list[tuple[str, QuerySet[Any]]] = [
        (_("Bills"), Invoice.objects.issued()),
        (_("Credit notes"), CreditNote.objects.all()),
    ]
    for title, documents in issued:
        days = documents.filter(issue_date__gte=part.first, issue_date__lte=part.last).order_by()
        series = days.annotate(series=Left("reference", Length("reference") - _DIGITS)).values("series")
        for found in series.annotate(first=Min("reference"), last=Max("reference"), n=Count("pk")):
            yield Row((f"{title}, {found['series']}", found["first"], found["last"]), (found["n"],))
