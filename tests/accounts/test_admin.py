"""Django's admin: break-glass for the superadmin, behind our own sign-in."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from audit.models import Action, AuditLog
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser

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


def test_a_person_changed_here_is_recorded(portal_usha: Client, asha: User) -> None:
    path = f"/admin/accounts/user/{asha.pk}/change/"
    fields = {"email": asha.email, "first_name": "Aisha", "last_name": "Patel", "is_active": "on"}
    dates = {f"{name}_{part}": "" for name in ("last_login",) for part in (0, 1)}
    joined = {"date_joined_0": "2026-01-01", "date_joined_1": "10:00:00"}
    answer = portal_usha.post(path, {**fields, **dates, **joined})
    assert answer.status_code == 302, answer.context["errors"]
    assert AuditLog.objects.about(asha).newest_first()[0].action == Action.USER_CHANGED
