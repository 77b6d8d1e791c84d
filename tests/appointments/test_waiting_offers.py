"""The waitlist: who is asked when a time becomes free, and in which order."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from celery.signals import before_task_publish
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Availability, Schedule, Status, WaitlistEntry
from appointments.services import booking, day, hours, moving, waiting
from core.visits import VisitKind
from directory.models import TakenTime
from hospitals.models import Doctor
from notifications.models import Notification
from tenants.models import Hospital
from tests.appointments.mail import letter
from tests.appointments.waitlist import MINUTES, Standing, cancelled, freed, now_of, offered_to, wait
from tests.factories import at, person, visit


def test_a_freed_time_is_held_for_who_waited_longest_and_they_are_told(
    in_cedar: Hospital, rao: Doctor, three_waiting: list[WaitlistEntry]
) -> None:
    moment = now()
    freed(cancelled(in_cedar, rao), moment)
    assert offered_to(*three_waiting) == [False, False, True]
    hold = now_of(three_waiting[2]).offer
    assert hold
    assert (hold.status, hold.holder, hold.starts_at) == (Status.HELD, three_waiting[2].code, at(in_cedar, "10:00", 2))
    assert hold.held_until == moment + 15 * MINUTES
    assert letter("waitlist_offer").to_address == "w2@example.com"


def test_one_person_at_a_time_is_asked(in_cedar: Hospital, rao: Doctor, three_waiting: list[WaitlistEntry]) -> None:
    time = cancelled(in_cedar, rao)
    for _again in range(4):
        freed(time)
    assert sum(offered_to(*three_waiting)) == 1
    assert Appointment.objects.held(now()).count() == 1
    assert Notification.objects.filter(template="waitlist_offer").count() == 1


def test_two_freed_times_are_offered_to_two(
    in_cedar: Hospital, rao: Doctor, three_waiting: list[WaitlistEntry]
) -> None:
    freed(cancelled(in_cedar, rao, "10:00"))
    freed(cancelled(in_cedar, rao, "11:00"))
    assert offered_to(*three_waiting) == [False, True, True]


def test_an_offer_nobody_answers_goes_round_until_all_were_asked_once(
    in_cedar: Hospital, rao: Doctor, three_waiting: list[WaitlistEntry]
) -> None:
    time, moment, order = cancelled(in_cedar, rao), now(), []
    freed(time, moment)
    for _round in range(6):
        live = WaitlistEntry.objects.filter(status=Standing.OFFERED)
        assert live.count() <= 1
        order += [entry.patient.name.split()[0] for entry in live.select_related("patient")]
        moment += 16 * MINUTES
        holds = list(Appointment.objects.run_out(moment))
        booking.release_run_out(now=moment)
        for hold in holds:
            freed(hold, moment)
    assert order == ["W2", "W1", "W0"]
    assert {now_of(entry).status for entry in three_waiting} == {Standing.WAITING}
    assert Notification.objects.filter(template="waitlist_offer").count() == 3
    assert not Appointment.objects.live().exists()


def test_who_was_asked_before_waits_behind_who_was_not(
    in_cedar: Hospital, rao: Doctor, three_waiting: list[WaitlistEntry]
) -> None:
    first = cancelled(in_cedar, rao, "10:00")
    freed(first)
    waiting.decline(entry=three_waiting[2], by=None)
    freed(cancelled(in_cedar, rao, "12:00"))
    assert offered_to(*three_waiting) == [False, True, False]


def test_a_declined_time_goes_to_the_next(in_cedar: Hospital, rao: Doctor, three_waiting: list[WaitlistEntry]) -> None:
    time = cancelled(in_cedar, rao)
    freed(time)
    hold = now_of(three_waiting[2]).offer
    waiting.decline(entry=three_waiting[2], by=None)
    assert hold
    freed(hold)
    assert offered_to(*three_waiting) == [False, True, False]


@pytest.mark.parametrize(
    "wish",
    [{"first": 3, "last": 9}, {"first": 0, "last": 1}, {"kinds": [VisitKind.CHAT]}],
    ids=["later", "earlier", "chat"],
)
def test_only_those_are_asked_whom_the_time_suits(
    in_cedar: Hospital, rao: Doctor, asha: User, wish: dict[str, Any]
) -> None:
    today = at(in_cedar, "00:00", 0).date()
    days: dict[str, Any] = {f"{name}_date": today + timedelta(wish[name]) for name in ("first", "last") if name in wish}
    entry = wait(in_cedar, rao, asha, kinds=wish.get("kinds", []), **days)
    freed(cancelled(in_cedar, rao, days=2))
    assert offered_to(entry) == [False]


def test_the_kind_that_is_wanted_is_held(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    entry = wait(in_cedar, rao, asha, kinds=[VisitKind.VIDEO])
    freed(cancelled(in_cedar, rao))
    offer = now_of(entry).offer
    assert offer
    assert (offer.kind, offer.fee) == (VisitKind.VIDEO.value, Decimal(500))


def test_an_offer_is_only_ever_earlier_than_the_visit_one_has(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    entry = wait(in_cedar, rao, asha, instead_of=visit(in_cedar, rao, asha, "15:00", days=2))
    freed(cancelled(in_cedar, rao, "16:00", days=2))
    assert offered_to(entry) == [False]
    freed(cancelled(in_cedar, rao, "10:00", days=2))
    assert offered_to(entry) == [True]


def test_a_visit_that_was_moved_meanwhile_is_still_the_one_to_beat(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    present = visit(in_cedar, rao, asha, "15:00", days=4)
    entry = wait(in_cedar, rao, asha, instead_of=present)
    moving.move(
        hospital=in_cedar, visit=present, starts_at=at(in_cedar, "09:00", 2), by=asha, now=now(), by_hospital=False
    )
    freed(cancelled(in_cedar, rao, "10:00", days=2))
    assert offered_to(entry) == [False]


def test_the_message_names_the_visit_as_it_is_now(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    present = visit(in_cedar, rao, asha, "15:00", days=4)
    wait(in_cedar, rao, asha, instead_of=present)
    moving.move(
        hospital=in_cedar, visit=present, starts_at=at(in_cedar, "16:20", 5), by=asha, now=now(), by_hospital=False
    )
    freed(cancelled(in_cedar, rao, "10:00", days=2))
    assert ", 16:20 is given up for it." in letter("waitlist_offer").text


def test_nobody_is_offered_the_time_they_have_just_given_up(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    booked = visit(in_cedar, rao, asha, days=2)
    entry = wait(in_cedar, rao, asha)
    day.cancel(hospital=in_cedar, visit=booked, by=asha, reason="", now=now(), by_hospital=False)
    freed(booked)
    assert offered_to(entry) == [False]


def test_nobody_is_offered_a_time_at_which_they_are_elsewhere(
    in_cedar: Hospital, rao: Doctor, asha: User, lotus: Hospital
) -> None:
    entry = wait(in_cedar, rao, asha)
    starts = at(in_cedar, "10:10", 2)
    TakenTime.objects.create(
        user=asha, person=asha.code, hospital=lotus, appointment=uuid4(), period=(starts, starts + 20 * MINUTES)
    )
    freed(cancelled(in_cedar, rao, "10:00", days=2))
    assert offered_to(entry) == [False]


def test_a_time_that_begins_soon_is_not_offered(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    Schedule.objects.update(notice_minutes=0)
    entry = wait(in_cedar, rao, asha)
    time = cancelled(in_cedar, rao)
    freed(time, time.starts_at - 29 * MINUTES)
    assert offered_to(entry) == [False]
    freed(time, time.starts_at - 30 * MINUTES)
    assert offered_to(entry) == [True]


def test_an_offer_never_outlasts_the_shortest_notice(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    entry = wait(in_cedar, rao, asha)  # an hour of notice
    time = cancelled(in_cedar, rao)
    freed(time, time.starts_at - 74 * MINUTES)
    assert offered_to(entry) == [False]
    freed(time, time.starts_at - 75 * MINUTES)
    assert offered_to(entry) == [True]


def test_a_time_that_is_no_longer_in_the_doctors_hours_is_not_offered(
    in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    entry = wait(in_cedar, rao, asha)
    time = cancelled(in_cedar, rao)
    Availability.objects.all().delete()
    freed(time)
    assert offered_to(entry) == [False]


def test_a_doctor_who_takes_no_bookings_has_nothing_to_offer(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    entry = wait(in_cedar, rao, asha)
    time = cancelled(in_cedar, rao)
    Doctor.objects.update(is_available=False)
    freed(time)
    assert offered_to(entry) == [False]


def test_a_time_that_somebody_booked_meanwhile_is_not_offered(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    entry = wait(in_cedar, rao, asha)
    time = cancelled(in_cedar, rao)
    visit(in_cedar, rao, person("quick@example.com"), days=2)
    freed(time)
    assert offered_to(entry) == [False]


def test_the_times_of_extra_hours_go_to_one_who_waits_each(
    in_cedar: Hospital, rao: Doctor, three_waiting: list[WaitlistEntry]
) -> None:
    waiting.opened(doctor_id=rao.pk, since=at(in_cedar, "10:00", 2), until=at(in_cedar, "10:40", 2), now=now())
    assert offered_to(*three_waiting) == [False, True, True]
    holds = Appointment.objects.held(now()).order_by("starts_at")
    assert [hold.starts_at for hold in holds] == [at(in_cedar, clock, 2) for clock in ("10:00", "10:20")]


def test_leave_that_is_taken_back_is_told_to_who_waits(
    in_cedar: Hospital, rao: Doctor, hari: User, django_capture_on_commit_callbacks: Any
) -> None:
    sent: dict[str, dict[str, Any]] = {}

    def note(sender: str, body: Any, **_rest: Any) -> None:
        sent[sender] = body[1]

    day_off = at(in_cedar, "00:00", 2).date()
    asked: dict[str, Any] = {"by": hari, "now": now(), "decisions": None}
    leave = hours.add_leave(hospital=in_cedar, doctor=rao, first_date=day_off, last_date=day_off, **asked)
    before_task_publish.connect(note)
    with django_capture_on_commit_callbacks(execute=True):
        hours.remove(hospital=in_cedar, row=leave, **asked)
    before_task_publish.disconnect(note)
    told = sent["appointments.times_opened"]
    since, until = at(in_cedar, "00:00", 2), at(in_cedar, "00:00", 3)
    assert (told["since"], told["until"]) == (since.isoformat(), until.isoformat())
    assert told["schema"] == in_cedar.schema_name
