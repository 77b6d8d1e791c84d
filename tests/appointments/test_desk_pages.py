"""The front desk's day: who is expected, who waits, who is with a doctor, and the steps in between."""

from typing import Any

import pytest

from accounts.models import User
from appointments.models import Appointment, Status
from hospitals.models import Doctor
from tenants.models import Hospital
from tests import factories
from tests.appointments.today import arrived, as_it_is, booked, called, person, staff
from tests.conftest import browser

DESK = "/office/desk/"


def step(visit: Appointment, name: str) -> str:
    return f"/office/visits/{visit.code}/{name}/"


def names(columns: Any) -> dict[str, list[str]]:
    return {column.name: [row.visit.patient.name.split()[0] for row in column.rows] for column in columns}


def test_everybody_of_the_day_stands_in_one_of_three_columns(in_cedar: Hospital, rao: Doctor) -> None:
    booked(in_cedar, rao, person("Asha"), "10:00")
    arrived(in_cedar, rao, person("Bela"), "11:00")
    called(in_cedar, rao, person("Chand"), "12:00")
    factories.visit(in_cedar, rao, person("Devi"), days=1)
    response = staff(in_cedar, "front_desk").get(DESK)
    assert names(response.context["columns"]) == {"arriving": ["Asha"], "waiting": ["Bela"], "inside": ["Chand"]}


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("front_desk", 200),
        ("nurse", 200),
        ("hospital_admin", 200),
        ("doctor", 403),
        ("billing_clerk", 403),
        ("pharmacist", 403),
    ],
)
def test_the_desk_is_for_those_who_run_the_queue(in_cedar: Hospital, role: str, status: int) -> None:
    assert staff(in_cedar, role).get(DESK).status_code == status


def test_strangers_visitors_and_patients_see_nothing_of_the_desk(
    in_cedar: Hospital, rao: Doctor, kiran: User, asha: User
) -> None:
    visit = booked(in_cedar, rao, asha)
    for user, status in ((kiran, 403), (asha, 403), (None, 302)):
        client = browser("cedar.localhost", user)
        answers = [client.get(DESK), client.get("/office/desk/walk-in/"), client.post(step(visit, "check_in"))]
        assert [answer.status_code for answer in answers] == [status] * 3
    assert as_it_is(in_cedar, visit).status == Status.CONFIRMED


