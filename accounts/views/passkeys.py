"""Passkeys: adding and removing them, and coming in with one. `static/js/passkeys.js` talks to the device."""

import json
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms.two_factor import Credential, NewPasskey, Prove
from accounts.models import Passkey
from accounts.permissions import Permission, granted, requires
from accounts.services import passkeys, second_step, two_factor
from accounts.steps import wanted, with_next
from accounts.views import two_factor as pages
from accounts.views.frames import account_page
from core.forms import refusals_on
from core.http import Request
from core.pages import page

_form_door = require_http_methods(["GET", "HEAD", "POST"])


# --- Coming in -------------------------------------------------------------------------------------------------------


@require_POST
@requires(Permission.PUBLIC)
def options(request: Request) -> HttpResponse:
    """What the browser asks the device, for whoever is signed in, half-way in, or comes to sign in."""
    is_in = granted(request, request.user, Permission.OWN_ACCOUNT)
    user = request.user if is_in else second_step.waiting(request)
    return JsonResponse(passkeys.ask(request=request, user=user))


@_form_door
@requires(Permission.PUBLIC)
def sign_in(request: Request) -> HttpResponse:
    """Come in by a passkey alone."""
    if granted(request, request.user, Permission.SIGNED_IN) or request.method != "POST":
        return redirect(with_next("sign_in", wanted(request)))
    form = Credential(request.POST)
    if form.is_valid():
        with refusals_on(form):
            second_step.sign_in_by_passkey(request=request, now=now(), **form.cleaned_data)
            return redirect(wanted(request) or "start")
    return page(request, "accounts/passkey_refused.html", {"form": form, "next": wanted(request)})


@_form_door
@requires(Permission.PUBLIC)
def finish(request: Request) -> HttpResponse:
    """The second step of a sign-in by a passkey."""
    if granted(request, request.user, Permission.SIGNED_IN) or request.method != "POST":
        return redirect(with_next("second_step", wanted(request)))
    form = Credential(request.POST)
    if form.is_valid():
        with refusals_on(form):
            second_step.finish_by_passkey(request=request, now=now(), **form.cleaned_data)
            return redirect(wanted(request) or "start")
    return pages.step_page(request, form=form)


@_form_door
@requires(Permission.OWN_ACCOUNT)
def catch_up(request: Request) -> HttpResponse:
    """Prove the second factor by a passkey, in a session that was opened without it."""
    if request.method != "POST":
        return redirect(with_next("two_factor", wanted(request)))
    form = Credential(request.POST)
    if form.is_valid():
        with refusals_on(form):
            second_step.catch_up_by_passkey(request=request, user=request.user, now=now(), **form.cleaned_data)
            messages.success(request, _("You have proved your second factor."))
            return redirect(wanted(request) or "two_factor")
    return pages.overview_page(request, form=form)


# --- One's own passkeys ----------------------------------------------------------------------------------------------


@_form_door
@requires(Permission.OWN_ACCOUNT)
def add(request: Request) -> HttpResponse:
    """Name a passkey and prove who one is; then the device is asked to make it."""
    form = NewPasskey(request.POST if request.method == "POST" else None, request=request, user=request.user)
    context = {"form": form, "next": wanted(request)}
    if form.is_valid():
        with refusals_on(form):
            asked = second_step.begin_passkey(request=request, user=request.user, now=now(), **form.cleaned_data)
            context |= {"form": Credential(), "options": json.dumps(asked), "name": form.cleaned_data["name"]}
            return account_page(request, "accounts/passkey_make.html", context)
    return account_page(request, "accounts/passkey_add.html", context)


@_form_door
@requires(Permission.OWN_ACCOUNT)
def make(request: Request) -> HttpResponse:
    """Keep the passkey that the device has made."""
    form = Credential(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            made = passkeys.add(request=request, user=request.user, now=now(), **form.cleaned_data)
            messages.success(request, _("The passkey is added."))
            return pages.codes_page(request, made) if made else redirect(wanted(request) or "two_factor")
    elif not form.is_bound:
        return redirect(with_next("passkey_add", wanted(request)))
    again = NewPasskey(request=request, user=request.user)
    return account_page(
        request, "accounts/passkey_add.html", {"form": form, "add_form": again, "next": wanted(request)}
    )


@_form_door
@requires(Permission.OWN_ACCOUNT)
def remove(request: Request, code: UUID) -> HttpResponse:
    """Give up a passkey, for somebody who proves who they are."""
    passkey = get_object_or_404(Passkey, user=request.user, code=code)
    form = Prove(request.POST if request.method == "POST" else None, request=request, user=request.user)
    if form.is_valid():
        with refusals_on(form):
            second_step.remove_passkey(
                request=request, user=request.user, passkey=passkey, now=now(), **form.cleaned_data
            )
            messages.success(request, _("The passkey “%(name)s” is removed.") % {"name": passkey.name})
            return redirect("two_factor")
    others = Passkey.objects.filter(user=request.user).exclude(pk=passkey.pk)
    is_last = not two_factor.has_app(request.user) and not others.exists()
    return account_page(request, "accounts/passkey_remove.html", {"form": form, "passkey": passkey, "is_last": is_last})
