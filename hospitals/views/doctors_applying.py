"""How a doctor applies: what it takes, the application, its documents."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import Permission, requires, role_of
from core import documents
from core.forms import refusals_on
from core.http import HospitalRequest
from core.pages import page
from hospitals.forms.doctors import ApplicationForm, DocumentForm
from hospitals.models import Doctor, DoctorDocument
from hospitals.services.doctors import applying


@require_safe
@requires(Permission.PUBLIC)
def join(request: HospitalRequest) -> HttpResponse:
    """What a doctor needs to join, and how it goes."""
    is_known = getattr(request.user, "is_authenticated", False)
    application_url = reverse("doctor_application")
    go_on = f"{reverse('sign_up')}?{urlencode({'next': application_url})}"
    return page(
        request,
        "doctors/join.html",
        {
            "begin_url": application_url if is_known else go_on,
            "sign_in_url": f"{reverse('sign_in')}?{urlencode({'next': application_url})}",
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.OWN_ACCOUNT)
def application(request: HospitalRequest) -> HttpResponse:
    """The application. Each of its buttons keeps all that is right, so that nothing typed or uploaded is lost."""
    doctor = applying.of(request.user)
    if doctor and doctor.is_verified:
        return redirect("start")
    if "discard" in request.POST:
        applying.discard(user=request.user)
        messages.success(request, _("The application is discarded."))
        return redirect("home")
    form = _form(request, doctor)
    if form.is_bound:
        form.is_valid()
        with refusals_on(form):
            done = _step(request, doctor, form)
            if form.is_valid():
                messages.success(request, done)
                return redirect("doctor_application")
        doctor = applying.of(request.user)
    return page(
        request,
        "doctors/application.html",
        {
            "form": form,
            "doctor": doctor,
            "is_open": doctor is None or doctor.status in applying.EDITABLE,
            "documents": doctor.documents.order_by("pk") if doctor else [],
            "role_in_the_way": applying.role_in_the_way(request.user),
        },
    )


def _form(request: HospitalRequest, doctor: Doctor | None) -> ApplicationForm | DocumentForm:
    """What may be said now: everything, or only a document more."""
    data, files = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form: ApplicationForm | DocumentForm
    if doctor and doctor.status not in applying.EDITABLE:
        form = DocumentForm(data, files)
    else:
        form = ApplicationForm(data, files, initial=_known(doctor))
        form.is_whole = "send" in request.POST
    form.is_alone = "add" in request.POST
    return form


def _known(doctor: Doctor | None) -> dict[str, Any]:
    names = [*ApplicationForm.needed, "department"]
    return {name: getattr(doctor, name) for name in names} if doctor else {}


def _step(request: HospitalRequest, doctor: Doctor | None, form: ApplicationForm | DocumentForm) -> str:
    """Do what the pressed button says; return the sentence that says it is done."""
    given, user = form.given(), request.user
    if "send" in request.POST and form.is_valid():
        applying.send(hospital=request.hospital, user=user, now=now(), **given)
        return _("Your application is sent. We write to you as soon as it is decided.")
    without = _unwanted(doctor, request.POST.get("remove", ""))
    applying.keep(hospital=request.hospital, user=user, without=without, **given)
    if without:
        return _("%(name)s is removed.") % {"name": without}
    if given.get("document"):
        return _("%(name)s is added.") % {"name": given["document"].name}
    return _("Your application is saved. Send it when it is complete.")


def _unwanted(doctor: Doctor | None, code: str) -> DoctorDocument | None:
    """The document to be removed, one of the doctor's own."""
    mine = {str(one.code): one for one in doctor.documents.select_related("doctor")} if doctor and code else {}
    return mine.get(code)


@require_safe
@requires(Permission.OWN_ACCOUNT)
def document(request: HospitalRequest, code: UUID) -> FileResponse:
    """A certificate, for its doctor and for who reviews doctors here."""
    role = role_of(request, request.user)
    kept = get_object_or_404(DoctorDocument.objects.visible_to(request.user, role), code=code)
    return documents.answer(path=kept.path, name=kept.name, content_type=kept.content_type)
