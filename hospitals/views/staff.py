"""The office's staff: who works here, as what, and who is invited."""

from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import ROLES, STAFF_ROLES, Permission, Role, requires
from accounts.services import two_factor
from audit.models import Action, AuditLog
from core.forms import refusals_on
from core.http import HospitalRequest
from core.menus import Item
from core.pages import divide, page
from hospitals.entries import entry
from hospitals.forms.staff import Deactivation, Invitation, RoleOf, Step
from hospitals.models import STAFF_STATES, Doctor, Staff, StaffMembers
from hospitals.services import staff as services

_HISTORY = 30


@require_safe
@requires(Permission.STAFF_EDIT)
def index(request: HospitalRequest) -> HttpResponse:
    """Everybody who works here or is invited, by how they stand (?state=), role (?role=) and words (?q=)."""
    words = request.GET.get("q", "").strip()
    asked = request.GET.get("state", "")
    state = asked if asked in STAFF_STATES else ""
    role = request.GET.get("role", "")
    found = Staff.objects.matching(words)
    shown = found.in_state(state)
    if role in STAFF_ROLES:
        shown = shown.filter(role=role)
    return page(
        request,
        "office/staff.html",
        {
            "rows": divide(request, shown.with_two_factor().by_name()),
            **_filters(found, words, state, role),
            "state": state,
            "role": role,
            "words": words,
        },
        part="results",
    )


