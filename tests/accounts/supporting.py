"""What the tests about support share."""

from typing import Any
from urllib.parse import urlsplit

from django.test import Client

from accounts.models import User
from audit.models import AuditLog
from core.schemas import schema_context
from hospitals.models import Staff
from tenants.models import Hospital
from tests.conftest import browser

REASON = "Hari cannot find where the logo is changed"
PAGE = {"Accept": "text/html"}


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def staff_of(cedar: Hospital, user: User) -> Staff:
    with schema_context(cedar.schema_name):
        return Staff.objects.get(user=user)


def ask(client: Client, cedar: Hospital, admin: User, reason: str = REASON) -> Any:
    """Ask on the portal to act as this admin."""
    person = str(staff_of(cedar, admin).code)
    return client.post(f"/platform/hospitals/{cedar.code}/support/", {"person": person, "reason": reason})


def arrived(answer: Any) -> Client:
    """The browser of who followed the link of the page, on the hospital's host."""
    client = browser("cedar.localhost")
    assert client.get(urlsplit(answer.context["way_in"]).path + "?next=/start/")["Location"] == "/start/"
    return client


def cedar_log(cedar: Hospital, action: str) -> list[AuditLog]:
    with schema_context(cedar.schema_name):
        return list(AuditLog.objects.filter(action=action).newest_first())


def platform_log(action: str) -> list[AuditLog]:
    return list(AuditLog.objects.filter(action=action).newest_first())


def is_in(client: Client) -> bool:
    return bool(client.get("/").wsgi_request.user.is_authenticated)
