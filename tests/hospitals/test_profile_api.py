"""The API twin: the doctors of a hospital's site, and their profiles."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.utils.timezone import localtime, now

from accounts.models import User
from appointments.models import Availability
from appointments.services import listing
from core.schemas import schema_context
from hospitals.models import Department, Doctor
from hospitals.services import departments
from hospitals.services.doctors import reviewing
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser
from tests.factories import picture

PATH = "/api/doctors/"
ME = f"{PATH}me/"
AVAILABLE = f"{PATH}available/"
JSON: Any = {"content_type": "application/json"}
PROFILE = {"bio": "Heart.", "languages": ["en"], "fee_in_person": "650.00", "fee_chat": 0}
CHECKED = {**PROFILE, "specialization": "Cardiology", "qualifications": "MBBS, MD", "experience_years": 12}


@pytest.fixture
def cardiology(in_cedar: Hospital, hari: User) -> Department:
    """A department of Cedar. The test works in Cedar's schema."""
    return departments.add(hospital=in_cedar, name="Cardiology", description="Heart", image=None, by=hari)


@pytest.fixture
def rao(in_cedar: Hospital, hari: User, cardiology: Department) -> Doctor:
    """Dr Rao, whom patients find and who has free times."""
    doctor = factories.bookable_doctor(in_cedar, hari, experience_years=12)
    reviewing.change_department(hospital=in_cedar, doctor=doctor, department=cardiology, by=hari)
    listing.refresh_times(doctor_id=doctor.pk, now=now())
    return doctor


@pytest.fixture
def cedar_rao(rao: Doctor) -> Client:
    """Dr Rao on Cedar's site."""
    return browser("cedar.localhost", rao.user)


def one(doctor: Doctor) -> str:
    return f"{PATH}{doctor.code}/"


def test_a_visitor_reads_the_doctors(cedar_site: Client, cedar: Hospital, cardiology: Department, rao: Doctor) -> None:
    answer = cedar_site.get(PATH).json()
    assert answer["count"] == 1
    [doctor] = answer["results"]
    next_free_at = doctor.pop("next_free_at")
    assert next_free_at > now().isoformat()
    assert doctor == {
        "id": str(rao.code),
        "name": "Vikram Rao",
        "specialization": "Cardiology",
        "qualifications": "",
        "experience_years": 12,
        "department": "Cardiology",
        "department_id": str(cardiology.code),
        "bio": "",
        "languages": [],
        "fee_in_person": "700.00",
        "fee_video": "500.00",
        "fee_chat": None,
        "consultation_fee": "500.00",
        "consultation_types": ["in_person", "video"],
        "photo": None,
        "is_verified": True,
        "hospital_id": str(cedar.code),
    }
    assert cedar_site.get(one(rao)).json()["id"] == doctor["id"]


@pytest.mark.parametrize(
    ("query", "count"),
    [("?q=heart", 1), ("?q=teeth", 0), ("?department=cardiology", 1), ("?kind=chat", 0), ("?kind=video", 1)],
)
def test_the_list_is_narrowed(cedar_site: Client, rao: Doctor, query: str, count: int) -> None:
    assert cedar_site.get(f"{PATH}{query}").json()["count"] == count


def test_an_unknown_kind_is_refused_by_name(cedar_site: Client) -> None:
    answer = cedar_site.get(f"{PATH}?kind=telepathy")
    assert (answer.status_code, list(answer.json())) == (400, ["kind"])


def test_the_list_asks_the_same_number_of_queries(
    cedar_site: Client, in_cedar: Hospital, hari: User, rao: Doctor, django_assert_num_queries: Any
) -> None:
    for number in range(11):
        factories.bookable_doctor(in_cedar, hari, f"doctor{number}@cedar.example", f"Doctor{number}")
    cedar_site.get(PATH)
    with django_assert_num_queries(3):  # count, rows, free times
        assert len(cedar_site.get(PATH).json()["results"]) == 10


def test_available_doctors_come_with_their_times_of_the_day(
    cedar_site: Client, in_cedar: Hospital, rao: Doctor
) -> None:
    day = (localtime() + timedelta(days=2)).date()
    for name in ("date", "on"):
        [doctor] = cedar_site.get(f"{AVAILABLE}?{name}={day}&kind=video").json()["results"]
        times = doctor["free_times"]
        assert times[0]["starts_at"] == factories.at(in_cedar, "09:00", days=2).isoformat()
        assert {kind for time in times for kind in time["kinds"]} == {"video"}


def test_without_a_day_the_first_free_one_is_shown(cedar_site: Client, rao: Doctor) -> None:
    [doctor] = cedar_site.get(AVAILABLE).json()["results"]
    assert doctor["free_times"][0]["starts_at"] == doctor["next_free_at"]


