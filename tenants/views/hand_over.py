"""From one host to another without signing in twice. The host that somebody goes to begins (see docs/adr/0017).

1. `/continue/` there puts a random state into this browser's cookie and asks the host they come from.
2. `/hand-over/` here, where they are signed in, writes a ticket bound to that state.
3. `/arrive/<ticket>/` there signs in the browser that holds the cookie. Nothing else can: a ticket that somebody
   slipped to another person finds no state in their browser.
"""

import secrets

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.permissions import Permission, granted, has_second_factor, is_support, requires
from accounts.services import support, tickets
from core import hosts as addresses
from core.http import Request
from tenants import ways

_COOKIE_LASTS = 120


def _cookie() -> str:
    """The cookie's name. The prefix makes browsers refuse one that another host of the domain has set."""
    return "__Host-arrival" if settings.SESSION_COOKIE_SECURE else "arrival"


def _is_signed_in(request: Request) -> bool:
    return granted(request, request.user, Permission.SIGNED_IN)


@never_cache
@require_GET
@requires(Permission.PUBLIC)
def begin(request: Request) -> HttpResponse:
    """Come from the host ?from= to the page ?next=, signed in if the visitor is signed in there.

    A hospital that is out of service for a moment keeps nobody from where they want to go: they sign in there.
    """
    wanted, source = ways.local(request.GET.get("next", "/")), request.GET.get("from", "").lower()
    if _is_signed_in(request) or ways.place_beyond(request, source) is None or not ways.is_in_service(source):
        return redirect(wanted)
    state = secrets.token_urlsafe(32)
    response = redirect(ways.to_source(request, source, tickets.digest_of(state), wanted))
    secure = settings.SESSION_COOKIE_SECURE
    response.set_cookie(_cookie(), state, max_age=_COOKIE_LASTS, secure=secure, httponly=True, samesite="Lax")
    return response


@never_cache
@require_GET
@requires(Permission.PUBLIC)
def hand_over(request: Request) -> HttpResponse:
    """Send the visitor back to the host ?to=, with a ticket if they are signed in here as themselves."""
    wanted, host = ways.local(request.GET.get("next", "/")), request.GET.get("to", "").lower()
    place, state = ways.place_beyond(request, host), request.GET.get("state", "")
    if place is None:
        raise Http404
    # A superadmin's power on the portal is never had by a cookie of a hospital's host.
    is_carried = _is_signed_in(request) and not is_support(request) and (place or not request.user.is_superuser)
    if not is_carried or len(state) != len(tickets.digest_of("")):
        return redirect(addresses.at(host, wanted))
    is_two_factor = has_second_factor(request)
    token = tickets.issue(user=request.user, place=place, state=state, is_two_factor=is_two_factor, now=now())
    return redirect(ways.to_arrival(host, token, wanted))


@never_cache
@require_GET
@requires(Permission.PUBLIC)
def arrive(request: Request, ticket: str) -> HttpResponse:
    """Show a ticket, and go on to ?next=: signed in if it is good, else as before."""
    state = request.COOKIES.get(_cookie(), "")
    response = redirect(ways.local(request.GET.get("next", "/")))
    response.delete_cookie(_cookie(), samesite="Lax")
    if tickets.redeem(request=request, token=ticket, state=state, now=now()):
        if is_support(request):
            lasts = int(support.COOKIE_LASTS.total_seconds())
            secure = settings.SESSION_COOKIE_SECURE
            response.set_cookie(support.COOKIE, "1", max_age=lasts, secure=secure, httponly=True, samesite="Lax")
    elif not _is_signed_in(request):
        messages.info(request, _("Sign in to go on."))
    return response
