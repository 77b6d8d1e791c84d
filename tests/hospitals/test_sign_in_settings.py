"""Whether a hospital's staff must use two-factor: who says so, and what it does at once."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import TokenFamily, User
from audit.models import Action, AuditLog
from core.schemas import schema_context
from tenants.models import Hospital
from tests.conftest import browser, come_in, forget
from tests.factories import PASSWORD

PAGE, API = "/office/settings/sign-in/", "/api/settings/sign-in/"
JSON: Any = {"content_type": "application/json"}
ON = {"requires_two_factor": True}


@pytest.fixture
def cedar_hari_twice(cedar: Hospital, hari: User) -> Client:
    """Hari on Cedar's site, signed in with a second factor."""
    client = Client(HTTP_HOST="cedar.localhost")
    come_in(client, hari, is_two_factor=True)
    return client


@pytest.fixture
def commits(django_capture_on_commit_callbacks: Any) -> Any:
    """What happens when a change is committed, as the cache's news of it."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def is_required(hospital: Hospital) -> bool:
    return Hospital.objects.get(pk=hospital.pk).requires_two_factor


def test_the_admin_asks_two_factor_of_all_staff_and_no_longer(
    cedar_hari_twice: Client, cedar: Hospital, commits: Any
) -> None:
    with commits():
        assert cedar_hari_twice.post(PAGE, {"requires_two_factor": "on"})["Location"] == PAGE
    assert is_required(cedar)
    page = cedar_hari_twice.get(PAGE).content.decode()
    assert "checked" in page
    with commits():
        cedar_hari_twice.post(PAGE, {})
    assert not is_required(cedar)


def test_each_change_is_in_the_hospitals_log(cedar_hari_twice: Client, cedar: Hospital) -> None:
    cedar_hari_twice.post(PAGE, {"requires_two_factor": "on"})
    with schema_context(cedar.schema_name):
        row = AuditLog.objects.filter(action=Action.SETTINGS_CHANGED).newest_first()[0]
    assert row.data == {"requires_two_factor": ["False", "True"]}
    page = cedar_hari_twice.get("/office/activity/").content.decode()
    assert "Two-factor required of staff" in page
    assert ">True<" not in page


def test_saving_it_unchanged_is_no_change(cedar_hari: Client, cedar: Hospital) -> None:
    assert cedar_hari.post(PAGE, {})["Location"] == PAGE
    with schema_context(cedar.schema_name):
        assert not AuditLog.objects.filter(action=Action.SETTINGS_CHANGED).exists()


def test_the_admin_without_a_second_factor_begins_with_their_own_account(cedar_hari: Client, cedar: Hospital) -> None:
    assert "Begin with your own account" in cedar_hari.get(PAGE).content.decode()
    answer = cedar_hari.post(PAGE, {"requires_two_factor": "on"})
    assert answer.status_code == 422
    assert b"Set two-factor up for your own account first" in answer.content
    assert not is_required(cedar)


def test_staff_without_a_second_factor_are_asked_for_it_from_the_next_page_on(
    cedar_hari_twice: Client, join_cedar: Any, asha: User, commits: Any
) -> None:
    join_cedar(asha, "nurse")
    nurse = browser("cedar.localhost", asha)
    assert nurse.get("/start/", follow=True).status_code == 200
    with commits():
        cedar_hari_twice.post(PAGE, {"requires_two_factor": "on"})
    assert nurse.get("/start/")["Location"] == "/account/two-factor/?next=/start/"
    assert nurse.get("/").status_code == 200


def test_tokens_without_a_second_factor_stop_working_and_say_why(
    cedar_hari_twice: Client, hari: User, cedar: Hospital, commits: Any
) -> None:
    client = browser("cedar.localhost")
    fields = {"email": hari.email, "password": PASSWORD}
    bearer = {"Authorization": f"Bearer {client.post('/api/auth/login/', fields, **JSON).json()['access']}"}
    assert client.get("/api/contact/", headers=bearer).status_code == 200
    with commits():
        cedar_hari_twice.post(PAGE, {"requires_two_factor": "on"})
    answer = client.get("/api/contact/", headers=bearer)
    assert answer.status_code == 403
    assert (
        answer.json()["detail"]
        == "This needs a sign-in with two-factor. Turn it on for your account, then sign in again."
    )
    TokenFamily.objects.update(is_two_factor=True)
    assert client.get("/api/contact/", headers=bearer).status_code == 200


def test_another_hospital_goes_on_without(cedar_hari_twice: Client, kiran: User, lotus: Hospital, commits: Any) -> None:
    with commits():
        cedar_hari_twice.post(PAGE, {"requires_two_factor": "on"})
    assert browser("lotus.localhost", kiran).get("/start/").status_code == 200


def test_the_overview_of_the_settings_says_how_it_stands(cedar_hari_twice: Client, cedar: Hospital) -> None:
    assert b"Whether your staff must use two-factor." in cedar_hari_twice.get("/office/settings/").content
    Hospital.objects.filter(pk=cedar.pk).update(requires_two_factor=True)
    forget()
    assert cedar_hari_twice.get("/office/settings/").status_code == 200


def test_the_api_reads_and_changes_it(cedar_hari_twice: Client, cedar: Hospital) -> None:
    assert cedar_hari_twice.get(API).json() == {"requires_two_factor": False, "may": ["change"]}
    assert cedar_hari_twice.put(API, ON, **JSON).json() == {"requires_two_factor": True, "may": ["change"]}
    assert is_required(cedar)


def test_the_api_refuses_the_admin_without_a_second_factor(cedar_hari: Client, cedar: Hospital) -> None:
    assert cedar_hari.get(API).json() == {"requires_two_factor": False, "may": []}
    answer = cedar_hari.put(API, ON, **JSON)
    assert answer.status_code == 409
    assert answer.json()["field"] == "requires_two_factor"
    assert not is_required(cedar)


def test_the_api_takes_no_empty_wish_for_off(cedar_hari_twice: Client, cedar: Hospital) -> None:
    cedar_hari_twice.put(API, ON, **JSON)
    forget()
    assert cedar_hari_twice.put(API, {}, **JSON).status_code == 400
    assert is_required(cedar)


@pytest.mark.parametrize("path", [PAGE, API])
def test_it_is_the_admins_alone(
    cedar_site: Client, cedar_kiran: Client, join_cedar: Any, asha: User, path: str
) -> None:
    join_cedar(asha, "front_desk")
    assert cedar_site.get(path).status_code in (302, 401)
    assert cedar_kiran.get(path).status_code == 403
    assert browser("cedar.localhost", asha).get(path).status_code == 403
