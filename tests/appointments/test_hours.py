"""Changing a doctor's hours, schedule and leave."""

from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

import pytest

from accounts.models import User
from appointments.models import Availability, Schedule
from appointments.services import hours, times
from appointments.services.hours import Stretch
from audit.models import Action, AuditLog
from core.errors import Invalid
from core.visits import VisitKind
from hospitals.models import Doctor
from tenants.models import Hospital
from tests import factories
from tests.appointments.hours import (
    UNDECIDED,
    actions,
    change,
    drop,
    free_on,
    stretch,
    tomorrow,
    week,
)
from tests.factories import at

# --- The schedule ----------------------------------------------------------------------------------------------------


def test_a_changed_schedule_is_recorded_with_what_changed(rao: Doctor, hari: User) -> None:
    schedule = hours.set_schedule(doctor=rao, by=hari, slot_minutes=30, room="12")
    assert Schedule.objects.get(doctor=rao).slot_minutes == 30
    row = AuditLog.objects.about(schedule).get()
    assert (row.action, row.data) == (Action.SCHEDULE_CHANGED, {"slot_minutes": ["20", "30"], "room": ["", "12"]})


def test_saving_the_schedule_as_it_was_records_nothing(rao: Doctor, hari: User) -> None:
    assert actions(hours.set_schedule(doctor=rao, by=hari, slot_minutes=20)) == []


def test_a_doctor_without_a_schedule_gets_one(in_cedar: Hospital, hari: User) -> None:
    doctor = Doctor.objects.get(pk=factories.bookable_doctor(in_cedar, hari).pk)
    Schedule.objects.all().delete()
    doctor = Doctor.objects.get(pk=doctor.pk)
    hours.set_schedule(doctor=doctor, by=hari, slot_minutes=15)
    assert times.schedule_of(doctor).slot_minutes == 15


# --- Hours of every week ---------------------------------------------------------------------------------------------


def test_evening_hours_on_two_days_are_added_at_once(act: Callable[..., Any], rao: Doctor) -> None:
    rows = act(hours.add_weekly, weekdays=[0, 2], stretch=stretch("18:00", "20:00", visit_kinds=["video"], capacity=2))
    assert [(row.weekday, row.visit_kinds, row.capacity) for row in rows] == [(0, ["video"], 2), (2, ["video"], 2)]
    assert actions(rows[0]) == [Action.HOURS_ADDED]


def test_hours_with_every_kind_are_kept_as_open_to_all(act: Callable[..., Any]) -> None:
    [row] = act(hours.add_weekly, weekdays=[0], stretch=stretch("18:00", "20:00", visit_kinds=list(VisitKind)))
    assert row.visit_kinds == []


@pytest.mark.parametrize(
    ("entered", "field", "words"),
    [
        (stretch("18:00", "17:30"), "end_time", "end before they start"),
        (stretch("18:00", "18:00"), "end_time", "end before they start"),
        (stretch("18:00", "18:30", ends_next_day=True), "end_time", "a day at most"),
        (stretch("18:00", "18:10"), "end_time", "too short for a visit of 20 minutes"),
        (stretch("16:30", "18:00"), "start_time", "Monday, 16:30 to 18:00 overlaps"),
        (stretch("22:00", "09:30", ends_next_day=True), "start_time", "Tuesday, 09:00 to 17:00"),
        (
            stretch("18:00", "20:00", first_date=date(2030, 2, 1), last_date=date(2030, 1, 1)),
            "valid_to",
            "before the first",
        ),
    ],
)
def test_hours_that_cannot_be_are_refused_at_the_field(
    act: Callable[..., Any], entered: Stretch, field: str, words: str
) -> None:
    with pytest.raises(Invalid, match=words) as refusal:
        act(hours.add_weekly, weekdays=[0], stretch=entered)
    assert refusal.value.field == field
    assert Availability.objects.count() == 7


def test_hours_on_two_days_are_both_added_or_none(act: Callable[..., Any], rao: Doctor) -> None:
    factories.every_week(rao, 2, "18:00", "19:00")
    with pytest.raises(Invalid, match="Wednesday"):
        act(hours.add_weekly, weekdays=[0, 2], stretch=stretch("18:30", "20:00"))
    assert Availability.objects.filter(weekday=0).count() == 1


def test_hours_may_follow_upon_one_another(act: Callable[..., Any]) -> None:
    assert act(hours.add_weekly, weekdays=[0], stretch=stretch("17:00", "20:00"))


