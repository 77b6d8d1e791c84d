"""What a hospital knows of oneself and one's family, to be seen and corrected by oneself."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import Permission, requires
from core.forms import refusals_on
from core.http import HospitalRequest
from core.pages import page
from patients.forms import OwnDetails, present
from patients.models import Patient
from patients.services import register


@require_safe
@requires(Permission.OWN_ACCOUNT)
def details(request: HospitalRequest) -> HttpResponse:
    """One's own entry and those of one's family."""
    return page(request, "patients/own.html", {"rows": Patient.objects.looked_after_by(request.user)})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.OWN_ACCOUNT)
def edit(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Correct one of them."""
    patient = get_object_or_404(Patient.objects.looked_after_by(request.user), code=code)
    form = OwnDetails(request.POST if request.method == "POST" else None, initial=present(patient, OwnDetails))
    if form.is_valid():
        with refusals_on(form):
            register.change(patient=patient, details=form.cleaned_data, by=request.user)
            messages.success(request, _("What you changed is saved."))
            return redirect("own_details")
    return page(request, "patients/own_edit.html", {"form": form, "patient": patient})
