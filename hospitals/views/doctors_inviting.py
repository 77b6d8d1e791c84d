"""Inviting doctors the hospital knows: one by one, or from a file."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import Permission, requires
from core.forms import refusals_on
from core.http import HospitalRequest
from core.pages import page
from hospitals.forms.doctors import Import, Invitation
from hospitals.services.doctors import importing, inviting


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.DOCTOR_REVIEW)
def invite(request: HospitalRequest) -> HttpResponse:
    """One doctor, verified on the hospital's own word."""
    form = Invitation(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            doctor = inviting.invite(hospital=request.hospital, invited=form.invited(), by=request.user, now=now())
            messages.success(request, _("%(name)s is invited by e-mail.") % {"name": doctor})
            return redirect("doctor_review", doctor.code)
    return page(request, "office/doctor_invite.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.DOCTOR_REVIEW)
def import_file(request: HospitalRequest) -> HttpResponse:
    """A file of doctors: first what it would do, with every fault; then, on a second press, all of it."""
    form = Import(*((request.POST, request.FILES) if request.method == "POST" else ()))
    found, text = None, ""
    if form.is_valid():
        text = form.cleaned_data["text"]
        with refusals_on(form):
            if "confirm" in request.POST and not form.cleaned_data["csv"]:
                count = importing.run(hospital=request.hospital, text=text, by=request.user, now=now())
                messages.success(
                    request,
                    ngettext("%(n)d doctor is invited by e-mail.", "%(n)d doctors are invited by e-mail.", count)
                    % {"n": count},
                )
                return redirect("doctor_admin")
            found = importing.look(text=text)
    response = page(
        request,
        "office/doctor_import.html",
        {"form": form, "found": found, "text": text, "columns": list(importing.COLUMNS)},
    )
    if found and found.faults:
        response.status_code = 422
    return response


@require_safe
@requires(Permission.DOCTOR_REVIEW)
def import_template(request: HospitalRequest) -> HttpResponse:
    """An empty file with the right heading."""
    return HttpResponse(
        importing.template(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="doctors.csv"'},
    )