def test_hours_after_the_last_day_of_others_do_not_overlap_them(act: Callable[..., Any], rao: Doctor) -> None:
    rao.availability.update(last_date=date(2030, 6, 30))
    later = stretch("09:00", "12:00", first_date=date(2030, 7, 1))
    assert act(hours.add_weekly, weekdays=list(range(7)), stretch=later)


def test_hours_that_ended_long_ago_stand_in_nobodys_way(act: Callable[..., Any], rao: Doctor) -> None:
    rao.availability.update(last_date=date(2020, 6, 30))
    assert act(hours.add_weekly, weekdays=[0], stretch=stretch("09:00", "12:00"))


def test_changed_hours_are_recorded_with_what_changed(act: Callable[..., Any], rao: Doctor, hari: User) -> None:
    row = rao.availability.get(weekday=0)
    change(act, row, stretch("08:00", "17:00"))
    row.refresh_from_db()
    assert row.starts == time(8)
    logged = AuditLog.objects.about(row).get()
    assert (logged.action, logged.thing) == (Action.HOURS_CHANGED, "Monday, 08:00–17:00")
    assert logged.data == {"doctor": "Vikram Rao", "starts": ["09:00", "08:00"]}


def test_the_log_says_in_words_what_changed(act: Callable[..., Any], rao: Doctor) -> None:
    row = rao.availability.get(weekday=0)
    rao.availability.filter(weekday=1).delete()
    new = stretch("22:00", "02:00", ends_next_day=True, visit_kinds=["video"])

    def service(doctor: Doctor, **fields: Any) -> None:
        hours.change_weekly(row=row, **fields)

    act(service, weekday=1, stretch=new, decisions=UNDECIDED)
    logged = AuditLog.objects.about(row).get().data
    assert (logged["weekday"], logged["visit_kinds"], logged["ends_next_day"]) == (
        ["Monday", "Tuesday"],
        ["Every kind", "Video"],
        ["No", "Yes"],
    )


def test_hours_may_be_changed_within_themselves(act: Callable[..., Any], rao: Doctor) -> None:
    row = rao.availability.get(weekday=0)
    change(act, row, stretch("10:00", "16:00"))
    row.refresh_from_db()
    assert (row.starts, row.ends) == (time(10), time(16))


def test_hours_that_were_removed_meanwhile_are_not_changed(act: Callable[..., Any], rao: Doctor) -> None:
    row = rao.availability.get(weekday=0)
    Availability.objects.filter(pk=row.pk).delete()
    with pytest.raises(Invalid, match="Somebody else has removed"):
        change(act, row, stretch("10:00", "16:00"))


def test_removed_hours_are_recorded(act: Callable[..., Any], rao: Doctor) -> None:
    row = rao.availability.get(weekday=0)
    drop(act, row)
    assert not rao.availability.filter(weekday=0).exists()
    assert actions(row) == [Action.HOURS_REMOVED]


def test_a_new_week_leaves_what_stays_the_same_alone(act: Callable[..., Any], rao: Doctor) -> None:
    monday = rao.availability.get(weekday=0)
    week(act, [(0, stretch("09:00", "17:00")), (1, stretch("08:00", "12:00"))])
    assert [(row.weekday, f"{row.starts:%H}") for row in rao.availability.weekly()] == [(0, "09"), (1, "08")]
    assert rao.availability.get(weekday=0).pk == monday.pk
    assert actions(monday) == []


def test_a_new_week_comes_with_a_new_length_of_visits(act: Callable[..., Any], rao: Doctor) -> None:
    week(act, [(0, stretch("09:00", "17:00"))], schedule={"slot_minutes": 45})
    assert Schedule.objects.get(doctor=rao).slot_minutes == 45


def test_a_week_that_overlaps_itself_changes_nothing(act: Callable[..., Any], rao: Doctor) -> None:
    with pytest.raises(Invalid, match="Monday, 11:00 to 14:00 overlaps"):
        week(act, [(0, stretch("09:00", "12:00")), (0, stretch("11:00", "14:00"))])
    assert rao.availability.count() == 7


def test_the_night_into_monday_overlaps_mondays_hours(act: Callable[..., Any]) -> None:
    with pytest.raises(Invalid, match="overlaps"):
        week(act, [(0, stretch("05:00", "12:00")), (6, stretch("22:00", "06:00", ends_next_day=True))])


