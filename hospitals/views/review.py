"""The superadmin's queue: looking at hospitals and deciding on them."""

from uuid import UUID

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_tenants.utils import schema_context

from accounts.permissions import Permission, Role, requires
from audit.models import AuditLog
from core.forms import refusals_on
from core.hosts import hospital_url
from core.http import Request
from core.menus import Item
from core.pages import divide, page
from hospitals.entries import entry
from hospitals.forms.review import Decision, Reason
from hospitals.models import Invitation
from hospitals.services import joining
from tenants.models import Hospital


@require_safe
@requires(Permission.HOSPITAL_REVIEW)
def queue(request: Request) -> HttpResponse:
    """Hospitals by where they stand (?status=) and words (?q=); those that wait longest come first."""
    words = request.GET.get("q", "").strip()
    status = request.GET.get("status", "")
    if status not in Hospital.Status.values:
        status = Hospital.Status.PENDING
    found = Hospital.objects.matching(words)
    order = ("created_at", "pk") if status == Hospital.Status.PENDING else ("-created_at", "-pk")
    return page(
        request,
        "platform/queue.html",
        {
            "hospitals": divide(request, found.filter(status=status).order_by(*order)),
            "tabs": _tabs(found, words, status),
            "status": status,
            "words": words,
        },
        part="results",
    )


def _tabs(found: "QuerySet[Hospital]", words: str, status: str) -> list[Item]:
    counts = dict(found.values_list("status").annotate(Count("pk")).order_by())
    return [
        Item(
            label=str(one.label),
            url="?" + urlencode({"status": one.value, **({"q": words} if words else {})}),
            icon="",
            current=one.value == status,
            count=counts.get(one.value, 0),
        )
        for one in Hospital.Status
    ]


@require_safe
@requires(Permission.HOSPITAL_REVIEW)
def detail(request: Request, code: UUID) -> HttpResponse:
    """Everything about one hospital, and the steps that are possible now."""
    return _detail(request, get_object_or_404(Hospital, code=code))


@require_POST
@requires(Permission.HOSPITAL_REVIEW)
def approve(request: Request, code: UUID) -> HttpResponse:
    """Open the hospital."""
    hospital = get_object_or_404(Hospital, code=code)
    form = Decision(request.POST)
    with refusals_on(form):
        joining.approve(hospital=hospital, by=request.user, now=now())
    return _after(request, code, form, _("The hospital is open, and its admin is invited."))


@require_POST
@requires(Permission.HOSPITAL_REVIEW)
def reject(request: Request, code: UUID) -> HttpResponse:
    """Turn the registration down, with a reason."""
    hospital = get_object_or_404(Hospital, code=code)
    form = Reason(request.POST, auto_id="reject-%s")
    if form.is_valid():
        with refusals_on(form):
            joining.reject(hospital=hospital, by=request.user, reason=form.cleaned_data["reason"])
    return _after(request, code, form, _("The registration is rejected, and the hospital is told why."))


@require_POST
@requires(Permission.HOSPITAL_REVIEW)
def suspend(request: Request, code: UUID) -> HttpResponse:
    """Close the hospital for now, with a reason."""
    hospital = get_object_or_404(Hospital, code=code)
    form = Reason(request.POST, auto_id="suspend-%s")
    if form.is_valid():
        with refusals_on(form):
            joining.suspend(hospital=hospital, by=request.user, reason=form.cleaned_data["reason"])
    return _after(request, code, form, _("The hospital is closed for now, and is told why. Its data stays."))


@require_POST
@requires(Permission.HOSPITAL_REVIEW)
def resume(request: Request, code: UUID) -> HttpResponse:
    """Open a suspended hospital again, with a reason."""
    hospital = get_object_or_404(Hospital, code=code)
    form = Reason(request.POST, auto_id="resume-%s")
    if form.is_valid():
        with refusals_on(form):
            joining.resume(hospital=hospital, by=request.user, reason=form.cleaned_data["reason"])
    return _after(request, code, form, _("The hospital is open again, and is told so."))


@require_POST
@requires(Permission.HOSPITAL_REVIEW)
def invite(request: Request, code: UUID) -> HttpResponse:
    """Send the hospital's first admin a fresh invitation."""
    hospital = get_object_or_404(Hospital, code=code)
    form = Decision(request.POST)
    with refusals_on(form):
        joining.invite_admin(hospital=hospital, by=request.user, now=now())
    return _after(request, code, form, _("A new invitation is on its way. The earlier link no longer works."))


def _after(request: Request, code: UUID, form: Form, done: str) -> HttpResponse:
    """Back to the hospital, or, after a refusal, the hospital as it is now with what was refused and why."""
    if form.is_valid():
        messages.success(request, done)
        return redirect("queue_detail", code)
    return _detail(request, get_object_or_404(Hospital, code=code), form)


_TONES = {
    Hospital.Status.PENDING: "info",
    Hospital.Status.APPROVED: "ok",
    Hospital.Status.REJECTED: "bad",
    Hospital.Status.SUSPENDED: "warn",
}
# The one step with a reason that each status permits.
_REASON_FOR = {
    Hospital.Status.PENDING: "reject",
    Hospital.Status.APPROVED: "suspend",
    Hospital.Status.SUSPENDED: "resume",
}


def _detail(request: Request, hospital: Hospital, form: Form | None = None) -> HttpResponse:
    rows = list(AuditLog.objects.about(hospital).newest_first())
    return page(
        request,
        "platform/hospital.html",
        {
            "hospital": hospital,
            "tone": _TONES[Hospital.Status(hospital.status)],
            "steps": [entry(row) for row in rows],
            "last": next((row for row in rows if row.new == hospital.status), None),
            "site": hospital_url(hospital.slug, "home"),
            "invitation": _invitation(hospital),
            "now": now(),
            "outbox": f"{reverse('outbox')}?{urlencode({'q': hospital.email})}",
            "form": form,
            **_reason(hospital, form),
        },
    )


def _reason(hospital: Hospital, form: Form | None) -> dict[str, object]:
    """What was typed: back in its box if that step is still possible, else to be copied from the note."""
    if not isinstance(form, Reason):
        return {"reason_error": "", "reason_value": "", "unused_reason": ""}
    typed = str(form["reason"].value() or "")
    if form.auto_id != f"{_REASON_FOR.get(Hospital.Status(hospital.status), '')}-%s":
        return {"reason_error": "", "reason_value": "", "unused_reason": typed}
    return {
        "reason_error": str(next(iter(form.errors.get("reason", [])), "")),
        "reason_value": typed,
        "unused_reason": "",
    }


def _invitation(hospital: Hospital) -> Invitation | None:
    """The latest invitation of its first admin, read from the hospital's own schema."""
    if hospital.status not in (Hospital.Status.APPROVED, Hospital.Status.SUSPENDED):
        return None
    with schema_context(hospital.schema_name):
        return (
            Invitation.objects.filter(staff__role=Role.HOSPITAL_ADMIN)
            .select_related("staff__user")
            .order_by("staff__pk", "-created_at", "-pk")
            .first()
        )
