"""Somebody who goes from host to host."""

from typing import Any
from urllib.parse import urlsplit

from django.test import Client

from accounts.models import User
from tests.conftest import browser, come_in


class Person:
    """Somebody's browser: like a real one it keeps the cookies of each host apart."""

    def __init__(self) -> None:
        self.clients: dict[str, Client] = {}

    def at(self, host: str) -> Client:
        return self.clients.setdefault(host, browser(host))

    def signs_in(self, host: str, user: User, *, is_two_factor: bool = False) -> None:
        come_in(self.at(host), user, is_two_factor=is_two_factor)

    def opens(self, address: str) -> Any:
        parts = urlsplit(address)
        return self.at(parts.hostname or "").get(f"{parts.path}?{parts.query}")

    def follows(self, address: str, steps: int = 3) -> str:
        """Where `steps` redirects lead from `address`."""
        for _step in range(steps):
            where = self.opens(address)["Location"]
            address = where if "://" in where else f"http://{urlsplit(address).netloc}{where}"
        return address

    def is_signed_in(self, host: str) -> bool:
        return bool(self.at(host).get("/").wsgi_request.user.is_authenticated)