def test_a_day_is_copied_in_place_of_others(act: Callable[..., Any], rao: Doctor) -> None:
    rao.availability.filter(weekday=0).update(starts=time(8), ends=time(12))
    factories.every_week(rao, 0, "14:00", "16:00")
    act(hours.copy_day, weekday=0, to=[1, 2], decisions=UNDECIDED)
    for weekday in (1, 2):
        assert [f"{row.starts:%H:%M}" for row in rao.availability.filter(weekday=weekday).weekly()] == [
            "08:00",
            "14:00",
        ]
    assert rao.availability.filter(weekday=3).get().starts == time(9)


def test_a_day_without_hours_is_not_copied(act: Callable[..., Any], rao: Doctor) -> None:
    rao.availability.filter(weekday=0).delete()
    with pytest.raises(Invalid, match="no hours on this day"):
        act(hours.copy_day, weekday=0, to=[1], decisions=UNDECIDED)


# --- Single days -----------------------------------------------------------------------------------------------------


def test_extra_hours_can_be_booked(act: Callable[..., Any], in_cedar: Hospital, rao: Doctor) -> None:
    row = act(hours.add_extra, day=tomorrow(in_cedar), stretch=stretch("18:00", "18:40"))
    assert actions(row) == [Action.HOURS_ADDED]
    assert free_on(in_cedar, rao, tomorrow(in_cedar))[-2:] == [at(in_cedar, "18:00"), at(in_cedar, "18:20")]


def test_extra_hours_over_the_usual_ones_are_refused(act: Callable[..., Any], in_cedar: Hospital) -> None:
    with pytest.raises(Invalid, match="overlaps other hours of the doctor") as refusal:
        act(hours.add_extra, day=tomorrow(in_cedar), stretch=stretch("16:00", "18:00"))
    assert refusal.value.field == "start_time"


def test_weekly_hours_over_extra_ones_are_refused(act: Callable[..., Any], in_cedar: Hospital) -> None:
    day = tomorrow(in_cedar)
    act(hours.add_extra, day=day, stretch=stretch("18:00", "20:00"))
    with pytest.raises(Invalid, match="overlaps"):
        act(hours.add_weekly, weekdays=[day.weekday()], stretch=stretch("17:00", "19:00"))


def test_extra_hours_twice_at_one_time_are_refused(act: Callable[..., Any], in_cedar: Hospital) -> None:
    act(hours.add_extra, day=tomorrow(in_cedar), stretch=stretch("18:00", "20:00"))
    with pytest.raises(Invalid, match="overlaps"):
        act(hours.add_extra, day=tomorrow(in_cedar), stretch=stretch("19:00", "21:00"))


def test_extra_hours_during_leave_are_refused(
    act: Callable[..., Any], leave: Callable[..., Availability], in_cedar: Hospital
) -> None:
    leave()
    with pytest.raises(Invalid, match="on leave then") as refusal:
        act(hours.add_extra, day=tomorrow(in_cedar), stretch=stretch("18:00", "20:00"))
    assert refusal.value.field == "date"


def test_extra_hours_in_the_past_are_refused(act: Callable[..., Any], in_cedar: Hospital) -> None:
    with pytest.raises(Invalid, match="has passed"):
        act(hours.add_extra, day=tomorrow(in_cedar) - timedelta(days=2), stretch=stretch("18:00", "20:00"))


def test_nobody_is_booked_on_a_day_of_leave(
    leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor
) -> None:
    row = leave(days=1)
    assert actions(row) == [Action.HOURS_ADDED]
    day = tomorrow(in_cedar)
    assert [bool(free_on(in_cedar, rao, day + timedelta(days=number))) for number in range(3)] == [False, False, True]


def test_leave_for_a_part_of_the_day(leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor) -> None:
    leave(starts=time(9), ends=time(16))
    assert free_on(in_cedar, rao, tomorrow(in_cedar)) == [at(in_cedar, f"16:{minute}") for minute in ("00", "20", "40")]


@pytest.mark.parametrize(
    ("days", "fields", "field"),
    [
        (-1, {}, "to"),
        (400, {}, "to"),
        (0, {"starts": time(12), "ends": time(9)}, "to_time"),
    ],
)
def test_leave_that_cannot_be_is_refused(
    leave: Callable[..., Availability], days: int, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        leave(days=days, **fields)
    assert refusal.value.field == field


def test_leave_that_is_over_is_refused(act: Callable[..., Any], in_cedar: Hospital) -> None:
    past = tomorrow(in_cedar) - timedelta(days=2)
    with pytest.raises(Invalid, match="has passed"):
        act(hours.add_leave, first_date=past, last_date=past, decisions=UNDECIDED)
