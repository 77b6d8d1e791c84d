"""Merging two entries that are one person: finding the other one, and choosing what is right."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.permissions import Permission, requires, role_of
from core.forms import refusals_on
from core.http import HospitalRequest
from core.pages import divide, page
from patients.forms import Merge
from patients.models import Patient
from patients.services import merging as services
from patients.services import register


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PATIENT_MERGE)
def merge(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Choose who is the same person (?q=), then (?with=, by its code) look at both side by side. `code` stays."""
    everybody = Patient.objects.visible_to(request.user, role_of(request, request.user))
    kept = get_object_or_404(everybody.select_related("user"), code=code)
    others = everybody.exclude(pk=kept.pk)
    if "with" not in request.GET:
        words = request.GET.get("q", "").strip()
        said = {"name": kept.name, "birth_date": kept.birth_date, "phone": kept.phone}
        context = {
            "kept": kept,
            "words": words,
            "doubles": [] if words else register.doubles_of(said, besides=kept),
            "rows": divide(request, others.matching(words).by_name()) if words else [],
        }
        return page(request, "patients/merge_with.html", context, part="results")
    gone = get_object_or_404(others.select_related("user"), code=_code(request.GET["with"]))
    form = Merge(request.POST if request.method == "POST" else None, kept=kept, gone=gone)
    if form.is_valid():
        with refusals_on(form):
            services.merge(kept=kept, gone=gone, by=request.user, now=now(), take=form.take)
            messages.success(
                request, _("%(gone)s is merged into %(kept)s.") % {"gone": gone.number, "kept": kept.number}
            )
            return redirect("patient_detail", kept.code)
    return page(request, "patients/merge.html", {"form": form, "kept": kept, "gone": gone})


def _code(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None
