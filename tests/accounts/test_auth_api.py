"""One's own account through the API: the same services as the pages, for tokens and for sessions."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Passkey, TokenFamily, User
from audit.models import Action, AuditLog
from core.schemas import schema_context
from tenants.models import Hospital
from tests.accounts.mail import code_for, sent
from tests.conftest import browser
from tests.factories import PASSWORD

NEW = "asha.patel@example.com"


class App:
    """An API client with a token."""

    def __init__(self, host: str, email: str, password: str = PASSWORD) -> None:
        self.client = Client(HTTP_HOST=host, HTTP_USER_AGENT="RHMS/2.1 (Android 15)")
        body = {"email": email, "password": password}
        self.pair = self.client.post("/api/auth/login/", body, content_type="application/json").json()

    def __call__(self, method: str, path: str, **body: Any) -> Any:
        send = getattr(self.client, method)
        headers = {"Authorization": f"Bearer {self.pair['access']}"}
        return send(f"/api/auth/{path}", body or None, content_type="application/json", headers=headers)


def link_parts(client: Client, email: str) -> dict[str, str]:
    """The two parts of the reset link in the mail."""
    client.post("/api/auth/password/forgotten/", {"email": email}, content_type="application/json")
    key, token = sent("password_reset", to=email)[0].text.split("/password/new/")[1].split()[0].strip("/").split("/")
    return {"key": key, "token": token}


@pytest.fixture
def app(asha: User) -> App:
    """Asha's, on the portal."""
    return App("localhost", asha.email)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "profile/"),
        ("put", "profile/"),
        ("patch", "profile/"),
        ("get", "register/profile/"),
        ("post", "password/"),
        ("post", "email/"),
        ("post", "email/confirm/"),
        ("get", "sessions/"),
        ("delete", "sessions/"),
        ("delete", "sessions/01932c07-6a2e-7cc0-8b1a-0a1b2c3d4e5f/"),
        ("post", "logout/"),
        ("post", "register/logout/"),
    ],
)
def test_a_visitor_is_refused(portal: Client, method: str, path: str) -> None:
    assert getattr(portal, method)(f"/api/auth/{path}").status_code == 401


# --- profile ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["profile/", "register/profile/"])
def test_a_profile_says_who_one_is_and_what_one_may_do(app: App, asha: User, path: str) -> None:
    assert app("get", path).json() == {
        "id": str(asha.code),
        "username": None,
        "email": "asha@example.com",
        "first_name": "Asha",
        "last_name": "Patel",
        "phone": "",
        "role": "patient",
        "is_approved": None,
        "hospital": None,
        "two_factor": False,
        "may": ["change", "change_email", "change_password", "sign_out_everywhere"],
    }


def test_the_role_is_the_one_on_the_host_that_was_asked(hari: User, kiran: User, cedar: Hospital) -> None:
    his = App("cedar.localhost", hari.email)("get", "profile/").json()
    assert (his["role"], his["hospital"]) == ("hospital_admin", {"id": str(cedar.code), "name": "Cedar Hospital"})
    assert App("cedar.localhost", kiran.email)("get", "profile/").json()["role"] == "patient"
    assert App("lotus.localhost", hari.email)("get", "profile/").json()["role"] == "patient"


def test_put_changes_all_and_patch_only_what_is_sent(app: App) -> None:
    body = {"first_name": "Aisha", "last_name": "Shah", "phone": "98450 12345"}
    assert app("put", "profile/", **body).json()["phone"] == "+919845012345"
    answer = app("patch", "profile/", last_name="Patel").json()
    assert (answer["first_name"], answer["last_name"], answer["phone"]) == ("Aisha", "Patel", "+919845012345")


@pytest.mark.parametrize("body", [{"first_name": ""}, {"first_name": "Asha", "phone": "12"}])
def test_a_faulty_profile_is_refused_with_its_field(app: App, body: dict[str, str]) -> None:
    answer = app("put", "profile/", **body)
    assert answer.status_code == 400
    assert set(answer.json()) <= {"first_name", "phone"}


@pytest.mark.parametrize("field", ["email", "role", "is_superuser", "username", "two_factor", "email_verified_at"])
def test_nobody_makes_more_of_themselves_by_sending_more(app: App, asha: User, field: str) -> None:
    app("patch", "profile/", **{field: "superadmin"})
    before = User.objects.values().get(pk=asha.pk)
    assert (before["is_superuser"], before["email"], before["username"]) == (False, "asha@example.com", None)


def test_a_session_may_ask_too_but_writes_only_with_its_csrf_token(asha: User) -> None:
    client = browser("localhost", asha)
    client.handler.enforce_csrf_checks = True
    assert client.get("/api/auth/profile/").status_code == 200
    body = {"first_name": "Aisha", "last_name": ""}
    refused = client.put("/api/auth/profile/", body, content_type="application/json")
    assert refused.status_code == 403
    assert "CSRF" in refused.json()["detail"]
    client.get("/account/")
    token = client.cookies["csrftoken"].value
    headers = {"X-CSRFToken": token}
    assert client.put("/api/auth/profile/", body, content_type="application/json", headers=headers).status_code == 200