def test_who_has_no_time_is_not_available(cedar_site: Client, rao: Doctor) -> None:
    Availability.objects.filter(doctor=rao).delete()
    listing.refresh_times(doctor_id=rao.pk, now=now())
    assert cedar_site.get(AVAILABLE).json()["count"] == 0
    assert cedar_site.get(PATH).json()["count"] == 1
    assert cedar_site.get(f"{AVAILABLE}?date=soon").status_code == 400


def test_who_cannot_be_booked_is_not_told_of(cedar_site: Client, rao: Doctor) -> None:
    Doctor.objects.update(is_available=False)
    assert cedar_site.get(PATH).json()["count"] == 0
    assert cedar_site.get(one(rao)).status_code == 404


# --- Profiles --------------------------------------------------------------------------------------------------------


def test_a_doctor_replaces_their_profile(cedar_rao: Client, rao: Doctor) -> None:
    assert cedar_rao.get(ME).json()["may"] == ["change"]
    answer = cedar_rao.put(ME, PROFILE, **JSON)
    assert answer.status_code == 200, answer.content
    said = answer.json()
    assert (said["bio"], said["languages"]) == ("Heart.", ["en"])
    assert (said["fee_in_person"], said["fee_video"], said["fee_chat"]) == ("650.00", None, "0.00")
    assert (said["consultation_fee"], said["is_available"], said["is_found"]) == ("0.00", True, True)
    assert said["licence_number"] == rao.licence_number


def test_a_part_of_the_profile_is_changed_and_the_rest_stays(cedar_rao: Client) -> None:
    cedar_rao.put(ME, PROFILE, **JSON)
    said = cedar_rao.patch(ME, {"is_available": False}, **JSON).json()
    assert (said["bio"], said["fee_in_person"], said["is_available"]) == ("Heart.", "650.00", False)
    assert (said["is_found"], said["obstacles"]) == (False, ["Bookings are turned off."])


def test_a_photo_is_sent_as_a_form(cedar_rao: Client, cedar: Hospital, rao: Doctor) -> None:
    with schema_context(cedar.schema_name):
        Doctor.objects.update(languages=["hi"])

    body = encode_multipart(BOUNDARY, {"photo": picture(), "languages": ["en", "hi"]})
    answer = cedar_rao.patch(ME, body, content_type=MULTIPART_CONTENT)
    assert answer.status_code == 200, answer.content
    assert answer.json()["photo"].startswith(f"http://cedar.localhost/doctors/{rao.code}/photo/")
    assert answer.json()["languages"] == ["en", "hi"]


def test_what_the_hospital_has_checked_only_the_office_corrects(
    cedar_rao: Client, cedar_hari: Client, rao: Doctor
) -> None:
    assert cedar_rao.put(ME, {**CHECKED, "experience_years": 40}, **JSON).json()["experience_years"] == 12
    answer = cedar_hari.put(f"{one(rao)}profile/", {**CHECKED, "experience_years": 13}, **JSON)
    assert answer.status_code == 200, answer.content
    assert (answer.json()["experience_years"], answer.json()["may"]) == (13, ["change", "correct"])


def test_the_api_keeps_the_pages_rules(cedar_rao: Client, cedar_hari: Client, rao: Doctor) -> None:
    answer = cedar_rao.put(ME, {**PROFILE, "fee_chat": -1, "languages": ["tlh"]}, **JSON)
    assert (answer.status_code, sorted(answer.json())) == (400, ["fee_chat", "languages"])
    answer = cedar_hari.put(f"{one(rao)}profile/", PROFILE, **JSON)
    assert (answer.status_code, sorted(answer.json())) == (
        400,
        ["experience_years", "qualifications", "specialization"],
    )


def test_the_office_reads_a_doctor_whom_patients_do_not_find(cedar_hari: Client, rao: Doctor) -> None:
    Doctor.objects.update(is_available=False)
    said = cedar_hari.get(f"{one(rao)}profile/").json()
    assert (said["is_found"], said["obstacles"]) == (False, ["Bookings are turned off."])


def test_who_may_not(cedar_site: Client, cedar_kiran: Client, cedar_hari: Client, rao: Doctor, kiran: User) -> None:
    profile = f"{one(rao)}profile/"
    assert [cedar_site.get(path).status_code for path in (ME, profile)] == [401, 401]
    assert [cedar_kiran.get(path).status_code for path in (ME, profile)] == [403, 403]
    assert cedar_kiran.put(profile, CHECKED, **JSON).status_code == 403
    assert cedar_hari.get(ME).status_code == 404
    assert cedar_hari.get(f"{PATH}{uuid4()}/profile/").status_code == 404
    lotus_kiran = browser("lotus.localhost", kiran)
    assert lotus_kiran.get(one(rao)).status_code == 404
    assert lotus_kiran.put(profile, CHECKED, **JSON).status_code == 404
