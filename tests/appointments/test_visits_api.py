"""The API twin of booking: a hospital's host, and the portal, where `hospital_id` names the hospital."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.models import FamilyMember, User
from appointments.models import Appointment, Status
from appointments.services import day
from core.schemas import schema_context
from hospitals.models import Department, Doctor, Staff
from patients.models import Patient
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser
from tests.factories import PASSWORD, at, visit

PATH = "/api/appointments/"
JSON: Any = {"content_type": "application/json"}
CEDAR = "cedar.localhost"
# What begins and ends a transaction is no question to the database.
FRAME = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE SAVEPOINT")


@pytest.fixture
def cedar_asha(asha: User, cedar: Hospital) -> Client:
    """Asha on Cedar's host, a patient."""
    return browser(CEDAR, asha)


@pytest.fixture
def meena(join_cedar: Callable[[User, str], Staff]) -> User:
    """Cedar's front desk."""
    return join_cedar(factories.person("meena@cedar.example", "Meena", "Iyer"), "front_desk").user


def body(hospital: Hospital, doctor: Doctor, clock: str = "10:00", **more: Any) -> dict[str, Any]:
    day = at(hospital, clock).date()
    return {"doctor": str(doctor.code), "appointment_date": str(day), "appointment_time": clock, **more}


def post(client: Client, path: str, data: Any = None, **headers: str) -> Any:
    answer = client.post(PATH + path, data or {}, headers=headers, **JSON)
    return answer.status_code, (answer.json() if answer.content else None)


def booked(hospital: Hospital, doctor: Doctor, user: User, clock: str = "10:00", **more: Any) -> Appointment:
    """A visit, wherever the last request has left the connection."""
    with schema_context(hospital.schema_name):
        return visit(hospital, doctor, user, clock, **more)


# --- Booking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "book/"])
def test_a_patient_books_by_date_and_time_of_the_hospitals_clocks(
    cedar_asha: Client, cedar: Hospital, rao: Doctor, path: str
) -> None:
    status, made = post(cedar_asha, path, body(cedar, rao, reason="Cough"))
    assert status == 201, made
    assert (made["appointment_time"], made["duration"], made["status"]) == ("10:00", 20, "confirmed")
    assert made["starts_at"].endswith("+05:30")
    assert (made["fee"], made["payment_status"], made["type"]) == ("700.00", "unpaid", "in_person")
    assert made["doctor"] == {"id": str(rao.code), "name": rao.name}
    assert (made["patient"]["name"], made["patient"]["number"]) == ("Asha Patel", "P000001")
    assert (made["hospital_id"], made["reason"]) == (str(cedar.code), "Cough")
    assert made["may"] == ["comes", "check_in", "cancel", "move"]


def test_the_answer_has_what_a_client_needs(cedar_asha: Client, cedar: Hospital, rao: Doctor) -> None:
    _status, made = post(cedar_asha, "", body(cedar, rao))
    assert set(made) == {
        "id", "reference", "hospital_id", "doctor", "patient", "department", "appointment_date", "appointment_time",
        "starts_at", "ends_at", "duration", "type", "status", "status_display", "payment_status", "payment", "fee", "kept_fee",
        "reason", "source", "token", "free_cancellation_until", "cancelled_by_hospital", "booked_at", "checked_in_at",
        "called_at", "completed_at", "may",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["kind", "type"])
def test_online_is_by_video(cedar_asha: Client, cedar: Hospital, rao: Doctor, name: str) -> None:
    _status, made = post(cedar_asha, "", body(cedar, rao, **{name: "online"}))
    assert (made["type"], made["fee"]) == ("video", "500.00")


def test_a_time_can_be_said_as_an_instant(cedar_asha: Client, cedar: Hospital, rao: Doctor) -> None:
    starts_at = at(cedar, "10:00").isoformat()
    status, made = post(cedar_asha, "", {"doctor": str(rao.code), "starts_at": starts_at})
    assert (status, made["appointment_time"]) == (201, "10:00")


def test_what_is_missing_is_named(cedar_asha: Client, rao: Doctor) -> None:
    assert post(cedar_asha, "", {}) == (400, {"doctor": ["This field is required."]})
    status, answer = post(cedar_asha, "", {"doctor": str(rao.code), "appointment_date": "2026-11-23"})
    assert (status, answer) == (400, {"appointment_time": ["This field is required."]})


@pytest.mark.parametrize("day", [date.min, date.max, date(2020, 1, 1), date(2090, 1, 1)])
def test_days_on_which_nobody_can_be_booked_are_refused(
    cedar_asha: Client, cedar: Hospital, rao: Doctor, day: date
) -> None:
    status, answer = post(cedar_asha, "", {**body(cedar, rao), "appointment_date": str(day)})
    assert (status, answer["field"]) == (422, "starts_at")


