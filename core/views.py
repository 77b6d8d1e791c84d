"""Doors that belong to no room: health, theme, the style guide, and what Django shows when things go wrong."""

from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from redis.exceptions import RedisError

from core.api_reference import groups
from core.middleware import error_page
from core.styleguide import context as styleguide_context

_A_YEAR = 31_536_000


def public(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Declare a door of this room open to everybody; other rooms say `requires(Permission.PUBLIC)`."""
    view.permission = "public"  # type: ignore[attr-defined]
    return view


@public
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Whether the process answers. It asks nobody else, so that a dead database does not restart every server."""
    return HttpResponse("ok", content_type="text/plain")


@public
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether the process can serve: the database must answer; without the cache it is slower but serves."""
    parts = {"database": "ok", "cache": "ok"}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        parts["database"] = "down"
    try:
        cache.get("readyz")
    except RedisError:
        parts["cache"] = "down"
    return JsonResponse(parts, status=200 if parts["database"] == "ok" else 503)


@public
@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Remember light or dark, and go back to where the visitor was."""
    chosen = request.POST.get("theme", "auto")
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = "/"
    response = HttpResponseRedirect(back)
    # Not HttpOnly: app.js switches the theme without a round trip.
    response.set_cookie(
        "theme",
        chosen if chosen in ("light", "dark") else "auto",
        max_age=_A_YEAR,
        samesite="Lax",
        secure=not settings.DEBUG,
    )
    return response


@public
@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component in every state; in development only."""
    if not settings.DEBUG:
        raise Http404
    return render(request, "styleguide.html", styleguide_context())


@public
@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """The API of this kind of host, to read."""
    urlconf = getattr(request, "urlconf", settings.ROOT_URLCONF)
    site = f"{request.scheme}://{request.get_host()}"
    return render(request, "api_reference.html", {"groups": groups(urlconf), "site": site})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler for 400."""
    return error_page(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler for 403."""
    return error_page(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler for 404."""
    return error_page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler for 500."""
    return error_page(request, 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token is missing or old."""
    return error_page(
        request,
        403,
        title=_("This form is too old"),
        sentence=_("Go back, reload the page and send it again. Your browser must allow cookies."),
    )
