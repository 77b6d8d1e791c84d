"""The API twins of the settings, own domains, the outbox and invitations."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from audit.models import Action, AuditLog
from hospitals.services import joining
from notifications.models import Notification, State
from tenants.models import Domain, Hospital
from tests import factories
from tests.conftest import browser
from tests.fakes import dns

JSON: Any = {"content_type": "application/json"}


def test_the_contact_is_read_and_changed(cedar_hari: Client) -> None:
    contact = cedar_hari.get("/api/contact/").json()
    answer = cedar_hari.put("/api/contact/", {**contact, "city": "Mumbai", "phone_number": "98450 54321"}, **JSON)
    assert answer.status_code == 200, answer.json()
    assert (answer.json()["city"], answer.json()["phone_number"]) == ("Mumbai", "+919845054321")


def test_the_api_keeps_the_pages_rules(cedar_hari: Client) -> None:
    contact = cedar_hari.get("/api/contact/").json()
    answer = cedar_hari.put("/api/contact/", {**contact, "phone_number": "12"}, **JSON)
    assert answer.status_code == 400
    assert answer.json()["phone_number"] == ["Enter a phone number, like 98450 12345 or 020 2612 3456."]


def test_the_home_pages_words_are_read_and_changed(cedar_hari: Client, cedar_site: Client) -> None:
    words = {"welcome": "Come in.", "opening_hours": "Always", "emergency_phone": "112"}
    assert cedar_hari.put("/api/welcome/", words, **JSON).json() == words
    assert cedar_hari.get("/api/welcome/").json() == words
    assert "Come in." in cedar_site.get("/").content.decode()


@pytest.fixture
def names(settings: Any) -> Iterator[Any]:
    with dns.name_server() as server:
        settings.DNS_SERVERS = [server.address]
        yield server


def test_a_domain_is_added_proved_and_removed(cedar_hari: Client, cedar: Hospital, names: Any) -> None:
    [subdomain, claim] = cedar_hari.post("/api/domains/", {"domain": "www.cedar.example"}, **JSON).json()
    assert (subdomain["domain"], subdomain["is_serving"]) == ("cedar.localhost", True)
    assert (claim["is_serving"], claim["record_name"]) == (False, "_rhms-verify.www.cedar.example")
    path = "/api/domains/www.cedar.example/"
    assert cedar_hari.post(f"{path}verify/").status_code == 422
    names.txt[claim["record_name"]] = [claim["record_value"]]
    assert cedar_hari.post(f"{path}verify/").json()[1] == {"domain": "www.cedar.example", "is_serving": True}
    assert cedar_hari.delete(path).status_code == 204
    assert not Domain.objects.filter(domain="www.cedar.example").exists()
    assert cedar_hari.delete(path).status_code == 404
    assert cedar_hari.delete("/api/domains/cedar.localhost/").status_code == 422


def test_a_claim_is_dropped(cedar_hari: Client) -> None:
    cedar_hari.post("/api/domains/", {"domain": "www.cedar.example"}, **JSON)
    assert cedar_hari.delete("/api/domains/www.cedar.example/").status_code == 204
    assert len(cedar_hari.get("/api/domains/").json()) == 1


@pytest.mark.parametrize("path", ["/api/contact/", "/api/welcome/", "/api/domains/"])
def test_settings_are_the_admins_alone(cedar_site: Client, cedar_kiran: Client, path: str) -> None:
    assert cedar_site.get(path).status_code == 401
    assert cedar_kiran.get(path).status_code == 403


def test_every_hospital_is_listed_for_the_superadmin(portal_usha: Client, hari: User) -> None:
    factories.pending(name="Banyan Heart Institute")
    path = "/api/admin/hospitals/"
    assert portal_usha.get(f"{path}?status=pending&q=banyan").json()["count"] == 1
    assert portal_usha.get(f"{path}?status=approved").json()["count"] == 2
    assert browser("localhost", hari).get(path).status_code == 403


def test_an_invitation_is_sent_again(portal_usha: Client, usha: User) -> None:
    hospital = factories.opened(usha)
    assert portal_usha.post(f"/api/admin/hospitals/{hospital.code}/invite/").status_code == 202
    assert Notification.objects.filter(template="invitation", to_address=hospital.email).count() == 2


def test_the_outbox_is_read_without_its_texts_and_a_failed_message_sent_again(portal_usha: Client, usha: User) -> None:
    joining.reject(hospital=factories.pending(email="no@such.example"), by=usha, reason="No licence")
    message = Notification.objects.get(template="registration_rejected")
    Notification.objects.filter(pk=message.pk).update(state=State.FAILED, attempts=7, last_error="550")
    [row] = portal_usha.get("/api/admin/messages/?state=failed&q=such").json()["results"]
    assert (row["to_address"], row["last_error"], "text" in row) == ("no@such.example", "550", False)
    answer = portal_usha.post(f"/api/admin/messages/{row['id']}/retry/")
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    assert AuditLog.objects.about(message).get().action == Action.MESSAGE_RETRIED
    assert portal_usha.post(f"/api/admin/messages/{row['id']}/retry/").status_code == 409
