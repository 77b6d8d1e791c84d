"""Whatever opens a door at Cedar is carried to Lotus and to the portal, and opens nothing there."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.utils.timezone import now

from accounts.models import Session, Ticket, TokenFamily, User
from accounts.services import tickets
from core.schemas import schema_context
from hospitals.models import DoctorDocument, Staff
from hospitals.services import invitations, support
from notifications.models import Notification
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser
from tests.hospitals import doctors

HOME, ELSEWHERE = "cedar.localhost", ["lotus.localhost", "localhost"]
NEW_PASSWORD = "a-fresh-river-9"

pytestmark = pytest.mark.usefixtures("cedar", "lotus")


def is_in(client: Client) -> bool:
    return bool(client.get("/").wsgi_request.user.is_authenticated)


def post(client: Client, path: str, **fields: str) -> Any:
    return client.post(path, fields, content_type="application/json")


def tokens_at(host: str, user: User) -> dict[str, str]:
    answer = post(browser(host), "/api/auth/login/", email=user.email, password=factories.PASSWORD)
    return dict(answer.json())


def mail(cedar: Hospital, template: str, pattern: str) -> str:
    """What a message in Cedar's outbox says."""
    with schema_context(cedar.schema_name):
        found = re.search(pattern, Notification.objects.get(template=template).text)
    assert found
    return found[0]


# --- Sessions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ELSEWHERE)
def test_a_session_cookie(cedar_hari: Client, host: str) -> None:
    elsewhere = browser(host)
    elsewhere.cookies[settings.SESSION_COOKIE_NAME] = cedar_hari.cookies[settings.SESSION_COOKIE_NAME].value
    assert not is_in(elsewhere)
    assert is_in(cedar_hari)


def test_a_session_cookie_of_the_portal_at_a_hospital(portal_usha: Client) -> None:
    elsewhere = browser(HOME)
    elsewhere.cookies[settings.SESSION_COOKIE_NAME] = portal_usha.cookies[settings.SESSION_COOKIE_NAME].value
    assert not is_in(elsewhere)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_a_session_cookie_of_support(cedar: Hospital, hari: User, usha: User, host: str) -> None:
    acting = browser(HOME)
    acting.get(support_way(cedar, hari, usha))
    elsewhere = browser(host)
    elsewhere.cookies[settings.SESSION_COOKIE_NAME] = acting.cookies[settings.SESSION_COOKIE_NAME].value
    assert not is_in(elsewhere)
    assert is_in(acting)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_a_sign_in_that_stands_half_way(cedar_site: Client, hari: User, host: str) -> None:
    post_form = {"email": hari.email}
    assert cedar_site.post("/sign-in/code/", post_form)["Location"] == "/sign-in/code/enter/"
    assert cedar_site.get("/sign-in/code/enter/").status_code == 200
    elsewhere = browser(host)
    elsewhere.cookies[settings.SESSION_COOKIE_NAME] = cedar_site.cookies[settings.SESSION_COOKIE_NAME].value
    assert elsewhere.get("/sign-in/code/enter/").status_code != 200


# --- Tokens ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ELSEWHERE)
def test_an_access_token(hari: User, host: str) -> None:
    header: Any = {"Authorization": f"Bearer {tokens_at(HOME, hari)['access']}"}
    assert browser(HOME).get("/api/auth/profile/", headers=header).status_code == 200
    assert browser(host).get("/api/auth/profile/", headers=header).status_code == 401


def test_an_access_token_of_the_portal_at_a_hospital(hari: User) -> None:
    header: Any = {"Authorization": f"Bearer {tokens_at('localhost', hari)['access']}"}
    assert browser(HOME).get("/api/activity/", headers=header).status_code == 401


@pytest.mark.parametrize("host", ELSEWHERE)
def test_a_refresh_token(hari: User, host: str) -> None:
    refresh = tokens_at(HOME, hari)["refresh"]
    assert post(browser(host), "/api/auth/refresh/", refresh=refresh).status_code == 401
    assert post(browser(HOME), "/api/auth/refresh/", refresh=refresh).status_code == 200  # and nothing was used up


