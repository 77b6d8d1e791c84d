"""One's own account: name, addresses, password. The same on every host, for staff and patients alike."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import OneTimeCode, Session, User
from accounts.sessions import SUPPORT, SessionStore, Visit
from audit.models import Action, AuditLog
from tests.accounts.mail import code_for, sent, wrong
from tests.conftest import browser
from tests.factories import PASSWORD

PROFILE = "/account/"
EMAIL = "/account/email/"
CODE = "/account/email/code/"
NEW_PASSWORD = "/account/password/"
NEW = "asha.patel@example.com"
PAGES = [PROFILE, EMAIL, CODE, NEW_PASSWORD, "/account/sessions/"]


@pytest.fixture
def portal_asha(asha: User) -> Client:
    return browser("localhost", asha)


def support(hari: User, usha: User) -> Client:
    """Usha, acting in Hari's name at Cedar."""
    client = browser("cedar.localhost", hari)
    session = SessionStore(client.cookies["sessionid"].value)
    session.visit = Visit(place=Session.objects.get(user=hari).place, host="cedar.localhost")
    session[SUPPORT] = {"by": usha.pk, "name": str(usha)}
    session.save()
    return client


@pytest.mark.parametrize("path", PAGES)
def test_a_visitor_is_sent_to_sign_in(cedar_site: Client, path: str) -> None:
    assert cedar_site.get(path)["Location"].startswith("/sign-in/?next=/account/")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("host", ["localhost", "cedar.localhost", "lotus.localhost"])
def test_a_person_without_a_role_reaches_it_on_every_host(asha: User, host: str, path: str) -> None:
    page = browser(host, asha).get(path)
    assert page.status_code == 200
    assert b'class="sidenav"' not in page.content


@pytest.mark.parametrize("path", PAGES)
def test_who_works_here_keeps_the_menu(cedar_hari: Client, path: str) -> None:
    assert b'class="sidenav"' in cedar_hari.get(path).content


def test_a_stranger_has_no_menu_and_no_role_here(cedar_kiran: Client) -> None:
    page = cedar_kiran.get(PROFILE).content
    assert b'class="sidenav"' not in page
    assert b"Your role at" not in page


@pytest.mark.parametrize("path", PAGES)
def test_support_has_no_business_here(hari: User, usha: User, path: str) -> None:
    client = support(hari, usha)
    assert client.get("/start/").status_code == 200
    assert client.get(path).status_code == 403
    assert b'href="/account/"' not in client.get("/start/").content


# --- profile ---------------------------------------------------------------------------------------------------------


def test_the_profile_shows_the_address_and_the_role_here(cedar_hari: Client) -> None:
    page = cedar_hari.get(PROFILE).content.decode()
    assert "hari@cedar.example" in page
    assert "Your role at Cedar Hospital" in page
    assert "Hospital admin" in page


def test_name_and_telephone_are_changed_and_recorded_without_their_words(portal_asha: Client, asha: User) -> None:
    answer = portal_asha.post(PROFILE, {"first_name": "Asha  M.", "last_name": "Patel", "phone": "98450 12345"})
    assert answer["Location"] == PROFILE
    asha.refresh_from_db()
    assert (str(asha), str(asha.phone)) == ("Asha M. Patel", "+919845012345")
    row = AuditLog.objects.about(asha).newest_first()[0]
    assert (row.action, row.user, row.data) == (Action.USER_CHANGED, asha, {"fields": "first_name, phone"})


def test_a_profile_sent_unchanged_is_not_recorded(portal_asha: Client, asha: User) -> None:
    portal_asha.post(PROFILE, {"first_name": "Asha", "last_name": "Patel", "phone": ""})
    assert not AuditLog.objects.about(asha).filter(action=Action.USER_CHANGED).exists()


def test_a_wrong_number_is_refused_at_its_field_and_kept(portal_asha: Client) -> None:
    page = portal_asha.post(PROFILE, {"first_name": "Asha", "last_name": "Patel", "phone": "12"})
    assert page.status_code == 422
    assert b"Enter a phone number, like 98450 12345." in page.content
    assert b'value="12"' in page.content


# --- e-mail address --------------------------------------------------------------------------------------------------


def ask(client: Client, email: str = NEW, password: str = PASSWORD) -> Any:
    return client.post(EMAIL, {"email": email, "password": password})


def test_a_new_address_is_used_once_its_code_is_typed_and_the_old_one_is_told(portal_asha: Client, asha: User) -> None:
    old = asha.email
    assert ask(portal_asha)["Location"] == CODE
    assert User.objects.get(pk=asha.pk).email == old
    assert NEW.encode() in portal_asha.get(CODE).content
    assert portal_asha.post(CODE, {"code": code_for(NEW)})["Location"] == PROFILE
    assert User.objects.get(pk=asha.pk).email == NEW
    letter = sent("email_changed", to=old)[0].text
    assert "this one is no longer used" in letter
    assert NEW not in letter
    assert AuditLog.objects.about(asha).filter(action=Action.USER_EMAIL_CHANGED).count() == 1
    assert portal_asha.get(PROFILE).status_code == 200


def test_it_asks_for_the_password(portal_asha: Client) -> None:
    page = ask(portal_asha, password="wrong")
    assert page.status_code == 422
    assert page.context["form"].errors == {"password": ["This is not your password."]}
    assert sent("code") == []


def test_guessing_the_password_here_is_counted_like_at_the_sign_in(portal_asha: Client) -> None:
    for _ in range(10):
        ask(portal_asha, password="wrong")
    assert ask(portal_asha).status_code == 429


