"""The pages of a doctor's hours: the doctor's own, and the office's."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.permissions import Role
from appointments.models import Appointment, Availability, Schedule, Status
from core.schemas import schema_context
from hospitals.models import Doctor, Staff
from tenants.models import Hospital
from tests import factories
from tests.accounts.supporting import arrived, ask
from tests.appointments.hours import tomorrow
from tests.conftest import browser
from tests.factories import at, visit

OWN = "/doctor/hours/"
EVENING = {"days": ["0", "2"], "start_time": "18:00", "end_time": "20:00", "capacity": "1"}


@pytest.fixture
def own(rao: Doctor) -> Client:
    """Dr Rao on Cedar's site."""
    return browser("cedar.localhost", rao.user)


def office(doctor: Doctor) -> str:
    return f"/office/doctors/{doctor.code}/hours/"


def rows(hospital: Hospital, **fields: Any) -> list[Availability]:
    with schema_context(hospital.schema_name):
        return list(Availability.objects.filter(**fields).order_by("weekday", "first_date", "starts"))


def status_of(hospital: Hospital, booked: Appointment) -> str:
    with schema_context(hospital.schema_name):
        return Appointment.objects.get(pk=booked.pk).status


def take_leave(client: Client, day: date, path: str = OWN, **more: str) -> Any:
    return client.post(f"{path}leave/", {"first_date": day.isoformat(), "note": "Conference", **more})


def test_a_doctor_sees_the_own_week(own: Client, rao: Doctor, in_cedar: Hospital) -> None:
    factories.every_week(rao, 0, "18:00", "20:00", visit_kinds=["video"], capacity=3, note="Room 4")
    page = own.get(OWN).content.decode()
    for words in ("Your hours", "Monday", "18:00 to 20:00", "Video", "3 patients at a time", "Room 4", "20 minutes"):
        assert words in page


def test_the_office_sees_a_doctors_week(cedar_hari: Client, rao: Doctor) -> None:
    response = cedar_hari.get(office(rao))
    assert "Hours of Vikram Rao" in response.content.decode()
    assert [len(column.blocks) for column in response.context["columns"]] == [1] * 7


def test_the_week_says_what_patients_find_in_the_next_days(
    own: Client, in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    visit(in_cedar, rao, asha)
    day = tomorrow(in_cedar)
    with schema_context(in_cedar.schema_name):
        Availability.objects.filter(weekday=(day + timedelta(days=1)).weekday()).delete()
    response = own.get(OWN)
    numbers = {one.day: one.number for one in response.context["preview"]}
    assert len(numbers) == 7
    assert numbers[day] == 23
    assert numbers[day + timedelta(days=1)] == 0
    assert "Nothing free" in response.content.decode()


def test_a_doctor_without_hours_is_told_what_that_means(own: Client, rao: Doctor) -> None:
    rao.availability.all().delete()
    page = own.get(OWN).content.decode()
    assert "There are no hours of every week yet" in page
    assert "No leave and no extra hours" in page


def test_the_week_costs_the_same_whatever_is_in_it(
    own: Client, rao: Doctor, in_cedar: Hospital, django_assert_num_queries: Any
) -> None:
    own.get(OWN)
    with django_assert_num_queries(7):  # session, person, staff row, doctor, hours; hours and visits for the free times
        own.get(OWN)
    with schema_context(in_cedar.schema_name):
        for weekday in range(7):
            factories.every_week(rao, weekday, "18:00", "20:00")
    with django_assert_num_queries(7):
        own.get(OWN)


def test_hours_are_added_on_several_days(own: Client, cedar: Hospital) -> None:
    response = own.post(f"{OWN}add/", EVENING, follow=True)
    assert response.redirect_chain == [(OWN, 302)]
    assert "The hours are added." in response.content.decode()
    assert [row.weekday for row in rows(cedar, starts="18:00")] == [0, 2]


def test_the_office_adds_hours(cedar_hari: Client, cedar: Hospital, rao: Doctor) -> None:
    response = cedar_hari.post(f"{office(rao)}add/", EVENING)
    assert response["Location"] == office(rao)
    assert len(rows(cedar, starts="18:00")) == 2


def test_adding_hours_begins_on_the_day_that_was_pressed(own: Client) -> None:
    form = own.get(f"{OWN}add/?day=5").context["form"]
    assert form["days"].value() == ["5"]


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"days": []}, "days", "Choose at least one day."),
        ({"start_time": ""}, "start_time", "Enter a time, like 09:30."),
        ({"end_time": "17:00"}, "end_time", "end before they start"),
        ({"start_time": "16:00"}, "start_time", "overlaps other hours of the doctor: Monday, 09:00 to 17:00"),
        ({"capacity": "0"}, "capacity", "Enter a number from 1 to 100."),
        ({"valid_from": "2030-02-01", "valid_to": "2030-01-01"}, "valid_to", "before the first one"),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_nothing_typed_is_lost(
    own: Client, cedar: Hospital, fields: dict[str, Any], field: str, words: str
) -> None:
    response = own.post(f"{OWN}add/", {**EVENING, "note": "Back door", **fields})
    assert response.status_code == 422
    assert words in str(response.context["form"].errors[field])
    assert "Back door" in response.content.decode()
    assert len(rows(cedar)) == 7