def test_a_taken_time_names_the_next_free_one(cedar_asha: Client, cedar: Hospital, rao: Doctor) -> None:
    booked(cedar, rao, factories.person("b@example.com"))
    status, answer = post(cedar_asha, "", body(cedar, rao))
    assert (status, answer["field"]) == (409, "starts_at")
    assert answer["detail"].startswith("10:00 has just been taken. The next free time is")
    assert answer["next_free_at"]


def test_a_doctor_of_another_hospital_is_not_found(cedar_asha: Client, cedar: Hospital, rao: Doctor) -> None:
    status, answer = post(cedar_asha, "", {**body(cedar, rao), "doctor": str(uuid4())})
    assert (status, answer["field"]) == (404, "doctor")


def test_a_visitor_does_not_book(cedar_site: Client, cedar: Hospital, rao: Doctor) -> None:
    assert post(cedar_site, "", body(cedar, rao))[0] == 401


def test_a_booking_takes_at_most_twelve_queries(cedar: Hospital, rao: Doctor, asha: User) -> None:
    factories.patient(asha)
    Doctor.objects.update(department=Department.objects.create(name="Heart", slug="heart"))
    client = browser(CEDAR)
    pair = client.post("/api/auth/login/", {"email": asha.email, "password": PASSWORD}, **JSON).json()
    headers = {"Authorization": f"Bearer {pair['access']}", "Idempotency-Key": "one"}
    post(client, "", body(cedar, rao, "10:00"), **headers)
    with CaptureQueriesContext(connection) as asked:
        status, made = post(client, "", body(cedar, rao, "11:00"), **{**headers, "Idempotency-Key": "two"})
    assert (status, made["department"]["name"]) == (201, "Heart")
    questions = [query["sql"] for query in asked if not query["sql"].startswith(FRAME)]
    # Schema, token with its person, doctor, patient, hours kept, hours, rules; then the visit, its audit row, the
    # person's time, the letters, and the search.
    assert len(questions) <= 12, "\n".join(questions)


# --- For whom --------------------------------------------------------------------------------------------------------


def test_somebody_books_for_their_family(cedar_asha: Client, asha: User, cedar: Hospital, rao: Doctor) -> None:
    ravi = FamilyMember.objects.create(
        user=asha, name="Ravi Patel", birth_date=date(2018, 5, 1), sex="male", relation="child"
    )
    _status, made = post(cedar_asha, "", body(cedar, rao, patient=str(ravi.code)))
    assert made["patient"]["name"] == "Ravi Patel"
    again = post(cedar_asha, "", body(cedar, rao, "11:00", patient=made["patient"]["id"]))[1]
    assert again["patient"] == made["patient"]


@pytest.mark.parametrize("who", ["patient", "member"])
def test_nobody_books_for_somebody_elses_people(
    cedar_kiran: Client, asha: User, cedar: Hospital, rao: Doctor, who: str
) -> None:
    ravi = FamilyMember.objects.create(
        user=asha, name="Ravi Patel", birth_date=date(2018, 5, 1), sex="male", relation="child"
    )
    code = factories.patient(asha).code if who == "patient" else ravi.code
    status, answer = post(cedar_kiran, "", body(cedar, rao, patient=str(code)))
    assert (status, answer["field"]) == (404, "patient")


def test_the_front_desk_books_for_any_patient(meena: User, asha: User, cedar: Hospital, rao: Doctor) -> None:
    code = factories.patient(asha).code
    status, made = post(browser(CEDAR, meena), "", body(cedar, rao, patient=str(code)))
    assert (status, made["source"], made["patient"]["name"]) == (201, "desk", "Asha Patel")


def test_a_nurse_does_not_book_for_others(
    join_cedar: Callable[[User, str], Staff], asha: User, cedar: Hospital, rao: Doctor
) -> None:
    nurse = join_cedar(factories.person("nila@cedar.example"), "nurse").user
    code = factories.patient(asha).code
    assert post(browser(CEDAR, nurse), "", body(cedar, rao, patient=str(code)))[0] == 404


def test_the_desk_is_not_told_where_else_a_patient_has_a_visit(
    meena: User, asha: User, cedar: Hospital, lotus: Hospital, kiran: User, rao: Doctor
) -> None:
    code = factories.patient(asha).code
    with schema_context(lotus.schema_name):
        other = factories.bookable_doctor(lotus, kiran, "sen@lotus.example", "Anika")
        visit(lotus, other, asha)
    status, answer = post(browser(CEDAR, meena), "", body(cedar, rao, patient=str(code)))
    assert (status, answer["field"]) == (409, "starts_at")
    assert answer["detail"] == "Asha Patel has another visit at that time. Choose another time."
    status, answer = post(browser(CEDAR, asha), "", body(cedar, rao))
    assert "Lotus Clinic at 10:00" in answer["detail"]