def _filters(found: StaffMembers, words: str, state: str, role: str) -> dict[str, list[Item]]:
    """The tabs and the roles, with how many there are behind each, from one question to the database."""
    standing = found.annotate(is_waiting=Q(joined_at__isnull=True)).values_list("is_active", "role", "is_waiting")
    counts: dict[tuple[str, str], int] = {}
    for is_active, of_role, is_waiting, number in standing.annotate(Count("pk")).order_by():
        of_state = ("invited" if is_waiting else "active") if is_active else "deactivated"
        for key in ((of_state, of_role), ("", of_role), (of_state, ""), ("", "")):
            counts[key] = counts.get(key, 0) + number

    def item(label: str, to_state: str, to_role: str) -> Item:
        asked = {"state": to_state, "role": to_role, "q": words}
        return Item(
            label=label,
            url="?" + urlencode({name: value for name, value in asked.items() if value}),
            icon="",
            current=(to_state, to_role) == (state, role),
            count=counts.get((to_state, to_role), 0),
        )

    labels = [_("All"), _("Active"), _("Invited"), _("Deactivated")]
    kept = [one for one in STAFF_ROLES if counts.get((state, one.value)) or one == role]
    return {
        "tabs": [item(label, to_state, role) for label, to_state in zip(labels, ["", *STAFF_STATES], strict=True)],
        "roles": [item(_("Every role"), state, ""), *(item(str(one.label), state, one.value) for one in kept)],
    }


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.STAFF_EDIT)
def invite(request: HospitalRequest) -> HttpResponse:
    """A new colleague."""
    form = Invitation(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            invited = services.invite(hospital=request.hospital, by=request.user, now=now(), **form.cleaned_data)
            messages.success(request, _("The invitation to %(email)s is on its way.") % {"email": invited.user.email})
            return redirect("staff_admin")
    return page(request, "office/staff_invite.html", {"form": form})


@require_safe
@requires(Permission.STAFF_EDIT)
def member(request: HospitalRequest, code: UUID) -> HttpResponse:
    """One person: what they are here, since when, and what happened."""
    return _member(request, _find(code))


@require_POST
@requires(Permission.STAFF_EDIT)
def change_role(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Another role for this person."""
    staff = _find(code)
    form = RoleOf(request.POST, staff=staff)
    if form.is_valid():
        with refusals_on(form):
            services.change_role(hospital=request.hospital, staff=staff, by=request.user, **form.cleaned_data)
    done = _("%(name)s is now: %(role)s.") % {"name": staff.name, "role": staff.get_role_display()}
    return _after(request, staff, form, done)


@require_POST
@requires(Permission.STAFF_EDIT)
def deactivate(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Take this person's role away."""
    staff = _find(code)
    form = Deactivation(request.POST, auto_id="deactivate-%s")
    if form.is_valid():
        with refusals_on(form):
            services.deactivate(hospital=request.hospital, staff=staff, by=request.user, now=now(), **form.cleaned_data)
    done = _("%(name)s is deactivated, and signed out of this hospital.") % {"name": staff.name}
    return _after(request, staff, form, done)


@require_POST
@requires(Permission.STAFF_EDIT)
def activate(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Give this person their role back, or a new invitation."""
    staff = _find(code)
    form = Step(request.POST)
    with refusals_on(form):
        services.activate(hospital=request.hospital, staff=staff, by=request.user, now=now())
    done = _("%(name)s can work here again.") if staff.joined_at else _("%(name)s is invited again.")
    return _after(request, staff, form, done % {"name": staff.name})


@require_POST
@requires(Permission.STAFF_EDIT)
def resend(request: HospitalRequest, code: UUID) -> HttpResponse:
    """The invitation once more."""
    staff = _find(code)
    form = Step(request.POST)
    with refusals_on(form):
        services.resend_invitation(hospital=request.hospital, staff=staff, by=request.user, now=now())
    return _after(request, staff, form, _("A new invitation is on its way. The earlier link no longer works."))


@require_POST
@requires(Permission.STAFF_EDIT)
def take_back(request: HospitalRequest, code: UUID) -> HttpResponse:
    """No invitation after all."""
    staff = _find(code)
    form = Step(request.POST)
    with refusals_on(form):
        services.take_back(staff=staff, by=request.user, now=now())
    return _after(request, staff, form, _("The invitation is taken back. Its link no longer works."))


def _find(code: UUID) -> Staff:
    return get_object_or_404(Staff.objects.select_related("user"), code=code)


def _after(request: HospitalRequest, staff: Staff, form: Form, done: str) -> HttpResponse:
    """Back to the person, or, after a refusal, the person as they are now with what was refused and why."""
    if not form.is_valid():
        return _member(request, _find(staff.code), form)
    messages.success(request, done)
    if staff.user_id != request.user.pk:
        return redirect("staff_member", staff.code)
    if not staff.is_active:  # one's own session has just ended
        return redirect("home")
    return (
        redirect("staff_member", staff.code) if Permission.STAFF_EDIT in ROLES[Role(staff.role)] else redirect("start")
    )


_TONES = {"active": "ok", "invited": "info", "deactivated": "warn", "taken_back": ""}


def _member(request: HospitalRequest, staff: Staff, form: Form | None = None) -> HttpResponse:
    only_admin = services.only_admin()
    sign_ins = AuditLog.objects.filter(user=staff.user, action=Action.USER_SIGNED_IN).newest_first()
    signed_in = sign_ins.first() if staff.joined_at else None
    return page(
        request,
        "office/staff_member.html",
        {
            "staff": staff,
            "tone": _TONES[staff.state],
            "steps": services.possible(staff=staff, only_admin=only_admin),
            "is_only_admin": staff.pk == only_admin,
            "is_oneself": staff.user_id == request.user.pk,
            "is_verified_doctor": Doctor.objects.verified().filter(user=staff.user).exists(),
            "has_two_factor": staff.joined_at is not None and two_factor.is_on(staff.user),
            "signed_in_at": signed_in.timestamp if signed_in else None,
            "invitation": staff.invitations.order_by("-created_at", "-pk").first(),
            "now": now(),
            "outbox": f"{reverse('outbox')}?{urlencode({'q': staff.user.email})}",
            "history": [entry(row) for row in AuditLog.objects.about(staff).newest_first()[:_HISTORY]],
            "role_form": form if isinstance(form, RoleOf) else RoleOf(staff=staff),
            "reason_error": str(next(iter(form.errors.get("reason", [])), "")) if form else "",
            "reason_value": str(form["reason"].value() or "") if isinstance(form, Deactivation) else "",
            "form": form,
        },
    )
