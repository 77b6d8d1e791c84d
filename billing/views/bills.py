"""The office's list of bills, one bill with everything that happened to it, and the file of bills."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.forms import Form
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Permission, granted, requires
from audit.models import AuditLog
from billing import steps
from billing.filters import InvoiceFilter
from billing.models import InsuranceClaim, Invoice
from billing.services import exporting
from core.http import HospitalRequest
from core.menus import Item
from core.pages import divide, page
from hospitals.entries import entry

_HISTORY = 40
ALL, OWED, TO_APPROVE, DRAFTS = "", "owed", "to-approve", "drafts"
_MORE = ("about", "doctor", "department")
TONES: dict[str, str] = {
    Invoice.Status.DRAFT: "",
    Invoice.Status.UNPAID: "warn",
    Invoice.Status.PARTIALLY_PAID: "warn",
    Invoice.Status.PAID: "ok",
    Invoice.Status.CANCELLED: "bad",
    Invoice.Status.PARTIALLY_REFUNDED: "info",
    Invoice.Status.REFUNDED: "info",
}
CLAIM_TONES: dict[str, str] = {
    InsuranceClaim.Status.PREAUTH_ASKED: "info",
    InsuranceClaim.Status.PREAUTH_GIVEN: "accent",
    InsuranceClaim.Status.PREAUTH_REFUSED: "bad",
    InsuranceClaim.Status.SUBMITTED: "info",
    InsuranceClaim.Status.APPROVED: "warn",
    InsuranceClaim.Status.REJECTED: "bad",
    InsuranceClaim.Status.SETTLED: "ok",
}


@require_safe
@requires(Permission.INVOICE_VIEW)
def index(request: HospitalRequest) -> HttpResponse:
    """Bills by how they stand (?show=), whose they are, when, and for what; with what they come to together."""
    narrowed = narrow(request)
    shown = divide(request, narrowed.qs.with_people().with_books().prefetch_related("lines").newest_first())
    show = _show(request)
    asked = {name: value for name, value in request.GET.items() if name in narrowed.form.fields and value}
    return page(
        request,
        "billing/list.html",
        {
            "rows": shown,
            "listed": [(invoice, TONES[invoice.status], steps.waits(invoice)) for invoice in shown],
            "sums": narrowed.qs.sums() if (asked or show) and shown else None,
            "form": narrowed.form,
            "more": [narrowed.form[name] for name in _MORE],
            "is_more_open": any(asked.get(name) for name in _MORE),
            "is_narrowed": bool(asked),
            "show": show,
            "tabs": _tabs(request),
            "may_write": granted(request, request.user, Permission.INVOICE_EDIT),
            "may_export": granted(request, request.user, Permission.MONEY_VIEW),
        },
        part="results",
    )


def narrow(request: HospitalRequest) -> InvoiceFilter:
    """The bills that the address asks for."""
    bills = Invoice.objects.all()
    show = _show(request)
    if show == OWED:
        bills = bills.outstanding()
    elif show == TO_APPROVE:
        bills = bills.awaiting_approval()
    elif show == DRAFTS:
        bills = bills.filter(status=Invoice.Status.DRAFT)
    return InvoiceFilter(request.GET, bills, request=request)


def _show(request: HospitalRequest) -> str:
    asked = request.GET.get("show", "")
    return asked if asked in (OWED, TO_APPROVE, DRAFTS) else ALL


def _tabs(request: HospitalRequest) -> list[Item]:
    show = _show(request)
    given = [(name, str(value)) for name, value in request.GET.items() if value]
    kept = [pair for pair in given if pair[0] not in ("show", "page")]

    def tab(label: str, name: str, count: int | None = None) -> Item:
        asked = [*kept, ("show", name)] if name else kept
        return Item(label=label, url="?" + urlencode(asked), icon="", current=show == name, count=count)

    waiting = Invoice.objects.awaiting_approval().count()
    return [
        tab(_("All"), ALL),
        tab(_("Owed"), OWED),
        tab(_("Discount to approve"), TO_APPROVE, waiting or None),
        tab(_("Drafts"), DRAFTS),
    ]


@require_POST
@requires(Permission.MONEY_VIEW)
def export(request: HospitalRequest) -> StreamingHttpResponse:
    """The bills of the list as a file for spreadsheets. That it was taken stands in the log."""
    narrowed = narrow(request)
    asked = [name for name in (*narrowed.form.fields, "show") if request.GET.get(name)]
    lines = exporting.export(hospital=request.hospital, bills=narrowed.qs, narrowed_by=asked, by=request.user)
    name = f"{request.hospital.slug}-bills-{timezone.localdate():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


@require_safe
@requires(Permission.INVOICE_VIEW)
def detail(request: HospitalRequest, code: UUID) -> HttpResponse:
    """One bill: what is billed, what was paid and given back, what is owed, what can be done, and what happened."""
    return shown(request, code)


def find(code: UUID) -> Invoice:
    """A bill with all that its page, and the question what can be done with it, need."""
    bills = Invoice.objects.with_people().with_books().select_related("claim", "patient__user", "promo_code")
    found = bills.prefetch_related("lines", "payments__refunds", "credit_notes")
    return get_object_or_404(found, code=code)


def shown(request: HospitalRequest, code: UUID, form: Form | None = None, refused: str = "") -> HttpResponse:
    """The bill as it is now; after a refusal with `form`, which says why, in the dialog of the step `refused`."""
    invoice = find(code)
    can = steps.possible(request, invoice)
    claim = getattr(invoice, "claim", None)
    context: dict[str, Any] = {
        "invoice": invoice,
        "tone": TONES[invoice.status],
        "waits": steps.waits(invoice),
        "lines": sorted(invoice.lines.all(), key=lambda line: line.position),
        "has_discount": any(line.discount for line in invoice.lines.all()),
        "payments": [(payment, steps.refundable(request, payment)) for payment in _payments(invoice)],
        "credit_notes": sorted(invoice.credit_notes.all(), key=lambda note: note.issued_at),
        "can": can,
        "claim": claim,
        "can_on_claim": steps.on_claim(request, claim) if claim else [],
        "may_open_patient": granted(request, request.user, Permission.PATIENT_VIEW),
        "claim_tone": CLAIM_TONES.get(claim.status, "") if claim else "",
        "too_much": -invoice.owed,  # type: ignore[attr-defined]  # by with_books
        "history": [(entry(row), _amount_of(row)) for row in _history(invoice)],
        "form": form,
        "reason_error": str(next(iter(form.errors.get("reason", [])), "")) if form else "",
        **_refused(refused, form),
    }
    return page(request, "billing/detail.html", context)


def _refused(step: str, form: Form | None) -> dict[str, str]:
    """What was typed into the dialog of the step that was refused, and what is wrong with it."""
    if form is None or "reason" not in form.fields:
        return {}
    error = str(next(iter(form.errors.get("reason", [])), ""))
    return {f"{step}_error": error, f"{step}_value": str(form["reason"].value() or "")}


def _amount_of(row: AuditLog) -> Decimal | None:
    """What the row is about in rupees, if it is about money."""
    said = row.data.get("amount") or row.data.get("total")
    return Decimal(said) if isinstance(said, str) else None


def _payments(invoice: Invoice) -> list[Any]:
    """By time; of tries to pay online those that came to nothing are left out."""
    kept = [one for one in invoice.payments.all() if one.status not in (one.Status.CREATED, one.Status.VOIDED)]
    return sorted(kept, key=lambda payment: payment.created_at)


def _history(invoice: Invoice) -> list[AuditLog]:
    """What happened to the bill, its payments, refunds, credit notes and claim, the latest first."""
    payments = list(invoice.payments.all())
    refunds = [refund for payment in payments for refund in payment.refunds.all()]
    claim = getattr(invoice, "claim", None)
    things = [invoice, *payments, *refunds, *invoice.credit_notes.all(), *([claim] if claim else [])]
    return list(AuditLog.objects.about_any(things).newest_first()[:_HISTORY])
