"""Comparisons of the gateway with the books: the last ones, one that is asked for now, and the settlement file."""

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import Permission, requires
from billing.forms.discrepancies import SettlementFile
from billing.models import Discrepancy, Reconciliation
from billing.services import reconciling, settlement_files
from billing.services.settlements import Taken
from core.errors import NotAllowedNow
from core.forms import refusals_on
from core.http import HospitalRequest
from core.pages import divide, page


@require_safe
@requires(Permission.MONEY_VIEW)
def index(request: HospitalRequest) -> HttpResponse:
    """The last comparisons with what they found; one that goes on shows how far it is."""
    return _shown(request)


def _shown(request: HospitalRequest, form: Form | None = None) -> HttpResponse:
    rows = divide(request, Reconciliation.objects.exclude(ended_at=None).newest_first())
    context = {
        "rows": rows,
        "running": Reconciliation.objects.running().filter(began_at__gte=now() - reconciling.LEASE).first(),
        "open": Discrepancy.objects.open().count(),
        "upload": form or SettlementFile(),
        "form": form,
        "faults": getattr(getattr(form, "refusal", None), "faults", []),
    }
    return page(request, "reconciliation/comparisons.html", context, part="" if form else "results")


@require_POST
@requires(Permission.MONEY_VIEW)
def compare(request: HospitalRequest) -> HttpResponse:
    """Have everything compared now."""
    form = Form(request.POST)
    with refusals_on(form):
        reconciling.ask(now=now())
    if isinstance(getattr(form, "refusal", None), NotAllowedNow):
        messages.info(request, str(form.non_field_errors()[0]))
    return redirect("reconciliations")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.MONEY_VIEW)
def take_file(request: HospitalRequest) -> HttpResponse:
    """Take in the settlement report that Razorpay's dashboard exports."""
    if request.method != "POST":
        return redirect("reconciliations")
    form = SettlementFile(request.POST, request.FILES)
    if form.is_valid():
        with refusals_on(form):
            content = form.cleaned_data["file"]
            taken = settlement_files.take_in(hospital=request.hospital, content=content, by=request.user, now=now())
            messages.success(request, _said(taken))
            return redirect("reconciliations")
    return _shown(request, form)


def _said(taken: Taken) -> str:
    words = [
        ngettext("%(n)d line is taken in.", "%(n)d lines are taken in.", taken.new) % {"n": taken.new}
        if taken.new
        else _("Nothing in this file is new.")
    ]
    if taken.others:
        sentence = ngettext(
            "%(n)d line is of a payment that is not this hospital’s, and was left out.",
            "%(n)d lines are of payments that are not this hospital’s, and were left out.",
            taken.others,
        )
        words.append(sentence % {"n": taken.others})
    return " ".join(words)
