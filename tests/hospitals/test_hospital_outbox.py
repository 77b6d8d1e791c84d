"""A hospital's own outbox: its admin sees whether its messages arrived, and nobody else's."""

import pytest
from django.test import Client

from accounts.models import User
from core.schemas import schema_context
from notifications.models import Notification, State
from tenants.models import Hospital

OUTBOX = "/office/outbox/"


@pytest.fixture
def reset(cedar: Hospital, cedar_site: Client) -> Notification:
    """Hari asked for a new password on Cedar's site."""
    cedar_site.post("/password/forgotten/", {"email": "hari@cedar.example"})
    with schema_context(cedar.schema_name):
        return Notification.objects.get(template="password_reset")


def test_the_admin_sees_the_hospitals_messages_and_only_those(
    cedar_hari: Client, portal_usha: Client, reset: Notification
) -> None:
    page = cedar_hari.get(OUTBOX).content.decode()
    assert "Every message this hospital has written." in page
    assert "Set a new password" in page
    assert "is open: your invitation" not in page
    assert "Set a new password" not in portal_usha.get("/platform/outbox/").content.decode()
    assert cedar_hari.get("/api/messages/").json()["count"] == 1


def test_a_one_time_link_is_nobody_elses(cedar_hari: Client, reset: Notification) -> None:
    page = cedar_hari.get(f"{OUTBOX}{reset.code}/").content.decode()
    assert "hari@cedar.example" in page
    assert "/password/new/" not in page


def test_a_failed_message_is_sent_again(cedar: Hospital, cedar_hari: Client, reset: Notification) -> None:
    with schema_context(cedar.schema_name):
        Notification.objects.filter(pk=reset.pk).update(state=State.FAILED, attempts=7, last_error="550 No such user")
    assert "550 No such user" in cedar_hari.get(f"{OUTBOX}{reset.code}/").content.decode()
    assert cedar_hari.post(f"{OUTBOX}{reset.code}/retry/").status_code == 302
    with schema_context(cedar.schema_name):
        assert Notification.objects.get(pk=reset.pk).state == State.WAITING


def test_it_is_the_admins_alone(cedar_site: Client, cedar_kiran: Client, asha: User, reset: Notification) -> None:
    for path in (OUTBOX, f"{OUTBOX}{reset.code}/"):
        assert cedar_site.get(path)["Location"].startswith("/sign-in/")
        assert cedar_kiran.get(path).status_code == 403
    assert cedar_kiran.post(f"{OUTBOX}{reset.code}/retry/").status_code == 403
    assert cedar_kiran.get("/api/messages/").status_code == 403
