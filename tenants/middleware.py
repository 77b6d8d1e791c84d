"""Whose request is this? The host decides, before anything else looks at it."""

import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.utils import timezone
from django.utils.translation import gettext as _

from core import schemas
from core.errors import Missing
from core.hosts import is_portal, portal_url
from core.middleware import PROBES, error_page, refusal_page
from tenants import pauses
from tenants.hosts import hospital_at
from tenants.models import Hospital

# What the page itself needs.
_SERVED_WHILE_CLOSED = ("/theme/", "/logo/")


def _back_soon(request: HttpRequest, hospital: Hospital) -> HttpResponse:
    """The page of a hospital that is out of service for a moment, while all others work; the API says it in JSON."""
    request.home_url = portal_url("home")  # type: ignore[attr-defined]  # its own first page is closed, too
    error = pauses.back_soon(hospital)
    if request.path.startswith("/api/"):
        return refusal_page(request, error)
    answer = error_page(
        request,
        error.status,
        title=_("%(hospital)s is back soon") % {"hospital": hospital.name},
        # The telephone number stands below, as a link.
        sentence=_("Its records are being looked after and nothing is lost. Try again in a few minutes."),
    )
    answer["Retry-After"] = str(error.retry_after)
    return answer


def hospital_of_host(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Set `request.hospital`, the schema, the addresses and the time zone by the host that was asked."""

    def middleware(request: HttpRequest) -> HttpResponse:
        host, _port = split_domain_port(request.get_host())
        schemas.enter_public()
        request.hospital = None  # type: ignore[attr-defined]
        if is_portal(host) or request.path in PROBES:
            timezone.deactivate()
            return get_response(request)
        hospital = hospital_at(host)
        if hospital is None:
            request.home_url = portal_url("home")  # type: ignore[attr-defined]  # nothing else is at this host
            return refusal_page(request, Missing(_("No hospital lives at this address. Check how it is spelled.")))
        request.hospital = hospital  # type: ignore[attr-defined]
        request.urlconf = settings.HOSPITAL_URLCONF  # type: ignore[attr-defined]
        if hospital.status == Hospital.Status.SUSPENDED and not request.path.startswith(_SERVED_WHILE_CLOSED):
            request.home_url = portal_url("home")  # type: ignore[attr-defined]  # its own first page is closed, too
            return error_page(
                request,
                503,
                title=_("%(hospital)s is closed for now") % {"hospital": hospital.name},
                sentence=_("It cannot be reached through this site at the moment. Its records are kept safe."),
            )
        if hospital.pause and not request.path.startswith(_SERVED_WHILE_CLOSED):
            return _back_soon(request, hospital)
        with timezone.override(zoneinfo.ZoneInfo(hospital.time_zone)):
            schemas.enter(hospital)
            try:
                response = get_response(request)
            finally:
                schemas.enter_public()
        if request.is_secure() and host != hospital.host:
            # On a domain of its own the hospital has other subdomains, which we must not force onto https.
            response["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}"
        return response

    return middleware
