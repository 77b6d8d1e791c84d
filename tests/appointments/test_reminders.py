"""Reminders a day and an hour before a visit, once each; and the doctor's list in the morning."""

import logging
from collections import Counter
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from accounts.models import User
from appointments.models import Appointment, Status
from appointments.services import booking, day, moving, reminders
from appointments.services.booking import Booking
from core.visits import VisitKind
from hospitals.models import BookingPolicy, Doctor, Staff
from hospitals.services import joining
from notifications.models import Notification
from patients.models import Patient
from tenants import rounds
from tenants.models import Hospital
from tests import factories
from tests.appointments.mail import letter

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
# A visit on a Tuesday, booked on the Monday a week before. Every clock in this file is given, none is read.
TUESDAY = date(2027, 6, 15)


def on(hospital: Hospital, day: date, clock: str) -> datetime:
    """An instant by the hospital's clocks."""
    return datetime.combine(day, time.fromisoformat(clock), ZoneInfo(hospital.time_zone))


def booked(
    hospital: Hospital, doctor: Doctor, user: User, starts_at: datetime, *, at: datetime, kind: str = "in_person"
) -> Appointment:
    """A visit that was booked then."""
    asked = Booking(patient=factories.patient(user))
    return booking.book(
        hospital=hospital, doctor=doctor, starts_at=starts_at, kind=VisitKind(kind), booking=asked, by=user, now=at
    )


@pytest.fixture
def tuesday(in_cedar: Hospital, rao: Doctor, asha: User) -> Appointment:
    """Asha's visit on Tuesday at ten, booked a week before."""
    starts = on(in_cedar, TUESDAY, "10:00")
    return booked(in_cedar, rao, asha, starts, at=starts - timedelta(days=7))


def written(template: str) -> int:
    return Notification.objects.filter(template=template).count()


def sent_at(hospital: Hospital, moment: datetime) -> tuple[int, int]:
    """How many reminders there are, of the day and of the hour, once the clock has come so far."""
    reminders.send_due(hospital=hospital, now=moment)
    return written("visit_reminder_day"), written("visit_reminder_hour")


# --- When ------------------------------------------------------------------------------------------------------------


def test_a_patient_is_reminded_a_day_and_an_hour_before(in_cedar: Hospital, tuesday: Appointment, asha: User) -> None:
    starts = tuesday.starts_at
    assert sent_at(in_cedar, starts - 24 * HOUR - MINUTE) == (0, 0)
    assert sent_at(in_cedar, starts - 24 * HOUR) == (1, 0)
    assert sent_at(in_cedar, starts - HOUR - MINUTE) == (1, 0)
    assert sent_at(in_cedar, starts - HOUR) == (1, 1)
    assert letter("visit_reminder_day").to_address == asha.email
    assert "Tuesday 15 June, 10:00" in letter("visit_reminder_day").text
    assert letter("visit_reminder_hour").subject == "Soon: your appointment at Cedar Hospital, Tue 15 Jun 10:00"


def test_however_often_the_clock_asks_each_is_written_once(in_cedar: Hospital, tuesday: Appointment) -> None:
    starts = tuesday.starts_at
    for minutes in range(60 * 26, -10, -7):
        reminders.send_due(hospital=in_cedar, now=starts - minutes * MINUTE)
    assert (written("visit_reminder_day"), written("visit_reminder_hour")) == (1, 1)


def test_after_an_outage_a_late_reminder_is_still_written(
    in_cedar: Hospital, tuesday: Appointment, caplog: pytest.LogCaptureFixture
) -> None:
    assert sent_at(in_cedar, tuesday.starts_at - 5 * HOUR) == (1, 0)
    assert "Reminders that are more than 10 minutes late at cedar: 1" in caplog.text


def test_after_a_long_outage_one_reminder_is_enough(in_cedar: Hospital, tuesday: Appointment) -> None:
    assert sent_at(in_cedar, tuesday.starts_at - 10 * MINUTE) == (0, 1)


def test_nobody_is_reminded_of_a_visit_that_has_begun(in_cedar: Hospital, tuesday: Appointment) -> None:
    assert sent_at(in_cedar, tuesday.starts_at) == (0, 0)


