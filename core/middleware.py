"""What happens around every request: its reference, and pages for whatever goes wrong."""

from collections.abc import Callable
from ipaddress import ip_address
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from core import races
from core.errors import SOMETHING_BROKE, DomainError
from core.logs import Origin, origin

# Asked by whoever watches the machine, by whatever name reaches it. They concern nobody's hospital and session.
PROBES = ("/healthz", "/readyz")

GetResponse = Callable[[HttpRequest], HttpResponse]


def request_context(get_response: GetResponse) -> GetResponse:
    """Give the request a reference and find the visitor's address, for logs, audit rows and error pages."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.id = uuid4().hex[:12]  # type: ignore[attr-defined]
        request.address = _address(request)  # type: ignore[attr-defined]
        token = origin.set(Origin(request_id=request.id, address=request.address or None))  # type: ignore[attr-defined]
        try:
            response = get_response(request)
        finally:
            origin.reset(token)
        response["X-Request-ID"] = request.id  # type: ignore[attr-defined]
        return response

    return middleware


def _address(request: HttpRequest) -> str:
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if settings.TRUSTED_PROXIES and forwarded:
        # Each proxy of ours appends whom it was asked by; what stands before those entries is the visitor's claim.
        entries = [entry.strip() for entry in forwarded.split(",")]
        claimed = _plain_address(entries[-min(settings.TRUSTED_PROXIES, len(entries))])
        if claimed:
            return claimed
    return _plain_address(str(request.META.get("REMOTE_ADDR", "")))


def _plain_address(text: str) -> str:
    """The IP address in `text`, or "": what a proxy passes on may be no address, and the audit log takes no other."""
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    return str(address).partition("%")[0]  # a zone means something on one machine only


# What an error page says: title and what to do, by status.
_WORDS = {
    400: lambda: (_("This request could not be understood"), _("Go back and try again.")),
    401: lambda: (_("Sign in again"), _("Your sign-in is over.")),
    403: lambda: (_("You may not open this page"), _("Ask your hospital's admin if you need it for your work.")),
    404: lambda: (_("There is no such page"), _("The address may be mistyped, or what it showed is gone.")),
    405: lambda: (_("This page cannot be used in this way"), _("Go back and try again.")),
    409: lambda: (_("This has changed in the meantime"), _("Go back and look at it again.")),
    410: lambda: (_("This link no longer works"), _("Ask for a new one.")),
    422: lambda: (_("This cannot be saved as it is"), _("Go back and correct it.")),
    429: lambda: (_("Too many tries"), _("Wait a little, then try again.")),
    500: lambda: (_("Something broke on our side"), str(SOMETHING_BROKE)),
    503: lambda: (_("Not available right now"), _("Try again in a few minutes.")),
}


def error_page(request: HttpRequest, status: int, *, title: str = "", sentence: str = "") -> HttpResponse:
    """A page, or JSON under /api/, that says what went wrong and what to do; it needs no database and no session."""
    usual_title, usual_sentence = _WORDS.get(status, _WORDS[500])()
    sentence = sentence or usual_sentence
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": sentence}, status=status)
    # The page's surroundings must not ask what may be broken (see the context processors).
    request.failed = status >= 500  # type: ignore[attr-defined]
    context = {
        "status": status,
        "title": title or usual_title,
        "sentence": sentence,
        "request_id": getattr(request, "id", ""),
    }
    return render(request, "error.html", context, status=status)


def refusal_page(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The page of a refusal, in its own words."""
    response = error_page(request, error.status, sentence=str(error))
    if error.retry_after:
        response["Retry-After"] = str(error.retry_after)
    return response


def error_pages(get_response: GetResponse) -> GetResponse:
    """Answer an address that leads nowhere with our own page, in development too; and one that nobody can mean."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return error_page(request, 400)  # Postgres keeps no such character: there is nothing to look for
        response = get_response(request)
        if response.status_code == 404 and request.resolver_match is None:
            return error_page(request, 404)
        return response

    return middleware


def _refused(request: HttpRequest, error: Exception) -> HttpResponse | None:
    if isinstance(error, DomainError):
        return refusal_page(request, error)
    if isinstance(error, PermissionDenied):
        return error_page(request, 403)
    if isinstance(error, Http404):
        return error_page(request, 404)
    return None


def refusals(get_response: GetResponse) -> GetResponse:
    """Turn what a page's service or permission refused into a page that says so."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_view(request: HttpRequest, *_view: object) -> None:
        races.prepare(request)

    def process_exception(request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not races.is_lost(error):
            return _refused(request, error)
        try:
            return races.begin_anew(request)
        except Exception as second:  # noqa: BLE001  (judged like the first)
            return _refused(request, second)

    middleware.process_view = process_view  # type: ignore[attr-defined]
    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware
