"""The superadmin's queue: looking at hospitals and deciding on them."""

from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Permission, Role, requires
from audit.models import Action, AuditLog
from core import schemas
from core.forms import refusals_on
from core.hosts import hospital_url
from core.http import Request
from core.menus import Item
from core.pages import divide, page
from core.schemas import schema_context
from hospitals.entries import entry
from hospitals.forms.review import Decision, Reason
from hospitals.models import Invitation
from hospitals.services import joining
from tenants import provisioning
from tenants import services as tenants
from tenants.models import Hospital

_PAUSED = "out-of-service"  # in the address beside the statuses: it is none


@require_safe
@requires(Permission.HOSPITAL_REVIEW)
def queue(request: Request) -> HttpResponse:
    """Hospitals by where they stand (?status=) and words (?q=); those that wait longest come first."""
    words = request.GET.get("q", "").strip()
    status = request.GET.get("status", "")
    if status not in (*Hospital.Status.values, _PAUSED):
        status = Hospital.Status.PENDING
    found = Hospital.objects.matching(words)
    here = found.out_of_service() if status == _PAUSED else found.filter(status=status)
    order = {Hospital.Status.PENDING: ("created_at", "pk"), _PAUSED: ("paused_at", "pk")}
    return page(
        request,
        "platform/queue.html",
        {
            "hospitals": divide(request, here.order_by(*order.get(status, ("-created_at", "-pk")))),
            "tabs": _tabs(found, words, status),
            "status": status,
            "words": words,
        },
        part="results",
    )


def _tabs(found: "QuerySet[Hospital]", words: str, status: str) -> list[Item]:
    """One for each status, and for those out of service, whatever their status, while there are any."""
    rows = found.values_list("status").annotate(Count("pk"), paused=Count("pk", filter=~Q(pause=""))).order_by()
    counts = {which: count for which, count, _paused in rows}
    paused = sum(count for _which, _count, count in rows)
    shown = [(str(one.value), str(one.label), counts.get(one.value, 0)) for one in Hospital.Status]
    if paused or status == _PAUSED:
        shown.append((_PAUSED, _("Out of service"), paused))
    return [
        Item(
            label=label,
            url="?" + urlencode({"status": which, **({"q": words} if words else {})}),
            icon="",
            current=which == status,
            count=count,
        )
        for which, label, count in shown
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


@require_POST
@requires(Permission.HOSPITAL_REVIEW)
def call_off(request: Request, code: UUID) -> HttpResponse:
    """Keep the data of a hospital that was to be deleted."""
    hospital = get_object_or_404(Hospital, code=code)
    form = Decision(request.POST)
    with refusals_on(form):
        tenants.call_off_deletion(hospital=hospital, by=request.user)
    return _after(
        request, code, form, _("The deletion is called off. The hospital stays closed, and its data is kept.")
    )


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
    Hospital.Status.CLOSED: "bad",
}
# The one step with a reason that each status permits.
_REASON_FOR = {
    Hospital.Status.PENDING: "reject",
    Hospital.Status.APPROVED: "suspend",
    Hospital.Status.SUSPENDED: "resume",
}


def _detail(request: Request, hospital: Hospital, form: Form | None = None) -> HttpResponse:
    rows = list(AuditLog.objects.about(hospital).newest_first())
    has_schema = hospital.status in (Hospital.Status.APPROVED, Hospital.Status.SUSPENDED)
    return page(
        request,
        "platform/hospital.html",
        {
            "hospital": hospital,
            "tone": _TONES[Hospital.Status(hospital.status)],
            "steps": [entry(row) for row in rows],
            "last": next((row for row in rows if row.new == hospital.status), None),
            "planned": next((row for row in rows if row.action == Action.HOSPITAL_DELETION_PLANNED), None),
            "has_schema": has_schema,
            "is_current": hospital.schema_version == provisioning.version(),
            "cell": hospital.cell if has_schema and len(schemas.cells()) > 1 else "",
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
    """The latest invitation of its first admin, read from the hospital's own schema if that can be entered now."""
    if hospital.status not in (Hospital.Status.APPROVED, Hospital.Status.SUSPENDED) or hospital.pause:
        return None
    with schema_context(hospital.schema_name):
        return (
            Invitation.objects.filter(staff__role=Role.HOSPITAL_ADMIN)
            .select_related("staff__user")
            .order_by("staff__pk", "-created_at", "-pk")
            .first()
        )