def test_who_books_later_than_a_reminder_would_come_is_spared_it(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    starts = on(in_cedar, TUESDAY, "10:00")
    booked(in_cedar, rao, asha, starts, at=starts - 3 * HOUR)
    assert sent_at(in_cedar, starts - 2 * HOUR) == (0, 0)
    assert sent_at(in_cedar, starts - HOUR) == (0, 1)


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.CHECKED_IN])
def test_only_visits_that_are_expected_are_reminded_of(
    in_cedar: Hospital, tuesday: Appointment, hari: User, status: str
) -> None:
    starts = tuesday.starts_at
    if status == Status.CANCELLED:
        day.cancel(hospital=in_cedar, visit=tuesday, by=hari, reason="", now=starts - 30 * HOUR, by_hospital=True)
    else:
        day.check_in(hospital=in_cedar, visit=tuesday, by=hari, now=starts - 2 * HOUR)
    assert sent_at(in_cedar, starts - 24 * HOUR) == (0, 0)
    assert sent_at(in_cedar, starts - HOUR) == (0, 0)


def test_a_visit_that_waits_for_the_hospital_is_not_reminded_of(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    BookingPolicy.objects.update(confirmation=BookingPolicy.Confirmation.DOCTOR)
    starts = on(in_cedar, TUESDAY, "10:00")
    booked(in_cedar, rao, asha, starts, at=starts - timedelta(days=7))
    assert sent_at(in_cedar, starts - 24 * HOUR) == (0, 0)


def test_somebody_without_an_address_does_not_keep_others_waiting(
    in_cedar: Hospital, tuesday: Appointment, caplog: pytest.LogCaptureFixture
) -> None:
    Patient.objects.update(email="", user=None)
    assert sent_at(in_cedar, tuesday.starts_at - 20 * HOUR) == (0, 0)
    assert "late" not in caplog.text


# --- Moves, and clocks that change -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "sunday"),
    [
        ("Asia/Kolkata", date(2027, 3, 28)),
        ("Europe/London", date(2027, 3, 28)),  # an hour is left out that night
        ("America/New_York", date(2027, 11, 7)),  # an hour comes twice
    ],
)
def test_after_three_moves_the_last_time_has_one_reminder_of_each(
    in_cedar: Hospital, rao: Doctor, asha: User, zone: str, sunday: date
) -> None:
    Hospital.objects.filter(pk=in_cedar.pk).update(time_zone=zone)
    in_cedar.refresh_from_db()
    thursday, friday, saturday, monday = (sunday + timedelta(days=days) for days in (-3, -2, -1, 1))
    steps = {
        on(in_cedar, friday, "12:00"): on(in_cedar, sunday, "10:00"),
        on(in_cedar, saturday, "12:00"): on(in_cedar, sunday, "15:00"),
        on(in_cedar, saturday, "18:00"): on(in_cedar, monday, "10:00"),
    }
    moment = on(in_cedar, thursday, "09:00")
    visit = booked(in_cedar, rao, asha, on(in_cedar, saturday, "10:00"), at=moment)
    while moment < on(in_cedar, monday, "10:30"):
        if moment in steps:
            visit = moving.move(
                hospital=in_cedar, visit=visit, starts_at=steps[moment], by=asha, now=moment, by_hospital=False
            )
        reminders.send_due(hospital=in_cedar, now=moment)
        moment += 30 * MINUTE
    of_the_day = Notification.objects.filter(template="visit_reminder_day").values_list("subject", flat=True)
    last = f"Reminder: Cedar Hospital, Mon {monday.day} {monday:%b} 10:00"
    assert Counter(of_the_day)[last] == 1
    assert max(Counter(of_the_day).values()) == 1
    assert written("visit_reminder_hour") == 1
    visit.refresh_from_db()
    assert visit.reminded_day_at == visit.starts_at - 24 * HOUR
    assert visit.reminded_hour_at == visit.starts_at - HOUR


def test_a_visit_that_is_moved_close_by_gets_no_reminder_on_top_of_the_news(
    in_cedar: Hospital, tuesday: Appointment, asha: User
) -> None:
    moment = tuesday.starts_at - 30 * HOUR
    new = tuesday.starts_at - 24 * HOUR
    moving.move(hospital=in_cedar, visit=tuesday, starts_at=new, by=asha, now=moment, by_hospital=False)
    assert sent_at(in_cedar, moment + MINUTE) == (0, 0)
    assert sent_at(in_cedar, new - HOUR) == (0, 1)


# --- Whether it works ------------------------------------------------------------------------------------------------


