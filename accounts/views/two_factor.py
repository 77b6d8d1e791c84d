"""The second step of a sign-in, and one's own second factors."""

import segno
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms.two_factor import FirstCode, Prove, SecondFactor
from accounts.models import Passkey
from accounts.permissions import (
    Permission,
    granted,
    has_second_factor,
    lacks_second_factor,
    needs_second_factor,
    requires,
)
from accounts.services import passkeys, second_step, two_factor
from accounts.steps import wanted, with_next
from accounts.views.frames import account_page
from core.forms import refusals_on
from core.hosts import PORTAL_NAME
from core.http import Request
from core.pages import page

_form_door = require_http_methods(["GET", "HEAD", "POST"])


# --- The second step of a sign-in ------------------------------------------------------------------------------------


@_form_door
@requires(Permission.PUBLIC)
def step(request: Request) -> HttpResponse:
    """The app's six digits or a recovery code, after the password was right; or a passkey, see `views.passkeys`."""
    if granted(request, request.user, Permission.SIGNED_IN):
        return redirect(wanted(request) or "start")
    form = SecondFactor(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            second_step.finish(request=request, code=form.cleaned_data["code"], now=now())
            return redirect(wanted(request) or "start")
    return step_page(request, form=form, code_form=form)


def step_page(request: Request, **context: object) -> HttpResponse:
    """The page of the second step; back to the first for somebody who has not taken it, or too long ago."""
    user = second_step.waiting(request)
    if user is None:
        messages.info(request, _("Sign in first."))
        return redirect(with_next("sign_in", wanted(request)))
    context |= {
        "next": wanted(request),
        "has_app": two_factor.has_app(user),
        "has_passkey": passkeys.usable_here(request, user),
    }
    return page(request, "accounts/second_step.html", {"code_form": SecondFactor(), **context})


# --- One's own second factors ----------------------------------------------------------------------------------------


@_form_door
@requires(Permission.OWN_ACCOUNT)
def overview(request: Request) -> HttpResponse:
    """What is set up; and the code, where a session was opened without the second factor its person has."""
    form = SecondFactor(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            second_step.catch_up(request=request, user=request.user, code=form.cleaned_data["code"], now=now())
            messages.success(request, _("You have proved your second factor."))
            return redirect(wanted(request) or "two_factor")
    return overview_page(request, form=form, code_form=form)


def overview_page(request: Request, **context: object) -> HttpResponse:
    """The page of the overview."""
    user, here = request.user, passkeys.relying_party(request)
    own, has_app = list(Passkey.objects.filter(user=user).newest_first()), two_factor.has_app(user)
    is_on = has_app or bool(own)
    context |= {
        "next": wanted(request),
        "is_on": is_on,
        "has_app": has_app,
        "codes_left": two_factor.codes_left(user),
        "codes_made": two_factor.RECOVERY_CODES,
        "passkeys": own,
        "has_passkey": any(passkey.relying_party == here for passkey in own),
        "is_needed": needs_second_factor(request, user),
        "is_lacking": lacks_second_factor(request, user),
        "must_prove": is_on and not has_second_factor(request),
    }
    return account_page(request, "accounts/two_factor.html", {"code_form": SecondFactor(), **context})


@require_POST
@requires(Permission.OWN_ACCOUNT)
def begin(request: Request) -> HttpResponse:
    """Make a secret for an authenticator app, and go to where it is shown."""
    two_factor.begin(user=request.user)
    return redirect(with_next("two_factor_app", wanted(request)))


@_form_door
@requires(Permission.OWN_ACCOUNT)
def app(request: Request) -> HttpResponse:
    """Scan the QR code, type the first code, and get the recovery codes."""
    secret = two_factor.pending(request.user)
    if not secret:
        return redirect(with_next("two_factor", wanted(request)))
    form = FirstCode(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            made = two_factor.turn_on(request=request, user=request.user, code=form.cleaned_data["code"], now=now())
            return codes_page(request, made)
    address = two_factor.address_of(user=request.user, secret=secret, issuer=PORTAL_NAME)
    context = {
        "form": form,
        "next": wanted(request),
        "qr": segno.make(address, error="m").svg_data_uri(scale=5, border=4, light="#fff"),
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "address": address,
    }
    return account_page(request, "accounts/two_factor_app.html", context)


@_form_door
@requires(Permission.OWN_ACCOUNT)
def codes(request: Request) -> HttpResponse:
    """New recovery codes in place of the old ones, for somebody who proves who they are."""
    if not two_factor.is_on(request.user):
        return redirect("two_factor")
    form = Prove(request.POST if request.method == "POST" else None, request=request, user=request.user)
    if form.is_valid():
        with refusals_on(form):
            made = second_step.renew_recovery_codes(request=request, user=request.user, now=now(), **form.cleaned_data)
            return codes_page(request, made)
    return account_page(request, "accounts/two_factor_codes.html", {"form": form})


def codes_page(request: Request, made: list[str]) -> HttpResponse:
    """The recovery codes, this once: they are kept nowhere, so the page is the answer to the form and no address."""
    response = account_page(
        request, "accounts/recovery_codes.html", {"codes": "\n".join(made), "next": wanted(request)}
    )
    response["Cache-Control"] = "no-store"
    return response


@_form_door
@requires(Permission.OWN_ACCOUNT)
def off(request: Request) -> HttpResponse:
    """Give up the authenticator app, for somebody who proves who they are."""
    if not two_factor.has_app(request.user):
        return redirect("two_factor")
    form = Prove(request.POST if request.method == "POST" else None, request=request, user=request.user)
    if form.is_valid():
        with refusals_on(form):
            second_step.remove_app(request=request, user=request.user, now=now(), **form.cleaned_data)
            messages.success(request, _("The authenticator app is removed."))
            return redirect("two_factor")
    context = {"form": form, "is_last": not Passkey.objects.filter(user=request.user).exists()}
    return account_page(request, "accounts/two_factor_off.html", context)