# --- password --------------------------------------------------------------------------------------------------------


def test_a_new_password_ends_every_sign_in_but_the_one_that_asks(app: App, asha: User) -> None:
    other, page = App("localhost", asha.email), browser("cedar.localhost", asha)
    assert app("post", "password/", present=PASSWORD, password="a-fresh-river-9").status_code == 204
    assert app("get", "profile/").status_code == 200
    assert other("get", "profile/").status_code == 401
    assert page.get("/account/").status_code == 302


@pytest.mark.parametrize(
    ("present", "password", "field"), [("wrong", "a-fresh-river-9", "present"), (PASSWORD, "12345", "password")]
)
def test_a_wrong_or_weak_password_is_refused_at_its_field(app: App, present: str, password: str, field: str) -> None:
    answer = app("post", "password/", present=present, password=password)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_a_forgotten_password_is_set_anew_by_the_link_which_works_once(portal: Client, app: App, asha: User) -> None:
    body = {**link_parts(portal, asha.email), "password": "a-fresh-river-9"}
    assert portal.post("/api/auth/password/new/", body, content_type="application/json").status_code == 204
    assert "sessionid" not in portal.cookies
    assert app("get", "profile/").status_code == 401
    assert App("localhost", asha.email, "a-fresh-river-9")("get", "profile/").status_code == 200
    again = portal.post("/api/auth/password/new/", body, content_type="application/json")
    assert again.status_code == 410


def test_asking_for_a_link_says_the_same_for_an_unknown_address(portal: Client, asha: User) -> None:
    answers = [
        portal.post("/api/auth/password/forgotten/", {"email": email}, content_type="application/json")
        for email in (asha.email, "nobody@example.com")
    ]
    assert answers[0].status_code == answers[1].status_code == 202
    assert answers[0].json() == answers[1].json()


# --- e-mail address --------------------------------------------------------------------------------------------------


def test_another_address_is_used_once_its_code_is_sent_back(app: App, asha: User) -> None:
    assert app("post", "email/", email=NEW, password=PASSWORD).status_code == 202
    assert app("post", "email/confirm/", code=code_for(NEW)).json()["email"] == NEW
    assert len(sent("email_changed", to="asha@example.com")) == 1


def test_a_taken_address_gets_the_same_answer(app: App, usha: User) -> None:
    free, taken = (app("post", "email/", email=email, password=PASSWORD) for email in (NEW, usha.email))
    assert (free.status_code, free.json()) == (taken.status_code, taken.json())


# --- sign-ins --------------------------------------------------------------------------------------------------------


def test_one_sees_every_sign_in_and_which_one_asks(app: App, asha: User) -> None:
    browser("cedar.localhost", asha)
    rows = app("get", "sessions/").json()["results"]
    assert [(row["is_app"], row["host"], row["is_this"], row["may"]) for row in rows] == [
        (False, "cedar.localhost", False, ["end"]),
        (True, "localhost", True, ["end"]),
    ]


def test_one_ends_a_single_sign_in_of_ones_own_and_nobody_elses(app: App, asha: User, hari: User) -> None:
    App("localhost", asha.email)
    mine, hers = TokenFamily.objects.filter(user=asha).order_by("-pk")[0], App("localhost", hari.email)
    assert app("delete", f"sessions/{mine.code}/").status_code == 204
    assert app("delete", f"sessions/{mine.code}/").status_code == 404
    other = TokenFamily.objects.get(user=hari)
    assert app("delete", f"sessions/{other.code}/").status_code == 404
    assert hers("get", "profile/").status_code == 200


def test_signing_out_everywhere_ends_apps_and_browsers_on_all_hosts(app: App, asha: User) -> None:
    page = browser("cedar.localhost", asha)
    assert app("delete", "sessions/").status_code == 204
    assert app("get", "profile/").status_code == 401
    assert page.get("/account/").status_code == 302


@pytest.mark.parametrize("path", ["logout/", "register/logout/"])
def test_signing_out_without_a_refresh_token_ends_the_one_that_asks(app: App, asha: User, path: str) -> None:
    other = App("localhost", asha.email)
    assert app("post", path).status_code == 205
    assert app("get", "profile/").status_code == 401
    assert other("get", "profile/").status_code == 200


def test_a_session_signs_out_without_any_token(asha: User, cedar: Hospital) -> None:
    client = browser("cedar.localhost", asha)
    assert client.post("/api/auth/logout/", content_type="application/json").status_code == 205
    assert client.get("/api/auth/profile/").status_code == 401
    with schema_context(cedar.schema_name):
        assert AuditLog.objects.filter(action=Action.USER_SIGNED_OUT).count() == 1


def test_two_factor_shows_in_the_profile(app: App, asha: User) -> None:
    Passkey.objects.create(user=asha, name="Key", relying_party="localhost", credential=b"1", public_key=b"1")
    assert app("get", "profile/").json()["two_factor"] is True
