"""A doctor's own day."""

from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Status
from appointments.services import booking, day
from core.schemas import schema_context
from hospitals.models import BookingPolicy, Doctor
from tenants.models import Hospital
from tests import factories
from tests.appointments.today import arrived, as_it_is, booked, called, person, staff
from tests.conftest import browser
from tests.factories import at

TODAY = "/doctor/today/"


@pytest.fixture
def rao_here(rao: Doctor) -> Client:
    """Dr Rao at Cedar's site."""
    return browser("cedar.localhost", rao.user)


def agenda(response: Any) -> list[str]:
    """The lines of the agenda: first names, how long it is free, and where now is."""
    return [
        entry.row.visit.patient.name.split()[0] if entry.row else "free" if entry.until else "now"
        for entry in response.context["agenda"]
    ]


def test_a_doctor_sees_their_own_visits_of_today_in_the_order_of_the_clock(
    in_cedar: Hospital, rao: Doctor, rao_here: Client, hari: User
) -> None:
    sen = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    booked(in_cedar, rao, person("Bela"), "11:00", reason="Cough")
    booked(in_cedar, rao, person("Asha"), "10:00")
    booked(in_cedar, sen, person("Chand"), "10:20")
    response = rao_here.get(TODAY)
    assert [line for line in agenda(response) if line not in ("free", "now")] == ["Asha", "Bela"]
    assert "Cough" in response.content.decode()


def test_only_a_verified_doctor_has_a_day(in_cedar: Hospital, rao: Doctor, kiran: User, asha: User) -> None:
    assert staff(in_cedar, "doctor").get(TODAY).status_code == 404
    assert staff(in_cedar, "hospital_admin").get(TODAY).status_code == 404
    for user in (kiran, asha):
        assert browser("cedar.localhost", user).get(TODAY).status_code == 403
    for role in ("front_desk", "nurse", "pharmacist", "billing_clerk"):
        client = staff(in_cedar, role)
        assert client.get(TODAY).status_code == 403


def test_the_day_is_counted(in_cedar: Hospital, rao: Doctor, rao_here: Client) -> None:
    done = called(in_cedar, rao, person("Asha"), "09:00")
    day.complete(visit=done, by=rao.user, now=now())
    arrived(in_cedar, rao, person("Bela"), "16:40")
    booked(in_cedar, rao, person("Chand"), "11:00")
    off = booked(in_cedar, rao, person("Devi"), "12:00")
    day.cancel(hospital=in_cedar, visit=off, by=rao.user, reason="", now=now(), by_hospital=True)
    context = rao_here.get(TODAY).context
    assert (context["visits"], context["done"], context["waiting"]) == (3, 1, 1)


def test_a_doctor_calls_completes_and_marks_who_did_not_come(
    in_cedar: Hospital, rao: Doctor, rao_here: Client, asha: User
) -> None:
    visit = arrived(in_cedar, rao, asha)
    for step, status in (("call", Status.IN_PROGRESS), ("complete", Status.COMPLETED)):
        rao_here.post(f"/office/visits/{visit.code}/{step}/", {"next": TODAY})
        assert as_it_is(in_cedar, visit).status == status
    other = arrived(in_cedar, rao, person("Bela"), "11:00")
    rao_here.post(f"/office/visits/{other.code}/miss/")
    assert as_it_is(in_cedar, other).status == Status.NO_SHOW


def test_a_doctor_does_nothing_with_the_visits_of_another(
    in_cedar: Hospital, rao: Doctor, hari: User, asha: User
) -> None:
    sen = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    visit = arrived(in_cedar, rao, asha)
    client = browser("cedar.localhost", sen.user)
    for step in ("call", "miss", "cancel"):
        assert client.post(f"/office/visits/{visit.code}/{step}/").status_code == 404
    assert client.get(f"/office/appointments/{visit.code}/").status_code == 404


def test_who_is_next_is_who_is_due_first(in_cedar: Hospital, rao: Doctor, rao_here: Client, hari: User) -> None:
    late = arrived(in_cedar, rao, person("Bela"), "11:00")
    Appointment.objects.filter(pk=late.pk).update(checked_in_at=at(in_cedar, "09:00", days=0))
    early = arrived(in_cedar, rao, person("Asha"), "10:00")
    Appointment.objects.filter(pk=early.pk).update(checked_in_at=at(in_cedar, "09:30", days=0))
    assert rao_here.get(TODAY).context["next"].visit == early


def test_walk_ins_stand_in_the_agenda(in_cedar: Hospital, rao: Doctor, rao_here: Client, hari: User) -> None:
    patient = factories.patient(person("Asha"))
    booking.walk_in(hospital=in_cedar, doctor=rao, patient=patient, reason="", by=hari, now=now())
    response = rao_here.get(TODAY)
    assert "Asha" in agenda(response)
    assert "Walk-in" in response.content.decode()


def test_free_stretches_of_the_day_are_shown_between_the_visits(
    in_cedar: Hospital, rao: Doctor, rao_here: Client
) -> None:
    rao.availability.update(ends="11:00")
    factories.visit(in_cedar, rao, person("Asha"), "10:00", days=1)
    response = rao_here.get(TODAY, {"day": at(in_cedar, "10:00", days=1).date().isoformat()})
    stretches = [
        (f"{entry.at.astimezone(at(in_cedar, '10:00').tzinfo):%H:%M}", entry.until is not None)
        for entry in response.context["agenda"]
    ]
    assert stretches == [("09:00", True), ("10:00", False), ("10:20", True)]


@pytest.mark.parametrize("asked", ["", "yesterday", "2026-02-30", "9999-12-31", "0001-01-01"])
def test_a_day_that_is_none_is_today(in_cedar: Hospital, rao: Doctor, rao_here: Client, asked: str) -> None:
    assert rao_here.get(TODAY, {"day": asked}).context["is_today"]


def test_a_visit_that_waits_to_be_confirmed_is_confirmed_with_one_press(
    in_cedar: Hospital, rao: Doctor, rao_here: Client, asha: User
) -> None:
    BookingPolicy.objects.update(confirmation=BookingPolicy.Confirmation.DOCTOR)
    visit = factories.visit(in_cedar, rao, asha)
    page = rao_here.get(TODAY, {"day": visit.starts_at.date().isoformat()})
    [row] = [entry.row for entry in page.context["agenda"] if entry.row]
    assert (row.state, row.main.step) == ("To confirm", "confirm")
    rao_here.post(f"/office/visits/{visit.code}/confirm/")
    assert as_it_is(in_cedar, visit).status == Status.CONFIRMED


def test_the_day_asks_the_same_number_of_queries_for_any_number_of_visits(
    in_cedar: Hospital, rao: Doctor, rao_here: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        arrived(in_cedar, rao, person("Asha"), f"{9 + number:02}:00")
        booked(in_cedar, rao, person("Bela"), f"{9 + number:02}:40")
    rao_here.get(TODAY)
    # session, person, staff row; doctor, visits, hours and what is taken
    with django_assert_max_num_queries(9):
        rao_here.get(TODAY)


def test_a_day_that_asks_again_is_told_what_is_new(in_cedar: Hospital, rao: Doctor, rao_here: Client) -> None:
    tomorrow = {"day": at(in_cedar, "10:00").date().isoformat()}
    seen = rao_here.get(TODAY, tomorrow).context["seen"]
    with schema_context(in_cedar.schema_name):
        factories.visit(in_cedar, rao, person("Bela"), "12:00")
    answer = rao_here.get(TODAY, {**tomorrow, "seen": seen}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "Bela" in answer.content.decode()
    assert "<html" not in answer.content.decode()
