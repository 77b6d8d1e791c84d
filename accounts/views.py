"""Signing in and out, and passwords: the same pages on every host, in the brand of the host that was asked."""

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import forms, services
from accounts.permissions import Permission, granted, requires
from accounts.services import Sender
from core.colour import PORTAL_ACCENT
from core.forms import refusals_on
from core.hosts import PORTAL_NAME
from core.http import Request
from core.pages import page

_PORTAL = Sender(name=PORTAL_NAME, accent=PORTAL_ACCENT)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PUBLIC)
def sign_in(request: Request) -> HttpResponse:
    """E-mail address and password; afterwards to where the person wanted to go, or to their start page."""
    if granted(request, request.user, Permission.SIGNED_IN):
        return redirect(_way_on(request))
    form = forms.SignIn(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            services.sign_in(request=request, **form.cleaned_data)
            return redirect(_way_on(request))
    return page(request, "accounts/sign_in.html", {"form": form})


def _way_on(request: Request) -> str:
    """Where `?next=` leads, if it stays on this host; otherwise the start page."""
    wanted = request.GET.get("next", "")
    stays = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if stays else reverse("start")


@require_safe
@requires(Permission.PUBLIC)
def admin_sign_in(request: Request) -> HttpResponse:
    """Django's admin has no sign-in of its own: ours counts tries and records them."""
    if granted(request, request.user, Permission.SIGNED_IN):
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next", "") or reverse("admin:index"))


@require_POST
@requires(Permission.PUBLIC)
def sign_out(request: Request) -> HttpResponse:
    """End the session and go to the first page."""
    services.sign_out(request=request)
    messages.success(request, _("You are signed out."))
    return redirect("home")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PUBLIC)
def forgotten(request: Request) -> HttpResponse:
    """Ask for a link to set a new password. The answer is the same whether or not there is such an account."""
    form = forms.Forgotten(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            services.ask_for_reset(
                request=request,
                email=form.cleaned_data["email"],
                link=lambda key, token: request.build_absolute_uri(reverse("password_new", args=[key, token])),
                sender=_sender(request),
            )
            return redirect("password_forgotten_sent")
    return page(request, "accounts/forgotten.html", {"form": form})


def _sender(request: Request) -> Sender:
    hospital = request.hospital
    return Sender(name=hospital.name, accent=hospital.accent) if hospital else _PORTAL


@require_safe
@requires(Permission.PUBLIC)
def forgotten_sent(request: Request) -> HttpResponse:
    """Look into your mail."""
    return page(request, "accounts/forgotten_sent.html", {})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PUBLIC)
def new_password(request: Request, key: str, token: str) -> HttpResponse:
    """Set a new password by the link from the mail, which works once, and come in."""
    person = services.person_behind(key=key, token=token)
    form = forms.NewPassword(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            services.reset_password(request=request, key=key, token=token, password=form.cleaned_data["password"])
            messages.success(request, _("Your new password is set, and you are signed in."))
            return redirect("start")
    return page(request, "accounts/new_password.html", {"form": form, "person": person})
