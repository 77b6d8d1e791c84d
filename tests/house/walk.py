"""Every door of both kinds of host, and what happens to somebody who knocks."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from core import schemas, throttle

URLCONFS = {"portal": "rhms.urls_portal", "hospital": "rhms.urls_hospital"}
ADMIN = "admin/"  # Django's own: one group, let in by one question (rhms.admin_site)
_API_METHODS = ("get", "post", "put", "patch", "delete")
_SLOT = re.compile(r"<(?:\w+:)?(\w+)>")
_SERVES_PAGES = ("GET", "POST")


class Outcome(Enum):
    """What happened at the door: whatever the door itself answers, a refusal by a service included, is being let in."""

    IN = "let in"
    HIDDEN = "told that there is no such thing"
    OUT = "kept out"
    BROKEN = "met with an error of ours"


@dataclass(frozen=True)
class Door:
    """One method of one address."""

    place: str  # "portal" or "hospital"
    method: str
    pattern: str
    name: str
    is_api: bool

    @property
    def slots(self) -> list[str]:
        """The names of its arguments."""
        return _SLOT.findall(self.pattern)

    @property
    def is_admin(self) -> bool:
        """Whether it is one of Django's own."""
        return self.pattern.startswith(f"/{ADMIN}") and self.pattern != "/admin/login/"

    def path(self, arguments: dict[str, Any]) -> str:
        """Its address with these arguments; `?` among them is what it is asked."""
        path = _SLOT.sub(lambda slot: str(arguments[slot[1]]), self.pattern)
        return f"{path}?{urlencode(arguments['?'])}" if "?" in arguments else path

    def __str__(self) -> str:
        return f"{self.place} {self.method} {self.pattern}"


@cache
def doors(place: str) -> list[Door]:
    """All doors of the portal, or of a hospital, Django's own admin included; the first of two at one address counts."""
    found: dict[str, list[Door]] = {}
    for pattern, name, view in _leaves(get_resolver(URLCONFS[place]).url_patterns):
        where, is_api = "/" + pattern, getattr(view, "cls", None) is not None
        at_once = [Door(place, method, where, name, is_api) for method in methods(view) or _SERVES_PAGES]
        found.setdefault(where, at_once)
    return [door for same_address in found.values() for door in same_address]


def _leaves(patterns: list[Any], before: str = "") -> Iterator[tuple[str, str, Any]]:
    for pattern in patterns:
        where = before + _plain(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _leaves(pattern.url_patterns, where)
        elif isinstance(pattern, URLPattern):
            yield where, pattern.name or "", pattern.callback


def _plain(pattern: str) -> str:
    """Django's admin has regular expressions among its patterns."""
    return re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", pattern).replace("^", "").replace("$", "").replace("\\Z", "")


def methods(view: Any) -> list[str]:
    """What the door says it answers: an endpoint by its methods, a page by Django's `require_...`; empty if nothing."""
    endpoint = getattr(view, "cls", None)
    if endpoint is not None:
        return [name.upper() for name in _API_METHODS if hasattr(endpoint, name)]
    while view is not None:
        allowed = (
            inspect.getclosurevars(view).nonlocals.get("request_method_list") if inspect.isfunction(view) else None
        )
        if allowed is not None:
            return [method for method in allowed if method != "HEAD"]
        view = getattr(view, "__wrapped__", None)
    return []


def knock(
    client: Client,
    door: Door,
    path: str,
    body: dict[str, Any] | None = None,
    look: Callable[[HttpResponse], None] | None = None,
) -> HttpResponse:
    """Ask, `look` at the answer and at what it changed, and take that back. The answer is read to its end."""
    throttle._limiter().storage.reset()  # nobody is refused for knocking often
    schemas.enter_public()
    sent: dict[str, Any] = {}
    if door.method not in ("GET", "HEAD", "OPTIONS"):
        sent = {"data": body or {}, "content_type": "application/json"} if door.is_api else {"data": body or {}}
    with transaction.atomic():
        answer: Any = getattr(client, door.method.lower())(path, **sent)
        if answer.streaming:
            answer.content_was = b"".join(answer.streaming_content)
        else:
            answer.content_was = answer.content
        schemas.enter_public()
        if look:
            look(answer)
        transaction.set_rollback(True)
    return answer  # type: ignore[no-any-return]


def outcome(door: Door, path: str, answer: HttpResponse) -> Outcome:
    """What an answer means for who asked."""
    if answer.status_code == 404:
        return Outcome.HIDDEN
    if answer.status_code >= 500:
        return Outcome.BROKEN
    if answer.status_code == 403:
        return Outcome.OUT
    if answer.status_code == 401:
        # A service refuses a wrong code with 401, too; only the permission says how to authenticate.
        return Outcome.OUT if "WWW-Authenticate" in answer.headers else Outcome.IN
    if 300 <= answer.status_code < 400 and _is_sent_away(door, path, answer.headers["Location"]):
        return Outcome.OUT
    return Outcome.IN


def _is_sent_away(door: Door, path: str, to: str) -> bool:
    """Whether an answer leads to where the permission sends somebody whom it does not let in."""
    if door.is_admin and to in (f"/admin/login/?next={path}", "/admin/"):
        return True
    return to == redirect_to_login(path).url or to.startswith("/account/two-factor/?next=")
