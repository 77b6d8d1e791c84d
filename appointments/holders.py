"""Who holds a time before anybody has said who they are: the visitor's browser, by a signed cookie of this host.

The cookie names the browser by a code of its own and the visit that was held last. It opens nothing: a hold says
neither who it is for nor why.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.core import signing
from django.http import HttpResponse

from core.http import Request

_SALT = "appointments.holders"
_KEY_SALT = "appointments.holders.key"
_LASTS = timedelta(days=1)


@dataclass(frozen=True)
class Browser:
    """A visitor's browser. `code` is the holder of what it holds; `held` is the visit that was held last, if any."""

    code: UUID
    held: UUID | None = None


def _cookie() -> str:
    """The cookie's name. The prefix makes browsers refuse one that another host of the domain has set."""
    return "__Host-holder" if settings.SESSION_COOKIE_SECURE else "holder"


def browser_of(request: Request) -> Browser:
    """The browser that asks; one that was never seen here gets a new code."""
    try:
        code, held = signing.loads(request.COOKIES.get(_cookie(), ""), salt=_SALT, max_age=_LASTS)
        return Browser(code=UUID(code), held=UUID(held))
    except (signing.BadSignature, ValueError, TypeError):
        return Browser(code=uuid4())


def remember(response: HttpResponse, browser: Browser, *, held: UUID) -> None:
    """Let the browser find again what it holds."""
    value = signing.dumps([str(browser.code), str(held)], salt=_SALT)
    secure, lasts = settings.SESSION_COOKIE_SECURE, int(_LASTS.total_seconds())
    response.set_cookie(_cookie(), value, max_age=lasts, secure=secure, httponly=True, samesite="Lax")


def key_of(code: UUID) -> str:
    """The same for a client without cookies: a key by which it shows that the holder is itself."""
    return signing.dumps(str(code), salt=_KEY_SALT)


def holder_behind(key: str) -> UUID | None:
    """The holder a key names; None if nobody here gave it out, or too long ago."""
    try:
        return UUID(signing.loads(key, salt=_KEY_SALT, max_age=_LASTS))
    except (signing.BadSignature, ValueError):
        return None
