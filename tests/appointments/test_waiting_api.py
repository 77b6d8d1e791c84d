"""The API twin of the waitlist."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Status
from appointments.services import day, waiting
from core.schemas import schema_context
from hospitals.models import Doctor
from tenants.models import Hospital
from tests.conftest import browser
from tests.factories import at, person, visit

PATH = "/api/waitlist/"
JSON: Any = {"content_type": "application/json"}


@pytest.fixture
def cedar_asha(cedar: Hospital, asha: User) -> Client:
    """Asha on Cedar's site."""
    return browser("cedar.localhost", asha)


def wish(hospital: Hospital, doctor: Doctor, **fields: Any) -> dict[str, Any]:
    today = at(hospital, "00:00", 0).date()
    return {"doctor": str(doctor.code), "first_date": str(today), "last_date": str(today + timedelta(9)), **fields}


def joined(client: Client, hospital: Hospital, doctor: Doctor, **fields: Any) -> dict[str, Any]:
    answer = client.post(PATH, wish(hospital, doctor, **fields), **JSON)
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def free_a_time(hospital: Hospital, doctor: Doctor) -> None:
    """Somebody cancels the day after tomorrow at ten."""
    with schema_context(hospital.schema_name):
        booked = visit(hospital, doctor, person(f"{uuid4()}@example.com"), "10:00", 2)
        day.cancel(hospital=hospital, visit=booked, by=None, reason="", now=now(), by_hospital=True)
        waiting.freed(appointment_id=booked.pk, now=now())


def test_somebody_joins_and_reads_where_they_stand(cedar_asha: Client, cedar: Hospital, rao: Doctor) -> None:
    entry = joined(cedar_asha, cedar, rao, kinds=["video"])
    assert (entry["status"], entry["doctor"]["name"], entry["patient"]["name"]) == (
        "waiting",
        "Vikram Rao",
        "Asha Patel",
    )
    assert (entry["kinds"], entry["offer"], entry["appointment"], entry["may"]) == (["video"], None, None, ["withdraw"])
    listed = cedar_asha.get(PATH).json()
    assert (listed["count"], listed["results"][0]["id"]) == (1, entry["id"])
    assert cedar_asha.get(f"{PATH}{entry['id']}/").json() == entry


def test_an_offer_is_accepted_once(cedar_asha: Client, cedar: Hospital, rao: Doctor) -> None:
    entry = joined(cedar_asha, cedar, rao)
    free_a_time(cedar, rao)
    shown = cedar_asha.get(f"{PATH}{entry['id']}/").json()
    assert (shown["status"], shown["offer"]["kind"], shown["may"]) == (
        "offered",
        "in_person",
        ["accept", "decline", "withdraw"],
    )
    booked = cedar_asha.post(f"{PATH}{entry['id']}/accept/").json()
    assert booked == cedar_asha.post(f"{PATH}{entry['id']}/accept/").json()
    with schema_context(cedar.schema_name):
        live = Appointment.objects.live().get()
    assert (booked["status"], booked["appointment"], live.status) == ("booked", str(live.code), Status.CONFIRMED)


def test_an_offer_is_declined(cedar_asha: Client, cedar: Hospital, rao: Doctor) -> None:
    entry = joined(cedar_asha, cedar, rao)
    free_a_time(cedar, rao)
    shown = cedar_asha.post(f"{PATH}{entry['id']}/decline/").json()
    assert (shown["status"], shown["offer"], shown["may"]) == ("waiting", None, ["withdraw"])
    assert cedar_asha.post(f"{PATH}{entry['id']}/accept/").status_code == 409


def test_somebody_leaves(cedar_asha: Client, cedar: Hospital, rao: Doctor) -> None:
    entry = joined(cedar_asha, cedar, rao)
    assert cedar_asha.delete(f"{PATH}{entry['id']}/").status_code == 204
    assert cedar_asha.delete(f"{PATH}{entry['id']}/").status_code == 409
    assert cedar_asha.get(PATH).json()["results"][0]["status"] == "withdrawn"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"first_date": "soon"}, 400),
        ({"kinds": ["telepathy"]}, 400),
        ({"first_date": "2020-01-01"}, 422),
        ({"doctor": str(uuid4())}, 404),
        ({"member": str(uuid4())}, 404),
        ({"instead_of": str(uuid4())}, 404),
    ],
)
def test_what_is_wrong_is_refused(
    cedar_asha: Client, cedar: Hospital, rao: Doctor, fields: dict[str, Any], status: int
) -> None:
    assert cedar_asha.post(PATH, wish(cedar, rao) | fields, **JSON).status_code == status


def test_nobody_waits_twice(cedar_asha: Client, cedar: Hospital, rao: Doctor) -> None:
    joined(cedar_asha, cedar, rao)
    answer = cedar_asha.post(PATH, wish(cedar, rao), **JSON)
    assert (answer.status_code, answer.json()["field"]) == (409, "who")


def test_kiran_sees_and_answers_nothing_of_anybody(
    cedar_asha: Client, cedar_kiran: Client, cedar: Hospital, rao: Doctor
) -> None:
    entry = joined(cedar_asha, cedar, rao)
    free_a_time(cedar, rao)
    assert cedar_kiran.get(PATH).json()["count"] == 0
    for answer in (
        cedar_kiran.get(f"{PATH}{entry['id']}/"),
        cedar_kiran.delete(f"{PATH}{entry['id']}/"),
        cedar_kiran.post(f"{PATH}{entry['id']}/accept/"),
        cedar_kiran.post(f"{PATH}{entry['id']}/decline/"),
    ):
        assert answer.status_code == 404
    assert cedar_kiran.get(f"{PATH}hospital/").status_code == 403


def test_a_visitor_is_asked_to_sign_in(cedar_site: Client, rao: Doctor) -> None:
    assert cedar_site.get(PATH).status_code == 401


def test_the_desk_reads_who_waits(cedar_asha: Client, cedar_hari: Client, cedar: Hospital, rao: Doctor) -> None:
    joined(cedar_asha, cedar, rao)
    path = f"{PATH}hospital/"
    assert [row["patient"]["name"] for row in cedar_hari.get(path).json()["results"]] == ["Asha Patel"]
    assert cedar_hari.get(path).json()["results"][0]["may"] == ["withdraw"]
    assert cedar_hari.get(f"{path}?q=nobody").json()["count"] == 0
    assert cedar_hari.get(f"{path}?doctor={rao.code}").json()["count"] == 1
    assert cedar_hari.get(f"{path}?doctor=nonsense").status_code == 400


def test_the_desk_takes_somebody_off_the_list(
    cedar_asha: Client, cedar_hari: Client, cedar: Hospital, rao: Doctor
) -> None:
    entry = joined(cedar_asha, cedar, rao)
    assert cedar_hari.post(f"{PATH}{entry['id']}/decline/").status_code == 404  # an answer is the patient's own
    assert cedar_hari.delete(f"{PATH}{entry['id']}/").status_code == 204
    assert cedar_asha.get(f"{PATH}{entry['id']}/").json()["status"] == "withdrawn"


def test_the_lists_cost_the_same_however_long_they_are(
    cedar_hari: Client, cedar_asha: Client, cedar: Hospital, rao: Doctor, django_assert_max_num_queries: Any
) -> None:
    joined(cedar_asha, cedar, rao)
    for number in range(4):
        joined(browser("cedar.localhost", person(f"w{number}@example.com")), cedar, rao)
    with django_assert_max_num_queries(8):
        assert cedar_hari.get(f"{PATH}hospital/").json()["count"] == 5
    with django_assert_max_num_queries(7):
        cedar_asha.get(PATH)
