"""What is done with a bill: issuing it, taking it back, and deciding about its discount."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.permissions import Permission, requires
from billing.forms.bills import Credit, Reason, Step
from billing.models import Invoice
from billing.services import crediting, discounts, invoices
from billing.views.bills import find, shown
from core.forms import refusals_on
from core.http import HospitalRequest
from core.pages import page


@require_POST
@requires(Permission.INVOICE_EDIT)
def issue(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Give a draft its number, and send it to the patient."""
    invoice, form = _find(code), Step(request.POST)
    with refusals_on(form):
        invoices.issue(hospital=request.hospital, invoice=invoice, by=request.user, now=now(), is_sent=True)
    return _after(request, invoice, form, "issue", _("Bill %(number)s is issued.") % {"number": invoice.reference})


@require_POST
@requires(Permission.INVOICE_EDIT)
def cancel(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Drop a draft, or take a bill back on which nothing was paid."""
    invoice, form = _find(code), Reason(request.POST, auto_id="cancel-%s")
    if form.is_valid():
        asked: dict[str, Any] = {"by": request.user, "now": now(), **form.cleaned_data}
        with refusals_on(form):
            crediting.cancel(hospital=request.hospital, invoice=invoice, **asked)
    done = _("The bill is cancelled.") if invoice.number else _("The draft is dropped.")
    return _after(request, invoice, form, "cancel", done)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.INVOICE_EDIT)
def credit(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Take a part of what is owed back, by a credit note."""
    invoice = find(code)
    form = Credit(request.POST if request.method == "POST" else None)
    if form.is_valid():
        asked: dict[str, Any] = {"by": request.user, "now": now(), **form.cleaned_data}
        with refusals_on(form):
            note = crediting.correct(hospital=request.hospital, invoice=invoice, **asked)
            messages.success(request, _("Credit note %(number)s is issued.") % {"number": note.reference})
            return redirect("invoice", invoice.code)
    return page(request, "billing/credit.html", {"invoice": invoice, "form": form})


@require_POST
@requires(Permission.INVOICE_EDIT)
def send(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Send the bill to the patient by e-mail, once more if it was sent before."""
    invoice, form = _find(code), Step(request.POST)
    with refusals_on(form):
        invoices.send(hospital=request.hospital, invoice=invoice, by=request.user)
    return _after(request, invoice, form, "send", _("The bill is on its way to the patient."))


@require_POST
@requires(Permission.MONEY_APPROVE)
def approve_discount(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Let a discount above the limit pass."""
    invoice, form = _find(code), Step(request.POST)
    with refusals_on(form):
        discounts.approve(invoice=invoice, by=request.user, now=now())
    return _after(request, invoice, form, "approve", _("The discount is approved. The bill can be issued."))


@require_POST
@requires(Permission.MONEY_APPROVE)
def decline_discount(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Refuse it: the draft is dropped."""
    invoice, form = _find(code), Reason(request.POST, auto_id="decline-%s")
    if form.is_valid():
        with refusals_on(form):
            discounts.decline(invoice=invoice, by=request.user, **form.cleaned_data)
    return _after(request, invoice, form, "decline", _("The discount is declined, and the draft dropped."))


def _find(code: UUID) -> Invoice:
    return get_object_or_404(Invoice, code=code)


def _after(request: HospitalRequest, invoice: Invoice, form: Form, step: str, done: str) -> HttpResponse:
    """Back to the bill; after a refusal the bill as it is now, with what was refused and why."""
    if form.is_valid():
        messages.success(request, done)
        return redirect("invoice", invoice.code)
    return shown(request, invoice.code, form, step)
