"""What is never done as support, and how support ends: by hand, by the clock, and whenever somebody may not act."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client, RequestFactory
from django.utils.timezone import now

from accounts import permissions, tokens
from accounts.models import Session, Ticket, User
from accounts.permissions import Permission
from accounts.services import sessions, support, tickets
from hospitals.services import joining
from tenants.models import Hospital
from tests import factories
from tests.accounts.supporting import PAGE, arrived, ask, cedar_log, is_in, platform_log, text
from tests.conftest import browser


@pytest.fixture
def acting(portal_usha: Client, cedar: Hospital, hari: User) -> Client:
    """Usha on Cedar's host, in Hari's name."""
    return arrived(ask(portal_usha, cedar, hari))


@pytest.fixture
def began() -> Iterator[datetime]:
    """The clock stands still, so that half an hour is half an hour."""
    with time_machine.travel(now(), tick=False):
        yield now()


# --- What it is not -------------------------------------------------------------------------------------------------

OWN = ["/account/", "/account/password/", "/account/email/", "/account/sessions/", "/account/two-factor/"]


@pytest.mark.parametrize("path", OWN)
def test_the_account_stays_closed_with_a_sentence_that_says_so(acting: Client, path: str) -> None:
    answer = acting.get(path)
    assert answer.status_code == 403
    assert "This is not done as support." in text(answer)


@pytest.mark.parametrize("path", ["/api/auth/sessions/", "/api/auth/profile/"])
def test_and_so_in_the_api(acting: Client, path: str) -> None:
    answer = acting.get(path)
    assert answer.status_code == 403
    assert "This is not done as support." in answer.json()["detail"]


def test_the_password_cannot_be_changed(acting: Client, hari: User) -> None:
    acting.post("/api/auth/password/", {"password": factories.PASSWORD, "new_password": "another-horse-8"})
    acting.post("/account/password/", {"password": factories.PASSWORD, "new_password": "another-horse-8"})
    assert User.objects.get(pk=hari.pk).check_password(factories.PASSWORD)


@pytest.mark.parametrize("permission", [Permission.OWN_ACCOUNT, Permission.DOCTOR_REVIEW, Permission.SUPPORT_ACT])
def test_some_permissions_are_never_had_in_anothers_name(acting: Client, permission: Permission) -> None:
    request = acting.get("/").wsgi_request
    assert not permissions.granted(request, request.user, permission)


def test_the_session_carries_nowhere(acting: Client) -> None:
    query = {"to": "localhost", "state": "0" * 64, "next": "/hospitals/"}
    assert acting.get("/hand-over/", query)["Location"] == "http://localhost:8000/hospitals/"
    assert not Ticket.objects.exists()


def test_links_to_the_portal_are_plain(acting: Client) -> None:
    assert "/continue/" not in acting.get("/").content.decode()


def test_it_has_no_tokens(acting: Client, hari: User) -> None:
    acting.post("/api/auth/login/", {"email": hari.email, "password": "wrong"})
    assert not hari.token_families.exists()


def test_nobody_acts_with_a_token_and_no_session_is_read_to_know_it(cedar: Hospital, hari: User) -> None:
    request: Any = RequestFactory().get("/", HTTP_HOST="cedar.localhost")
    request.hospital = cedar
    tokens.issue(request=request, user=hari, is_two_factor=False)
    request.token_family = hari.token_families.get()  # and no `session`: reading one would fail
    assert not permissions.is_support(request)


# --- The end --------------------------------------------------------------------------------------------------------


def test_ending_it_signs_out_and_leads_to_the_hospital_on_the_portal(acting: Client, cedar: Hospital) -> None:
    answer = acting.post("/support/end/")
    assert answer["Location"] == "/support/over/?by=me"
    page = text(acting.get("/support/over/?by=me"))
    assert f'content="0;url=http://localhost:8000/platform/hospitals/{cedar.code}/"' in page
    assert not is_in(acting)
    assert not Session.objects.filter(supporter__isnull=False).exists()


def test_both_logs_say_that_it_ended(acting: Client, cedar: Hospital, usha: User) -> None:
    acting.post("/support/end/")
    [here], [there] = platform_log("support.ended"), cedar_log(cedar, "support.ended")
    for row in (here, there):
        assert (row.supporter_id, row.actor) == (usha.pk, "Usha Menon as support, for Hari Rao")


def test_signing_out_ends_it_as_well(acting: Client, cedar: Hospital) -> None:
    acting.post("/sign-out/")
    assert len(cedar_log(cedar, "support.ended")) == 1
    assert not is_in(acting)


def test_signing_in_as_oneself_ends_it_first(acting: Client, cedar: Hospital, asha: User) -> None:
    state = tickets.digest_of("state")
    token = tickets.issue(user=asha, place=str(cedar.code), state=state, is_two_factor=False, now=now())
    acting.cookies["arrival"] = "state"
    acting.get(f"/arrive/{token}/")
    assert acting.get("/").wsgi_request.user == asha
    assert len(cedar_log(cedar, "support.ended")) == 1
    [row] = cedar_log(cedar, "user.signed_in")
    assert (row.actor, row.supporter_id) == ("Asha Patel", None)
    assert "support-bar" not in acting.get("/", headers=PAGE).content.decode()


def test_it_cannot_be_ended_twice_nor_by_somebody_who_does_not_act(cedar_hari: Client) -> None:
    assert cedar_hari.post("/support/end/").status_code == 409
    assert is_in(cedar_hari)


def test_it_ends_after_half_an_hour_and_nothing_prolongs_it(
    began: datetime, usha: User, cedar: Hospital, hari: User
) -> None:
    acting = arrived(ask(browser("localhost", usha), cedar, hari))
    for minute in (10, 20, 29):
        with time_machine.travel(began + timedelta(minutes=minute), tick=False):
            acting.post("/office/departments/add/", {"name": f"Ward {minute}", "description": ""})
            assert is_in(acting)
    with time_machine.travel(began + timedelta(minutes=30), tick=False):
        assert not is_in(acting)
        assert acting.get("/office/activity/")["Location"].startswith("/sign-in/")


def test_a_sentence_says_that_the_half_hour_is_over_once(
    began: datetime, usha: User, cedar: Hospital, hari: User
) -> None:
    acting = arrived(ask(browser("localhost", usha), cedar, hari))
    with time_machine.travel(began + timedelta(minutes=31), tick=False):
        answer = acting.get("/office/activity/", headers=PAGE)
        assert answer["Location"] == "/support/over/"
        assert "The 30 minutes are over" in text(acting.get("/support/over/", headers=PAGE))
        assert acting.get("/", headers=PAGE).status_code == 200


def test_the_sentence_takes_the_place_of_no_picture_and_no_part_of_a_page(
    began: datetime, usha: User, cedar: Hospital, hari: User
) -> None:
    acting = arrived(ask(browser("localhost", usha), cedar, hari))
    with time_machine.travel(began + timedelta(minutes=31), tick=False):
        assert acting.get("/departments/", headers={"Accept": "image/webp"}).status_code == 200
        assert acting.get("/departments/", headers={**PAGE, "HX-Request": "true"}).status_code == 200


def test_the_cookie_that_stays_opens_nothing(cedar_site: Client) -> None:
    cedar_site.cookies[support.COOKIE] = "1"
    assert not is_in(cedar_site)
    assert cedar_site.get("/office/activity/").status_code == 302


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_superuser": False}])
def test_it_ends_at_once_when_the_superadmin_is_none_any_more(
    acting: Client, cedar: Hospital, usha: User, change: dict[str, bool]
) -> None:
    User.objects.filter(pk=usha.pk).update(**change)
    assert not is_in(acting)
    [row] = cedar_log(cedar, "support.ended")
    assert (row.supporter_id, row.reason) == (usha.pk, "The superadmin may not act as support any more.")


def test_it_ends_when_the_superadmin_signs_out_everywhere(acting: Client, usha: User) -> None:
    sessions.end_all(user=usha, now=now())
    assert not is_in(acting)


def test_it_ends_when_the_admin_ends_it_among_their_sign_ins(acting: Client, hari: User, usha: User) -> None:
    Session.objects.filter(user=hari, supporter=usha).delete()
    assert not is_in(acting)


def test_it_ends_when_the_admin_is_made_inactive(acting: Client, hari: User) -> None:
    User.objects.filter(pk=hari.pk).update(is_active=False)
    assert not is_in(acting)
    assert not Session.objects.filter(supporter__isnull=False).exists()


def test_a_ticket_under_way_opens_nothing_when_the_superadmin_is_none_any_more(
    portal_usha: Client, cedar: Hospital, hari: User, usha: User
) -> None:
    answer = ask(portal_usha, cedar, hari)
    User.objects.filter(pk=usha.pk).update(is_superuser=False)
    assert not is_in(arrived(answer))


def test_suspending_the_hospital_ends_it_for_good(
    acting: Client, cedar: Hospital, usha: User, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        joining.suspend(hospital=cedar, by=usha, reason="Unpaid")
    assert acting.get("/office/activity/").status_code == 503
    with django_capture_on_commit_callbacks(execute=True):
        joining.resume(hospital=cedar, by=usha, reason="Paid")
    assert not is_in(acting)
    assert len(cedar_log(cedar, "support.ended")) == len(platform_log("support.ended")) == 1


def test_suspending_ends_a_ticket_under_way_too(portal_usha: Client, cedar: Hospital, hari: User, usha: User) -> None:
    ask(portal_usha, cedar, hari)
    joining.suspend(hospital=cedar, by=usha, reason="Unpaid")
    assert not Ticket.objects.exists()


def test_the_cookie_of_the_session_goes_with_it(acting: Client) -> None:
    cookie = acting.cookies[settings.SESSION_COOKIE_NAME]
    assert 0 < int(cookie["max-age"]) <= 30 * 60
