"""The office's first page."""

from datetime import timedelta

from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, Role, granted, is_support, lacks_second_factor, requires, role_of
from audit.models import AuditLog
from core.http import HospitalRequest
from core.pages import page
from hospitals import checklist
from hospitals.entries import entry
from hospitals.models import Department, Doctor, Staff

_RECENT = 6
# Whose day begins on a page of its own.
_BEGINS = {Role.DOCTOR: "today", Role.NURSE: "desk", Role.FRONT_DESK: "desk"}


@require_safe
@requires(Permission.SIGNED_IN)
def start(request: HospitalRequest) -> HttpResponse:
    """Where work begins: for the admin what is left to set up and what happened, for other staff a calm page.

    Somebody without a role here has no work here: signing in leads them to the public home page, or to their
    application as a doctor.
    """
    if lacks_second_factor(request, request.user):
        return redirect_to_login(request.get_full_path(), "two_factor")
    if not granted(request, request.user, Permission.START_VIEW):
        return redirect("doctor_application" if Doctor.objects.applying(request.user).exists() else "home")
    role = role_of(request, request.user)
    if role in _BEGINS and (role != Role.DOCTOR or request.is_doctor(request.user)):
        return redirect(_BEGINS[role])
    now = timezone.localtime()
    context = {"greeting": _greeting(now.hour, request.user.first_name), "today": now}
    if granted(request, request.user, Permission.ACTIVITY_VIEW):
        known = checklist.facts(request.hospital)
        steps = checklist.steps(known, with_money=granted(request, request.user, Permission.MONEY_RULES))
        week_ago = now.date() - timedelta(days=6)
        log = AuditLog.objects.shown_to(is_support=is_support(request))
        may_review = granted(request, request.user, Permission.DOCTOR_REVIEW)
        context |= {
            "steps": steps,
            "done": sum(step.done for step in steps if not step.optional),
            "needed": sum(not step.optional for step in steps),
            "departments": known.departments,
            "hidden": Department.objects.exclude(is_active=True).count(),
            "staff": Staff.objects.working().count(),
            "waiting": Doctor.objects.waiting().count() if may_review else 0,
            "week_ago": week_ago,
            "this_week": log.between(week_ago, None).count(),
            "recent": [entry(row) for row in log.newest_first()[:_RECENT]],
        }
    return page(request, "office/start.html", context)


def _greeting(hour: int, name: str) -> str:
    if hour < 12:
        return _("Good morning, %(name)s") % {"name": name} if name else _("Good morning")
    if hour < 17:
        return _("Good afternoon, %(name)s") % {"name": name} if name else _("Good afternoon")
    return _("Good evening, %(name)s") % {"name": name} if name else _("Good evening")
