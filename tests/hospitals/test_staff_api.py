"""The API twin of the office's staff."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from audit.models import Action, AuditLog
from core.schemas import schema_context
from hospitals.models import Staff
from hospitals.services import staff as services
from notifications.models import Notification
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser

PATH = "/api/staff/"
JSON: Any = {"content_type": "application/json"}
NILA = {"name": "Nila Iyer", "email": "nila@cedar.example", "role": "nurse"}


@pytest.fixture
def own(in_cedar: Hospital, hari: User) -> Staff:
    """Hari's own row."""
    return Staff.objects.get(user=hari)


def one(staff: Staff, step: str = "") -> str:
    return f"{PATH}{staff.code}/{step}"


def invited(client: Client) -> dict[str, Any]:
    answer = client.post(PATH, NILA, **JSON)
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def test_the_list_says_who_is_here_and_what_may_be_done(cedar_hari: Client, meena: Staff, own: Staff) -> None:
    invited(cedar_hari)
    answer = cedar_hari.get(PATH).json()
    assert answer["count"] == 3
    hari, meenas, nilas = answer["results"]
    assert (hari["name"], hari["role"], hari["state"], hari["may"]) == ("Hari Rao", "hospital_admin", "active", [])
    assert (meenas["id"], meenas["may"]) == (str(meena.code), ["change_role", "deactivate"])
    assert (nilas["state"], nilas["joined_at"], nilas["may"]) == (
        "invited",
        None,
        ["change_role", "resend_invitation", "take_back"],
    )
    assert set(meenas) == {
        "id", "name", "email", "role", "state", "invited_at", "joined_at", "two_factor", "may",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "count"), [("?q=meena", 1), ("?state=invited", 0), ("?role=front_desk", 1), ("?state=active", 2)]
)
def test_the_list_is_narrowed(cedar_hari: Client, meena: Staff, query: str, count: int) -> None:
    assert cedar_hari.get(f"{PATH}{query}").json()["count"] == count


def test_the_list_asks_the_same_number_of_queries(
    cedar_hari: Client, join_cedar: Callable[[User, str], Staff], django_assert_num_queries: Any
) -> None:
    for number in range(11):
        join_cedar(factories.person(f"nurse{number}@cedar.example", f"Nurse{number:02}"), "nurse")
    cedar_hari.get(PATH)
    with django_assert_num_queries(6):  # session, person, staff row, count, rows, only admin
        assert len(cedar_hari.get(PATH).json()["results"]) == 10


def test_somebody_is_invited_and_the_letter_is_in_the_hospitals_outbox(cedar_hari: Client, cedar: Hospital) -> None:
    made = invited(cedar_hari)
    assert (made["email"], made["role"], made["state"]) == ("nila@cedar.example", "nurse", "invited")
    assert not Notification.objects.filter(template="staff_invited").exists()
    with schema_context(cedar.schema_name):
        assert Notification.objects.get(template="staff_invited").to_address == "nila@cedar.example"


def test_the_api_keeps_the_pages_rules(cedar_hari: Client, meena: Staff) -> None:
    for role in ("doctor", "superadmin"):
        answer = cedar_hari.post(PATH, {**NILA, "role": role}, **JSON)
        assert (answer.status_code, answer.json()["role"]) == (400, ["Choose one of the roles."])
    answer = cedar_hari.post(PATH, {**NILA, "email": "meena@cedar.example"}, **JSON)
    assert (answer.status_code, answer.json()) == (
        409,
        {"detail": "Meena Shah is staff here already.", "field": "email"},
    )


def test_a_role_is_changed(cedar_hari: Client, meena: Staff, cedar: Hospital) -> None:
    answer = cedar_hari.patch(one(meena), {"role": "pharmacist"}, **JSON)
    assert (answer.status_code, answer.json()["role"]) == (200, "pharmacist")
    with schema_context(cedar.schema_name):
        row = AuditLog.objects.about(meena).get(action=Action.STAFF_ROLE_CHANGED)
        assert (row.actor, row.data) == ("Hari Rao", {"role": ["front_desk", "pharmacist"]})
    assert cedar_hari.patch(one(meena), {"role": "doctor"}, **JSON).status_code == 400


def test_the_only_admin_is_neither_demoted_nor_deactivated(cedar_hari: Client, own: Staff) -> None:
    sentence = {"detail": "Hari Rao is the only admin here. Appoint another admin first."}
    demoted = cedar_hari.patch(one(own), {"role": "nurse"}, **JSON)
    assert (demoted.status_code, demoted.json()) == (409, sentence)
    left = cedar_hari.post(one(own, "deactivate/"), **JSON)
    assert (left.status_code, left.json()) == (409, sentence)


