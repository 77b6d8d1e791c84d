"""The register of patients, for the people who work with them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import Permission, granted, may, requires, role_of
from audit.models import Action, AuditLog
from core.forms import refusals_on
from core.http import HospitalRequest
from core.menus import Item
from core.pages import divide, page
from hospitals.entries import entry
from patients.filters import SHOWN
from patients.forms import Blocking, Clinical, Details, Registration, Step, present
from patients.models import Merge, Patient
from patients.services import merging
from patients.services import register as services

_form_door = require_http_methods(["GET", "HEAD", "POST"])
_HISTORY, _VISITS = 20, 10


@require_safe
@requires(Permission.PATIENT_VIEW)
def index(request: HospitalRequest) -> HttpResponse:
    """Everybody, by words (?q=), or those who look like somebody else or may not book online (?show=)."""
    words, show = request.GET.get("q", "").strip(), request.GET.get("show", "")
    rows = Patient.objects.visible_to(request.user, role_of(request, request.user)).matching(words)
    labels = {"": _("All"), **SHOWN}
    show = show if show in labels else ""
    context = {
        "rows": divide(request, rows.needing(show).by_name()),
        "words": words,
        "show": show,
        "tabs": [
            Item(
                label=str(label),
                url="?" + urlencode({key: value for key, value in (("q", words), ("show", name)) if value}),
                icon="",
                current=name == show,
            )
            for name, label in labels.items()
        ],
        "may": _may(request),
    }
    return page(request, "patients/index.html", context, part="results")


@_form_door
@requires(Permission.PATIENT_EDIT)
def add(request: HospitalRequest) -> HttpResponse:
    """A new patient, after a look at who may be the same person."""
    form = Registration(request.POST if request.method == "POST" else None, initial={"name": request.GET.get("name")})
    if form.is_valid():
        with refusals_on(form):
            patient = services.register(details=form.details, by=request.user, is_new=form.cleaned_data["is_new"])
            messages.success(
                request,
                _("%(name)s is registered as %(number)s.") % {"name": patient.name, "number": patient.number},
            )
            return redirect("patient_detail", patient.code)
    refusal = getattr(form, "refusal", None)
    matches = refusal.matches if isinstance(refusal, services.PossibleDouble) else []
    return page(request, "patients/add.html", {"form": form, "matches": matches})


@require_safe
@requires(Permission.PATIENT_VIEW)
def detail(request: HospitalRequest, code: UUID) -> HttpResponse:
    """One patient: who they are, what must be known before a visit, their visits. A merged entry leads to the kept one."""
    gone = Patient.objects.filter(code=code, merged_into__isnull=False).select_related("merged_into").first()
    if gone and gone.merged_into:
        return redirect("patient_detail", gone.merged_into.code)
    return _detail(request, _find(request, code))


@_form_door
@requires(Permission.PATIENT_EDIT)
def edit(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Correct who they are and how they are reached."""
    return _change(request, _find(request, code), Details, _("Name and contact"))


@_form_door
@requires(Permission.PATIENT_CLINICAL)
def clinical(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Write down what must be known before a visit: allergies above all."""
    return _change(request, _find(request, code), Clinical, _("Allergies and conditions"))


def _change(request: HospitalRequest, patient: Patient, kind: type[Form], title: str) -> HttpResponse:
    form = kind(request.POST if request.method == "POST" else None, initial=present(patient, kind))
    if form.is_valid():
        with refusals_on(form):
            services.change(patient=patient, details=form.cleaned_data, by=request.user)
            messages.success(request, _("What you changed about %(name)s is saved.") % {"name": patient.name})
            return redirect("patient_detail", patient.code)
    return page(request, "patients/edit.html", {"form": form, "patient": patient, "heading": title})


@require_POST
@requires(Permission.PATIENT_MERGE)
def block(request: HospitalRequest, code: UUID) -> HttpResponse:
    """No online booking for this patient."""
    patient = _find(request, code)
    form = Blocking(request.POST, auto_id="block-%s")
    if form.is_valid():
        with refusals_on(form):
            services.block(patient=patient, by=request.user, **form.cleaned_data)
    return _after(request, patient, form, _("%(name)s cannot book online any more.") % {"name": patient.name})


@require_POST
@requires(Permission.PATIENT_MERGE)
def unblock(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Online booking again."""
    patient = _find(request, code)
    form = Step(request.POST)
    with refusals_on(form):
        services.unblock(patient=patient, by=request.user)
    return _after(request, patient, form, _("%(name)s can book online again.") % {"name": patient.name})


@require_POST
@requires(Permission.PATIENT_MERGE)
def unmerge(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Two entries again; `code` is the one that was merged into the other."""
    merged = Patient.objects.filter(merged_into__isnull=False).select_related("merged_into")
    gone = get_object_or_404(merged, code=code)
    form = Step(request.POST)
    with refusals_on(form):
        merging.unmerge(gone=gone, by=request.user, now=now())
    if form.is_valid() or gone.merged_into is None:
        messages.success(request, _("%(number)s is an entry of its own again.") % {"number": gone.number})
        return redirect("patient_detail", gone.code)
    return _detail(request, gone.merged_into, form)


def _find(request: HospitalRequest, code: UUID) -> Patient:
    rows = Patient.objects.visible_to(request.user, role_of(request, request.user))
    return get_object_or_404(rows.select_related("user"), code=code)


def _may(request: HospitalRequest) -> list[str]:
    return may(
        request,
        request.user,
        change=Permission.PATIENT_EDIT,
        clinical=Permission.PATIENT_CLINICAL,
        merge=Permission.PATIENT_MERGE,
    )


def _after(request: HospitalRequest, patient: Patient, form: Form, done: str) -> HttpResponse:
    """Back to the patient, or, after a refusal, the patient as they are now with what was refused and why."""
    if form.is_valid():
        messages.success(request, done)
        return redirect("patient_detail", patient.code)
    return _detail(request, _find(request, patient.code), form)


def _fields(row: AuditLog) -> str:
    """The fields that a change was about, in words."""
    names = filter(None, str(row.data.get("fields", "")).split(", "))
    labels = [str(Patient._meta.get_field(name).verbose_name) for name in names]  # type: ignore[union-attr]
    return capfirst(", ".join(labels))


def _detail(request: HospitalRequest, patient: Patient, form: Form | None = None) -> HttpResponse:
    own = _may(request)
    history = AuditLog.objects.about(patient).newest_first()
    visits = patient.appointments.visible_to(request.user, role_of(request, request.user)).with_people()
    context: dict[str, Any] = {
        "patient": patient,
        "may": own,
        "visits": visits.order_by("-starts_at", "-pk")[:_VISITS],
        "sees_all_visits": granted(request, request.user, Permission.APPOINTMENT_VIEW),
        "history": [(entry(row), _fields(row)) for row in history[:_HISTORY]],
        "form": form,
        "reason_error": str(next(iter(form.errors.get("reason", [])), "")) if form else "",
        "reason_value": str(form["reason"].value() or "") if isinstance(form, Blocking) else "",
    }
    if patient.is_blocked:
        context["blocked"] = history.filter(action=Action.PATIENT_BLOCKED).first()
    if "merge" in own:
        said = {"name": patient.name, "birth_date": patient.birth_date, "phone": patient.phone}
        context["doubles"] = services.doubles_of(said, besides=patient)
        context["merges"] = Merge.objects.filter(kept=patient, undone_at__isnull=True).select_related("gone")
    return page(request, "patients/detail.html", context)