def test_hours_are_changed(own: Client, rao: Doctor, cedar: Hospital) -> None:
    row = rao.availability.get(weekday=0)
    page = own.get(f"{OWN}{row.code}/")
    assert page.context["form"]["start_time"].value().hour == 9
    own.post(f"{OWN}{row.code}/", {"weekday": "0", "start_time": "08:00", "end_time": "17:00", "capacity": "2"})
    [changed] = rows(cedar, weekday=0)
    assert (changed.starts.hour, changed.capacity, changed.code) == (8, 2, row.code)


def test_hours_are_removed(own: Client, rao: Doctor, cedar: Hospital) -> None:
    row = rao.availability.get(weekday=0)
    response = own.post(f"{OWN}{row.code}/remove/", follow=True)
    assert "The hours are removed." in response.content.decode()
    assert rows(cedar, weekday=0) == []


def test_a_day_is_copied_to_others(own: Client, rao: Doctor, cedar: Hospital) -> None:
    rao.availability.filter(weekday=0).update(starts="08:00")
    assert "Copy the hours of Monday" in own.get(f"{OWN}copy/0/").content.decode()
    own.post(f"{OWN}copy/0/", {"days": ["1", "2"]})
    assert [row.starts.hour for row in rows(cedar)] == [8, 8, 8, 9, 9, 9, 9]


def test_there_is_no_eighth_day_to_copy(own: Client) -> None:
    assert own.get(f"{OWN}copy/7/").status_code == 404


def test_extra_hours_are_added_and_listed(own: Client, cedar: Hospital) -> None:
    day = tomorrow(cedar).isoformat()
    own.post(f"{OWN}extra/", {"date": day, "start_time": "18:00", "end_time": "20:00", "capacity": "1"})
    [row] = rows(cedar, kind="extra")
    assert str(row.first_date) == day
    [dated] = own.get(OWN).context["dated"]
    assert (dated.row.code, dated.is_leave) == (row.code, False)


def test_extra_hours_over_the_usual_ones_are_refused_at_the_field(own: Client, cedar: Hospital) -> None:
    day = tomorrow(cedar).isoformat()
    response = own.post(f"{OWN}extra/", {"date": day, "start_time": "16:00", "end_time": "20:00", "capacity": "1"})
    assert response.status_code == 422
    assert "overlaps other hours" in str(response.context["form"].errors["start_time"])


def test_leave_is_added_listed_and_removed(own: Client, cedar: Hospital) -> None:
    assert take_leave(own, tomorrow(cedar)).status_code == 302
    [row] = rows(cedar, kind="leave")
    assert (row.is_whole_days, row.note) == (True, "Conference")
    page = own.get(OWN).content.decode()
    assert "the whole day" in page
    response = own.post(f"{OWN}{row.code}/remove/", follow=True)
    assert "The leave is removed." in response.content.decode()
    assert rows(cedar, kind="leave") == []


def test_past_leave_is_not_listed(own: Client, rao: Doctor, cedar: Hospital) -> None:
    past = tomorrow(cedar) - timedelta(days=9)
    fields = {"first_date": past, "last_date": past, "starts": "09:00", "ends": "10:00"}
    rao.availability.create(kind="leave", **fields)
    assert own.get(OWN).context["dated"] == []