def test_one_press_checks_somebody_in(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    visit = booked(in_cedar, rao, asha)
    response = staff(in_cedar, "front_desk").post(step(visit, "check_in"), {"next": DESK}, follow=True)
    assert "Asha Patel is checked in. Token 1." in response.content.decode()
    assert response.redirect_chain == [(DESK, 302)]
    fresh = as_it_is(in_cedar, visit)
    assert (fresh.status, fresh.token) == (Status.CHECKED_IN, 1)


def test_a_visit_goes_from_the_desk_to_its_end_and_each_step_can_be_taken_back(
    in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    visit = booked(in_cedar, rao, asha)
    desk = staff(in_cedar, "front_desk")
    expected = [
        ("check_in", Status.CHECKED_IN),
        ("undo", Status.CONFIRMED),
        ("check_in", Status.CHECKED_IN),
        ("call", Status.IN_PROGRESS),
        ("undo", Status.CHECKED_IN),
        ("miss", Status.NO_SHOW),
    ]
    for name, status in expected:
        desk.post(step(visit, name))
        assert as_it_is(in_cedar, visit).status == status
    assert as_it_is(in_cedar, visit).token == 1


def test_a_step_pressed_twice_is_taken_once(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    visit = called(in_cedar, rao, asha)
    desk = staff(in_cedar, "front_desk")
    for _ in range(2):
        response = desk.post(step(visit, "undo"), {"was": "in_progress", "next": DESK}, follow=True)
    assert "Checked in by" in response.content.decode()
    assert as_it_is(in_cedar, visit).status == Status.CHECKED_IN


@pytest.mark.parametrize(
    ("role", "name", "status"),
    [
        ("nurse", "check_in", 302),
        ("nurse", "cancel", 403),
        ("front_desk", "cancel", 302),
        ("front_desk", "complete", 403),
        ("hospital_admin", "cancel", 302),
        ("billing_clerk", "check_in", 403),
        ("doctor", "check_in", 404),
        ("pharmacist", "check_in", 403),
    ],
)
def test_each_step_is_for_its_roles(
    in_cedar: Hospital, rao: Doctor, asha: User, role: str, name: str, status: int
) -> None:
    visit = booked(in_cedar, rao, asha)
    assert staff(in_cedar, role).post(step(visit, name)).status_code == status
    assert (as_it_is(in_cedar, visit).status == Status.CONFIRMED) is (status != 302)


def test_a_patient_who_works_here_does_not_use_the_hospitals_door_for_their_own_visit(
    in_cedar: Hospital, rao: Doctor, join_cedar: Any, asha: User
) -> None:
    visit = booked(in_cedar, rao, asha)
    join_cedar(asha, "pharmacist")
    assert browser("cedar.localhost", asha).post(step(visit, "cancel")).status_code == 403


def test_a_step_that_is_none_is_not_found(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    visit = booked(in_cedar, rao, asha)
    desk = staff(in_cedar, "front_desk")
    assert [desk.post(step(visit, name)).status_code for name in ("move", "comes", "delete")] == [404, 404, 404]


def test_a_step_leads_back_only_to_this_site(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    visit = booked(in_cedar, rao, asha)
    response = staff(in_cedar, "front_desk").post(step(visit, "check_in"), {"next": "https://evil.example/"})
    assert response.headers["Location"] == f"/office/appointments/{visit.code}/"


def test_a_scanned_reference_brings_the_visit_ready_to_check_in(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    visit = booked(in_cedar, rao, asha)
    booked(in_cedar, rao, person("Bela"), "11:00")
    for written in (visit.reference, visit.reference.lower().replace("-", "")):
        response = staff(in_cedar, "front_desk").get(DESK, {"q": written})
        assert [row.visit for row in response.context["found"]] == [visit]
        assert "data-focus" in response.content.decode()


def test_a_visit_of_another_day_is_found_by_its_reference_but_not_checked_in(
    in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    visit = factories.visit(in_cedar, rao, asha, days=2)
    [row] = staff(in_cedar, "front_desk").get(DESK, {"q": visit.reference}).context["found"]
    assert row.main is None


@pytest.mark.parametrize("words", ["asha", "98450 12345", "P000001"])
def test_people_are_found_by_name_phone_and_number(in_cedar: Hospital, rao: Doctor, asha: User, words: str) -> None:
    User.objects.filter(pk=asha.pk).update(phone="+919845012345")
    asha.refresh_from_db()
    visit = booked(in_cedar, rao, asha)
    booked(in_cedar, rao, person("Bela"), "11:00")
    response = staff(in_cedar, "front_desk").get(DESK, {"q": words})
    assert [row.visit for row in response.context["found"]] == [visit]
    assert [patient.name for patient in response.context["patients"]] == ["Asha Patel"]


def test_nobody_found_says_so_and_offers_a_way_on(in_cedar: Hospital) -> None:
    page = staff(in_cedar, "front_desk").get(DESK, {"q": "zzz"}).content.decode()
    assert "Nobody matches “zzz”" in page
    assert "/office/desk/walk-in/" in page


def test_the_desk_shows_one_doctor_or_another_day(in_cedar: Hospital, rao: Doctor, hari: User) -> None:
    sen = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    booked(in_cedar, rao, person("Asha"))
    booked(in_cedar, sen, person("Bela"))
    tomorrow = factories.visit(in_cedar, sen, person("Chand"), days=1)
    desk = staff(in_cedar, "front_desk")
    of_sen = desk.get(DESK, {"doctor": str(sen.code)})
    assert names(of_sen.context["columns"])["arriving"] == ["Bela"]
    day = factories.at(in_cedar, "10:00", days=1).date().isoformat()
    of_tomorrow = desk.get(DESK, {"day": day})
    [row] = of_tomorrow.context["columns"][0].rows
    assert (row.visit, row.main) == (tomorrow, None)


def test_who_waits_long_is_marked(in_cedar: Hospital, rao: Doctor) -> None:
    arrived(in_cedar, rao, person("Asha"), "10:00", minutes_ago=21)
    arrived(in_cedar, rao, person("Bela"), "11:00", minutes_ago=19)
    rows = staff(in_cedar, "front_desk").get(DESK).context["columns"][1].rows
    assert [(row.state, row.tone) for row in rows] == [("Waiting 21 min", "warn"), ("Waiting 19 min", "info")]


def test_a_page_that_asks_again_is_told_when_nothing_is_new(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    visit = booked(in_cedar, rao, asha)
    desk = staff(in_cedar, "front_desk")
    headers = {"HX-Request": "true"}
    seen = desk.get(DESK).context["seen"]
    assert desk.get(DESK, {"seen": seen}, headers=headers).status_code == 204
    desk.post(step(visit, "check_in"))
    changed = desk.get(DESK, {"seen": seen}, headers=headers)
    assert changed.status_code == 200
    assert "<html" not in changed.content.decode()


def test_the_desk_asks_the_same_number_of_queries_for_any_number_of_people(
    in_cedar: Hospital, rao: Doctor, django_assert_max_num_queries: Any
) -> None:
    desk = staff(in_cedar, "front_desk")
    for number in range(4):
        booked(in_cedar, rao, person("Asha"), f"{9 + number:02}:00")
        arrived(in_cedar, rao, person("Bela"), f"{9 + number:02}:20")
        called(in_cedar, rao, person("Chand"), f"{9 + number:02}:40")
    desk.get(DESK)
    # session, person, staff row; doctors, how many of each, and the three columns
    with django_assert_max_num_queries(10):
        desk.get(DESK)


def test_the_desk_says_how_many_more_there_are(in_cedar: Hospital, rao: Doctor) -> None:
    rao.availability.update(capacity=30)
    for _ in range(27):
        booked(in_cedar, rao, person("Asha"))
    page = staff(in_cedar, "front_desk").get(DESK)
    assert len(page.context["columns"][0].rows) == 25
    assert "2 more. Choose a doctor, or search." in page.content.decode()


def test_the_slip_of_a_token_says_who_is_before(in_cedar: Hospital, rao: Doctor) -> None:
    arrived(in_cedar, rao, person("Asha"), "09:00")
    visit = arrived(in_cedar, rao, person("Bela"), "16:40")
    page = staff(in_cedar, "front_desk").get(step(visit, "token")).content.decode()
    assert "1 person before you" in page