def test_a_taken_address_looks_the_same_and_its_owner_is_told(portal_asha: Client, usha: User, asha: User) -> None:
    assert ask(portal_asha, usha.email)["Location"] == CODE
    assert usha.email.encode() in portal_asha.get(CODE).content
    assert len(sent("already_registered", to=usha.email)) == 1
    assert portal_asha.post(CODE, {"code": "000000"}).status_code == 422
    assert not OneTimeCode.objects.filter(user=asha).exists()


def test_ones_own_address_is_refused(portal_asha: Client, asha: User) -> None:
    assert "This is your address already." in ask(portal_asha, asha.email).content.decode()


def test_a_wrong_code_changes_nothing(portal_asha: Client, asha: User) -> None:
    ask(portal_asha)
    assert portal_asha.post(CODE, {"code": wrong(code_for(NEW))}).status_code == 422
    assert User.objects.get(pk=asha.pk).email == asha.email


def test_an_address_taken_in_the_meantime_is_refused_in_a_sentence(portal_asha: Client, asha: User) -> None:
    ask(portal_asha)
    User.objects.create_user(NEW, PASSWORD)
    page = portal_asha.post(CODE, {"code": code_for(NEW)})
    assert page.status_code == 422
    assert b"Somebody else uses this address by now." in page.content
    assert User.objects.get(pk=asha.pk).email == asha.email


def test_codes_that_went_to_the_old_address_open_nothing_any_more(portal_asha: Client, asha: User) -> None:
    browser("localhost").post("/sign-in/code/", {"email": asha.email})
    ask(portal_asha)
    portal_asha.post(CODE, {"code": code_for(NEW)})
    assert not OneTimeCode.objects.filter(user=asha).exists()


def test_a_reset_link_in_the_old_mailbox_is_worth_nothing(portal_asha: Client, asha: User) -> None:
    visitor = browser("localhost")
    visitor.post("/password/forgotten/", {"email": asha.email})
    link = sent("password_reset")[0].text.split("http://localhost")[1].split()[0]
    assert visitor.get(link).status_code == 200
    ask(portal_asha)
    portal_asha.post(CODE, {"code": code_for(NEW)})
    assert visitor.get(link).status_code == 410


# --- password --------------------------------------------------------------------------------------------------------


def test_a_new_password_ends_every_other_sign_in_and_tells_the_person(portal_asha: Client, asha: User) -> None:
    elsewhere = browser("cedar.localhost", asha)
    answer = portal_asha.post(NEW_PASSWORD, {"present": PASSWORD, "password": "a-fresh-river-9"})
    assert answer["Location"] == "/account/two-factor/"
    assert portal_asha.get(PROFILE).status_code == 200
    assert elsewhere.get(PROFILE)["Location"].startswith("/sign-in/")
    assert User.objects.get(pk=asha.pk).check_password("a-fresh-river-9")
    assert len(sent("account_changed", to=asha.email)) == 1


def test_the_session_gets_a_new_key_with_a_new_password(portal_asha: Client) -> None:
    before = portal_asha.cookies["sessionid"].value
    portal_asha.post(NEW_PASSWORD, {"present": PASSWORD, "password": "a-fresh-river-9"})
    assert portal_asha.cookies["sessionid"].value != before
    assert not Session.objects.filter(session_key=before).exists()


@pytest.mark.parametrize(
    ("present", "password", "field"), [("wrong", "a-fresh-river-9", "present"), (PASSWORD, "12345", "password")]
)
def test_a_wrong_or_a_weak_password_is_refused_at_its_field(
    portal_asha: Client, present: str, password: str, field: str
) -> None:
    page = portal_asha.post(NEW_PASSWORD, {"present": present, "password": password})
    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]


@pytest.mark.parametrize("path", [EMAIL, NEW_PASSWORD])
def test_somebody_without_a_password_is_offered_a_link_to_set_one(portal_asha: Client, asha: User, path: str) -> None:
    asha.set_unusable_password()
    asha.save(update_fields=["password"])
    page = browser("localhost", asha).get(path).content.decode()
    assert "You have no password yet." in page
    assert 'action="/password/forgotten/"' in page
    assert 'type="password"' not in page


# --- what a page costs -----------------------------------------------------------------------------------------------


def about_the_person(queries: Any) -> list[str]:
    """The queries that only find out who asks and what they are here."""
    tables = ("accounts_session", "accounts_user", "accounts_tokenfamily", "hospitals_staff", "tenants_")
    return [query["sql"] for query in queries.captured_queries if any(table in query["sql"] for table in tables)]


def test_a_page_spends_at_most_four_queries_on_who_asks(
    cedar_hari: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    cedar_hari.get(PROFILE)
    with django_assert_max_num_queries(6) as queries:
        cedar_hari.get(PROFILE)
    assert len(about_the_person(queries)) <= 4


def test_an_endpoint_spends_at_most_four_queries_on_who_asks(
    cedar_site: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    body = {"email": "hari@cedar.example", "password": PASSWORD}
    pair = cedar_site.post("/api/auth/login/", body, content_type="application/json").json()
    headers = {"Authorization": f"Bearer {pair['access']}"}
    cedar_site.get("/api/auth/profile/", headers=headers)
    with django_assert_max_num_queries(6) as queries:
        assert cedar_site.get("/api/auth/profile/", headers=headers).status_code == 200
    assert len(about_the_person(queries)) <= 4
