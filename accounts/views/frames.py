"""What pages about oneself have in common: the frame with its tabs, and the page on which a code is typed."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.forms import Code
from accounts.permissions import Permission, granted, role_of
from accounts.steps import wanted, with_next
from core.http import Request
from core.menus import Item
from core.pages import page

# The tab each page belongs to, by the beginning of its address's name.
_TABS = (
    ("profile", "user", ("profile", "email_change")),
    ("family", "users", ("family",)),
    ("two_factor", "shield-check", ("password_change", "two_factor", "passkey", "recovery")),
    ("sessions", "monitor-smartphone", ("session",)),
)


def account_page(request: Request, template: str, context: dict[str, Any], *, part: str = "") -> HttpResponse:
    """A page of one's account (it extends accounts/account_base.html), with the menu of who works here around it."""
    name = request.resolver_match.url_name or "" if request.resolver_match else ""
    labels = {
        "profile": _("Profile"),
        "family": _("Family"),
        "two_factor": _("Sign-in and security"),
        "sessions": _("Devices"),
    }
    tabs = [
        Item(label=labels[tab], url=reverse(tab), icon=icon, current=name.startswith(pages))
        for tab, icon, pages in _TABS
    ]
    base = "portal_base.html" if role_of(request, request.user) is None else "staff_base.html"
    return page(request, template, {"base": base, "tabs": tabs, **context}, part=part)


def already_in(request: Request) -> HttpResponse | None:
    """Where somebody who is signed in goes from a page for coming in; None for a visitor."""
    if not granted(request, request.user, Permission.SIGNED_IN):
        return None
    return redirect(wanted(request) or "start")


def code_page(request: Request, template: str, *, form: forms.Form, email: str, enter: str, again: str) -> HttpResponse:
    """The page on which a code from the mail is typed. `form` is the one that was sent: the code, or the button."""
    context = {
        "form": form,
        "code_form": form if isinstance(form, Code) else Code(),
        "email": email,
        "code_url": with_next(enter, wanted(request)),
        "again_url": with_next(again, wanted(request)),
        "next": wanted(request),
    }
    return page(request, template, context)
