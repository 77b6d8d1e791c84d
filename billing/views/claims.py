"""Insurers: what they cover of a bill, and the claims that are open."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import Permission, requires
from billing import steps
from billing.filters import ClaimFilter
from billing.forms.cash import plain
from billing.forms.claims import FORMS, Cover
from billing.models import InsuranceClaim, Invoice
from billing.services import insurance
from billing.steps import ClaimStep, Step
from billing.views.bills import CLAIM_TONES, find
from core.forms import refusals_on
from core.http import HospitalRequest
from core.pages import divide, page

_form_door = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@requires(Permission.INVOICE_VIEW)
def index(request: HospitalRequest) -> HttpResponse:
    """Claims that are not decided and paid yet, the oldest first; or those of one status."""
    narrowed = ClaimFilter(request.GET, InsuranceClaim.objects.all(), request=request)
    shown = divide(request, narrowed.qs.with_bills().oldest_first())
    context = {
        "rows": shown,
        "listed": [(claim, CLAIM_TONES.get(claim.status, "")) for claim in shown],
        "form": narrowed.form,
        "is_narrowed": any(request.GET.get(name) for name in narrowed.form.fields),
    }
    return page(request, "billing/claims.html", context, part="results")


@_form_door
@requires(Permission.INVOICE_EDIT)
def cover(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Write down who insures the patient for this bill, or correct it as long as the claim is not sent."""
    invoice = find(code)
    claim: InsuranceClaim | None = getattr(invoice, "claim", None)
    can_change = claim is not None and ClaimStep.CHANGE in steps.on_claim(request, claim)
    if not can_change and Step.INSURE not in steps.possible(request, invoice):
        raise PermissionDenied
    form = Cover(request.POST if request.method == "POST" else None, initial=_initial(invoice, claim))
    if form.is_valid():
        said = insurance.Cover(**form.cleaned_data)
        with refusals_on(form):
            if claim:
                insurance.change(claim=claim, cover=said, by=request.user)
            else:
                insurance.note(invoice=invoice, cover=said, by=request.user, now=now())
            messages.success(request, _("The insurance of this bill is saved."))
            return redirect("invoice", invoice.code)
    return page(request, "billing/cover.html", {"invoice": invoice, "claim": claim, "form": form})


def _initial(invoice: Invoice, claim: InsuranceClaim | None) -> dict[str, Any]:
    if claim:
        return {name: getattr(claim, name) for name in Cover.base_fields} | {"amount": plain(claim.amount)}
    owed = invoice.owed  # type: ignore[attr-defined]  # by with_books
    return {"amount": plain(invoice.total if invoice.is_draft else owed)}


@_form_door
@requires(Permission.INVOICE_EDIT)
def claim_step(request: HospitalRequest, code: UUID, step: str) -> HttpResponse:
    """What the insurer said or was told: asked for here, then written down."""
    if step not in FORMS:
        raise Http404
    claim = get_object_or_404(InsuranceClaim.objects.with_bills(), invoice__code=code)
    taken = ClaimStep(step)
    form = FORMS[taken](request.POST if request.method == "POST" else None, initial=_said_before(claim))
    if form.is_valid():
        with refusals_on(form):
            steps.take(taken, claim=claim, by=request.user, now=now(), **form.cleaned_data)
            messages.success(request, _("The insurance of this bill is saved."))
            return redirect("invoice", code)
    if request.method != "POST" and taken not in steps.on_claim(request, claim):
        return redirect("invoice", code)
    return page(request, "billing/claim_step.html", {"claim": claim, "step": taken, "form": form})


def _said_before(claim: InsuranceClaim) -> dict[str, Any]:
    return {"amount": plain(claim.amount), "claim_number": claim.claim_number}
