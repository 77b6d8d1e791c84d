"""Requests, answers, and finding who answers."""

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Request:
    """What somebody asks."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def is_form(self) -> bool:
        """Whether a browser sent a form."""
        return self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")

    def data(self) -> dict[str, Any]:
        """The body: JSON or a form. Raises ValueError for anything else."""
        if self.is_form:
            return dict(parse_qsl(self.body.decode(), keep_blank_values=True))
        read = json.loads(self.body or b"{}")
        if not isinstance(read, dict):
            raise ValueError("The body is no JSON object.")
        return read

    def basic_auth(self) -> tuple[str, str]:
        """Key and secret; both empty when there are none."""
        kind, _, encoded = self.headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic":
            return "", ""
        try:
            key_id, _, secret = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return key_id, secret


@dataclass(frozen=True)
class Answer:
    """What is said; with `silence` nothing is, and the connection closes after that many seconds."""

    body: bytes = b""
    status: int = 200
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    silence: float | None = None


Route = tuple[str, re.Pattern[str], Any]


def route(method: str, path: str, goal: Any) -> Route:
    """A path such as `/v1/orders/<order_id>`."""
    return method, re.compile(re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", path) + r"/?"), goal


def find(routes: Sequence[Route], request: Request) -> tuple[Any, dict[str, str]] | None:
    """What the request is for, with the words out of its path."""
    for method, pattern, goal in routes:
        if method == request.method and (match := pattern.fullmatch(request.path)):
            return goal, match.groupdict()
    return None


def as_json(thing: object, *, status: int = 200) -> Answer:
    """An answer for programs."""
    return Answer(json.dumps(thing, ensure_ascii=False).encode(), status)


def redirect(address: str) -> Answer:
    """Go and look there."""
    return Answer(status=303, headers={"Location": address})
