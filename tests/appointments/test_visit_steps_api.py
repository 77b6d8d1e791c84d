"""The API twin of a visit’s further life: its steps, support that sees nothing, and the portal."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from accounts.sessions import SUPPORT, SessionStore, Visit
from appointments.models import Appointment
from appointments.services import booking
from core.schemas import schema_context
from hospitals.models import BookingPolicy, Doctor, Staff
from hospitals.services import joining
from patients.models import Patient
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser
from tests.factories import at, visit

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


# --- Steps -----------------------------------------------------------------------------------------------------------


def test_a_patient_cancels_and_moves(cedar_asha: Client, cedar: Hospital, rao: Doctor) -> None:
    _status, first = post(cedar_asha, "", body(cedar, rao))
    status, moved = post(cedar_asha, f"{first['id']}/reschedule/", body(cedar, rao, "11:00"))
    assert (status, moved["appointment_time"]) == (200, "11:00")
    assert moved["id"] != first["id"]
    assert cedar_asha.get(f"{PATH}{first['id']}/").json()["status"] == "rescheduled"
    status, gone = post(cedar_asha, f"{moved['id']}/cancel/", {"reason": "I am well again"})
    assert (status, gone["status"], gone["cancelled_by_hospital"], gone["may"]) == (200, "cancelled", False, [])


def test_only_the_hospital_moves_a_visit_to_another_doctor(
    cedar: Hospital, rao: Doctor, asha: User, hari: User, meena: User
) -> None:
    sen = factories.bookable_doctor(cedar, hari, "sen@cedar.example", "Anika")
    mine = visit(cedar, rao, asha)
    path, to = f"{mine.code}/reschedule/", body(cedar, sen, "11:00")
    assert post(browser(CEDAR, asha), path, to)[0] == 403
    assert post(browser(CEDAR, meena), path, to)[1]["doctor"]["id"] == str(sen.code)


def test_the_day_of_a_visit(cedar: Hospital, rao: Doctor, asha: User, meena: User) -> None:
    today = booking.walk_in(hospital=cedar, doctor=rao, patient=factories.patient(asha), reason="", by=meena, now=now())
    desk, doctor = browser(CEDAR, meena), browser(CEDAR, rao.user)
    one = f"{today.code}/"
    assert post(desk, f"{one}call/")[1]["status"] == "in_progress"
    assert post(desk, f"{one}undo/")[1]["status"] == "checked_in"
    assert post(doctor, f"{one}call/")[1]["status"] == "in_progress"
    assert post(desk, f"{one}complete/")[0] == 403
    assert post(doctor, f"{one}complete/")[1]["status"] == "completed"


def test_a_pending_visit_is_confirmed_by_the_doctor(cedar: Hospital, rao: Doctor, asha: User) -> None:
    BookingPolicy.objects.update(confirmation="doctor")
    mine = visit(cedar, rao, asha)
    path = f"{PATH}{mine.code}/update_status/"
    answer = browser(CEDAR, rao.user).patch(path, {"status": "booked"}, **JSON)
    assert (answer.status_code, answer.json()["status"]) == (200, "confirmed")


def as_support(hospital: Hospital, usha: User, admin: User) -> Client:
    """Usha on the hospital's host, in the admin's name."""
    client = browser(CEDAR, admin)
    session = SessionStore(client.cookies["sessionid"].value)
    with schema_context("public"):
        session.visit = Visit(place=str(hospital.code), host=CEDAR)
        session[SUPPORT] = {"by": usha.pk, "name": str(usha)}
        session.save()
    return client


def test_support_neither_books_nor_reads(cedar: Hospital, rao: Doctor, asha: User, usha: User, hari: User) -> None:
    mine = visit(cedar, rao, asha)
    client = as_support(cedar, usha, hari)
    for path in ("", "user/", "hospital/", f"{mine.code}/", f"{mine.code}/logs/"):
        assert client.get(PATH + path).status_code == 403, path
    assert post(client, "hold/", body(cedar, rao))[0] == 403


# --- The portal ------------------------------------------------------------------------------------------------------


def test_on_the_portal_the_body_or_the_address_names_the_hospital(cedar: Hospital, rao: Doctor, asha: User) -> None:
    portal = browser("localhost", asha)
    status, made = post(portal, "", body(cedar, rao, hospital_id=str(cedar.code)))
    assert (status, made["appointment_time"]) == (201, "10:00")
    at_cedar = f"?hospital_id={cedar.code}"
    assert portal.get(f"{PATH}{made['id']}/{at_cedar}").json()["reference"] == made["reference"]
    assert post(portal, f"{made['id']}/cancel/{at_cedar}")[1]["status"] == "cancelled"
    assert portal.get(f"{PATH}{at_cedar}").json()["count"] == 1


@pytest.mark.parametrize(
    ("said", "status"), [(None, 400), ("nonsense", 400), ("01932c07-6a2e-7cc0-8b1a-0a1b2c3d4e5f", 404)]
)
def test_on_the_portal_a_hospital_must_be_named(
    cedar: Hospital, rao: Doctor, asha: User, said: str | None, status: int
) -> None:
    more = {"hospital_id": said} if said else {}
    answer = post(browser("localhost", asha), "", body(cedar, rao, **more))
    assert answer[0] == status
    assert "hospital_id" in str(answer[1])


def test_a_hospital_that_is_closed_takes_no_bookings(cedar: Hospital, rao: Doctor, asha: User, usha: User) -> None:
    with schema_context("public"):
        joining.suspend(hospital=cedar, by=usha, reason="Not paid")
    assert post(browser("localhost", asha), "", body(cedar, rao, hospital_id=str(cedar.code)))[0] == 404


def test_the_portal_lists_visits_at_all_hospitals(
    cedar: Hospital, lotus: Hospital, rao: Doctor, asha: User, kiran: User, django_assert_num_queries: Any
) -> None:
    booked(cedar, rao, asha)
    with schema_context(lotus.schema_name):
        sen = factories.bookable_doctor(lotus, kiran, "sen@lotus.example", "Anika")
        visit(lotus, sen, asha, "12:00")
    portal = browser("localhost", asha)
    portal.get(PATH)
    with django_assert_num_queries(8):  # session, person, count, rows; at each hospital visits and keys
        found = portal.get(PATH).json()["results"]
    assert [(one["hospital_id"], one["appointment_time"]) for one in found] == [
        (str(lotus.code), "12:00"),
        (str(cedar.code), "10:00"),
    ]
    assert portal.get(f"{PATH}user/").json()["count"] == 2
    assert browser("localhost", kiran).get(PATH).json()["count"] == 0


def test_staff_are_patients_on_the_portal(cedar: Hospital, rao: Doctor, asha: User, meena: User) -> None:
    mine = visit(cedar, rao, asha)
    portal, at_cedar = browser("localhost", meena), f"?hospital_id={cedar.code}"
    assert portal.get(f"{PATH}{at_cedar}").json()["count"] == 0
    assert portal.get(f"{PATH}{mine.code}/{at_cedar}").status_code == 404
    assert post(portal, f"{mine.code}/cancel/{at_cedar}")[0] == 404
    with schema_context(cedar.schema_name):
        code = Patient.objects.get().code
    assert post(portal, "", body(cedar, rao, "11:00", patient=str(code), hospital_id=str(cedar.code)))[0] == 404


def test_a_visitor_of_the_portal_holds_a_time(portal: Client, cedar: Hospital, rao: Doctor) -> None:
    status, hold = post(portal, "hold/", body(cedar, rao, hospital_id=str(cedar.code)))
    assert (status, hold["hospital_id"]) == (201, str(cedar.code))
    assert connection.schema_name == "public"  # type: ignore[attr-defined]  # django-tenants' connection
