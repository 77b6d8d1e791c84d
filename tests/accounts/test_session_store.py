"""Sessions know their person and place, and are found nowhere else."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils.timezone import now

from accounts.models import Session, User
from accounts.services import sessions
from accounts.sessions import SessionStore, Visit
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser


def row_of(client: Client) -> Session:
    return Session.objects.get(session_key=client.cookies[settings.SESSION_COOKIE_NAME].value)


def sign_in(client: Client, email: str) -> None:
    answer = client.post("/sign-in/", {"email": email, "password": factories.PASSWORD}, headers={"User-Agent": "Opera"})
    assert answer.status_code == 302


def test_a_session_says_whose_it_is_and_where(cedar_site: Client, cedar: Hospital, hari: User) -> None:
    sign_in(cedar_site, hari.email)
    row = row_of(cedar_site)
    assert (row.user, row.place, row.host) == (hari, str(cedar.code), "cedar.localhost")
    assert (row.address, row.agent, row.supporter) == ("127.0.0.1", "Opera", None)


def test_it_keeps_its_name_and_beginning_while_it_goes_on(cedar_site: Client, hari: User) -> None:
    sign_in(cedar_site, hari.email)
    before = row_of(cedar_site)
    store = SessionStore(before.session_key)
    store.visit = Visit(place=before.place)
    store["something"] = 1
    store.save()
    after = row_of(cedar_site)
    assert (after.code, after.created_at) == (before.code, before.created_at)


@pytest.mark.parametrize("host", ["lotus.localhost", "localhost"])
def test_its_cookie_opens_nothing_elsewhere(cedar_hari: Client, cedar: Hospital, lotus: Hospital, host: str) -> None:
    elsewhere = browser(host)
    elsewhere.cookies = cedar_hari.cookies
    assert elsewhere.get("/start/", headers={"host": host}).status_code in (302, 404)
    assert not elsewhere.get("/", headers={"host": host}).wsgi_request.user.is_authenticated


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_looking_whether_the_machine_is_well_signs_nobody_out(cedar_hari: Client, path: str) -> None:
    assert cedar_hari.get(path).status_code == 200
    assert cedar_hari.get("/start/").status_code == 200


def test_a_session_that_is_over_opens_nothing(cedar_hari: Client, hari: User) -> None:
    Session.objects.filter(user=hari).update(expire_date=now() - timedelta(seconds=1))
    assert not cedar_hari.get("/").wsgi_request.user.is_authenticated


def test_being_seen_is_noted_only_now_and_then(cedar_hari: Client, hari: User) -> None:
    long_ago = now() - timedelta(hours=1)
    Session.objects.filter(user=hari).update(last_seen_at=long_ago)
    cedar_hari.get("/start/")
    seen = row_of(cedar_hari).last_seen_at
    assert seen > long_ago
    cedar_hari.get("/start/")
    assert row_of(cedar_hari).last_seen_at == seen


def test_what_is_over_is_forgotten(cedar_hari: Client, hari: User, asha: User) -> None:
    browser("localhost", asha)
    Session.objects.filter(user=hari).update(expire_date=now() - timedelta(seconds=1))
    assert sessions.forget_expired(now=now()) == 1
    assert list(Session.objects.values_list("user", flat=True)) == [asha.pk]
