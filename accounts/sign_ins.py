"""Where somebody is signed in, as they read it: which device, since when, and which of them is the one they hold."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext as _
from ua_parser import parse

from accounts.models import Session, TokenFamily, User
from accounts.services import sessions

_COLUMNS = ("code", "host", "address", "agent", "created_at", "last_seen_at")


@dataclass(frozen=True)
class SignIn:
    """One browser's session, or one app's tokens. `supporter` acts there in the person's name, if anybody does."""

    code: UUID
    is_app: bool
    is_this: bool
    device: str
    host: str
    address: str
    supporter: str
    created_at: datetime
    last_seen_at: datetime
    may: list[str]


def of(user: User, now: datetime) -> "QuerySet[Any, dict[str, Any]]":
    """All that are open, the last used first, as rows for `shown`: sessions and token families together."""
    nobody = Value("", output_field=CharField())
    name = Concat(F("supporter__first_name"), Value(" "), F("supporter__last_name"), output_field=CharField())
    browsers = Session.objects.open(now).filter(user=user).annotate(kind=Value("browser"), by=name)
    apps = TokenFamily.objects.open(now).filter(user=user).annotate(kind=Value("app"), by=nobody)
    columns = (*_COLUMNS, "kind", "by")
    return browsers.values(*columns).union(apps.values(*columns), all=True).order_by("-last_seen_at", "-code")


def shown(row: dict[str, Any], request: Any) -> SignIn:
    """One row, with its browser in words."""
    return SignIn(
        code=row["code"],
        is_app=row["kind"] == "app",
        is_this=row["code"] == sessions.present(request),
        device=device(row["agent"]),
        host=row["host"],
        address=row["address"] or "",
        supporter=row["by"].strip(),
        created_at=row["created_at"],
        last_seen_at=row["last_seen_at"],
        may=["end"],
    )


@lru_cache(maxsize=1000)
def _parsed(agent: str) -> tuple[str, str]:
    found = parse(agent)
    browser = found.user_agent.family if found.user_agent else ""
    system = found.os.family if found.os else ""
    return browser, system


def device(agent: str) -> str:
    """A browser's or an app's header in words, like "Firefox on Linux"."""
    browser, system = _parsed(agent)
    if browser and system and browser != system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown device")
