"""Sessions: bound to their place, new at every sign-in, listed and ended by their owner."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import sign_ins
from accounts.models import Session, TokenFamily, User
from audit.models import Action, AuditLog
from tests.conftest import browser
from tests.factories import PASSWORD

DEVICES = "/account/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)


def sign_in(client: Client, user: User) -> Any:
    return client.post("/sign-in/", {"email": user.email, "password": PASSWORD})


def family(user: User, **fields: Any) -> TokenFamily:
    return TokenFamily.objects.create(user=user, expires_at=timezone.now() + timedelta(days=7), **fields)


def test_the_key_of_a_session_changes_at_the_sign_in(portal: Client, asha: User) -> None:
    portal.post("/sign-in/code/", {"email": asha.email})
    before = portal.cookies["sessionid"].value
    sign_in(portal, asha)
    assert portal.cookies["sessionid"].value != before
    assert not Session.objects.filter(session_key=before).exists()


def test_a_key_that_somebody_planted_is_not_taken_over(portal: Client, asha: User) -> None:
    portal.cookies["sessionid"] = "a" * 32
    sign_in(portal, asha)
    assert portal.cookies["sessionid"].value != "a" * 32
    assert not Session.objects.filter(session_key="a" * 32).exists()


@pytest.mark.parametrize("host", ["localhost", "cedar.localhost"])
def test_the_cookie_belongs_to_this_host_alone_and_to_no_script(asha: User, host: str) -> None:
    client = browser(host)
    sign_in(client, asha)
    cookie = client.cookies["sessionid"]
    assert (cookie["domain"], cookie["httponly"], cookie["samesite"], cookie["path"]) == ("", True, "Lax", "/")


@pytest.mark.parametrize("other", ["lotus.localhost", "localhost"])
def test_a_cookie_taken_to_another_host_opens_nothing(cedar_hari: Client, other: str) -> None:
    thief = browser(other)
    thief.cookies["sessionid"] = cedar_hari.cookies["sessionid"].value
    assert thief.get("/account/")["Location"].startswith("/sign-in/")
    assert cedar_hari.get("/account/").status_code == 200


def test_signing_out_on_one_host_leaves_the_other_alone(asha: User) -> None:
    portal, cedar = browser("localhost", asha), browser("cedar.localhost", asha)
    portal.post("/sign-out/")
    assert portal.get("/account/").status_code == 302
    assert cedar.get("/account/").status_code == 200


# --- the list --------------------------------------------------------------------------------------------------------


def test_one_sees_where_one_is_signed_in_with_browsers_in_words(portal: Client, asha: User) -> None:
    client = Client(HTTP_HOST="localhost", HTTP_USER_AGENT=FIREFOX)
    sign_in(client, asha)
    browser("cedar.localhost", asha)
    family(asha, host="lotus.localhost", agent="RHMS/2.1")
    page = client.get(DEVICES).content.decode()
    assert "Firefox on Linux" in page
    assert page.count("This one") == 1
    for host in ("localhost", "cedar.localhost", "lotus.localhost"):
        assert f"<bdi>{host}</bdi>" in page


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (IPHONE, "Mobile Safari on iOS"),
        ("RHMS/2.1 (Android 15)", "Android"),
        ("", "Unknown device"),
        ("<script>", "Unknown device"),
    ],
)
def test_a_browsers_header_becomes_words(agent: str, words: str) -> None:
    assert sign_ins.device(agent) == words


def test_nobody_sees_somebody_elses(asha: User, hari: User) -> None:
    family(hari, host="lotus.localhost")
    page = browser("localhost", asha).get(DEVICES).content.decode()
    assert "lotus.localhost" not in page


def test_what_is_over_is_not_listed(asha: User) -> None:
    family(asha, host="lotus.localhost", ended_at=timezone.now())
    browser("cedar.localhost", asha)
    Session.objects.filter(user=asha).update(expire_date=timezone.now())
    page = browser("localhost", asha).get(DEVICES).content.decode()
    assert "lotus.localhost" not in page
    assert "cedar.localhost" not in page


def test_ten_stand_on_a_page(asha: User) -> None:
    for _ in range(12):
        family(asha, host="lotus.localhost")
    client = browser("localhost", asha)
    assert client.get(DEVICES).content.count(b'class="item"') == 10
    assert client.get(f"{DEVICES}?page=2").content.count(b'class="item"') == 3


def test_the_list_costs_the_same_however_long_it_is(asha: User, django_assert_num_queries: Callable[..., Any]) -> None:
    client = browser("localhost", asha)
    for _ in range(10):
        family(asha)
    with django_assert_num_queries(4):  # the schema, the session, the person, the number of rows, the rows
        client.get(DEVICES)


def test_one_signs_out_somewhere_else(asha: User) -> None:
    here, there = browser("localhost", asha), browser("cedar.localhost", asha)
    code = Session.objects.get(session_key=there.cookies["sessionid"].value).code
    answer = here.post(f"{DEVICES}{code}/end/", follow=True)
    assert b"That sign-in has ended." in answer.content
    assert there.get("/account/").status_code == 302
    assert here.get("/account/").status_code == 200
    assert AuditLog.objects.about(asha).newest_first()[0].action == Action.USER_SIGNED_OUT


def test_nobody_ends_somebody_elses(asha: User, cedar_hari: Client) -> None:
    code = Session.objects.get(session_key=cedar_hari.cookies["sessionid"].value).code
    assert browser("cedar.localhost", asha).post(f"{DEVICES}{code}/end/").status_code == 404
    assert cedar_hari.get("/account/").status_code == 200


def test_signing_out_everywhere_ends_all_on_every_host_this_one_too(asha: User) -> None:
    here, there, app = browser("localhost", asha), browser("cedar.localhost", asha), family(asha)
    answer = here.post(f"{DEVICES}end/", follow=True)
    assert answer.redirect_chain == [("/sign-in/", 302)]
    assert b"You are signed out everywhere." in answer.content
    for client in (here, there):
        assert client.get("/account/").status_code == 302
    app.refresh_from_db()
    assert app.ended_at
    row = AuditLog.objects.about(asha).newest_first()[0]
    assert (row.action, row.data) == (Action.USER_SIGNED_OUT_EVERYWHERE, {"ended": 3})


def test_signing_out_everywhere_leaves_other_people_alone(asha: User, cedar_hari: Client) -> None:
    browser("localhost", asha).post(f"{DEVICES}end/")
    assert cedar_hari.get("/account/").status_code == 200


def test_support_in_ones_name_is_listed_with_its_name_and_can_be_ended(asha: User, hari: User, usha: User) -> None:
    hers = browser("localhost", hari)
    Session.objects.filter(session_key=hers.cookies["sessionid"].value).update(supporter=usha)
    his = browser("cedar.localhost", hari)
    assert "Support by Usha Menon" in his.get(DEVICES).content.decode()
    code = Session.objects.get(supporter=usha).code
    his.post(f"{DEVICES}{code}/end/")
    assert not Session.objects.filter(supporter=usha).exists()


def test_turning_a_page_fetches_only_the_list(asha: User) -> None:
    for _ in range(12):
        family(asha)
    part = browser("localhost", asha).get(f"{DEVICES}?page=2", headers={"HX-Request": "true"}).content.decode()
    assert part.count('class="item"') == 3
    assert "<html" not in part
