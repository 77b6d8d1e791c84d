"""The office's doctors: who applies, who is verified, and deciding on them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import urlencode
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Permission, requires
from audit.models import AuditLog
from core.forms import refusals_on
from core.http import HospitalRequest
from core.menus import Item
from core.pages import divide, page
from hospitals.entries import entry
from hospitals.forms.doctors import Approval, Asking, Rejection
from hospitals.models import Department, Doctor, DoctorDocument, Doctors
from hospitals.services.doctors import reviewing

Status = Doctor.Status
TONES = {Status.PENDING: "info", Status.MORE_ASKED: "warn", Status.APPROVED: "ok", Status.REJECTED: "bad"}
ALL = "all"


@require_safe
@requires(Permission.DOCTOR_REVIEW)
def index(request: HospitalRequest) -> HttpResponse:
    """Doctors by where they stand (?status=) and words (?q=); those that wait longest come first."""
    words = request.GET.get("q", "").strip()
    status = request.GET.get("status", "")
    if status not in (*TONES, ALL):
        status = Status.PENDING
    found = Doctor.objects.sent().matching(words)
    rows = found if status == ALL else found.filter(status=status)
    order = ("sent_at", "pk") if status == Status.PENDING else ("-created_at", "-pk")
    return page(
        request,
        "office/doctors.html",
        {
            "doctors": divide(request, rows.with_people().order_by(*order)),
            "tabs": _tabs(found, words, status),
            "tones": TONES,
            "status": status,
            "words": words,
        },
        part="results",
    )


def _tabs(found: Doctors, words: str, status: str) -> list[Item]:
    counts = dict(found.values_list("status").annotate(Count("pk")).order_by())
    tabs = [(str(one.value), str(one.label), counts.get(one.value, 0)) for one in TONES]
    return [
        Item(
            label=label,
            url="?" + urlencode({"status": value, **({"q": words} if words else {})}),
            icon="",
            current=value == status,
            count=count,
        )
        for value, label, count in [*tabs, (ALL, _("All"), sum(counts.values()))]
    ]


@require_safe
@requires(Permission.DOCTOR_REVIEW)
def review(request: HospitalRequest, code: UUID) -> HttpResponse:
    """One doctor: what they say, their documents beside it, and the decision."""
    return _review(request, _doctor(code))


@require_POST
@requires(Permission.DOCTOR_REVIEW)
def approve(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Verify the doctor and give them a department."""
    doctor = _doctor(code)
    form = Approval(request.POST)
    if form.is_valid():
        with refusals_on(form):
            reviewing.approve(hospital=request.hospital, doctor=doctor, by=request.user, now=now(), **form.cleaned_data)
    return _after(request, code, form, _("%(name)s is verified and is told so.") % {"name": doctor})


@require_POST
@requires(Permission.DOCTOR_REVIEW)
def ask(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Hand the application back, saying what is missing."""
    doctor = _doctor(code)
    form = Asking(request.POST, auto_id="ask-%s")
    if form.is_valid():
        with refusals_on(form):
            reviewing.ask(hospital=request.hospital, doctor=doctor, by=request.user, **form.cleaned_data)
    return _after(request, code, form, _("%(name)s is told what is missing.") % {"name": doctor})


@require_POST
@requires(Permission.DOCTOR_REVIEW)
def reject(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Turn the application down, with a reason."""
    doctor = _doctor(code)
    form = Rejection(request.POST, auto_id="reject-%s")
    if form.is_valid():
        with refusals_on(form):
            reviewing.reject(hospital=request.hospital, doctor=doctor, by=request.user, **form.cleaned_data)
    return _after(
        request, code, form, _("The application of %(name)s is rejected, and they are told why.") % {"name": doctor}
    )


@require_POST
@requires(Permission.DOCTOR_REVIEW)
def department(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Move a verified doctor to another department."""
    doctor = _doctor(code)
    form = Approval(request.POST, present=doctor.department)
    if form.is_valid():
        with refusals_on(form):
            reviewing.change_department(hospital=request.hospital, doctor=doctor, by=request.user, **form.cleaned_data)
    return _after(request, code, form, _("The department of %(name)s is saved.") % {"name": doctor})


def _doctor(code: UUID) -> Doctor:
    return get_object_or_404(Doctor.objects.sent().with_people(), code=code)


def _after(request: HospitalRequest, code: UUID, form: Form, done: str) -> HttpResponse:
    """Back to the doctor, or, after a refusal, the doctor as they stand now with what was refused and why."""
    if form.is_valid():
        messages.success(request, done)
        return redirect("doctor_review", code)
    return _review(request, _doctor(code), form)


def _review(request: HospitalRequest, doctor: Doctor, form: Form | None = None) -> HttpResponse:
    return page(
        request,
        "office/doctor.html",
        {
            "doctor": doctor,
            "tone": TONES[Status(doctor.status)],
            "is_decidable": doctor.status in reviewing.DECIDABLE,
            "documents": sorted(doctor.documents.all(), key=_licences_first),
            "steps": [entry(row) for row in AuditLog.objects.about(doctor).newest_first()],
            "department_form": form if isinstance(form, Approval) else Approval(present=doctor.department),
            "has_departments": Department.objects.active().exists(),
            "form": form,
            **_typed(form),
        },
    )


def _licences_first(document: DoctorDocument) -> tuple[bool, int]:
    return document.kind != DoctorDocument.Kind.LICENCE, document.pk


def _typed(form: Form | None) -> dict[str, Any]:
    """What was typed into a refused step, and what is wrong with it; both go back to where they were typed."""
    typed = {f"{name}_{part}": "" for name in ("answer", "reason") for part in ("value", "error")}
    name = "answer" if isinstance(form, Asking) else "reason" if isinstance(form, Rejection) else ""
    if form is None or not name:
        return typed
    written = str(form[name].value() or "")
    if form.non_field_errors():  # this step is no longer possible: what was written is there to be copied
        return typed | {"unused": written}
    return typed | {f"{name}_value": written, f"{name}_error": str(next(iter(form.errors.get(name, [])), ""))}
