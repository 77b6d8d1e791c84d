"""A doctor's week by the clock, the doctor's own and for the office."""

import re
from datetime import date, time, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from accounts.models import User
from appointments.models import Appointment, Availability
from appointments.services import desk
from core.schemas import schema_context
from hospitals.models import Doctor
from tenants.models import Hospital
from tests import factories
from tests.appointments.today import arrived, booked, person, staff
from tests.conftest import browser
from tests.factories import at

OWN, OFFICE = "/doctor/schedule/", "/office/appointments/weeks/"


@pytest.fixture
def rao_here(rao: Doctor) -> Client:
    """Dr Rao at Cedar's site."""
    return browser("cedar.localhost", rao.user)


def day_of(hospital: Hospital, visit: Appointment) -> date:
    """The visit's day by the hospital's clocks."""
    return visit.starts_at.astimezone(at(hospital, "10:00").tzinfo).date()


def column_of(response: Any, day: date) -> Any:
    """The day's column."""
    [column] = [column for column in response.context["columns"] if column.date == day]
    return column


def test_the_week_shows_visits_hours_and_leave_by_the_clock(
    in_cedar: Hospital, rao: Doctor, rao_here: Client, asha: User
) -> None:
    visit = factories.visit(in_cedar, rao, asha, days=7)
    when = day_of(in_cedar, visit)
    Availability.objects.create(
        doctor=rao,
        kind=Availability.Kind.LEAVE,
        first_date=when,
        last_date=when,
        starts=time(12),
        ends=time(23, 59),
        note="Conference",
    )
    response = rao_here.get(OWN, {"week": when.isoformat()})
    column = column_of(response, when)
    assert len(response.context["columns"]) == 7
    assert column.hours == ["09:00–12:00"]
    top = 9 - response.context["grid"].first
    assert column.open == [f"h{top} m0 t{top + 3} u0"]
    [leave, piece] = column.pieces
    assert (leave.absence.note, leave.place.split()[0]) == ("Conference", f"h{top + 3}")
    assert (piece.row.visit, piece.place) == (visit, f"h{top + 1} m0 t{top + 1} u4")
    assert response.context["visits"] == 1
    text = response.content.decode()
    assert all(word in text for word in ("Conference", "Asha Patel", "10:00", "1 visit"))


def test_hours_past_midnight_are_open_on_both_days(in_cedar: Hospital, rao: Doctor, rao_here: Client) -> None:
    rao.availability.all().delete()
    today = at(in_cedar, "10:00", days=0).date()
    monday = today + timedelta(days=7 - today.weekday())
    Availability.objects.create(
        doctor=rao, kind=Availability.Kind.WEEKLY, weekday=0, starts=time(22), ends=time(2), ends_next_day=True
    )
    response = rao_here.get(OWN, {"week": monday.isoformat()})
    assert response.context["grid"].hours == range(24)
    evening, night = (column_of(response, day) for day in (monday, monday + timedelta(days=1)))
    assert (evening.hours, evening.open) == (["22:00–02:00"], ["h22 m0 t24 u0"])
    assert (night.hours, night.open) == ([], ["h0 m0 t2 u0"])


def test_the_times_that_are_free_are_counted(in_cedar: Hospital, rao: Doctor, rao_here: Client, asha: User) -> None:
    rao.availability.update(ends="10:00")
    visit = factories.visit(in_cedar, rao, asha, "09:20", days=7)
    monday = {"week": day_of(in_cedar, visit).isoformat()}
    assert rao_here.get(OWN, monday).context["free"] == 7 * 3 - 1


@pytest.mark.parametrize("asked", ["", "yesterday", "2026-02-30", "9999-12-31", "0001-01-01"])
def test_a_week_that_is_none_is_this_week(in_cedar: Hospital, rao: Doctor, rao_here: Client, asked: str) -> None:
    assert rao_here.get(OWN, {"week": asked}).context["is_this_week"]


