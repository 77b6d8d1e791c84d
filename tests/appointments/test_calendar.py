"""The file for one's calendar."""

from datetime import datetime

import pytest
from django.test import Client
from django.utils.timezone import now
from icalendar import Calendar, Event

from accounts.models import User
from appointments import calendars
from appointments.models import Appointment
from appointments.services import day, moving
from core.hosts import hospital_url
from core.visits import VisitKind
from hospitals.models import Department, Doctor
from tenants.models import Hospital
from tests.conftest import browser
from tests.factories import at, visit


@pytest.fixture
def booked(in_cedar: Hospital, rao: Doctor, asha: User) -> Appointment:
    """Asha's visit, tomorrow at ten."""
    return visit(in_cedar, rao, asha, "10:00", reason="Chest pain")


def read(hospital: Hospital, visit: Appointment) -> tuple[Calendar, Event]:
    content = calendars.calendar_of(hospital=hospital, visit=visit, now=now())
    calendar = Calendar.from_ical(content)
    assert isinstance(calendar, Calendar)
    [event] = calendar.events
    return calendar, event


def test_it_is_sent_as_a_file_to_ones_own_self(
    booked: Appointment, asha: User, cedar_kiran: Client, cedar: Hospital
) -> None:
    path = f"/visits/{booked.code}/calendar.ics"
    response = browser("cedar.localhost", asha).get(path)
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert booked.reference in response["Content-Disposition"]
    assert response.content.startswith(b"BEGIN:VCALENDAR\r\n")
    assert cedar_kiran.get(path).status_code == 404


def test_apps_read_the_same_file_on_both_hosts(
    booked: Appointment, asha: User, cedar_kiran: Client, cedar: Hospital
) -> None:
    path, takes = f"/api/appointments/{booked.code}/calendar.ics", {"Accept": "text/calendar"}
    here = browser("cedar.localhost", asha).get(path, headers=takes)
    assert here["Content-Type"] == "text/calendar; charset=utf-8"
    on_the_portal = browser("localhost", asha).get(path, {"hospital_id": str(cedar.code)}, headers=takes)
    for response in (here, on_the_portal):
        [event] = Calendar.from_ical(response.content).events
        assert event["url"] == hospital_url("cedar", "visit_detail", booked.code)
    refused = cedar_kiran.get(path, headers=takes)
    assert (refused.status_code, refused["Content-Type"]) == (404, "application/json")


def test_it_says_when_in_the_hospitals_own_zone(booked: Appointment, cedar: Hospital) -> None:
    calendar, event = read(cedar, booked)
    assert event.start == at(cedar, "10:00")
    assert isinstance(event.start, datetime)
    assert event["dtstart"].params["TZID"] == "Asia/Kolkata"
    assert [str(zone["tzid"]) for zone in calendar.timezones] == ["Asia/Kolkata"]


def test_a_zone_with_summer_time_is_described(booked: Appointment, cedar: Hospital) -> None:
    cedar.time_zone = "Europe/London"
    calendar, event = read(cedar, booked)
    assert event.start == booked.starts_at
    assert [str(zone["tzid"]) for zone in calendar.timezones] == ["Europe/London"]


def test_it_says_nothing_of_why(booked: Appointment, cedar: Hospital, rao: Doctor) -> None:
    booked.doctor.specialization = "Oncology"
    booked.department = Department(name="Tumour clinic")
    words = calendars.calendar_of(hospital=cedar, visit=booked, now=now()).decode()
    for secret in ("Chest", "Oncology", "Tumour"):
        assert secret not in words


def test_a_visit_in_person_has_a_place_and_one_by_video_has_none(booked: Appointment, cedar: Hospital) -> None:
    _calendar, event = read(cedar, booked)
    assert "12 Lake Road" in str(event["location"])
    booked.kind = VisitKind.VIDEO
    _calendar, event = read(cedar, booked)
    assert str(event["location"]) == "Video"


def test_a_moved_visit_takes_the_place_of_the_earlier_entry(booked: Appointment, cedar: Hospital, asha: User) -> None:
    first = read(cedar, booked)[1]
    new = moving.move(hospital=cedar, visit=booked, starts_at=at(cedar, "11:00"), by=asha, now=now(), by_hospital=False)
    again = moving.move(hospital=cedar, visit=new, starts_at=at(cedar, "12:00"), by=asha, now=now(), by_hospital=False)
    last = read(cedar, again)[1]
    assert last.uid == first.uid
    assert (first["sequence"], last["sequence"]) == (0, 4)
    assert last.start == at(cedar, "12:00")


def test_a_cancelled_visit_is_taken_out(booked: Appointment, cedar: Hospital, asha: User) -> None:
    day.cancel(hospital=cedar, visit=booked, by=asha, reason="", now=now(), by_hospital=False)
    calendar, event = read(cedar, booked)
    assert (str(calendar["method"]), str(event["status"]), event["sequence"]) == ("CANCEL", "CANCELLED", 1)