def test_the_schedule_is_changed(own: Client, cedar: Hospital) -> None:
    form = own.get(f"{OWN}schedule/").context["form"]
    fields = {name: "" if form[name].value() is None else form[name].value() for name in form.fields}
    response = own.post(f"{OWN}schedule/", {**fields, "slot_minutes": "30", "max_per_day": "12"}, follow=True)
    assert "The schedule is saved." in response.content.decode()
    with schema_context(cedar.schema_name):
        schedule = Schedule.objects.get()
        assert (schedule.slot_minutes, schedule.max_per_day) == (30, 12)


@pytest.mark.parametrize(("field", "value"), [("slot_minutes", "3"), ("horizon_days", "999"), ("buffer_after", "-1")])
def test_a_schedule_that_cannot_be_is_refused(own: Client, cedar: Hospital, field: str, value: str) -> None:
    form = own.get(f"{OWN}schedule/").context["form"]
    fields = {name: "" if form[name].value() is None else form[name].value() for name in form.fields}
    response = own.post(f"{OWN}schedule/", {**fields, field: value})
    assert response.status_code == 422
    assert field in response.context["form"].errors


def test_a_notice_that_is_not_in_the_list_is_kept(own: Client, cedar: Hospital) -> None:
    with schema_context(cedar.schema_name):
        Schedule.objects.update(notice_minutes=45)
    assert "45 minutes" in own.get(OWN).content.decode()
    assert (45, "45 minutes") in own.get(f"{OWN}schedule/").context["form"].fields["notice_minutes"].choices


# --- Visits that would lose their time -------------------------------------------------------------------------------


