"""Bills, receipts and credit notes as PDF files, made anew whenever somebody asks: what was issued never changes."""

from base64 import b64decode
from io import BytesIO
from typing import Any

import segno
from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from billing.models import BillingRules, CreditNote, Invoice, Payment
from billing.services import documents
from billing.services.documents import Line, Paper, Party, TaxAt, shown_day
from core.colour import accent_tokens
from core.money import exact
from core.schemas import active
from core.templatetags.ui import initials
from core.typesetting import pdf
from tenants.models import Hospital


def made(paper: Paper, *, hospital: Hospital) -> bytes:
    """The PDF file of a document."""
    return pdf("paper", _data(paper, hospital), at=paper.issued_at)


def answer(paper: Paper, *, hospital: Hospital) -> HttpResponse:
    """The document to keep or to look at. Nobody keeps a copy on the way."""
    name = f"{paper.title} {paper.number.replace('/', '-')}.pdf"
    return HttpResponse(
        made(paper, hospital=hospital),
        content_type="application/pdf",
        headers={
            "Content-Disposition": content_disposition_header(as_attachment=True, filename=name),
            "Cache-Control": "private, no-store",
        },
    )


def bill_file(code: str) -> bytes:
    """The bill with this code, of the active hospital: what a message carries."""
    invoice = Invoice.objects.select_related("patient").get(code=code)
    hospital = _active_hospital()
    return made(documents.bill(hospital=hospital, invoice=invoice), hospital=hospital)


def receipt_file(code: str) -> bytes:
    """The receipt of the payment with this code."""
    payment = Payment.objects.select_related("invoice", "order__account").get(code=code)
    hospital = _active_hospital()
    return made(documents.receipt(hospital=hospital, payment=payment), hospital=hospital)


def credit_note_file(code: str) -> bytes:
    """The credit note with this code."""
    note = CreditNote.objects.select_related("invoice").get(code=code)
    hospital = _active_hospital()
    return made(documents.credit_note(hospital=hospital, note=note), hospital=hospital)


def _active_hospital() -> Hospital:
    return Hospital.objects.get(schema_name=active())


def _data(paper: Paper, hospital: Hospital) -> dict[str, Any]:
    """All that the template shows, as it shows it."""
    colours = accent_tokens(hospital.accent, "light")
    # At the head of each page, where nobody overlooks it, and once in the text, for who hears the document.
    test = _("Test money: nothing was really paid.") if paper.is_test else ""
    return {
        "language": (get_language() or "en").partition("-")[0],
        "accent": colours["accent-text"],
        "soft": colours["accent-soft"],
        "logo": list(b64decode(hospital.logo_thumb.partition(",")[2])),
        "name": f"{paper.title} {paper.number}",
        "title": paper.title,
        "number": paper.number,
        "day": shown_day(paper.day),
        "seller": _party(paper.seller),
        "payer": _party(paper.payer),
        "initials": initials(hospital.name),
        "contact": f"{hospital.phone_number.as_international}  ·  {hospital.email}",
        "facts": [list(fact) for fact in paper.facts],
        "lines": [_row(line) for line in paper.lines],
        "discounted": bool(paper.amounts.discount),
        "taxes": [_tax_row(tax) for tax in paper.taxes] if paper.amounts.tax else [],
        "sums": _sums(paper) if paper.lines else [],
        "total": f"₹{exact(paper.total)}",
        "words": paper.words,
        "remarks": [said for said in (test, *paper.remarks, BillingRules.objects.get().footer) if said],
        "page": paper.page,
        "qr": _qr(paper.page),
        "said": {
            "to": _("Received from") if not paper.lines else _("To"),
            "gstin": _("GSTIN"),
            "number": _("Number"),
            "day": _("Date"),
            "what": _("Description"),
            "code": _("HSN/SAC"),
            "quantity": _("Quantity"),
            "price": _("Price"),
            "discount": _("Discount"),
            "taxable": _("Before tax"),
            "rate": _("GST"),
            "sum": _("Amount"),
            "total": _("Total") if paper.lines else _("Received"),
            "taxes": _("Tax by rate"),
            "cgst": "CGST",
            "sgst": "SGST",
            "igst": "IGST",
            "logo": _("Logo of %(hospital)s") % {"hospital": hospital.name},
            "qr": _("QR code: the address of this bill's page"),
            "online": _("This bill on our site"),
            "signature": _("Made electronically; it needs no signature."),
            "test": test,
            "page": _("Page"),
            "of": _("of"),
        },
    }


def _party(party: Party) -> dict[str, Any]:
    lines = [line.strip() for line in party.address.splitlines() if line.strip()]
    return {"name": party.name, "lines": lines, "gstin": party.gstin}


def _row(line: Line) -> list[str]:
    return [
        line.description,
        line.hsn_sac,
        line.how_many,
        exact(line.unit_price),
        exact(line.amounts.discount),
        exact(line.amounts.taxable),
        f"{line.rate}%",
        exact(line.amounts.total),
    ]


def _tax_row(tax: TaxAt) -> list[str]:
    found = tax.amounts
    return [f"{tax.rate}%", *map(exact, (found.taxable, found.cgst, found.sgst, found.igst))]


def _sums(paper: Paper) -> list[list[str]]:
    """How the total comes together, parts of nothing left out."""
    found = paper.amounts
    if not found.discount and not found.tax:
        return []  # it is the total
    parts = [(_("Before discount"), found.gross), (_("Discount"), -found.discount)] if found.discount else []
    parts += [(_("Before tax"), found.taxable), ("CGST", found.cgst), ("SGST", found.sgst), ("IGST", found.igst)]
    return [[label, exact(amount)] for label, amount in parts if amount]


def _qr(address: str) -> str:
    """The address as a drawing."""
    drawing = BytesIO()
    segno.make(address, error="m").save(drawing, kind="svg", border=0, xmldecl=False)
    return drawing.getvalue().decode()
