"""The tasks of the clock, as beat sends them: from the public schema, into every hospital."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.utils.timezone import now

from accounts.models import User
from appointments import tasks
from appointments.models import Appointment, Status, WaitlistEntry
from appointments.services import booking, day, waiting
from appointments.services.waiting import Wish
from core import schemas
from core.schemas import schema_context
from core.visits import VisitKind
from hospitals.models import Doctor
from notifications.models import Notification
from tenants.models import Hospital
from tests.factories import at, person, visit


@pytest.fixture
def entry(in_cedar: Hospital, rao: Doctor, asha: User) -> WaitlistEntry:
    """Asha waits for Dr Rao."""
    today = at(in_cedar, "00:00", 0).date()
    wish = Wish(today, today + timedelta(days=9), [])
    return waiting.join(hospital=in_cedar, doctor=rao, member=None, wish=wish, by=asha, now=now())


def given_up(hospital: Hospital, doctor: Doctor) -> Appointment:
    """A visit of the day after tomorrow that was cancelled."""
    booked = visit(hospital, doctor, person("b@example.com"), "10:00", 2)
    day.cancel(hospital=hospital, visit=booked, by=None, reason="", now=now(), by_hospital=True)
    return booked


def test_holds_that_ran_out_are_given_up(in_cedar: Hospital, rao: Doctor) -> None:
    hold = booking.hold(
        hospital=in_cedar,
        doctor=rao,
        starts_at=at(in_cedar, "10:00"),
        kind=VisitKind.IN_PERSON,
        holder=uuid4(),
        by=None,
        now=now(),
        address="192.0.2.1",
    )
    schemas.enter_public()
    tasks.release_holds(schema="public")
    with schema_context(in_cedar.schema_name):
        hold.refresh_from_db()
        assert hold.status == Status.HELD
    with time_machine.travel(now() + timedelta(minutes=10)):
        tasks.release_holds(schema="public")
    with schema_context(in_cedar.schema_name):
        hold.refresh_from_db()
        assert hold.status == Status.EXPIRED


def test_reminders_are_written_into_the_hospitals_outbox(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    booked = visit(in_cedar, rao, asha, days=3)
    schemas.enter_public()
    with time_machine.travel(booked.starts_at - timedelta(hours=24)):
        tasks.remind(schema="public")
    assert not Notification.objects.filter(template="visit_reminder_day").exists()
    with schema_context(in_cedar.schema_name):
        assert Notification.objects.filter(template="visit_reminder_day").count() == 1


def test_doctors_are_written_to_in_the_morning(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    visit(in_cedar, rao, asha, days=3)
    schemas.enter_public()
    with time_machine.travel(at(in_cedar, "06:10", 3)):
        tasks.morning_lists(schema="public")
    with schema_context(in_cedar.schema_name):
        assert Notification.objects.filter(template="morning_list").count() == 1


def test_a_time_that_is_free_again_is_offered(in_cedar: Hospital, rao: Doctor, entry: WaitlistEntry) -> None:
    time = given_up(in_cedar, rao)
    schemas.enter_public()
    tasks.time_freed(schema=in_cedar.schema_name, appointment_id=time.pk)
    with schema_context(in_cedar.schema_name):
        entry.refresh_from_db()
        assert entry.status == WaitlistEntry.Status.OFFERED


def test_new_hours_are_offered(in_cedar: Hospital, rao: Doctor, entry: WaitlistEntry) -> None:
    since, until = (at(in_cedar, clock, 2).isoformat() for clock in ("10:00", "12:00"))
    schemas.enter_public()
    tasks.times_opened(schema=in_cedar.schema_name, doctor_id=rao.pk, since=since, until=until)
    with schema_context(in_cedar.schema_name):
        entry.refresh_from_db()
        assert entry.status == WaitlistEntry.Status.OFFERED


def test_an_offer_that_nobody_answers_is_passed_on(in_cedar: Hospital, rao: Doctor, entry: WaitlistEntry) -> None:
    given_up(in_cedar, rao)
    schemas.enter_public()
    tasks.waitlists(schema="public")  # offers what a lost message should have
    with schema_context(in_cedar.schema_name):
        entry.refresh_from_db()
        assert entry.status == WaitlistEntry.Status.OFFERED
    with time_machine.travel(now() + timedelta(minutes=15)):
        tasks.waitlists(schema="public")
    with schema_context(in_cedar.schema_name):
        entry.refresh_from_db()
        assert entry.status == WaitlistEntry.Status.WAITING
        assert not Appointment.objects.live().exists()
