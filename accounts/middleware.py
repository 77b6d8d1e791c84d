"""Whose session it is, and who acts in another's name."""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import Session
from accounts.places import place_of
from accounts.services import support
from accounts.sessions import SUPPORT, SessionStore, Visit
from core.logs import acting_as_support
from core.middleware import PROBES

_SEEN_EVERY = timedelta(minutes=5)


class SessionOfPlace(SessionMiddleware):
    """Django's, with a session store that knows where it is asked."""

    def process_request(self, request: HttpRequest) -> None:
        """Give the request its session, which is read when somebody looks at it."""
        super().process_request(request)
        if isinstance(request.session, SessionStore):
            request.session.visit = Visit(
                place=place_of(request),
                host=request.get_host(),
                address=getattr(request, "address", "") or None,
                agent=request.headers.get("User-Agent", ""),
            )


def seen(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Note now and then when a session was last used."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        row = getattr(request.session, "row", None)
        now = timezone.now()
        if row is not None and row.user_id and row.last_seen_at < now - _SEEN_EVERY:
            Session.objects.filter(pk=row.pk).update(last_seen_at=now)
        return response

    return middleware


def acting(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Tell the audit log who acts as support. Show them out, with a sentence, when that is over."""

    def middleware(request: HttpRequest) -> HttpResponse:
        has_cookie = {settings.SESSION_COOKIE_NAME, support.COOKIE} & request.COOKIES.keys()
        if not has_cookie or request.path in PROBES:
            return get_response(request)
        by = request.session.get(SUPPORT)
        if by is None:
            return _shown_out(request) or get_response(request)
        with acting_as_support(by["by"], by["name"]):
            if request.user.is_authenticated and support.may_act(by["by"]):
                return get_response(request)
            support.end(request=request, reason=gettext("The superadmin may not act as support any more."))
        return _shown_out(request) or get_response(request)

    return middleware


def _shown_out(request: HttpRequest) -> HttpResponse | None:
    """The page for somebody whose support has just ended by itself; only in place of a page, and only once."""
    wants_page = "text/html" in request.headers.get("Accept", "") and "HX-Request" not in request.headers
    if not request.COOKIES.get(support.COOKIE) or not wants_page or request.user.is_authenticated:
        return None
    response = redirect(reverse("support_over", urlconf=settings.HOSPITAL_URLCONF))
    response.delete_cookie(support.COOKIE)
    return response