# --- Tickets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ELSEWHERE)
def test_a_ticket(cedar: Hospital, asha: User, host: str) -> None:
    state = tickets.digest_of("state")
    token = tickets.issue(user=asha, place=str(cedar.code), state=state, is_two_factor=True, now=now())
    elsewhere = browser(host)
    elsewhere.cookies["arrival"] = "state"
    elsewhere.get(f"/arrive/{token}/")
    assert not is_in(elsewhere)
    assert not Ticket.objects.exists()


def support_way(cedar: Hospital, hari: User, usha: User) -> str:
    with schema_context(cedar.schema_name):
        staff = Staff.objects.get(user=hari)
    return urlsplit(support.begin(hospital=cedar, staff=staff, by=usha, reason="Asked on the phone", now=now())).path


@pytest.mark.parametrize("host", ELSEWHERE)
def test_a_ticket_of_support(cedar: Hospital, hari: User, usha: User, host: str) -> None:
    elsewhere = browser(host)
    elsewhere.get(support_way(cedar, hari, usha))
    assert not is_in(elsewhere)


# --- Links and codes from the mail ----------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ELSEWHERE)
def test_an_invitation(cedar: Hospital, host: str) -> None:
    with schema_context(cedar.schema_name):
        nila = User.objects.create_user("nila@cedar.example", first_name="Nila", last_name="Iyer")
        staff = Staff.objects.create(user=nila, role="nurse")
        _invitation, token = invitations.issue(staff=staff, now=now())
    elsewhere = browser(host)
    assert elsewhere.get(f"/invitation/{token}/").status_code in (404, 410)
    assert elsewhere.post(f"/invitation/{token}/", {"password": NEW_PASSWORD}).status_code in (404, 410)
    assert not is_in(elsewhere)
    with schema_context(cedar.schema_name):
        assert not Staff.objects.working().filter(user=nila).exists()


def test_a_reset_link_is_the_persons_and_works_once_wherever_it_is_opened(
    cedar_site: Client, cedar: Hospital, hari: User
) -> None:
    """It proves the mailbox, as it would if it had been asked for on the other host. Used, it is dead everywhere."""
    cedar_site.post("/password/forgotten/", {"email": hari.email})
    link = urlsplit(mail(cedar, "password_reset", r"http://\S+/password/new/\S+")).path
    elsewhere = browser("lotus.localhost")
    assert elsewhere.post(link, {"password": NEW_PASSWORD}).status_code == 302
    assert elsewhere.get("/office/settings/").status_code == 403  # in, and a patient there
    assert cedar_site.get(link).status_code == 410
    assert browser("localhost").get(link).status_code == 410


@pytest.mark.parametrize("host", ELSEWHERE)
def test_a_code_to_sign_in_with(cedar_site: Client, cedar: Hospital, hari: User, host: str) -> None:
    post(cedar_site, "/api/auth/login/code/", email=hari.email)
    code = mail(cedar, "code", r"\b\d{6}\b")
    fields = {"email": hari.email, "code": code}
    assert post(browser(host), "/api/auth/login/code/verify/", **fields).status_code == 401
    assert not TokenFamily.objects.exists()
    assert post(cedar_site, "/api/auth/login/code/verify/", **fields).status_code == 200


# --- Files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ELSEWHERE)
@pytest.mark.parametrize("path", ["/doctor/documents/{}/", "/api/doctors/documents/{}/"])
def test_the_address_of_a_doctors_document(cedar: Hospital, asha: User, host: str, path: str) -> None:
    with schema_context(cedar.schema_name):
        doctors.begun(cedar, asha)
        code = DoctorDocument.objects.get().code
    at_home: Any = browser(HOME, asha).get(path.format(code))
    assert at_home.status_code == 200
    assert b"".join(at_home.streaming_content).startswith(b"%PDF")
    assert browser(host, asha).get(path.format(code)).status_code == 404
    assert browser(host).get(path.format(code)).status_code in (302, 401, 404)


def test_the_address_of_a_doctors_document_with_the_session_of_the_neighbours_admin(
    cedar: Hospital, lotus: Hospital, asha: User, kiran: User
) -> None:
    with schema_context(cedar.schema_name):
        doctors.begun(cedar, asha)
        code = DoctorDocument.objects.get().code
    assert browser("lotus.localhost", kiran).get(f"/doctor/documents/{code}/").status_code == 404
    assert browser(HOME, kiran).get(f"/doctor/documents/{code}/").status_code == 404
    assert Session.objects.filter(user=kiran).count() == 2
