"""How a hospital asks to join, and how it sees where its registration stands."""

import re
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import Permission, requires
from audit.models import AuditLog
from core.forms import refusals_on
from core.hosts import hospital_url
from core.hosts import subdomain as host_of
from core.http import Request
from core.pages import page
from hospitals.forms.registration import MAX_SLUG, SLUG_RULE, Registration
from hospitals.services import joining
from tenants.models import SLUG, Hospital


@dataclass(frozen=True)
class Answer:
    """What is said under the subdomain while it is being typed."""

    sentence: str
    host: str
    is_free: bool


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PUBLIC)
def register(request: Request) -> HttpResponse:
    """The registration form."""
    form = Registration(request.POST, request.FILES) if request.method == "POST" else Registration()
    if form.is_valid():
        with refusals_on(form):
            hospital = joining.register(
                registration=form.registration(), logo=form.cleaned_data["logo"], address=request.address
            )
            return redirect("registration_received", hospital.code)
    return page(request, "registration/register.html", {"form": form})


@require_safe
@requires(Permission.PUBLIC)
def subdomain(request: Request) -> HttpResponse:
    """Whether the subdomain being typed is free, or which one the name would give; without htmx, the whole form."""
    given = {name: request.GET.get(name, "").strip() for name in ("name", "slug")}
    return page(
        request,
        "registration/register.html",
        {"form": Registration(initial=given), "answer": _answer(given["name"], given["slug"].lower())},
        part="subdomain",
    )


def _answer(name: str, slug: str) -> Answer | None:
    if not slug:
        suggested = joining.suggest_slug(name)
        return Answer(_("Your address will be"), host_of(suggested), is_free=True) if suggested else None
    if not re.fullmatch(SLUG, slug) or len(slug) > MAX_SLUG:
        return Answer(str(SLUG_RULE), "", is_free=False)
    if joining.is_slug_free(slug):
        return Answer(_("This one is free. Your address will be"), host_of(slug), is_free=True)
    other = joining.suggest_slug(slug)
    return Answer(_("This one is taken. Free is"), host_of(other), is_free=False) if other else None


@require_safe
@requires(Permission.PUBLIC)
def received(request: Request, code: UUID) -> HttpResponse:
    """What happens next. Only while it is pending: later the code is public, and the address must not be."""
    hospital = get_object_or_404(Hospital, code=code, status=Hospital.Status.PENDING)
    return page(request, "registration/received.html", {"hospital": hospital})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PUBLIC)
def status(request: Request, token: str) -> HttpResponse:
    """Where the registration stands. A press of the button confirms the address: programs that check mail only look."""
    hospital = joining.hospital_of_link(token)
    if request.method == "POST":
        joining.confirm_email(hospital=hospital, now=now())
        messages.success(request, _("Your e-mail address is confirmed."))
        return redirect("registration_status", token)
    steps = AuditLog.objects.about(hospital).newest_first()
    return page(
        request,
        "registration/status.html",
        {
            "hospital": hospital,
            "last": steps.filter(new=hospital.status).first(),
            "site": hospital_url(hospital.slug, "home"),
            "contact": settings.SUPPORT_EMAIL,
        },
    )
