"""Absolute addresses. The only place that joins a scheme, a host and a path."""

from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

PORTAL_NAME = "RHMS"


def _origin(host: str) -> str:
    site = urlsplit(settings.SITE_URL)
    return f"{site.scheme}://{host}{f':{site.port}' if site.port else ''}"


def portal_url(name: str, *args: object) -> str:
    """The absolute address of the portal's page `name`."""
    return _origin(settings.BASE_DOMAIN) + reverse(name, urlconf=settings.ROOT_URLCONF, args=args)


def hospital_url(slug: str, name: str, *args: object) -> str:
    """The absolute address of page `name` on the site of the hospital with subdomain `slug`."""
    return _origin(subdomain(slug)) + reverse(name, urlconf=settings.HOSPITAL_URLCONF, args=args)


def at(host: str, path: str) -> str:
    """The absolute address of `path` on `host`, which the caller knows to be one of ours."""
    return _origin(host) + path


def subdomain(slug: str) -> str:
    """The host of a hospital: `cedar` becomes `cedar.localhost` in development."""
    return f"{slug}.{settings.BASE_DOMAIN}"


def is_portal(host: str) -> bool:
    """Whether `host`, without its port, is the portal."""
    if host in ("127.0.0.1", "[::1]"):
        return bool(settings.DEBUG)  # nobody may choose the address that a mailed link leads to
    return host in (settings.BASE_DOMAIN, f"www.{settings.BASE_DOMAIN}")