def test_of_many_at_once_two_are_drawn_and_the_others_counted(
    in_cedar: Hospital, rao: Doctor, rao_here: Client
) -> None:
    moment = at(in_cedar, "11:03", days=0)
    with schema_context(in_cedar.schema_name):
        for name in ("Asha", "Bela", "Chand", "Dev"):
            patient = factories.patient(person(name))
            desk.walk_in(hospital=in_cedar, doctor=rao, who=patient, reason="", by=rao.user, now=moment)
    response = rao_here.get(OWN)
    pieces = column_of(response, moment.date()).pieces
    assert [piece.is_beyond for piece in pieces if piece.row] == [False, False, True, True]
    assert [(piece.more, piece.place.split()[-2:]) for piece in pieces if piece.more] == [(2, ["lane2", "of3"])]
    # Narrow screens list them all; wide ones lead from the number to the day.
    text = response.content.decode()
    assert all(name in text for name in ("Chand", "Dev"))
    assert f'href="/doctor/today/?day={moment.date().isoformat()}"' in text


def test_the_week_asks_the_same_number_of_queries_for_any_number_of_visits(
    in_cedar: Hospital, rao: Doctor, rao_here: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        arrived(in_cedar, rao, person("Asha"), f"{9 + number:02}:00")
        booked(in_cedar, rao, person("Bela"), f"{9 + number:02}:40")
    for client, url in ((rao_here, OWN), (staff(in_cedar, "front_desk"), OFFICE)):
        client.get(url)
        # session, person, staff row; doctors, visits, hours, leave; hours again, and what is taken
        with django_assert_max_num_queries(9):
            assert client.get(url).context["visits"] == 12


def test_the_office_sees_the_week_of_each_doctor(in_cedar: Hospital, rao: Doctor, hari: User, asha: User) -> None:
    sen = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Zoya")
    visit = factories.visit(in_cedar, sen, asha)
    week = {"week": day_of(in_cedar, visit).isoformat()}
    client = staff(in_cedar, "front_desk")
    assert client.get(OFFICE, week).context["doctor"] == rao
    response = client.get(OFFICE, {**week, "doctor": str(sen.code)})
    assert response.context["doctor"] == sen
    assert "Asha Patel" in response.content.decode()
    later = urlencode({**week, "doctor": str(sen.code)} | {"week": response.context["after"].isoformat()})
    assert f"?{later}".replace("&", "&amp;") in response.content.decode()


def test_choosing_a_doctor_answers_with_the_week_alone(in_cedar: Hospital, rao: Doctor) -> None:
    answer = staff(in_cedar, "front_desk").get(OFFICE, {"doctor": str(rao.code)}, headers={"HX-Request": "true"})
    assert "<html" not in answer.content.decode()
    assert "week-day" in answer.content.decode()


@pytest.mark.parametrize("asked", ["", "nobody", "0198b5f0-0000-7000-8000-000000000000"])
def test_a_doctor_who_is_none_is_the_first_by_name(in_cedar: Hospital, rao: Doctor, asked: str) -> None:
    assert staff(in_cedar, "front_desk").get(OFFICE, {"doctor": asked}).context["doctor"] == rao


def test_a_hospital_without_doctors_says_so(in_cedar: Hospital) -> None:
    assert "No doctors yet" in staff(in_cedar, "front_desk").get(OFFICE).content.decode()


def test_who_may_not_see_all_visits_sees_no_week(in_cedar: Hospital, rao: Doctor, rao_here: Client, asha: User) -> None:
    for client in (staff(in_cedar, "pharmacist"), browser("cedar.localhost", asha)):
        assert client.get(OFFICE).status_code == 403
    assert staff(in_cedar, "front_desk").get(OWN).status_code == 403
    assert staff(in_cedar, "hospital_admin").get(OWN).status_code == 404
    assert rao_here.get(OWN).status_code == 200


def test_from_the_week_one_books_with_its_doctor(in_cedar: Hospital, rao: Doctor) -> None:
    factories.patient(person("Asha"))
    client = staff(in_cedar, "front_desk")
    [book] = re.findall(r'href="(/office/desk/book/[^"]*)"', client.get(OFFICE).content.decode())
    found = client.get(f"{book}&q=Asha").content.decode()
    [chosen] = re.findall(r'href="(\?[^"]*patient=[^"]*)"', found)
    answer = client.get(f"/office/desk/book/{chosen}".replace("&amp;", "&"))
    assert answer.context["doctor"] == rao
