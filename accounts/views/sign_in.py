"""Signing in and out, and forgotten passwords."""

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import forms
from accounts.permissions import Permission, granted, lacks_second_factor, requires
from accounts.services import passwords
from accounts.services import sign_in as services
from accounts.services.sign_in import Step
from accounts.steps import next_page, wanted, with_next
from accounts.views.frames import already_in, code_page
from core.forms import refusals_on
from core.http import Request
from core.pages import page


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PUBLIC)
def sign_in(request: Request) -> HttpResponse:
    """E-mail address and password; afterwards to where the person wanted to go, or to their start page."""
    if elsewhere := already_in(request):
        return elsewhere
    form = forms.SignIn(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            step = services.with_password(request=request, **form.cleaned_data)
            return redirect(next_page(step, wanted(request)))
    return page(request, "accounts/sign_in.html", {"form": form, "next": wanted(request)})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PUBLIC)
def code(request: Request) -> HttpResponse:
    """Ask for a code by mail in place of the password. The answer is the same for an address without an account."""
    if elsewhere := already_in(request):
        return elsewhere
    form = forms.AskForCode(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            step = services.begin_with_code(
                request=request,
                email=form.cleaned_data["email"],
                join_link=request.build_absolute_uri(reverse("sign_up")),
                now=now(),
            )
            return redirect(next_page(step, wanted(request)))
    return page(request, "accounts/sign_in_code.html", {"form": form, "next": wanted(request)})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PUBLIC)
def enter_code(request: Request) -> HttpResponse:
    """Type the code from the mail and come in."""
    if elsewhere := already_in(request):
        return elsewhere
    waiting = services.half_way(request, Step.CODE)
    form = forms.Code(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            step = services.with_code(request=request, now=now(), **form.cleaned_data)
            return redirect(next_page(step, wanted(request)))
    return _enter_page(request, form, waiting)


@require_POST
@requires(Permission.PUBLIC)
def code_again(request: Request) -> HttpResponse:
    """Send another code to the same address; the earlier one stops counting."""
    waiting = services.half_way(request, Step.CODE)
    form = forms.Again(request.POST)
    if form.is_valid():
        with refusals_on(form):
            services.begin_with_code(
                request=request,
                email=waiting.email,
                join_link=request.build_absolute_uri(reverse("sign_up")),
                now=now(),
            )
            messages.success(request, _("A new code is on its way."))
            return redirect(with_next("sign_in_code_enter", wanted(request)))
    return _enter_page(request, form, waiting)


def _enter_page(request: Request, form: Form, waiting: services.HalfWay) -> HttpResponse:
    return code_page(
        request,
        "accounts/sign_in_code_enter.html",
        form=form,
        email=waiting.email,
        enter="sign_in_code_enter",
        again="sign_in_code_again",
    )


@require_safe
@requires(Permission.PUBLIC)
def admin_sign_in(request: Request) -> HttpResponse:
    """Django's admin has no sign-in of its own: ours counts tries and records them."""
    if granted(request, request.user, Permission.SIGNED_IN):
        if lacks_second_factor(request, request.user):
            return redirect_to_login(request.GET.get("next", "") or reverse("admin:index"), "two_factor")
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
            passwords.ask_for_reset(
                request=request,
                email=form.cleaned_data["email"],
                link=lambda key, token: request.build_absolute_uri(reverse("password_new", args=[key, token])),
                join_link=request.build_absolute_uri(reverse("sign_up")),
            )
            return redirect("password_forgotten_sent")
    return page(request, "accounts/forgotten.html", {"form": form})


@require_safe
@requires(Permission.PUBLIC)
def forgotten_sent(request: Request) -> HttpResponse:
    """Look into your mail."""
    return page(request, "accounts/forgotten_sent.html", {})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PUBLIC)
def new_password(request: Request, key: str, token: str) -> HttpResponse:
    """Set a new password by the link from the mail, which works once, and come in."""
    person = passwords.person_behind(key=key, token=token)
    form = forms.NewPassword(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            step = passwords.reset(request=request, key=key, token=token, password=form.cleaned_data["password"])
            messages.success(request, _("Your new password is set."))
            return redirect(next_page(step))
    return page(request, "accounts/new_password.html", {"form": form, "person": person})
