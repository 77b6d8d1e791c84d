"""The API of free times, and of the hours behind them."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.permissions import Role
from appointments.models import Appointment, Availability, Schedule, Status
from appointments.serializers.hours import FreeTimes
from core.schemas import schema_context
from hospitals.models import Doctor, Staff
from tenants.models import Hospital
from tests import factories
from tests.appointments.hours import tomorrow
from tests.appointments.test_hours_pages import rows, status_of
from tests.conftest import browser
from tests.factories import at, visit

JSON: Any = {"content_type": "application/json"}


@pytest.fixture
def own(rao: Doctor) -> Client:
    """Dr Rao on Cedar's site."""
    return browser("cedar.localhost", rao.user)


def path(doctor: Doctor, step: str = "availability/") -> str:
    return f"/api/doctors/{doctor.code}/{step}"


def put_in(client: Client, doctor: Doctor, **body: Any) -> Any:
    return client.post(path(doctor, "availability/set/"), body, **JSON)


# --- Free times ------------------------------------------------------------------------------------------------------


def test_anybody_reads_the_free_times_of_the_next_days(
    cedar_site: Client, rao: Doctor, in_cedar: Hospital, asha: User
) -> None:
    visit(in_cedar, rao, asha)
    answer = cedar_site.get(path(rao)).json()
    assert (answer["doctor"], answer["time_zone"], len(answer["days"])) == (str(rao.code), "Asia/Kolkata", 7)
    day = answer["days"][1]
    assert day["date"] == str(tomorrow(in_cedar))
    assert len(day["slots"]) == 23
    assert day["slots"][0] == {
        "start": f"{day['date']}T09:00:00+05:30",
        "end": f"{day['date']}T09:20:00+05:30",
        "date": day["date"],
        "start_time": "09:00",
        "end_time": "09:20",
        "is_available": True,
        "kinds": ["in_person", "video"],
        "places_left": 1,
    }
    assert "10:00" not in [slot["start_time"] for slot in day["slots"]]


def test_free_times_have_the_shape_that_is_described(cedar_site: Client, rao: Doctor) -> None:
    answer = cedar_site.get(path(rao)).json()
    assert FreeTimes(answer).data == answer


def test_a_week_of_free_times_takes_few_queries(
    cedar_site: Client, rao: Doctor, in_cedar: Hospital, django_assert_max_num_queries: Any
) -> None:
    cedar_site.get(path(rao))
    with django_assert_max_num_queries(8):
        cedar_site.get(path(rao))


@pytest.mark.parametrize(("query", "days"), [("?date={0}", 1), ("?from={0}&to={1}", 3), ("?from={0}", 7)])
def test_other_days_are_asked_for(cedar_site: Client, rao: Doctor, in_cedar: Hospital, query: str, days: int) -> None:
    first = tomorrow(in_cedar)
    answer = cedar_site.get(path(rao) + query.format(first, first + timedelta(days=2))).json()
    assert [answer["days"][0]["date"], len(answer["days"])] == [str(first), days]


def test_free_times_of_one_kind_of_visit(cedar_site: Client, rao: Doctor, in_cedar: Hospital) -> None:
    Availability.objects.update(visit_kinds=["in_person"])
    found = [cedar_site.get(f"{path(rao)}?kind={kind}").json() for kind in ("in_person", "video")]
    assert [bool(answer["days"][1]["slots"]) for answer in found] == [True, False]


def test_a_shared_time_says_how_many_places_are_left(
    cedar_site: Client, rao: Doctor, in_cedar: Hospital, asha: User
) -> None:
    rao.availability.update(capacity=3)
    visit(in_cedar, rao, asha)
    day = cedar_site.get(f"{path(rao)}?date={tomorrow(in_cedar)}").json()["days"][0]
    assert {slot["start_time"]: slot["places_left"] for slot in day["slots"][2:5]} == {
        "09:40": 3,
        "10:00": 2,
        "10:20": 3,
    }


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?from=2026-12-01&to=2026-11-01", "to"),
        ("?from=2026-12-01&to=2027-12-01", "to"),
        ("?date=soon", "date"),
        ("?kind=letter", "kind"),
    ],
)
def test_days_that_cannot_be_asked_for(cedar_site: Client, rao: Doctor, query: str, field: str) -> None:
    response = cedar_site.get(path(rao) + query)
    assert (response.status_code, list(response.json())) == (400, [field])


def test_who_takes_no_bookings_has_no_free_times(cedar_site: Client, rao: Doctor) -> None:
    Doctor.objects.update(is_available=False)
    assert cedar_site.get(path(rao)).status_code == 404


# --- The hours -------------------------------------------------------------------------------------------------------


def test_colleagues_read_the_hours_without_the_notes(own: Client, rao: Doctor, in_cedar: Hospital) -> None:
    Staff.objects.create(user=factories.person("meena@cedar.example"), role=Role.FRONT_DESK, joined_at=rao.verified_at)
    rao.availability.filter(weekday=0).update(note="Back door")
    meena = browser("cedar.localhost", User.objects.get(email="meena@cedar.example"))
    answers = [client.get(path(rao, "hours/")).json() for client in (own, meena)]
    assert [(len(one["weekly"]), one["weekly"][0]["note"], one["may"]) for one in answers] == [
        (7, "Back door", ["edit"]),
        (7, "", []),
    ]
    assert answers[1]["schedule"]["slot_minutes"] == 20


