"""Taking money for a bill, one payment with all that is known of it, and the list of payments."""

from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import Permission, granted, requires
from audit.models import AuditLog
from billing import steps
from billing.filters import PaymentFilter
from billing.forms.cash import Take, plain
from billing.models import CashDay, Invoice, Method, Payment
from billing.services import exporting, gateway, ledger, payments
from billing.steps import Step
from core.forms import refusals_on
from core.http import HospitalRequest
from core.pages import divide, page
from hospitals.entries import entry

_HISTORY = 20
TONES = {
    Payment.Status.CREATED: "",
    Payment.Status.AUTHORIZED: "info",
    Payment.Status.CAPTURED: "ok",
    Payment.Status.FAILED: "bad",
    Payment.Status.VOIDED: "warn",
}


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PAYMENT_TAKE)
def take(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Take money for a bill. A draft is issued with it; the same form sent twice takes it once."""
    bills = Invoice.objects.with_people().with_books().prefetch_related("lines")
    invoice: Any = get_object_or_404(bills, code=code)
    owed = invoice.total if invoice.is_draft else invoice.owed
    day = CashDay.objects.open_of(request.user)
    form = Take(request.POST or None, owed=max(owed, Decimal()), method=Method.CASH if day else Method.UPI)
    if form.is_valid():
        with refusals_on(form):
            payment = payments.take(
                hospital=request.hospital, invoice=invoice, taking=form.taking, by=request.user, now=now()
            )
            asked = urlencode({"change": plain(form.change)}) if form.change else ""
            return redirect(f"{reverse('payment_taken', args=[payment.code])}{'?' if asked else ''}{asked}")
    context = {
        "invoice": invoice,
        "owed": owed,
        "day": day,
        "form": form,
        "may_take": Step.TAKE in steps.possible(request, invoice),
        "waits": steps.waits(invoice),
        "lines": sorted(invoice.lines.all(), key=lambda line: line.position),
        "order": invoice.orders.live().exclude(gateway_id=None).first(),
    }
    return page(request, "cash/take.html", context)


@require_safe
@requires(Permission.PAYMENT_TAKE)
def taken(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Money was taken: the change to give back (?change=), the receipt, and the next one."""
    received = Payment.objects.captured().exclude(method=Method.ONLINE).select_related("invoice__patient")
    payment = get_object_or_404(received, code=code)
    owed = ledger.owed_on(payment.invoice)
    context = {"payment": payment, "change": _amount(request.GET.get("change", "")), "owed": owed}
    return page(request, "cash/taken.html", context)


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return Decimal()
    return amount if amount.is_finite() and 0 < amount < 10**9 else Decimal()


@require_safe
@requires(Permission.INVOICE_VIEW)
def detail(request: HospitalRequest, code: UUID) -> HttpResponse:
    """One payment: how it stands, what the gateway calls it, what went back of it, and what happened."""
    found = Payment.objects.with_people().select_related("order__account", "cash_day")
    payment = get_object_or_404(found.prefetch_related("refunds"), code=code)
    refunds = sorted(payment.refunds.all(), key=lambda refund: refund.created_at)
    tries = payment.order.payments.order_by("created_at", "pk") if payment.order else []
    context = {
        "payment": payment,
        "tone": TONES[Payment.Status(payment.status)],
        "tries": [(one, TONES[Payment.Status(one.status)]) for one in tries],
        "is_test": bool(payment.order and gateway.is_test(gateway.key_id_of(payment.order))),
        "refunds": refunds,
        "refundable": steps.refundable(request, payment),
        "may_refund": granted(request, request.user, Permission.REFUND_GIVE),
        "may_list": granted(request, request.user, Permission.MONEY_VIEW),
        "history": [entry(row) for row in AuditLog.objects.about_any([payment]).newest_first()[:_HISTORY]],
    }
    return page(request, "cash/payment.html", context)


@require_safe
@requires(Permission.MONEY_VIEW)
def index(request: HospitalRequest) -> HttpResponse:
    """All payments, the latest first, with what those that arrived come to together."""
    narrowed = PaymentFilter(request.GET, Payment.objects.all(), request=request)
    shown = divide(request, narrowed.qs.with_people().newest_first())
    context = {
        "rows": shown,
        "listed": [(payment, TONES[Payment.Status(payment.status)]) for payment in shown],
        "received": narrowed.qs.captured().sum(),
        "form": narrowed.form,
        "is_narrowed": any(request.GET.get(name) for name in narrowed.form.fields),
    }
    return page(request, "cash/payments.html", context, part="results")


@require_POST
@requires(Permission.MONEY_VIEW)
def export(request: HospitalRequest) -> StreamingHttpResponse:
    """The payments of the list as a file for spreadsheets. That it was taken stands in the log."""
    narrowed = PaymentFilter(request.GET, Payment.objects.all(), request=request)
    asked = [name for name in narrowed.form.fields if request.GET.get(name)]
    lines = exporting.export_payments(
        hospital=request.hospital, payments=narrowed.qs, narrowed_by=asked, by=request.user
    )
    name = f"{request.hospital.slug}-payments-{timezone.localdate():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )
