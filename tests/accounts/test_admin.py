"""Django's admin: break-glass for the superadmin, behind our own sign-in."""

import pytest
from django.test import Client

from accounts.models import User
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
