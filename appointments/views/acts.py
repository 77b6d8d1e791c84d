"""One step of a visit, pressed anywhere on the staff's pages: check in, call, complete and so on."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.forms import Again
from accounts.permissions import Permission, requires, role_of
from appointments import steps
from appointments.forms.desk import Act
from appointments.models import Appointment, Status
from appointments.services import paying
from appointments.steps import Step
from core.forms import refusals_on
from core.http import HospitalRequest

# A move asks for a time, on a page of its own; that they come is what patients say.
_STEPS = set(steps.STAFF) - {Step.MOVE}


@require_POST
@requires(Permission.VISIT_OPEN)
def visit_step(request: HospitalRequest, code: UUID, step: str) -> HttpResponse:
    """Take a step of a visit, and go back to the page on which it was pressed."""
    wanted = Step(step) if step in _STEPS else None
    if wanted is None:
        raise Http404
    visit = find(request, code)
    if not steps.acts_for_hospital(request, visit, wanted):
        raise PermissionDenied
    form = Act(request.POST, visit=visit)
    if form.is_valid():
        with refusals_on(form):
            reason = form.cleaned_data["reason"]
            steps.take(
                request, wanted, hospital=request.hospital, visit=visit, by=request.user, reason=reason, now=now()
            )
            messages.success(request, _done(wanted, visit))
    for sentence in [one for faults in form.errors.values() for one in faults]:
        messages.error(request, str(sentence))
    return redirect(back(request, reverse("appointment_detail", args=[visit.code])))


@require_POST
@requires(Permission.INVOICE_EDIT)
def visit_bill(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Begin the visit's bill, and go to it to take money; the one there is, if there is one."""
    visit, form = find(request, code), Again(request.POST)
    if form.is_valid():
        with refusals_on(form):
            bill = paying.bill(hospital=request.hospital, visit=visit, by=request.user, now=now())
            return redirect("invoice", bill.code)
    messages.error(request, " ".join(map(str, form.non_field_errors())))
    return redirect("appointment_detail", visit.code)


def find(request: HospitalRequest, code: UUID) -> Appointment:
    """The visit of the address, if the caller looks after it here."""
    visits = Appointment.objects.looked_after_by(request.user, role_of(request, request.user)).with_people()
    return get_object_or_404(visits.select_related("doctor__schedule", "rescheduled_from"), code=code)


def back(request: HospitalRequest, fallback: str) -> str:
    """Where the form says it came from, if that is on this site."""
    asked = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return asked if is_ours else fallback


def _done(step: Step, visit: Appointment) -> str:
    words = {"name": visit.patient.name if visit.patient else visit.reference, "token": visit.token}
    if step == Step.UNDO:
        waits = visit.status == Status.CHECKED_IN
        return (_("%(name)s waits again.") if waits else _("%(name)s has not arrived yet.")) % words
    sentences = {
        Step.CONFIRM: _("The visit of %(name)s is confirmed."),
        Step.CHECK_IN: _("%(name)s is checked in. Token %(token)s."),
        Step.CALL: _("%(name)s is called in."),
        Step.COMPLETE: _("The visit of %(name)s is completed."),
        Step.MISS: _("Noted: %(name)s did not attend."),
        Step.CANCEL: _("The visit of %(name)s is cancelled."),
    }
    return sentences[step] % words