def test_leave_over_visits_shows_them_and_saves_nothing(
    own: Client, in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    booked = visit(in_cedar, rao, asha)
    response = take_leave(own, tomorrow(in_cedar))
    page = response.content.decode()
    assert response.status_code == 409
    for words in (
        "1 booked visit would be outside the hours",
        "Asha Patel",
        booked.reference,
        "09:00 (next free time)",
    ):
        assert words in page
    assert '<input type="hidden" name="note" value="Conference">' in page
    assert rows(in_cedar, kind="leave") == []


def decided(booked: Appointment, what: str, **more: str) -> dict[str, str]:
    return {"seen": str(booked.code), f"visit-{booked.code}": what, **more}


@pytest.mark.parametrize(
    ("what", "status"), [("move", Status.RESCHEDULED), ("cancel", Status.CANCELLED), ("keep", Status.CONFIRMED)]
)
def test_the_decision_is_carried_out_with_the_leave(
    own: Client, in_cedar: Hospital, rao: Doctor, asha: User, what: str, status: Status
) -> None:
    booked = visit(in_cedar, rao, asha)
    response = take_leave(own, tomorrow(in_cedar), **decided(booked, what))
    assert response["Location"] == OWN
    assert status_of(in_cedar, booked) == status
    assert len(rows(in_cedar, kind="leave")) == 1


def test_a_visit_goes_to_the_time_that_was_chosen(own: Client, in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    booked = visit(in_cedar, rao, asha)
    to = at(in_cedar, "11:00", days=3)
    take_leave(own, tomorrow(in_cedar), **decided(booked, "move"), **{f"time-{booked.code}": to.isoformat()})
    with schema_context(in_cedar.schema_name):
        assert Appointment.objects.get(rescheduled_from=booked).starts_at == to


def test_a_chosen_time_that_was_taken_meanwhile_asks_again(
    own: Client, in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    booked = visit(in_cedar, rao, asha)
    to = at(in_cedar, "11:00", days=3)
    visit(in_cedar, rao, factories.person("b@example.com"), "11:00", days=3)
    response = take_leave(own, tomorrow(in_cedar), **decided(booked, "move"), **{f"time-{booked.code}": to.isoformat()})
    assert response.status_code == 409
    assert "11:00 has just been taken" in response.content.decode()
    assert status_of(in_cedar, booked) == Status.CONFIRMED


def test_all_visits_are_decided_at_once(own: Client, in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    people = (asha, factories.person("b@example.com"))
    booked = [visit(in_cedar, rao, user, clock) for user, clock in zip(people, ("10:00", "11:00"), strict=True)]
    take_leave(own, tomorrow(in_cedar), all="cancel")
    assert [status_of(in_cedar, one) for one in booked] == [Status.CANCELLED, Status.CANCELLED]


def test_a_visit_that_was_passed_over_is_pointed_out(own: Client, in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    first = visit(in_cedar, rao, asha)
    second = visit(in_cedar, rao, factories.person("b@example.com"), "11:00")
    data = {"first_date": tomorrow(in_cedar).isoformat(), "seen": [str(first.code), str(second.code)]}
    response = own.post(f"{OWN}leave/", {**data, f"visit-{first.code}": "cancel"})
    assert response.status_code == 409
    assert [one.is_open for one in response.context["asked"]] == [False, True]
    page = response.content.decode()
    assert "Decide what becomes of this visit." in page
    assert "changed meanwhile" not in page


def test_a_visit_booked_meanwhile_is_pointed_out(own: Client, in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    first = visit(in_cedar, rao, asha)
    visit(in_cedar, rao, factories.person("b@example.com"), "11:00")
    response = take_leave(own, tomorrow(in_cedar), **decided(first, "cancel"))
    assert response.status_code == 409
    assert "The visits have changed meanwhile" in response.content.decode()
    assert status_of(in_cedar, first) == Status.CONFIRMED


def test_removed_hours_ask_about_visits_too(own: Client, in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    booked = visit(in_cedar, rao, asha)
    row = rao.availability.get(weekday=tomorrow(in_cedar).weekday())
    path = f"{OWN}{row.code}/remove/"
    assert own.post(path).status_code == 409
    assert own.post(path, decided(booked, "keep"))["Location"] == OWN


# --- Who may ---------------------------------------------------------------------------------------------------------

STEPS = ["", "add/", "extra/", "leave/", "schedule/", "copy/0/"]


@pytest.mark.parametrize("step", STEPS)
def test_the_stranger_opens_no_door(
    cedar_kiran: Client, kiran: User, cedar_site: Client, rao: Doctor, step: str
) -> None:
    assert cedar_kiran.get(OWN + step).status_code == 403
    assert cedar_kiran.get(office(rao) + step).status_code == 403
    assert cedar_site.get(OWN + step)["Location"].startswith("/sign-in/")
    elsewhere = browser("lotus.localhost", kiran)  # an admin there, but no doctor; and Dr Rao is not known
    assert elsewhere.get(OWN + step).status_code == 404
    assert elsewhere.get(office(rao) + step).status_code == 404


@pytest.mark.parametrize("step", ["", "remove/"])
def test_hours_of_another_doctor_are_not_found(
    own: Client, cedar_hari: Client, in_cedar: Hospital, hari: User, rao: Doctor, step: str
) -> None:
    other = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    row = other.availability.get(weekday=0)
    assert own.post(f"{OWN}{row.code}/{step}").status_code == 404
    assert cedar_hari.post(f"{office(rao)}{row.code}/{step}").status_code == 404


@pytest.mark.parametrize("role", [Role.FRONT_DESK, Role.NURSE, Role.PHARMACIST])
def test_colleagues_do_not_change_hours(in_cedar: Hospital, rao: Doctor, role: Role) -> None:
    user = factories.person("meena@cedar.example", "Meena", "Shah")
    Staff.objects.create(user=user, role=role, joined_at=rao.verified_at)
    client = browser("cedar.localhost", user)
    assert client.get(OWN).status_code == 403
    assert client.get(office(rao)).status_code == 403


def test_a_doctor_changes_no_other_doctors_hours(own: Client, in_cedar: Hospital, hari: User) -> None:
    other = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    assert own.get(office(other)).status_code == 403


def test_support_changes_hours_but_sees_no_visit(
    in_cedar: Hospital, rao: Doctor, asha: User, usha: User, hari: User
) -> None:
    booked = visit(in_cedar, rao, asha)
    client = arrived(ask(browser("localhost", usha), in_cedar, hari))
    assert take_leave(client, tomorrow(in_cedar) + timedelta(days=1), office(rao)).status_code == 302
    response = take_leave(client, tomorrow(in_cedar), office(rao), all="cancel")
    page = response.content.decode()
    assert response.status_code == 422
    assert "Visits are booked in this time." in page
    assert "Asha" not in page
    assert status_of(in_cedar, booked) == Status.CONFIRMED