def test_a_refused_booking_makes_nobody_a_patient(cedar_asha: Client, cedar: Hospital, rao: Doctor) -> None:
    assert post(cedar_asha, "", body(cedar, rao, "08:00"))[0] == 422
    with schema_context(cedar.schema_name):
        assert not Patient.objects.exists()


def test_a_blocked_patient_books_at_the_desk_only(
    cedar_asha: Client, meena: User, asha: User, cedar: Hospital, rao: Doctor
) -> None:
    patient = factories.patient(asha)
    Patient.objects.update(is_blocked=True)
    status, answer = post(cedar_asha, "", body(cedar, rao))
    assert (status, "Call the front desk" in answer["detail"]) == (409, True)
    assert post(browser(CEDAR, meena), "", body(cedar, rao, patient=str(patient.code)))[0] == 201


# --- Asked twice -----------------------------------------------------------------------------------------------------


def test_a_key_that_is_sent_again_answers_the_same_visit(cedar_asha: Client, cedar: Hospital, rao: Doctor) -> None:
    key = {"Idempotency-Key": "abc"}
    _status, first = post(cedar_asha, "", body(cedar, rao), **key)
    assert post(cedar_asha, "", body(cedar, rao), **key) == (201, first)
    assert post(cedar_asha, "", body(cedar, rao))[0] == 409


@pytest.mark.parametrize("change", [{"appointment_time": "11:00"}, {"reason": "Fever"}, {"kind": "video"}])
def test_a_key_of_another_booking_is_refused(
    cedar_asha: Client, cedar: Hospital, rao: Doctor, change: dict[str, str]
) -> None:
    key = {"Idempotency-Key": "abc"}
    post(cedar_asha, "", body(cedar, rao), **key)
    status, answer = post(cedar_asha, "", {**body(cedar, rao), **change}, **key)
    assert (status, answer["detail"].startswith("This idempotency key was used")) == (422, True)


def test_the_same_key_of_somebody_else_is_another_one(cedar: Hospital, rao: Doctor, asha: User, kiran: User) -> None:
    key = {"Idempotency-Key": "abc"}
    assert post(browser(CEDAR, asha), "", body(cedar, rao), **key)[0] == 201
    assert post(browser(CEDAR, kiran), "", body(cedar, rao, "11:00"), **key)[0] == 201


def test_a_key_that_is_too_long_is_refused(cedar_asha: Client, cedar: Hospital, rao: Doctor) -> None:
    assert post(cedar_asha, "", body(cedar, rao), **{"Idempotency-Key": "x" * 81})[0] == 400


# --- Holding ---------------------------------------------------------------------------------------------------------


def test_a_visitor_holds_a_time_signs_in_and_books_it(
    cedar_site: Client, cedar_asha: Client, cedar: Hospital, rao: Doctor
) -> None:
    status, hold = post(cedar_site, "hold/", body(cedar, rao))
    assert status == 201
    assert hold["holder"]
    status, made = post(cedar_asha, f"hold/{hold['id']}/book/", {"reason": "Cough"}, **{"X-Holder": hold["holder"]})
    assert (status, made["id"], made["status"], made["reason"]) == (201, hold["id"], "confirmed", "Cough")


def test_a_hold_is_found_extended_once_and_given_up_by_its_holder(
    cedar_site: Client, cedar: Hospital, rao: Doctor
) -> None:
    _status, hold = post(cedar_site, "hold/", body(cedar, rao))
    key, one = {"X-Holder": hold["holder"]}, f"hold/{hold['id']}/"
    assert cedar_site.get(PATH + one, headers=key).json()["id"] == hold["id"]
    assert post(cedar_site, f"{one}extend/", **key)[0] == 200
    assert post(cedar_site, f"{one}extend/", **key)[0] == 409
    assert cedar_site.delete(PATH + one, headers=key).status_code == 204
    assert cedar_site.get(PATH + one, headers=key).status_code == 404


@pytest.mark.parametrize("key", ["", "nonsense"])
def test_a_hold_is_nobody_elses(cedar_site: Client, cedar: Hospital, rao: Doctor, key: str) -> None:
    _status, hold = post(cedar_site, "hold/", body(cedar, rao))
    one, headers = f"hold/{hold['id']}/", {"X-Holder": key} if key else {}
    assert cedar_site.get(PATH + one, headers=headers).status_code == 404
    assert cedar_site.delete(PATH + one, headers=headers).status_code == 404
    assert post(browser(CEDAR, User.objects.get(email="kiran@lotus.example")), f"{one}book/", **headers)[0] == 404
    with schema_context(cedar.schema_name):
        assert Appointment.objects.get().status == Status.HELD


