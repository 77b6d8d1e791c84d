"""Booking at the desk: walk-ins, people on the telephone, and people who were never here."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from accounts.models import User
from appointments.models import Appointment, Status
from core.schemas import schema_context
from core.visits import VisitKind
from hospitals.models import Doctor
from patients.models import Patient
from patients.services import register
from tenants.models import Hospital
from tests import factories
from tests.appointments.today import arrived, person, staff
from tests.factories import at

WALK_IN, BOOK = "/office/desk/walk-in/", "/office/desk/book/"
NILA = {
    "name": "Nila Iyer",
    "birth_date_day": "3",
    "birth_date_month": "4",
    "birth_date_year": "1991",
    "sex": "female",
    "phone": "98450 12345",
}


def known(hospital: Hospital, by: User, **details: Any) -> Patient:
    """Somebody whom the desk has registered before."""
    said = {"name": "Nila Iyer", "phone": "+919845012345", "sex": "female", "birth_date": None, **details}
    with schema_context(hospital.schema_name):
        return register.register(details=said, by=by, is_new=True)


def visits(hospital: Hospital) -> list[Appointment]:
    with schema_context(hospital.schema_name):
        return list(Appointment.objects.select_related("patient", "doctor").order_by("pk"))


def test_a_walk_in_is_asked_for_the_phone_number_first(in_cedar: Hospital, rao: Doctor) -> None:
    desk = staff(in_cedar, "front_desk")
    assert "Phone number" in desk.get(WALK_IN).content.decode()
    wrong = desk.get(WALK_IN, {"phone": "12"})
    assert wrong.status_code == 422
    assert "Enter a phone number, like 98450 12345." in wrong.content.decode()


def test_somebody_known_has_a_token_after_the_number_and_one_press(in_cedar: Hospital, rao: Doctor, hari: User) -> None:
    nila = known(in_cedar, hari)
    desk = staff(in_cedar, "front_desk")
    page = desk.get(WALK_IN, {"phone": "98450 12345"})
    form = page.context["form"]
    assert (form["patient"].value(), form["doctor"].value()) == (str(nila.code), str(rao.code))
    response = desk.post(f"{WALK_IN}?phone=9845012345", {"patient": nila.code, "doctor": rao.code}, follow=True)
    [visit] = visits(in_cedar)
    assert (visit.patient, visit.token, visit.status) == (nila, 1, Status.CHECKED_IN)
    assert response.redirect_chain == [(f"/office/visits/{visit.code}/token/", 302)]


def test_somebody_new_is_registered_and_gets_a_token_at_once(in_cedar: Hospital, rao: Doctor) -> None:
    desk = staff(in_cedar, "front_desk")
    answer = desk.post(f"{WALK_IN}?phone=9845012345", {**NILA, "doctor": rao.code, "reason": "Fever"})
    assert answer.status_code == 302
    [visit] = visits(in_cedar)
    assert visit.patient
    assert (visit.patient.name, visit.reason, visit.source) == ("Nila Iyer", "Fever", "walk_in")


def test_what_is_missing_of_somebody_new_is_asked_for_and_nothing_is_lost(in_cedar: Hospital, rao: Doctor) -> None:
    answer = staff(in_cedar, "front_desk").post(
        f"{WALK_IN}?new=1", {"name": "Nila Iyer", "doctor": rao.code, "reason": "Fever"}
    )
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'value="Nila Iyer"' in page
    assert 'value="Fever"' in page
    assert visits(in_cedar) == []


def test_somebody_who_looks_like_a_patient_is_registered_only_after_a_warning(
    in_cedar: Hospital, rao: Doctor, hari: User
) -> None:
    nila = known(in_cedar, hari)
    desk = staff(in_cedar, "front_desk")
    warned = desk.post(f"{WALK_IN}?new=1", {**NILA, "doctor": rao.code})
    assert warned.status_code == 422
    assert "This may be somebody you know." in warned.content.decode()
    assert warned.context["known"] == [nila]
    again = desk.post(f"{WALK_IN}?new=1", {**NILA, "doctor": rao.code})
    assert again.status_code == 422
    assert desk.post(f"{WALK_IN}?new=1", {**NILA, "patient": "new", "doctor": rao.code}).status_code == 302
    assert len(visits(in_cedar)) == 1
    assert desk.post(f"{WALK_IN}?new=1", {"patient": nila.code, "doctor": rao.code}).status_code == 302
    assert [visit.patient == nila for visit in visits(in_cedar)] == [False, True]


def test_the_doctor_with_the_shortest_queue_is_chosen_beforehand(in_cedar: Hospital, rao: Doctor, hari: User) -> None:
    sen = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    for doctor in (rao, sen):
        doctor.availability.update(starts="00:00", ends="23:59")
    arrived(in_cedar, rao, person("Asha"))
    page = staff(in_cedar, "nurse").get(WALK_IN, {"new": "1"})
    assert page.context["form"]["doctor"].value() == str(sen.code)


def test_without_a_doctor_nobody_is_taken_in(in_cedar: Hospital) -> None:
    page = staff(in_cedar, "front_desk").get(WALK_IN, {"new": "1"}).content.decode()
    assert "No doctor sees patients in person" in page


def test_a_patient_of_another_hospital_is_nobody_here(
    in_cedar: Hospital, lotus: Hospital, rao: Doctor, kiran: User
) -> None:
    theirs = known(lotus, kiran)
    desk = staff(in_cedar, "front_desk")
    assert desk.post(f"{WALK_IN}?new=1", {"patient": theirs.code, "doctor": rao.code}).status_code == 422
    page = desk.get(BOOK, {"patient": str(theirs.code)})
    assert "Nila" not in page.content.decode()


def test_a_time_is_booked_for_somebody_on_the_telephone(in_cedar: Hospital, rao: Doctor, hari: User) -> None:
    nila = known(in_cedar, hari)
    desk = staff(in_cedar, "front_desk")
    found = desk.get(BOOK, {"q": "nila"})
    assert f"?patient={nila.code}" in found.content.decode()
    assert str(rao.code) in desk.get(BOOK, {"patient": str(nila.code)}).content.decode()
    day = at(in_cedar, "10:00", days=3)
    url = f"{BOOK}?patient={nila.code}&doctor={rao.code}&week={day.date()}"
    assert "10:00" in desk.get(url).content.decode()
    answer = desk.post(url, {"starts_at": day.isoformat(), "reason": "Cough"}, follow=True)
    [visit] = visits(in_cedar)
    assert (visit.starts_at, visit.status, visit.source, visit.reason) == (day, Status.CONFIRMED, "desk", "Cough")
    assert visit.reference in answer.content.decode()


def test_the_desk_books_within_the_notice_and_beyond_the_horizon(in_cedar: Hospital, rao: Doctor, hari: User) -> None:
    rao.schedule.notice_minutes, rao.schedule.horizon_days = 60 * 24 * 5, 7
    rao.schedule.save(update_fields=["notice_minutes", "horizon_days"])
    nila = known(in_cedar, hari)
    desk = staff(in_cedar, "front_desk")
    for days in (1, 20):
        day = at(in_cedar, "10:00", days=days)
        desk.post(f"{BOOK}?patient={nila.code}&doctor={rao.code}", {"starts_at": day.isoformat()})
    assert len(visits(in_cedar)) == 2


def test_a_time_that_was_taken_brings_the_next_one_chosen(
    in_cedar: Hospital, rao: Doctor, hari: User, asha: User
) -> None:
    nila = known(in_cedar, hari)
    visit = factories.visit(in_cedar, rao, asha)
    url = f"{BOOK}?patient={nila.code}&doctor={rao.code}"
    answer = staff(in_cedar, "front_desk").post(url, {"starts_at": visit.starts_at.isoformat(), "reason": "Cough"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "10:00 has just been taken." in page
    assert "checked" in page
    assert 'value="Cough"' in page


def test_no_time_chosen_is_asked_for(in_cedar: Hospital, rao: Doctor, hari: User) -> None:
    nila = known(in_cedar, hari)
    url = f"{BOOK}?patient={nila.code}&doctor={rao.code}"
    for sent in ({}, {"starts_at": "tomorrow"}, {"starts_at": "2026-02-30T10:00Z"}):
        assert staff(in_cedar, "front_desk").post(url, sent).status_code == 422


def test_a_kind_the_doctor_offers_is_booked(in_cedar: Hospital, rao: Doctor, hari: User) -> None:
    nila = known(in_cedar, hari)
    url = f"{BOOK}?patient={nila.code}&doctor={rao.code}&kind=video"
    staff(in_cedar, "front_desk").post(url, {"starts_at": at(in_cedar, "10:00").isoformat()})
    [visit] = visits(in_cedar)
    assert (visit.kind, int(visit.fee)) == (VisitKind.VIDEO, 500)


def test_somebody_who_was_never_here_is_registered_on_the_way(in_cedar: Hospital, rao: Doctor) -> None:
    answer = staff(in_cedar, "front_desk").post(f"{BOOK}newcomer/", NILA)
    asked = parse_qs(urlsplit(answer.headers["Location"]).query)
    with schema_context(in_cedar.schema_name):
        patient = Patient.objects.get()
    assert asked == {"patient": [str(patient.code)]}


def test_the_warning_of_a_double_leads_to_the_one_who_is_known(in_cedar: Hospital, rao: Doctor, hari: User) -> None:
    nila = known(in_cedar, hari)
    desk = staff(in_cedar, "front_desk")
    warned = desk.post(f"{BOOK}newcomer/", NILA)
    assert warned.status_code == 422
    assert f"{BOOK}?patient={nila.code}" in warned.content.decode()
    assert desk.post(f"{BOOK}newcomer/", {**NILA, "is_new": "1"}).status_code == 302


@pytest.mark.parametrize(("role", "status"), [("front_desk", 200), ("nurse", 403), ("doctor", 403)])
def test_booking_for_others_is_for_the_desk(in_cedar: Hospital, role: str, status: int) -> None:
    client = staff(in_cedar, role)
    assert [client.get(url).status_code for url in (BOOK, f"{BOOK}newcomer/")] == [status] * 2


def test_the_page_of_a_walk_in_asks_the_same_number_of_queries(
    in_cedar: Hospital, rao: Doctor, hari: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(4):
        factories.bookable_doctor(in_cedar, hari, f"d{number}@cedar.example", "Anika")
        known(in_cedar, hari, name=f"Nila Iyer {number}")
    desk = staff(in_cedar, "front_desk")
    desk.get(WALK_IN, {"phone": "98450 12345"})
    # session, person, staff row; who has the number, doctors, queues, hours
    with django_assert_max_num_queries(9):
        desk.get(WALK_IN, {"phone": "98450 12345"})
