"""Many visits at once: cancelled, moved, or taken out as a file."""

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.permissions import Permission, requires
from appointments.forms.office import CancelMany, MoveMany
from appointments.models import Appointment, Status
from appointments.services import bulk, exporting
from appointments.views.office import narrow
from appointments.views.rows import codes_of
from core.forms import refusals_on
from core.http import HospitalRequest
from core.pages import page

_CANCEL, _MOVE = "cancel", "move"
_OPEN = {
    _CANCEL: [Status.PENDING, Status.CONFIRMED, Status.CHECKED_IN],
    _MOVE: [Status.PENDING, Status.CONFIRMED],
}


@require_POST
@requires(Permission.APPOINTMENT_OVERRIDE)
def change(request: HospitalRequest) -> HttpResponse:
    """Cancel or move the visits that were ticked, or all that the list shows: first asked, then done, then told.

    What was ticked is carried through the question as it was, so that what is done is what was seen.
    """
    act = _MOVE if request.POST.get("act") == _MOVE else _CANCEL
    chosen = _chosen(request, act)
    refusal = _too_few_or_many(chosen)
    if refusal:
        messages.error(request, refusal)
        return redirect(f"{reverse('appointment_admin')}?{request.GET.urlencode()}")
    form = _form(act, request.POST if "sure" in request.POST else None)
    if form.is_valid():
        with refusals_on(form):
            doing = bulk.move if act == _MOVE else bulk.cancel
            outcomes = doing(
                hospital=request.hospital, visits=chosen, by=request.user, now=timezone.now(), **form.cleaned_data
            )
            done = [outcome for outcome in outcomes if not outcome.refusal]
            refused = [outcome for outcome in outcomes if outcome.refusal]
            context = {"act": act, "done": done, "refused": refused, "back": _list(request)}
            return page(request, "visits_office/many_done.html", context)
    return page(
        request,
        "visits_office/many.html",
        {"act": act, "form": form, "visits": chosen, "count": len(chosen), "back": _list(request)},
    )


@require_POST
@requires(Permission.APPOINTMENT_OVERRIDE)
def export(request: HospitalRequest) -> StreamingHttpResponse:
    """The visits of the list as a file for spreadsheets. That it was taken stands in the log."""
    narrowed = narrow(request)
    asked = [name for name in (*narrowed.form.fields, "when") if request.GET.get(name)]
    lines = exporting.export(hospital=request.hospital, visits=narrowed.qs, narrowed_by=asked, by=request.user)
    name = f"{request.hospital.slug}-visits-{timezone.localdate():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _chosen(request: HospitalRequest, act: str) -> list[Appointment]:
    """The visits that were ticked, or all of the list; those that cannot change any more are left out of "all"."""
    visits = Appointment.objects.booked()
    if request.POST.get("everything"):
        visits = narrow(request).qs.filter(status__in=_OPEN[act])
    else:
        visits = visits.filter(code__in=codes_of(request.POST.getlist("visit")))
    return list(visits.with_people().select_related("doctor__schedule").by_time()[: bulk.LIMIT + 1])


def _too_few_or_many(chosen: list[Appointment]) -> str:
    if not chosen:
        return _("Tick at least one visit that is still to come.")
    if len(chosen) > bulk.LIMIT:
        return ngettext(
            "At most %(n)s visit can be changed at once. Narrow the list first.",
            "At most %(n)s visits can be changed at once. Narrow the list first.",
            bulk.LIMIT,
        ) % {"n": bulk.LIMIT}
    return ""


def _form(act: str, data: object) -> Form:
    return MoveMany(data) if act == _MOVE else CancelMany(data)  # type: ignore[arg-type]


def _list(request: HospitalRequest) -> str:
    """The list as it was."""
    asked = request.GET.urlencode()
    return reverse("appointment_admin") + (f"?{asked}" if asked else "")
