"""Coming in, going out and forgotten passwords, through the pages."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from audit.models import Action, AuditLog
from core.schemas import schema_context
from notifications.models import Notification
from tenants.models import Hospital
from tests.factories import PASSWORD

SIGN_IN = "/sign-in/"
HARI = "hari@cedar.example"


def sign_in(client: Client, email: str = HARI, password: str = PASSWORD, next_page: str = "") -> Any:
    return client.post(f"{SIGN_IN}?next={next_page}" if next_page else SIGN_IN, {"email": email, "password": password})


def reset_link(hospital: Hospital) -> str:
    """The address in the message that waits in the hospital's outbox."""
    with schema_context(hospital.schema_name):
        text = Notification.objects.get(template="password_reset").text
    found = re.search(r"https?://\S+", text)
    assert found
    return found[0]


def path_of(link: str) -> str:
    return re.sub(r"^https?://[^/]+", "", link)


def test_right_credentials_lead_to_the_start_page(cedar_site: Client) -> None:
    response = sign_in(cedar_site)
    assert (response.status_code, response["Location"]) == (302, "/start/")


def test_the_address_may_be_typed_in_capitals(cedar_site: Client) -> None:
    assert sign_in(cedar_site, email=" Hari@Cedar.Example ")["Location"] == "/start/"


def test_signing_in_on_a_hospitals_host_is_in_its_own_log(cedar_site: Client, cedar: Hospital) -> None:
    sign_in(cedar_site)
    with schema_context(cedar.schema_name):
        assert AuditLog.objects.filter(action=Action.USER_SIGNED_IN, actor="Hari Rao").count() == 1


def test_wrong_credentials_say_one_sentence_and_keep_the_address(cedar_site: Client) -> None:
    response = sign_in(cedar_site, password="not-it")
    assert response.status_code == 422
    page = response.content.decode()
    assert "This e-mail address and password do not belong together." in page
    assert f'value="{HARI}"' in page
    assert "not-it" not in page


def test_an_unknown_address_gets_the_same_sentence(cedar_site: Client) -> None:
    known = sign_in(cedar_site, password="not-it").content.decode()
    unknown = sign_in(cedar_site, email="nobody@cedar.example", password="not-it").content.decode()
    sentence = "This e-mail address and password do not belong together."
    assert sentence in known
    assert sentence in unknown


def test_empty_fields_say_what_to_enter(cedar_site: Client) -> None:
    response = sign_in(cedar_site, email="", password="")
    assert response.status_code == 422
    assert b"Enter your e-mail address." in response.content
    assert b"Enter your password." in response.content


def test_the_eleventh_try_is_told_how_long_to_wait(cedar_site: Client) -> None:
    for _ in range(10):
        sign_in(cedar_site, password="not-it")
    response = sign_in(cedar_site)
    assert "Too many tries. Wait 5 minutes" in response.content.decode()
    assert "_auth_user_id" not in cedar_site.session


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/office/departments/?page=2", "/office/departments/?page=2"),
        ("https://evil.example/", "/start/"),
        ("//evil.example/", "/start/"),
        ("http://lotus.localhost/start/", "/start/"),
        ("javascript:alert(1)", "/start/"),
    ],
)
def test_next_is_followed_only_on_the_same_host(cedar_site: Client, wanted: str, reached: str) -> None:
    assert sign_in(cedar_site, next_page=quote(wanted))["Location"] == reached


def test_who_is_signed_in_is_sent_on(cedar_hari: Client) -> None:
    assert cedar_hari.get(SIGN_IN)["Location"] == "/start/"


def test_the_page_carries_the_brand_of_the_host(cedar_site: Client, portal: Client) -> None:
    assert b"Cedar Hospital" in cedar_site.get(SIGN_IN).content
    assert b"Cedar Hospital" not in portal.get(SIGN_IN).content


def test_a_page_for_staff_sends_a_visitor_to_sign_in_and_back(cedar_site: Client) -> None:
    assert cedar_site.get("/office/settings/")["Location"] == "/sign-in/?next=/office/settings/"


def test_signing_out_ends_the_session_and_goes_home(cedar_hari: Client) -> None:
    response = cedar_hari.post("/sign-out/", follow=True)
    assert response.redirect_chain == [("/", 302)]
    assert b"You are signed out." in response.content
    assert "_auth_user_id" not in cedar_hari.session


def test_a_link_cannot_sign_anybody_out(cedar_hari: Client) -> None:
    assert cedar_hari.get("/sign-out/").status_code == 405


