"""Whose try it is: the visitor's address, behind as many proxies as we trust."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from audit.models import Action, AuditLog
from tests import factories


def address_recorded(portal: Client, usha: User, **headers: Any) -> str | None:
    """What the audit log says of a sign-in from there."""
    fields = {"email": usha.email, "password": factories.PASSWORD}
    assert portal.post("/sign-in/", fields, **headers).status_code == 302
    address: str | None = AuditLog.objects.filter(action=Action.USER_SIGNED_IN).newest_first()[0].address
    return address


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "10.0.0.1, 203.0.113.9", "203.0.113.9"),  # the first is only what the visitor claims
        (2, "10.0.0.1, 203.0.113.9, 198.51.100.7", "203.0.113.9"),
        (2, "203.0.113.9", "203.0.113.9"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "unknown", "192.0.2.1"),
        (1, "203.0.113.9:51234", "192.0.2.1"),
        (1, "", "192.0.2.1"),
    ],
)
def test_the_entry_that_our_own_proxies_wrote_counts(
    portal: Client, usha: User, settings: Any, trusted: int, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = trusted
    headers = {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": forwarded}
    assert address_recorded(portal, usha, **headers) == address


def test_a_server_behind_a_socket_knows_no_address_and_still_signs_people_in(portal: Client, usha: User) -> None:
    assert address_recorded(portal, usha, REMOTE_ADDR="") is None
