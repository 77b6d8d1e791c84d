"""One's own bills, and the documents of any bill one may see."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, requires, role_of
from billing.models import CreditNote, Invoice, Payment
from billing.models.invoices import Invoices
from billing.services import documents, gateway, ledger, printing
from core.http import HospitalRequest
from core.pages import divide, page


@never_cache
@require_safe
@requires(Permission.OWN_ACCOUNT)
def index(request: HospitalRequest) -> HttpResponse:
    """One's own and one's family's bills here, those to pay first. ?q= looks for a number or a name."""
    words = request.GET.get("q", "").strip()
    mine = Invoice.objects.own(request.user)
    found = mine.matching(words).with_owed().with_people().to_pay_first()
    context = {"rows": divide(request, found), "words": words, "has_any": bool(words) or mine.exists()}
    return page(request, "bills/list.html", context, part="results")


@never_cache
@require_safe
@requires(Permission.OWN_ACCOUNT)
def bill(request: HospitalRequest, code: UUID) -> HttpResponse:
    """One bill: what is on it, what was paid on it, and what is still owed."""
    mine = Invoice.objects.own(request.user).select_related("patient")
    invoice = get_object_or_404(mine, code=code)
    owed = ledger.owed_on(invoice)
    refunds = invoice.refunds.counting().select_related("payment", "credit_note").oldest_first()
    context = {
        "invoice": invoice,
        "paper": documents.bill(hospital=request.hospital, invoice=invoice),
        "payments": invoice.payments.captured().order_by("captured_at", "pk"),
        "refunds": refunds,
        "credit_notes": invoice.credit_notes.order_by("pk"),
        "owed": owed,
        "may_pay": owed > 0 and gateway.takes_online(),
    }
    return page(request, "bills/detail.html", context)


@require_safe
@requires(Permission.OWN_ACCOUNT)
def bill_pdf(request: HospitalRequest, code: UUID) -> HttpResponse:
    """The bill as a document, for its patient and for who works with bills here."""
    invoice = get_object_or_404(_seen(request).issued().select_related("patient"), code=code)
    return _file(request, documents.bill(hospital=request.hospital, invoice=invoice))


@require_safe
@requires(Permission.OWN_ACCOUNT)
def receipt_pdf(request: HospitalRequest, code: UUID) -> HttpResponse:
    """The receipt of a payment."""
    received = Payment.objects.captured().filter(invoice__in=_seen(request))
    payment = get_object_or_404(received.select_related("invoice", "order__account"), code=code)
    return _file(request, documents.receipt(hospital=request.hospital, payment=payment))


@require_safe
@requires(Permission.OWN_ACCOUNT)
def credit_note_pdf(request: HospitalRequest, code: UUID) -> HttpResponse:
    """A credit note."""
    notes = CreditNote.objects.filter(invoice__in=_seen(request)).select_related("invoice")
    note = get_object_or_404(notes, code=code)
    return _file(request, documents.credit_note(hospital=request.hospital, note=note))


def _seen(request: HospitalRequest) -> Invoices:
    return Invoice.objects.visible_to(request.user, role_of(request, request.user))


def _file(request: HospitalRequest, paper: documents.Paper) -> HttpResponse:
    return printing.answer(paper, hospital=request.hospital)
