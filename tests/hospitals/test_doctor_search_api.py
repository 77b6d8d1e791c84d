"""GET /api/doctors/ of the portal: the same search as the page."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from core.visits import VisitKind
from directory import services as directory
from directory.models import FreeTime
from hospitals.models import Doctor
from hospitals.services import joining
from tenants.models import Hospital
from tests import factories
from tests.hospitals.test_doctor_search import list_doctor

NOT_THERE = "/api/doctors/00000000-0000-7000-8000-000000000000/"


@pytest.fixture
def rao(cedar: Hospital, hari: User) -> Doctor:
    """Dr Rao of Cedar."""
    return list_doctor(cedar, hari, languages=["en"], experience_years=12, qualifications="MBBS, MD")


def results(portal: Client, path: str = "/api/doctors/", **asked: Any) -> list[dict[str, Any]]:
    """What the list answers."""
    response = portal.get(path, asked)
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["results"]
    return found


def test_a_doctor_is_given_with_all_that_one_needs_to_choose(portal: Client, cedar: Hospital, rao: Doctor) -> None:
    [found] = results(portal)
    assert found["id"] == str(rao.code)
    assert found["specialization"] == "Cardiology"
    assert found["qualifications"] == "MBBS, MD"
    assert found["experience_years"] == 12
    assert found["languages"] == ["en"]
    assert (found["fee_in_person"], found["fee_video"], found["fee_chat"]) == ("700.00", "500.00", None)
    assert found["consultation_fee"] == "500.00"
    assert found["consultation_types"] == ["in_person", "video"]
    assert found["hospital_id"] == found["hospital"]["id"] == str(cedar.code)
    assert (found["hospital"]["slug"], found["hospital"]["city"]) == ("cedar", "Pune")
    assert found["site"] == f"http://cedar.localhost:8000/doctors/{rao.code}/"
    assert found["next_free_at"] == found["free_times"][0]["starts_at"]
    assert found["free_times"][0]["kinds"] == ["in_person", "video"]


def test_free_times_are_those_of_the_day_that_is_asked_for(portal: Client, cedar: Hospital, rao: Doctor) -> None:
    at = factories.at(cedar, "09:00", days=3)
    [found] = results(portal, date=at.date().isoformat())
    assert found["free_times"][0]["starts_at"] == f"{at.date()}T03:30:00Z"
    assert len(found["free_times"]) == 20


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"q": "heart in pune"}, 1),
        ({"q": "skin"}, 0),
        ({"specialty": "cardiology"}, 1),
        ({"city": "Kochi"}, 0),
        ({"hospital": "cedar"}, 1),
        ({"kind": "chat"}, 0),
        ({"language": "en", "fee_to": "500", "experience": "12"}, 1),
    ],
)
def test_the_filters_are_those_of_the_page(portal: Client, rao: Doctor, asked: dict[str, str], count: int) -> None:
    assert len(results(portal, **asked)) == count


def test_a_hospital_is_named_by_its_id_too(portal: Client, cedar: Hospital, lotus: Hospital, rao: Doctor) -> None:
    assert len(results(portal, hospital_id=cedar.code)) == 1
    assert results(portal, hospital_id=lotus.code) == []


def test_a_filter_that_makes_no_sense_is_refused(portal: Client, rao: Doctor) -> None:
    for name, value in (("kind", "telepathy"), ("date", "someday"), ("hospital_id", "cedar"), ("fee_to", "much")):
        response = portal.get("/api/doctors/", {name: value})
        assert response.status_code == 400
        assert name in response.json()


def test_available_doctors_are_those_with_a_free_time(portal: Client, cedar: Hospital, hari: User, rao: Doctor) -> None:
    list_doctor(cedar, hari, "Never", is_free=False)
    assert len(results(portal)) == 2
    assert [found["id"] for found in results(portal, "/api/doctors/available/")] == [str(rao.code)]
    times = [FreeTime(factories.at(cedar, "10:00"), frozenset({VisitKind.IN_PERSON}))]
    directory.show_times(code=rao.code, times=times, notice_minutes=0, stale_at=None)
    assert results(portal, "/api/doctors/available/", kind="video") == []


def test_one_doctor_is_given_as_in_the_list(portal: Client, rao: Doctor) -> None:
    assert portal.get(f"/api/doctors/{rao.code}/").json() == results(portal)[0]
    assert portal.get(NOT_THERE).status_code == 404


def test_a_suspended_hospitals_doctor_is_not_there(portal: Client, usha: User, cedar: Hospital, rao: Doctor) -> None:
    joining.suspend(hospital=cedar, by=usha, reason="Renovation")
    assert results(portal) == []
    assert portal.get(f"/api/doctors/{rao.code}/").status_code == 404


def test_the_list_asks_the_same_questions_however_long_it_is(
    portal: Client, cedar: Hospital, hari: User, rao: Doctor, django_assert_num_queries: Callable[..., Any]
) -> None:
    portal.get("/api/doctors/")
    for number in range(4):
        list_doctor(cedar, hari, f"Doctor{number}")
    with django_assert_num_queries(3):  # what begins like the word, how many, the page
        portal.get("/api/doctors/", {"q": "heart", "city": "Pune"})


def test_hospitals_can_be_listed_by_city(portal: Client, usha: User) -> None:
    factories.opened(usha, name="Harbour", city="Kochi", state="KL")
    names = [hospital["name"] for hospital in results(portal, "/api/hospitals/", city="kochi")]
    assert names == ["Harbour"]