def test_with_a_second_admin_the_first_may_go(cedar_hari: Client, own: Staff, meena: Staff) -> None:
    cedar_hari.patch(one(meena), {"role": "hospital_admin"}, **JSON)
    assert cedar_hari.get(one(own)).json()["may"] == ["change_role", "deactivate"]
    hers = browser("cedar.localhost", meena.user)
    assert hers.post(one(own, "deactivate/"), **JSON).json()["state"] == "deactivated"
    assert cedar_hari.get(PATH).status_code == 401


def test_somebody_is_deactivated_and_activated(cedar_hari: Client, meena: Staff, cedar: Hospital) -> None:
    answer = cedar_hari.post(one(meena, "deactivate/"), {"reason": "Left"}, **JSON)
    assert (answer.json()["state"], answer.json()["may"]) == ("deactivated", ["change_role", "activate"])
    assert cedar_hari.post(one(meena, "deactivate/"), **JSON).status_code == 409
    with schema_context(cedar.schema_name):
        assert AuditLog.objects.about(meena).get(action=Action.STAFF_DEACTIVATED).reason == "Left"
    assert cedar_hari.post(one(meena, "activate/")).json()["state"] == "active"
    assert cedar_hari.post(one(meena, "activate/")).status_code == 409


def test_an_invitation_is_sent_again_taken_back_and_given_anew(cedar_hari: Client, cedar: Hospital) -> None:
    path = f"{PATH}{invited(cedar_hari)['id']}/"
    assert cedar_hari.post(f"{path}invitation/").status_code == 202
    assert cedar_hari.delete(f"{path}invitation/").status_code == 204
    answer = cedar_hari.get(path).json()
    assert (answer["state"], answer["may"]) == ("taken_back", ["change_role", "activate"])
    assert cedar_hari.delete(f"{path}invitation/").status_code == 409
    assert cedar_hari.post(f"{path}invitation/").status_code == 409
    assert cedar_hari.post(f"{path}activate/").json()["state"] == "invited"
    with schema_context(cedar.schema_name):
        assert Notification.objects.filter(template="staff_invited").count() == 3


def test_staff_are_the_admins_alone(
    cedar_site: Client, cedar_kiran: Client, kiran: User, meena: Staff, asha: User, usha: User
) -> None:
    assert cedar_site.get(PATH).status_code == 401
    elsewhere = browser("lotus.localhost", kiran)
    clients = [cedar_kiran, *(browser("cedar.localhost", user) for user in (meena.user, asha, usha))]
    for client in clients:
        assert client.get(PATH).status_code == 403
        assert client.post(PATH, NILA, **JSON).status_code == 403
    for client, status in ((cedar_kiran, 403), (elsewhere, 404)):
        assert client.get(one(meena)).status_code == status
        assert client.patch(one(meena), {"role": "nurse"}, **JSON).status_code == status
        assert client.delete(one(meena, "invitation/")).status_code == status
        for step in ("deactivate/", "activate/", "invitation/"):
            assert client.post(one(meena, step), **JSON).status_code == status
    assert meena.user.email not in elsewhere.get(PATH).content.decode()


def test_the_portal_has_no_staff(portal_usha: Client) -> None:
    assert portal_usha.get(PATH).status_code == 404


def test_nobody_is_found_by_a_made_up_id(cedar_hari: Client) -> None:
    assert cedar_hari.get(f"{PATH}{uuid4()}/").status_code == 404


def test_a_doctor_is_offered_to_whoever_was_verified(cedar_hari: Client, in_cedar: Hospital, hari: User) -> None:
    rao = factories.verified_doctor(by=hari)
    services.change_role(hospital=in_cedar, staff=rao, role="nurse", by=hari)
    assert cedar_hari.patch(one(rao), {"role": "doctor"}, **JSON).json()["role"] == "doctor"


def test_one_person_is_not_flooded_with_invitations(cedar_hari: Client, in_cedar: Hospital, hari: User) -> None:
    nila = services.invite(hospital=in_cedar, by=hari, now=now(), **NILA)
    for _ in range(5):
        assert cedar_hari.post(one(nila, "invitation/")).status_code == 202
    answer = cedar_hari.post(one(nila, "invitation/"))
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)