def test_a_free_stretch_of_a_day_is_added(own: Client, rao: Doctor, in_cedar: Hospital) -> None:
    day = str(tomorrow(in_cedar))
    answer = put_in(own, rao, date=day, start_time="18:00", end_time="19:00", is_available=True)
    assert answer.status_code == 200
    [extra] = answer.json()["extra"]
    assert (extra["valid_from"], extra["start_time"], extra["end_time"]) == (day, "18:00", "19:00")


def test_a_stretch_that_is_not_free_is_leave(own: Client, rao: Doctor, in_cedar: Hospital) -> None:
    day = str(tomorrow(in_cedar))
    answer = put_in(own, rao, date=day, start_time="09:00", end_time="12:00", is_available=False)
    [leave] = answer.json()["leave"]
    assert (leave["valid_from"], leave["start_time"], leave["end_time"]) == (day, "09:00", "12:00")


def test_the_whole_week_is_set_with_the_length_of_visits(own: Client, rao: Doctor, cedar: Hospital) -> None:
    weekly = [{"weekday": 0, "start_time": "08:00", "end_time": "12:00", "kinds": ["video"], "capacity": 2}]
    answer = put_in(own, rao, weekly=weekly, schedule={"slot_minutes": 30}).json()
    [row] = answer["weekly"]
    assert (row["weekday"], row["start_time"], row["kinds"], row["capacity"]) == (0, "08:00", ["video"], 2)
    assert answer["schedule"]["slot_minutes"] == 30


def test_the_schedule_is_set_alone(own: Client, rao: Doctor, cedar: Hospital) -> None:
    assert put_in(own, rao, schedule={"max_per_day": 10}).status_code == 200
    with schema_context(cedar.schema_name):
        assert (Schedule.objects.get().max_per_day, len(rows(cedar))) == (10, 7)


def test_leave_of_several_days(own: Client, rao: Doctor, cedar: Hospital) -> None:
    first = tomorrow(cedar)
    leave = {"from": str(first), "to": str(first + timedelta(days=3)), "note": "Conference"}
    [row] = put_in(own, rao, leave=leave).json()["leave"]
    assert (row["valid_to"], row["note"], row["ends_next_day"]) == (leave["to"], "Conference", True)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "date"),
        ({"date": "2030-01-07", "leave": {"from": "2030-01-07"}}, 400, "date"),
        ({"date": "2030-01-07"}, 400, "start_time"),
        ({"leave": {}}, 400, "leave"),
        ({"weekly": [{"weekday": 7, "start_time": "09:00", "end_time": "10:00"}]}, 400, "weekly"),
        ({"leave": {"from": "2030-01-07"}, "affected": {"all": "forget"}}, 400, "affected"),
        ({"leave": {"from": "2030-01-07"}, "affected": {"visit": "keep"}}, 400, "affected"),
    ],
)
def test_what_cannot_be_meant_is_refused(own: Client, rao: Doctor, body: Any, status: int, field: str) -> None:
    response = put_in(own, rao, **body)
    assert (response.status_code, field in response.json()) == (status, True)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"date": "2030-01-07", "start_time": "16:00", "end_time": "18:00", "is_available": True}, "start_time"),
        ({"date": "2030-01-07", "start_time": "12:00", "end_time": "10:00", "is_available": False}, "to_time"),
        ({"date": "2020-01-06", "start_time": "10:00", "end_time": "12:00", "is_available": True}, "date"),
        ({"weekly": [{"weekday": 0, "start_time": "12:00", "end_time": "10:00"}]}, "end_time"),
        ({"leave": {"from": "2030-01-07", "to": "2030-01-01"}}, "to"),
    ],
)
def test_hours_that_cannot_be_are_refused(own: Client, rao: Doctor, cedar: Hospital, body: Any, field: str) -> None:
    response = put_in(own, rao, **body)
    assert (response.status_code, response.json()["field"]) == (422, field)
    assert len(rows(cedar)) == 7


def test_hours_are_added_on_several_days(own: Client, rao: Doctor) -> None:
    body = {"weekdays": [0, 2], "start_time": "18:00", "end_time": "20:00"}
    answer = own.post(path(rao, "hours/add/"), body, **JSON)
    assert (answer.status_code, len(answer.json()["weekly"])) == (201, 9)


def test_a_day_is_copied(own: Client, rao: Doctor, cedar: Hospital) -> None:
    rao.availability.filter(weekday=0).update(starts="08:00")
    assert own.post(path(rao, "hours/copy/"), {"weekday": 0, "to": [6]}, **JSON).status_code == 200
    assert [row.starts.hour for row in rows(cedar)] == [8, 9, 9, 9, 9, 9, 8]


