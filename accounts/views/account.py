"""One's own account: name, addresses, password, and where one is signed in."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import forms, sign_ins
from accounts.permissions import Permission, requires, role_of
from accounts.services import addresses, passwords, people
from accounts.services import sessions as services
from accounts.views.frames import account_page
from core.forms import refusals_on
from core.http import Request
from core.pages import divide

_form_door = require_http_methods(["GET", "HEAD", "POST"])
# Where the address that waits for its code is kept, to be named on the page.
_NEW_EMAIL = "new_email"


@_form_door
@requires(Permission.OWN_ACCOUNT)
def profile(request: Request) -> HttpResponse:
    """Name and telephone number; and, to be looked at, the address and the role here."""
    user = request.user
    present = {"first_name": user.first_name, "last_name": user.last_name, "phone": user.phone}
    form = forms.Profile(request.POST if request.method == "POST" else None, initial=present)
    if form.is_valid():
        with refusals_on(form):
            people.change_profile(user=user, by=user, **form.cleaned_data)
            messages.success(request, _("Your profile is saved."))
            return redirect("profile")
    role = role_of(request, user)
    return account_page(request, "accounts/profile.html", {"form": form, "role": role.label if role else ""})


@_form_door
@requires(Permission.OWN_ACCOUNT)
def email(request: Request) -> HttpResponse:
    """Ask to use another e-mail address; a code goes there."""
    form = forms.ChangeEmail(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            request.session[_NEW_EMAIL] = addresses.ask_for_change(
                request=request,
                user=request.user,
                sign_in_link=request.build_absolute_uri(reverse("sign_in")),
                now=now(),
                **form.cleaned_data,
            )
            return redirect("email_change_code")
    return account_page(request, "accounts/email.html", {"form": form})


@_form_door
@requires(Permission.OWN_ACCOUNT)
def email_code(request: Request) -> HttpResponse:
    """Type the code that went to the new address, which is used from then on."""
    form = forms.Code(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            addresses.change(request=request, user=request.user, now=now(), **form.cleaned_data)
            messages.success(request, _("Your e-mail address is changed."))
            return redirect("profile")
    return account_page(
        request, "accounts/email_code.html", {"form": form, "email": request.session.get(_NEW_EMAIL, "")}
    )


@_form_door
@requires(Permission.OWN_ACCOUNT)
def password(request: Request) -> HttpResponse:
    """Choose another password; everywhere else one is signed out."""
    form = forms.ChangePassword(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            passwords.change(request=request, user=request.user, now=now(), **form.cleaned_data)
            messages.success(request, _("Your password is changed. Everywhere else you are signed out."))
            return redirect("two_factor")
    return account_page(request, "accounts/password.html", {"form": form})


@require_safe
@requires(Permission.OWN_ACCOUNT)
def sessions(request: Request) -> HttpResponse:
    """Every browser and app in which one is signed in, on all hosts."""
    rows = divide(request, sign_ins.of(request.user, now()))
    shown = [sign_ins.shown(row, request) for row in rows]
    return account_page(request, "accounts/sessions.html", {"sign_ins": shown, "page": rows}, part="rows")


@require_POST
@requires(Permission.OWN_ACCOUNT)
def end_session(request: Request, code: UUID) -> HttpResponse:
    """Sign out in one of them."""
    services.end_one(user=request.user, code=code, now=now())
    messages.success(request, _("That sign-in has ended."))
    return redirect("sessions")


@require_POST
@requires(Permission.OWN_ACCOUNT)
def end_all(request: Request) -> HttpResponse:
    """Sign out everywhere, here too."""
    services.sign_out_everywhere(request=request, user=request.user, now=now())
    messages.success(request, _("You are signed out everywhere."))
    return redirect("sign_in")
