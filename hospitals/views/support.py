"""Acting as support: beginning it on the portal, ending it on the hospital's host."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import Permission, requires
from accounts.services import support as sessions
from core.forms import refusals_on
from core.hosts import portal_url
from core.http import HospitalRequest, Request
from core.pages import page
from core.schemas import schema_context
from hospitals.forms.support import SupportForm
from hospitals.models import Staff
from hospitals.services import support
from tenants import pauses
from tenants.models import Hospital


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.SUPPORT_ACT)
def begin(request: Request, code: UUID) -> HttpResponse:
    """Say in whose name and why; then the way into the hospital.

    The way is a page that leads on by itself, not a redirect: a form of ours may lead to no other host (see the CSP).
    """
    hospital = get_object_or_404(Hospital.objects.open(), code=code)
    pauses.require_in_service(hospital)
    with schema_context(hospital.schema_name):
        admins = list(Staff.objects.working().admins().filter(user__is_active=True).by_name())
    form = SupportForm(request.POST or None, admins=admins)
    if form.is_valid():
        with refusals_on(form):
            reason = form.cleaned_data["reason"]
            link = support.begin(hospital=hospital, staff=form.staff, by=request.user, reason=reason, now=now())
            return page(request, "support/go.html", {"hospital": hospital, "person": form.staff.user, "way_in": link})
    return page(request, "support/begin.html", {"hospital": hospital, "form": form, "admins": admins})


@require_POST
@requires(Permission.SIGNED_IN)
def end(request: HospitalRequest) -> HttpResponse:
    """End it, and lead back to the portal."""
    sessions.end(request=request)
    response = redirect(f"{reverse('support_over')}?by=me")
    response.delete_cookie(sessions.COOKIE)
    return response


@never_cache
@require_safe
@requires(Permission.PUBLIC)
def over(request: HospitalRequest) -> HttpResponse:
    """What somebody reads whose support has ended: by their own hand (?by=me), or by itself."""
    context = {"portal": portal_url("queue_detail", request.hospital.code), "is_by_me": request.GET.get("by") == "me"}
    return page(request, "support/over.html", context)