def test_a_person_holds_without_a_key(cedar_asha: Client, cedar: Hospital, rao: Doctor) -> None:
    _status, hold = post(cedar_asha, "hold/", body(cedar, rao))
    assert hold["holder"] is None
    assert post(cedar_asha, f"hold/{hold['id']}/book/")[0] == 201


def test_booking_a_hold_twice_books_it_once(cedar_asha: Client, cedar: Hospital, rao: Doctor) -> None:
    _status, hold = post(cedar_asha, "hold/", body(cedar, rao))
    _status, first = post(cedar_asha, f"hold/{hold['id']}/book/")
    assert post(cedar_asha, f"hold/{hold['id']}/book/")[1]["id"] == first["id"]


def test_a_person_books_the_time_they_hold_in_one_step(cedar_asha: Client, cedar: Hospital, rao: Doctor) -> None:
    post(cedar_asha, "hold/", body(cedar, rao))
    assert post(cedar_asha, "", body(cedar, rao))[0] == 201


# --- Reading ---------------------------------------------------------------------------------------------------------


def test_everybody_sees_what_concerns_them(
    cedar: Hospital, rao: Doctor, asha: User, kiran: User, hari: User, meena: User
) -> None:
    mine = visit(cedar, rao, asha, reason="Cough")
    sen = factories.bookable_doctor(cedar, hari, "sen@cedar.example", "Anika")
    clerk = factories.person("bina@cedar.example", "Bina")
    Staff.objects.create(user=clerk, role="billing_clerk", joined_at=now())
    seen = {asha: "Cough", meena: "Cough", hari: "Cough", rao.user: "Cough", clerk: "", kiran: None, sen.user: None}
    for user, reason in seen.items():
        client = browser(CEDAR, user)
        found = client.get(PATH).json()["results"]
        assert [one["reason"] for one in found] == ([] if reason is None else [reason]), user
        assert client.get(f"{PATH}{mine.code}/").status_code == (404 if reason is None else 200), user


def test_own_visits_are_ones_own_whatever_one_is_here(cedar: Hospital, rao: Doctor, asha: User, meena: User) -> None:
    visit(cedar, rao, asha)
    visit(cedar, rao, meena, "11:00")
    found = browser(CEDAR, meena).get(f"{PATH}user/").json()["results"]
    assert [one["patient"]["name"] for one in found] == ["Meena Iyer"]


def test_the_hospitals_list_is_for_its_people(
    cedar: Hospital, rao: Doctor, asha: User, meena: User, kiran: User
) -> None:
    visit(cedar, rao, asha)
    assert browser(CEDAR, meena).get(f"{PATH}hospital/").json()["count"] == 1
    for user in (asha, kiran, rao.user):
        assert browser(CEDAR, user).get(f"{PATH}hospital/").status_code == 403


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("?status=booked", 1),
        ("?status=confirmed", 1),
        ("?status=cancelled", 1),
        ("?status=requested", 0),
        ("?date_to=2020-01-01", 0),
        ("?date_from=2020-01-01", 2),
        ("?q=asha", 1),
        ("?kind=video", 0),
    ],
)
def test_a_list_is_narrowed(cedar: Hospital, rao: Doctor, asha: User, meena: User, query: str, count: int) -> None:
    visit(cedar, rao, asha)
    gone = visit(cedar, rao, factories.person("b@example.com", "Nita"), "11:00")
    day.cancel(hospital=cedar, visit=gone, by=meena, reason="", now=now(), by_hospital=True)
    assert browser(CEDAR, meena).get(PATH + query).json()["count"] == count


def test_a_state_that_does_not_exist_is_refused(cedar_asha: Client, rao: Doctor) -> None:
    assert cedar_asha.get(f"{PATH}?status=held").status_code == 400


def test_a_list_asks_the_same_number_of_queries(
    cedar: Hospital, rao: Doctor, meena: User, django_assert_num_queries: Any
) -> None:
    for number in range(11):
        visit(
            cedar, rao, factories.person(f"p{number}@example.com"), f"{9 + number // 3}:{number % 3 * 20:02}".zfill(5)
        )
    client = browser(CEDAR, meena)
    client.get(PATH)
    with django_assert_num_queries(5):  # session, person, staff row, count, rows
        assert len(client.get(PATH).json()["results"]) == 10


def test_who_looks_after_a_visit_reads_what_happened_to_it(
    cedar: Hospital, rao: Doctor, asha: User, meena: User, kiran: User
) -> None:
    mine = visit(cedar, rao, asha)
    for user in (meena, rao.user):
        [row] = browser(CEDAR, user).get(f"{PATH}{mine.code}/logs/").json()["results"]
        assert (row["action"], row["actor"], row["new"]) == ("appointment.confirmed", "Asha Patel", "confirmed")
    for user in (asha, kiran):
        assert browser(CEDAR, user).get(f"{PATH}{mine.code}/logs/").status_code == 403
