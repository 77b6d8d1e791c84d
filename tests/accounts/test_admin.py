"""Django's admin: break-glass for the superadmin, behind our own sign-in."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import Passkey, Session, TokenFamily, Totp, User
from accounts.services import two_factor
from audit.models import Action, AuditLog
from tenants.models import Hospital
from tests import factories
from tests.accounts.mail import sent
from tests.conftest import browser, come_in

PAGES = [
    "tenants/hospital/",
    "tenants/domain/",
    "tenants/domainclaim/",
    "accounts/user/",
    "audit/auditlog/",
    "notifications/notification/",
    "directory/hospitallisting/",
    "directory/departmentlisting/",
]


def test_its_sign_in_is_ours_so_that_tries_are_counted(portal: Client) -> None:
    first = portal.get("/admin/", follow=True)
    assert first.redirect_chain[-1][0] == "/sign-in/?next=/admin/"
    assert portal.post("/admin/login/", {"username": "usha@rhms.example", "password": "x"}).status_code == 405


def test_somebody_without_the_right_is_told_so_and_not_sent_in_circles(asha: User) -> None:
    assert browser("localhost", asha).get("/admin/", follow=True).status_code == 403


@pytest.mark.parametrize("path", PAGES)
def test_the_superadmin_sees_every_public_model(portal_usha: Client, path: str) -> None:
    factories.pending()
    page = portal_usha.get(f"/admin/{path}")
    assert page.status_code == 200
    assert b"style=" not in page.content  # the CSP would refuse it


@pytest.mark.parametrize("path", ["tenants/hospital/add/", "audit/auditlog/add/", "notifications/notification/add/"])
def test_what_services_write_cannot_be_added_here(portal_usha: Client, path: str) -> None:
    assert portal_usha.get(f"/admin/{path}").status_code == 403


def test_a_status_is_not_changed_here(portal_usha: Client) -> None:
    hospital = factories.pending()
    page = portal_usha.get(f"/admin/tenants/hospital/{hospital.pk}/change/").content.decode()
    assert 'name="status"' not in page
    assert 'name="city"' in page


def test_a_change_here_is_recorded_and_seen_at_once(
    portal_usha: Client, usha: User, cedar: Hospital, django_capture_on_commit_callbacks: Any
) -> None:
    site = browser("cedar.localhost")
    assert b"Cedar Hospital" in site.get("/").content
    path = f"/admin/tenants/hospital/{cedar.pk}/change/"
    form = portal_usha.get(path).context["adminform"].form
    given = {name: value for name, value in form.initial.items() if value is not None}
    with django_capture_on_commit_callbacks(execute=True):
        answer = portal_usha.post(path, {**given, "name": "Cedar General"})
    assert answer.status_code == 302, answer.context["errors"]
    row = AuditLog.objects.about(cedar).newest_first()[0]
    assert (row.action, row.user, row.data["name"]) == (
        Action.SETTINGS_CHANGED,
        usha,
        ["Cedar Hospital", "Cedar General"],
    )
    assert b"Cedar General" in site.get("/").content


def change(client: Client, person: User, **fields: str) -> Any:
    given = {"email": person.email, "first_name": person.first_name, "last_name": person.last_name}
    dates = {"last_login_0": "", "last_login_1": "", "date_joined_0": "2026-01-01", "date_joined_1": "10:00:00"}
    return client.post(f"/admin/accounts/user/{person.pk}/change/", {**given, **dates, **fields})


def test_a_person_changed_here_is_recorded(portal_usha: Client, asha: User) -> None:
    answer = change(portal_usha, asha, first_name="Aisha", is_active="on")
    assert answer.status_code == 302, answer.context["errors"]
    assert AuditLog.objects.about(asha).newest_first()[0].action == Action.USER_CHANGED


def test_a_person_made_inactive_here_is_out_at_once_everywhere(portal_usha: Client, usha: User, asha: User) -> None:
    browsers = [browser("localhost", asha), browser("cedar.localhost", asha)]
    app = TokenFamily.objects.create(user=asha, expires_at=now() + timedelta(days=1))
    assert change(portal_usha, asha).status_code == 302
    asha.refresh_from_db()
    app.refresh_from_db()
    assert not asha.is_active
    assert app.ended_at
    assert not Session.objects.filter(user=asha).exists()
    for client in browsers:
        assert client.get("/account/").status_code == 302
    row = AuditLog.objects.about(asha).newest_first()[0]
    assert (row.action, row.user) == (Action.USER_DEACTIVATED, usha)


def test_a_person_made_active_again_here_is_recorded(portal_usha: Client, asha: User) -> None:
    change(portal_usha, asha)
    change(portal_usha, asha, is_active="on")
    asha.refresh_from_db()
    assert asha.is_active
    row = AuditLog.objects.about(asha).newest_first()[0]
    assert (row.action, "is_active" in row.data["fields"]) == (Action.USER_CHANGED, True)


def test_a_password_set_here_ends_every_sign_in_and_is_recorded(portal_usha: Client, usha: User, asha: User) -> None:
    hers = browser("localhost", asha)
    path = f"/admin/accounts/user/{asha.pk}/password/"
    words = {"password1": "a-fresh-river-9", "password2": "a-fresh-river-9", "usable_password": "true"}
    assert portal_usha.post(path, words).status_code == 302
    assert hers.get("/account/").status_code == 302
    assert not Session.objects.filter(user=asha).exists()
    row = AuditLog.objects.about(asha).filter(action=Action.USER_PASSWORD_CHANGED).get()
    assert row.user == usha


def test_two_factor_is_turned_off_here_for_who_lost_everything(portal_usha: Client, usha: User, asha: User) -> None:
    Totp.objects.create(user=asha, sealed_secret="x", confirmed_at=now())
    Passkey.objects.create(user=asha, name="Key", relying_party="localhost", credential=b"1", public_key=b"1")
    chosen = {"action": "turn_two_factor_off", "_selected_action": [asha.pk]}
    assert portal_usha.post("/admin/accounts/user/", chosen).status_code == 302
    assert not two_factor.is_on(asha)
    row = AuditLog.objects.about(asha).filter(action=Action.USER_TWO_FACTOR_OFF).get()
    assert row.user == usha
    assert len(sent("account_changed", to=asha.email)) == 1


def test_somebody_without_the_second_factor_does_not_come_in_here(usha: User) -> None:
    client = browser("localhost")
    come_in(client, usha)
    assert client.get("/admin/accounts/user/").status_code == 302


def test_who_sets_their_own_password_here_stays_signed_in(portal_usha: Client, usha: User) -> None:
    words = {"password1": "a-fresh-river-9", "password2": "a-fresh-river-9", "usable_password": "true"}
    assert portal_usha.post(f"/admin/accounts/user/{usha.pk}/password/", words).status_code == 302
    assert portal_usha.get("/admin/accounts/user/").status_code == 200
