"""Writing a bill by hand, and changing one that is not issued yet."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.permissions import Permission, granted, requires
from billing import steps
from billing.forms.bills import WholeBill
from billing.models import Invoice
from billing.services import invoices
from billing.services.invoices import Reckoning
from billing.steps import Step
from billing.views.bills import find
from core.forms import refusals_on
from core.http import HospitalRequest
from core.pages import page
from patients.models import Patient

_FOUND = 8
_ADD, _REMOVE, _CHECK, _ISSUE = "add", "remove", "check", "issue"
_form_door = require_http_methods(["GET", "HEAD", "POST"])


@_form_door
@requires(Permission.INVOICE_EDIT)
def new(request: HospitalRequest) -> HttpResponse:
    """A bill by hand: for whom first (?q= and ?patient=), then what is billed. Saved as a draft, or issued at once."""
    patient = _patient_asked(request)
    if patient is None:
        words = request.GET.get("q", "").strip()
        found = Patient.objects.current().matching(words).by_name()[:_FOUND] if words else []
        may_register = granted(request, request.user, Permission.PATIENT_EDIT)
        context = {"words": words, "patients": found, "may_register": may_register}
        return page(request, "billing/new_patient.html", context, part="results")
    whole = WholeBill(request.hospital, data=_sent(request))
    if _is_final(request) and whole.is_valid():
        with refusals_on(whole.form):
            return _written(request, whole, patient)
    return _page(request, whole, patient, None)


@_form_door
@requires(Permission.INVOICE_EDIT)
def edit(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Change a draft. What was approved of its discount is asked for again."""
    invoice = find(code)
    if not invoice.is_draft:
        return redirect("invoice", invoice.code)
    if Step.EDIT not in steps.possible(request, invoice):
        raise PermissionDenied
    whole = WholeBill(request.hospital, invoice, _sent(request))
    if _is_final(request) and whole.is_valid():
        with refusals_on(whole.form):
            asked = whole.draft(invoice.patient)
            invoices.change(hospital=request.hospital, invoice=invoice, draft=asked, by=request.user, now=now())
            messages.success(request, _("The draft is saved."))
            return redirect("invoice", invoice.code)
    return _page(request, whole, invoice.patient, invoice)


def _sent(request: HospitalRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _act(request: HospitalRequest) -> str:
    return request.POST.get("act", "")


def _is_final(request: HospitalRequest) -> bool:
    return request.method == "POST" and _act(request) != _CHECK and not _changes_rows(request)


def _changes_rows(request: HospitalRequest) -> bool:
    return _act(request) == _ADD or _removed(request) is not None


def _removed(request: HospitalRequest) -> int | None:
    asked = request.POST.get(_REMOVE, "")
    return int(asked) if asked.isdecimal() and len(asked) < 4 else None


def _written(request: HospitalRequest, whole: WholeBill, patient: Patient) -> HttpResponse:
    asked = whole.draft(patient)
    if _act(request) == _ISSUE:
        invoice = invoices.write(hospital=request.hospital, asked=asked, by=request.user, now=now())
    else:
        invoice = invoices.draft(hospital=request.hospital, draft=asked, by=request.user, now=now())
    if not invoice.is_draft:
        messages.success(request, _("Bill %(number)s is issued.") % {"number": invoice.reference})
    elif Invoice.objects.awaiting_approval().filter(pk=invoice.pk).exists():
        messages.warning(request, _("The bill is a draft: its discount waits for approval."))
    else:
        messages.success(request, _("The draft is saved."))
    return redirect("invoice", invoice.code)


def _page(request: HospitalRequest, whole: WholeBill, patient: Patient, invoice: Invoice | None) -> HttpResponse:
    """The form as it was sent, with a row more or less or with its totals, if that is what was pressed."""
    reckoned: Reckoning | None = None
    part = "totals"
    if _changes_rows(request):
        whole.keep(request.POST, add=_act(request) == _ADD, remove=_removed(request))
        part = "lines"
    elif _act(request) == _CHECK and whole.is_valid():
        with refusals_on(whole.form):
            asked = whole.draft(patient)
            reckoned = invoices.preview(hospital=request.hospital, draft=asked, now=now(), invoice=invoice)
    elif invoice and request.method != "POST":
        reckoned = Reckoning(list(invoice.lines.all()), invoice.promo_code)
    context = {
        "form": whole.form,
        "lines": whole.lines,
        "patient": patient,
        "invoice": invoice,
        "reckoned": reckoned,
    }
    return page(request, "billing/write.html", context, part=part)


def _patient_asked(request: HospitalRequest) -> Patient | None:
    try:
        code = UUID(request.GET.get("patient", ""))
    except ValueError:
        return None
    return Patient.objects.current().filter(code=code).first()