def test_hours_are_changed(own: Client, rao: Doctor, cedar: Hospital) -> None:
    row = rao.availability.get(weekday=0)
    body = {"weekday": 0, "start_time": "10:00", "end_time": "17:00"}
    assert own.put(path(rao, f"hours/{row.code}/"), body, **JSON).status_code == 200
    assert rows(cedar, weekday=0)[0].starts.hour == 10


def test_hours_are_removed(own: Client, rao: Doctor, cedar: Hospital) -> None:
    row = rao.availability.get(weekday=0)
    assert own.delete(path(rao, f"hours/{row.code}/")).status_code == 204
    assert rows(cedar, weekday=0) == []


def test_leave_is_not_changed_but_removed(own: Client, rao: Doctor, cedar: Hospital) -> None:
    [leave] = put_in(own, rao, leave={"from": str(tomorrow(cedar))}).json()["leave"]
    address = path(rao, f"hours/{leave['id']}/")
    assert own.put(address, {"weekday": 0, "start_time": "10:00", "end_time": "17:00"}, **JSON).status_code == 404
    assert own.delete(address).status_code == 204


# --- Visits that would lose their time -------------------------------------------------------------------------------


def test_leave_over_visits_is_a_conflict_with_their_list(
    own: Client, in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    booked = visit(in_cedar, rao, asha)
    leave = {"from": str(tomorrow(in_cedar))}
    response = put_in(own, rao, leave=leave)
    answer = response.json()
    assert (response.status_code, answer["field"]) == (409, "affected")
    assert answer["affected"] == [
        {
            "id": str(booked.code),
            "reference": booked.reference,
            "patient": "Asha Patel",
            "kind": "in_person",
            "status": "confirmed",
            "starts_at": at(in_cedar, "10:00").isoformat(),
            "next_free_at": at(in_cedar, "09:00", days=2).isoformat(),
        }
    ]
    assert put_in(own, rao, leave=leave, affected={str(booked.code): "move"}).status_code == 200
    assert status_of(in_cedar, booked) == Status.RESCHEDULED


def test_a_visit_goes_to_the_time_that_was_sent(own: Client, in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    booked = visit(in_cedar, rao, asha)
    to = at(in_cedar, "15:00", days=4)
    put_in(own, rao, leave={"from": str(tomorrow(in_cedar))}, affected={str(booked.code): to.isoformat()})
    with schema_context(in_cedar.schema_name):
        assert Appointment.objects.get(rescheduled_from=booked).starts_at == to


@pytest.mark.parametrize(("what", "status"), [("cancel", Status.CANCELLED), ("keep", Status.CONFIRMED)])
def test_all_are_decided_at_once(
    cedar_hari: Client, in_cedar: Hospital, rao: Doctor, asha: User, what: str, status: Status
) -> None:
    booked = visit(in_cedar, rao, asha)
    row = rao.availability.get(weekday=tomorrow(in_cedar).weekday())
    address = path(rao, f"hours/{row.code}/")
    assert cedar_hari.delete(address).status_code == 409
    assert cedar_hari.delete(address, {"affected": {"all": what}}, **JSON).status_code == 204
    assert status_of(in_cedar, booked) == status


# --- Who may ---------------------------------------------------------------------------------------------------------


def knock(client: Client, doctor: Doctor, row: Availability) -> list[int]:
    """Knock at every door that changes something."""
    week: dict[str, Any] = {"weekly": []}
    hours = {"weekday": 0, "start_time": "10:00", "end_time": "17:00"}
    added = {"weekdays": [0], "start_time": "18:00", "end_time": "20:00"}
    return [
        client.post(path(doctor, "availability/set/"), week, **JSON).status_code,
        client.post(path(doctor, "hours/add/"), added, **JSON).status_code,
        client.post(path(doctor, "hours/copy/"), {"weekday": 0, "to": [1]}, **JSON).status_code,
        client.put(path(doctor, f"hours/{row.code}/"), hours, **JSON).status_code,
        client.delete(path(doctor, f"hours/{row.code}/")).status_code,
    ]


def test_only_the_doctor_and_the_office_change_hours(
    cedar_site: Client, cedar_kiran: Client, kiran: User, in_cedar: Hospital, rao: Doctor, hari: User, asha: User
) -> None:
    row = rao.availability.get(weekday=0)
    other = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    assert knock(cedar_site, rao, row) == [401] * 5
    assert knock(cedar_kiran, rao, row) == [403] * 5
    assert knock(browser("cedar.localhost", asha), rao, row) == [403] * 5
    assert knock(browser("lotus.localhost", kiran), rao, row) == [404] * 5
    assert knock(browser("cedar.localhost", other.user), rao, row) == [404] * 5
    assert len(rows(in_cedar, doctor=rao)) == 7


def test_the_stranger_reads_no_hours(cedar_kiran: Client, kiran: User, cedar_site: Client, rao: Doctor) -> None:
    assert cedar_site.get(path(rao, "hours/")).status_code == 401
    assert cedar_kiran.get(path(rao, "hours/")).status_code == 403
    elsewhere = browser("lotus.localhost", kiran)
    assert elsewhere.get(path(rao, "hours/")).status_code == 404
    assert elsewhere.get(path(rao)).status_code == 404
