"""The ways between the portal and the hospitals, by which a sign-in is carried along.

Every address that is built here begins with a host of ours: the portal's own, or one that stands in the registry.
"""

from collections.abc import Callable
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.permissions import is_support
from core import hosts as addresses
from core.hosts import is_portal
from tenants.hosts import hospital_at
from tenants.models import Hospital


def here(request: HttpRequest) -> str:
    """The host that was asked, without its port."""
    return split_domain_port(request.get_host())[0]


def place_beyond(request: HttpRequest, host: str) -> str | None:
    """The place of `host`, if a way leads there: from the portal to an open hospital, and from a hospital back."""
    if request.hospital is not None:  # type: ignore[attr-defined]  # see tenants.middleware
        return "" if is_portal(host) else None
    hospital = None if is_portal(host) else hospital_at(host)
    return str(hospital.code) if hospital and hospital.status == Hospital.Status.APPROVED else None


def is_in_service(host: str) -> bool:
    """Whether `host` can be asked for a ticket now: a hospital that is out of service for a moment cannot."""
    hospital = None if is_portal(host) else hospital_at(host)
    return hospital is None or not hospital.pause


def local(path: str) -> str:
    """`path` if it is one on this host, else the first page."""
    return path if path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None) else "/"


def to_source(request: HttpRequest, source: str, state: str, wanted: str) -> str:
    """Where the other host, `source`, is asked for a ticket for this one."""
    query = {"to": here(request), "state": state, "next": wanted}
    return addresses.at(source, f"{reverse('hand_over')}?{urlencode(query)}")


def to_arrival(host: str, token: str, wanted: str) -> str:
    """Where a ticket is shown on `host`."""
    return addresses.at(host, f"{reverse('arrive', args=[token])}?{urlencode({'next': wanted})}")


def to_hospital(request: HttpRequest, slug: str, name: str, *args: object) -> str:
    """A link on the portal to a hospital's page `name`; somebody who is signed in here will be there, too."""
    return to_page_of_hospital(carried_from(request), slug, name, *args)("")


def to_page_of_hospital(source: str, slug: str, name: str, *args: object) -> Callable[[str], str]:
    """The same, for many links to one page: each by its query. `source` is what `carried_from` says."""
    host, path = addresses.subdomain(slug), reverse(name, urlconf=settings.HOSPITAL_URLCONF, args=args)
    return lambda query: _carried(source, host, f"{path}?{query}" if query else path)


def to_portal(request: HttpRequest, name: str) -> str:
    """A link on a hospital's host to the portal's page `name`; somebody who is signed in here will be there, too."""
    return _carried(carried_from(request), settings.BASE_DOMAIN, reverse(name, urlconf=settings.ROOT_URLCONF))


def carried_from(request: HttpRequest) -> str:
    """The host from which a sign-in is carried along: this one; "" when nobody is signed in, or only as support."""
    return here(request) if request.user.is_authenticated and not is_support(request) else ""


def _carried(source: str, host: str, path: str) -> str:
    if not source:
        return addresses.at(host, path)
    return addresses.at(host, f"{reverse('hand_over_begin')}?{urlencode({'from': source, 'next': path})}")