def test_asking_for_a_link_says_the_same_for_a_known_and_an_unknown_address(
    cedar_site: Client, cedar: Hospital
) -> None:
    known = cedar_site.post("/password/forgotten/", {"email": HARI})
    unknown = cedar_site.post("/password/forgotten/", {"email": "nobody@cedar.example"})
    assert known["Location"] == unknown["Location"] == "/password/forgotten/sent/"
    with schema_context(cedar.schema_name):
        letters = dict(Notification.objects.values_list("to_address", "template"))
    assert letters == {HARI: "password_reset", "nobody@cedar.example": "no_account"}


def test_the_link_stays_on_the_host_and_the_message_in_its_brand(cedar_site: Client, cedar: Hospital) -> None:
    cedar_site.post("/password/forgotten/", {"email": HARI})
    assert reset_link(cedar).startswith("http://cedar.localhost/password/new/")
    with schema_context(cedar.schema_name):
        message = Notification.objects.get(template="password_reset")
    assert "Cedar Hospital" in message.text
    assert "Cedar Hospital" in message.html


def test_the_portal_writes_in_its_own_name(portal: Client, asha: User) -> None:
    portal.post("/password/forgotten/", {"email": asha.email})
    message = Notification.objects.get(template="password_reset")
    assert "RHMS" in message.text
    assert "http://localhost/password/new/" in message.text


def test_asking_too_often_says_how_long_to_wait(cedar_site: Client) -> None:
    for _ in range(3):
        cedar_site.post("/password/forgotten/", {"email": HARI})
    response = cedar_site.post("/password/forgotten/", {"email": HARI})
    assert (response.status_code, bool(response["Retry-After"])) == (429, True)
    assert b"Too many tries." in response.content


def test_the_link_sets_a_password_and_signs_in(cedar_site: Client, cedar: Hospital) -> None:
    cedar_site.post("/password/forgotten/", {"email": HARI})
    link = path_of(reset_link(cedar))
    assert HARI in cedar_site.get(link).content.decode()
    response = cedar_site.post(link, {"password": "a-fresh-river-9"})
    assert response["Location"] == "/start/"
    assert User.objects.get(email=HARI).check_password("a-fresh-river-9")
    assert b"Your new password is set" in cedar_site.get("/start/").content


def test_a_weak_password_is_refused_at_the_field(cedar_site: Client, cedar: Hospital) -> None:
    cedar_site.post("/password/forgotten/", {"email": HARI})
    response = cedar_site.post(path_of(reset_link(cedar)), {"password": "12345"})
    assert response.status_code == 422
    assert "password" in response.context["form"].errors


@pytest.mark.parametrize("weak", ["nine-long", "password1234", "8301947265", "hari@cedar.ex"])
def test_the_rules_beside_the_field_are_those_that_count(cedar_site: Client, cedar: Hospital, weak: str) -> None:
    cedar_site.post("/password/forgotten/", {"email": HARI})
    assert cedar_site.post(path_of(reset_link(cedar)), {"password": weak}).status_code == 422


def test_a_used_link_leads_nowhere_and_says_so(cedar_site: Client, cedar: Hospital) -> None:
    cedar_site.post("/password/forgotten/", {"email": HARI})
    link = path_of(reset_link(cedar))
    cedar_site.post(link, {"password": "a-fresh-river-9"})
    response = Client(HTTP_HOST="cedar.localhost").get(link)
    assert response.status_code == 410
    assert b"This link was used already or is too old." in response.content


def test_a_link_with_letters_missing_is_gone_too(cedar_site: Client) -> None:
    assert cedar_site.get("/password/new/x/y/").status_code == 410


def test_a_reset_ends_sessions_elsewhere(cedar_hari: Client, cedar_site: Client, cedar: Hospital) -> None:
    assert cedar_hari.get("/start/").status_code == 200
    cedar_site.post("/password/forgotten/", {"email": HARI})
    cedar_site.post(path_of(reset_link(cedar)), {"password": "a-fresh-river-9"})
    assert cedar_hari.get("/start/")["Location"].startswith("/sign-in/")


def test_a_person_who_may_not_sign_in_any_more_gets_no_link(cedar_site: Client, cedar: Hospital, hari: User) -> None:
    User.objects.filter(pk=hari.pk).update(is_active=False, updated_at=now())
    cedar_site.post("/password/forgotten/", {"email": HARI})
    with schema_context(cedar.schema_name):
        assert not Notification.objects.filter(template="password_reset").exists()
