"""The page behind the link by which staff come in for the first time."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from accounts.models import Session, Totp, User
from audit.models import Action, AuditLog
from core.schemas import schema_context
from hospitals.models import Invitation, Staff
from hospitals.services import invitations
from tenants.models import Hospital
from tests.conftest import browser
from tests.factories import PASSWORD


@pytest.fixture
def nila(in_cedar: Hospital, hari: User) -> Staff:
    """Somebody new, without a password."""
    user = User.objects.create_user("nila@cedar.example", first_name="Nila", last_name="Iyer")
    return Staff.objects.create(user=user, role="doctor")


@pytest.fixture
def link(nila: Staff) -> str:
    """Nila's link."""
    _invitation, token = invitations.issue(staff=nila, now=now())
    return f"/invitation/{token}/"


def test_the_page_says_who_invites_whom(cedar_site: Client, link: str) -> None:
    page = cedar_site.get(link).content.decode()
    assert "Welcome to Cedar Hospital" in page
    assert "nila@cedar.example" in page
    assert "Doctor" in page


def test_a_new_person_reads_the_rules_and_sets_a_password(cedar_site: Client, link: str) -> None:
    page = cedar_site.get(link).content.decode()
    assert 'autocomplete="new-password"' in page
    assert "At least 10 characters" in page
    response = cedar_site.post(link, {"password": "a-fresh-river-9"})
    assert response["Location"] == "/start/"
    assert User.objects.get(email="nila@cedar.example").check_password("a-fresh-river-9")
    assert cedar_site.get("/start/", follow=True).status_code == 200


def test_accepting_is_recorded(cedar_site: Client, link: str, in_cedar: Hospital) -> None:
    cedar_site.post(link, {"password": "a-fresh-river-9"})
    with schema_context(in_cedar.schema_name):
        assert AuditLog.objects.filter(action=Action.INVITATION_ACCEPTED, actor="Nila Iyer").exists()


def test_a_weak_password_is_refused_at_the_field_and_the_link_still_works(cedar_site: Client, link: str) -> None:
    response = cedar_site.post(link, {"password": "short"})
    assert response.status_code == 422
    assert "password" in response.context["form"].errors
    assert cedar_site.get(link).status_code == 200


def test_who_has_a_password_already_proves_it(cedar_site: Client, in_cedar: Hospital, asha: User) -> None:
    staff = Staff.objects.create(user=asha, role="nurse")
    _invitation, token = invitations.issue(staff=staff, now=now())
    link = f"/invitation/{token}/"
    assert 'autocomplete="current-password"' in cedar_site.get(link).content.decode()
    assert cedar_site.post(link, {"password": "not-hers-at-all"}).status_code == 422
    assert cedar_site.post(link, {"password": PASSWORD})["Location"] == "/start/"


def test_a_used_link_shows_the_way_on(cedar_site: Client, link: str) -> None:
    cedar_site.post(link, {"password": "a-fresh-river-9"})
    response = Client(HTTP_HOST="cedar.localhost").get(link)
    page = response.content.decode()
    assert response.status_code == 410
    assert "This invitation was used already. Sign in" in page
    assert re.search(r'href="/sign-in/"', page)


def test_a_replaced_link_points_to_the_newer_message(cedar_site: Client, link: str, nila: Staff) -> None:
    invitations.issue(staff=nila, now=now())
    response = cedar_site.get(link)
    assert response.status_code == 410
    assert b"A newer invitation was sent." in response.content


def test_a_link_stops_after_three_days(cedar_site: Client, link: str) -> None:
    Invitation.objects.update(expires_at=now() - timedelta(seconds=1))
    response = cedar_site.get(link)
    assert response.status_code == 410
    assert b"more than 72 hours old" in response.content


def test_a_mistyped_link_asks_for_the_whole_address(cedar_site: Client) -> None:
    response = cedar_site.get("/invitation/half/")
    assert response.status_code == 410
    assert b"This link is not complete." in response.content


def test_a_link_of_one_hospital_is_nothing_in_another(link: str, lotus: Hospital) -> None:
    assert Client(HTTP_HOST="lotus.localhost").get(link).status_code == 410


@pytest.fixture
def ashas_link(in_cedar: Hospital, asha: User) -> str:
    """The link of somebody who has an account and a password."""
    _invitation, token = invitations.issue(staff=Staff.objects.create(user=asha, role="nurse"), now=now())
    return f"/invitation/{token}/"


def test_who_has_just_signed_in_here_only_presses_the_button(ashas_link: str, asha: User, cedar: Hospital) -> None:
    hers = browser("cedar.localhost", asha)
    page = hers.get(ashas_link).content.decode()
    assert "You are signed in: press the button to accept." in page
    assert 'type="password"' not in page
    assert hers.post(ashas_link)["Location"] == "/start/"
    assert hers.get("/start/", follow=True).status_code == 200
    assert hers.get(ashas_link).status_code == 410


def test_an_older_sign_in_does_not_stand_for_the_password(ashas_link: str, asha: User, cedar: Hospital) -> None:
    hers = browser("cedar.localhost", asha)
    Session.objects.update(created_at=now() - timedelta(minutes=16))
    assert 'autocomplete="current-password"' in hers.get(ashas_link).content.decode()
    assert hers.post(ashas_link).status_code == 422
    with schema_context(cedar.schema_name):
        assert Staff.objects.get(user=asha).joined_at is None


def test_the_sign_in_of_somebody_else_does_not_stand_for_the_password(
    ashas_link: str, asha: User, hari: User, cedar: Hospital
) -> None:
    assert browser("cedar.localhost", hari).post(ashas_link).status_code == 422
    with schema_context(cedar.schema_name):
        assert Staff.objects.get(user=asha).joined_at is None


def test_a_sign_in_on_another_host_does_not_stand_for_the_password(
    ashas_link: str, asha: User, cedar: Hospital
) -> None:
    elsewhere = browser("lotus.localhost", asha)
    elsewhere.defaults["HTTP_HOST"] = "cedar.localhost"  # the cookie copied by hand
    assert elsewhere.post(ashas_link).status_code == 422


def test_who_has_a_second_factor_is_asked_for_it(cedar_site: Client, ashas_link: str, asha: User) -> None:
    Totp.objects.create(user=asha, sealed_secret="", confirmed_at=now())
    response = cedar_site.post(ashas_link, {"password": PASSWORD})
    assert response["Location"].startswith(reverse("second_step"))
    assert cedar_site.get("/start/")["Location"] == "/sign-in/?next=/start/"


def test_a_password_on_an_unconfirmed_account_is_nobodys_and_replaced(
    cedar_site: Client, ashas_link: str, asha: User
) -> None:
    User.objects.filter(pk=asha.pk).update(email_verified_at=None)
    assert 'autocomplete="new-password"' in cedar_site.get(ashas_link).content.decode()
    assert cedar_site.post(ashas_link, {"password": "a-fresh-river-9"})["Location"] == "/start/"
    asha.refresh_from_db()
    assert asha.check_password("a-fresh-river-9")
    assert asha.email_verified_at is not None


def test_the_role_counts_from_the_acceptance_on(ashas_link: str, asha: User, cedar: Hospital) -> None:
    hers = browser("cedar.localhost", asha)
    assert hers.get("/start/")["Location"] == "/"
    hers.post(ashas_link)
    assert hers.get("/start/", follow=True).status_code == 200
