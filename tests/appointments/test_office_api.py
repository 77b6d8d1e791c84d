"""The API twin of the desk and the office: many visits at once, walk-ins, and the board."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from appointments.models import Appointment, Status
from core.schemas import schema_context
from hospitals.models import Doctor
from patients.models import Patient
from tenants.models import Hospital
from tests import factories
from tests.appointments.today import arrived, as_it_is, booked, called, person, staff
from tests.conftest import browser

BULK, WALK_IN, BOARD = "/api/appointments/bulk/", "/api/appointments/walk-in/", "/api/queue/"


def post(client: Client, path: str, **body: Any) -> Any:
    return client.post(path, body, content_type="application/json")


def test_many_visits_are_cancelled_and_each_says_what_became_of_it(in_cedar: Hospital, rao: Doctor) -> None:
    good = factories.visit(in_cedar, rao, person("Asha"), "10:00")
    inside = called(in_cedar, rao, person("Bela"), "11:00")
    answer = post(
        staff(in_cedar, "hospital_admin"),
        BULK,
        action="cancel",
        appointments=[str(inside.code), str(good.code)],
        reason="Ill",
    )
    assert answer.status_code == 200
    told = {one["reference"]: (one["status"], bool(one["refusal"])) for one in answer.json()}
    assert told == {good.reference: ("cancelled", False), inside.reference: ("in_progress", True)}


def test_many_visits_are_moved(in_cedar: Hospital, rao: Doctor, hari: User) -> None:
    sen = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    visit = factories.visit(in_cedar, rao, person("Asha"))
    admin = staff(in_cedar, "hospital_admin")
    asked = {"action": "move", "appointments": [str(visit.code)], "reason": "Ill"}
    [one] = post(admin, BULK, **asked, doctor=str(sen.code)).json()
    with schema_context(in_cedar.schema_name):
        moved = Appointment.objects.get(rescheduled_from=visit)
    assert (one["moved_to"], one["refusal"], moved.doctor_id) == (str(moved.code), "", sen.pk)
    assert post(admin, BULK, **asked).status_code == 422


@pytest.mark.parametrize("role", ["front_desk", "nurse", "doctor", "billing_clerk"])
def test_changing_many_is_for_the_admin(in_cedar: Hospital, rao: Doctor, asha: User, role: str) -> None:
    visit = booked(in_cedar, rao, asha)
    answer = post(staff(in_cedar, role), BULK, action="cancel", appointments=[str(visit.code)], reason="x")
    assert answer.status_code == 403
    assert as_it_is(in_cedar, visit).status == Status.CONFIRMED


def test_a_walk_in_gets_a_token(in_cedar: Hospital, rao: Doctor, asha: User, kiran: User) -> None:
    patient = factories.patient(asha)
    body = {"patient": str(patient.code), "doctor": str(rao.code)}
    answer = post(staff(in_cedar, "nurse"), WALK_IN, **body)
    assert answer.status_code == 201
    assert (answer.json()["token"], answer.json()["status"]) == (1, "checked_in")
    assert post(browser("cedar.localhost", kiran), WALK_IN, **body).status_code == 403
    assert post(browser("cedar.localhost", asha), WALK_IN, **body).status_code == 403


def test_a_patient_of_another_hospital_does_not_walk_in_here(
    in_cedar: Hospital, rao: Doctor, lotus: Hospital, asha: User
) -> None:
    with schema_context(lotus.schema_name):
        theirs: Patient = factories.patient(asha)
    body = {"patient": str(theirs.code), "doctor": str(rao.code)}
    assert post(staff(in_cedar, "front_desk"), WALK_IN, **body).status_code == 404


def test_anybody_reads_the_board_and_nobody_is_named_on_it(in_cedar: Hospital, rao: Doctor) -> None:
    called(in_cedar, rao, person("Canary"), "09:00")
    arrived(in_cedar, rao, person("Canary"), "10:00")
    answer = browser("cedar.localhost").get(BOARD)
    [line] = answer.json()
    assert (line["now"], line["next"]) == ([1], [2])
    assert "canary" not in answer.content.decode().lower()