def test_the_standing_tells_what_should_have_been_sent_and_was(in_cedar: Hospital, tuesday: Appointment) -> None:
    starts = tuesday.starts_at
    assert reminders.standing(now=starts - 24 * HOUR) == reminders.Standing(expected=1, sent=0, late=0)
    assert reminders.standing(now=starts - 23 * HOUR) == reminders.Standing(expected=1, sent=0, late=1)
    reminders.send_due(hospital=in_cedar, now=starts - 23 * HOUR)
    assert reminders.standing(now=starts - 23 * HOUR) == reminders.Standing(expected=1, sent=1, late=0)


def test_trouble_at_one_hospital_keeps_no_other_waiting(
    cedar: Hospital, lotus: Hospital, caplog: pytest.LogCaptureFixture
) -> None:
    visited = []

    def work(hospital: Hospital) -> None:
        visited.append(hospital.slug)
        if hospital == cedar:
            raise RuntimeError("full disk")

    with caplog.at_level(logging.ERROR):
        rounds.everywhere(work)
    assert {"cedar", "lotus"} <= set(visited)
    assert f"A round of the clock failed at {cedar.schema_name}." in caplog.text


def test_a_hospital_that_is_closed_writes_nothing(cedar: Hospital, lotus: Hospital, usha: User) -> None:
    joining.suspend(hospital=cedar, by=usha, reason="Unpaid")
    visited: list[Hospital] = []
    rounds.everywhere(visited.append)
    assert cedar not in visited
    assert lotus in visited


def test_asking_costs_the_same_however_many_visits_there_are(
    in_cedar: Hospital, rao: Doctor, asha: User, django_assert_num_queries: object
) -> None:
    starts = on(in_cedar, TUESDAY, "09:00")
    for number in range(4):
        booked(in_cedar, rao, asha, starts + number * 20 * MINUTE, at=starts - timedelta(days=7))
    with django_assert_num_queries(4):  # type: ignore[operator]
        reminders.send_due(hospital=in_cedar, now=starts - 3 * 24 * HOUR)


# --- The morning list ------------------------------------------------------------------------------------------------


def morning(hospital: Hospital, clock: str) -> int:
    return reminders.send_morning_lists(hospital=hospital, now=on(hospital, TUESDAY, clock))


def test_a_doctor_is_written_in_the_morning_what_the_day_brings(
    in_cedar: Hospital, rao: Doctor, asha: User, tuesday: Appointment
) -> None:
    eleven = on(in_cedar, TUESDAY, "11:00")
    booked(in_cedar, rao, asha, eleven, at=eleven - timedelta(days=7), kind="video")
    assert morning(in_cedar, "06:00") == 1
    message = letter("morning_list")
    assert message.to_address == rao.user.email
    assert message.subject == "Your day at Cedar Hospital, Tue 15 Jun"
    assert "On Tuesday 15 June you have 2 appointments at Cedar Hospital:" in message.text
    assert "10:00 In person\n11:00 Video" in message.text


def test_a_doctor_is_written_once_a_day(in_cedar: Hospital, tuesday: Appointment) -> None:
    assert [morning(in_cedar, clock) for clock in ("06:00", "06:05", "09:55")] == [1, 0, 0]


@pytest.mark.parametrize("clock", ["05:59", "10:00", "23:00"])
def test_nobody_is_written_outside_the_morning(in_cedar: Hospital, tuesday: Appointment, clock: str) -> None:
    assert morning(in_cedar, clock) == 0


def test_a_doctor_without_visits_is_left_in_peace(in_cedar: Hospital, rao: Doctor) -> None:
    assert morning(in_cedar, "06:30") == 0


def test_a_doctor_who_has_left_is_written_nothing(in_cedar: Hospital, rao: Doctor, tuesday: Appointment) -> None:
    Staff.objects.filter(user=rao.user).update(is_active=False)
    assert morning(in_cedar, "06:30") == 0


def test_the_morning_is_that_of_the_hospital(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    Hospital.objects.filter(pk=in_cedar.pk).update(time_zone="America/New_York")
    in_cedar.refresh_from_db()
    starts = on(in_cedar, TUESDAY, "09:00")
    booked(in_cedar, rao, asha, starts, at=starts - timedelta(days=7))
    assert morning(in_cedar, "06:30") == 1
    assert "09:00 In person" in letter("morning_list").text
