"""Holding a time, booking it, and what stands in the way."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Status
from appointments.services import booking, day, moving, times
from appointments.services.booking import Booking
from core.errors import Conflict, Invalid
from core.visits import VisitKind
from directory.models import TakenTime
from hospitals.models import Doctor
from notifications.models import Notification
from tenants.models import Hospital
from tests import factories
from tests.factories import at, visit

IN_PERSON = VisitKind.IN_PERSON


def held(hospital: Hospital, doctor: Doctor, clock: str = "10:00", **fields: object) -> Appointment:
    asked = {"holder": uuid4(), "by": None, "now": now(), "address": "192.0.2.1", "kind": IN_PERSON, **fields}
    return booking.hold(hospital=hospital, doctor=doctor, starts_at=at(hospital, clock), **asked)  # type: ignore[arg-type]


def test_a_visitor_holds_a_time_for_ten_minutes(in_cedar: Hospital, rao: Doctor) -> None:
    moment = now()
    hold = held(in_cedar, rao, now=moment)
    assert hold.status == Status.HELD
    assert hold.held_until == moment + timedelta(minutes=10)


def test_a_time_that_is_held_is_not_held_twice(in_cedar: Hospital, rao: Doctor) -> None:
    held(in_cedar, rao)
    with pytest.raises(times.SlotTaken, match="10:00 has just been taken. The next free time is") as refusal:
        held(in_cedar, rao)
    assert refusal.value.next_free_at is not None


def test_a_hold_that_ran_out_gives_way_to_the_next(in_cedar: Hospital, rao: Doctor) -> None:
    first = held(in_cedar, rao)
    later = held(in_cedar, rao, now=now() + timedelta(minutes=11))
    first.refresh_from_db()
    assert (first.status, later.status) == (Status.EXPIRED, Status.HELD)


def test_a_held_time_becomes_a_visit(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    hold = held(in_cedar, rao)
    assert hold.holder
    booked = booking.book_held(
        hospital=in_cedar,
        visit=hold,
        holder=hold.holder,
        booking=Booking(patient=factories.patient(asha), reason="Chest"),
        by=asha,
        now=now(),
    )
    booked.refresh_from_db()
    assert booked.status == Status.CONFIRMED
    assert booked.patient
    assert booked.patient.user == asha
    assert TakenTime.objects.get(appointment=booked.code).is_live
    assert Notification.objects.filter(template="visit_booked", to_address=asha.email).exists()


def test_nobody_books_at_a_time_outside_the_hours(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    with pytest.raises(Invalid, match="cannot be booked at this time"):
        visit(in_cedar, rao, asha, "08:00")


def test_a_person_has_one_visit_at_a_time(in_cedar: Hospital, rao: Doctor, asha: User, hari: User) -> None:
    other = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    visit(in_cedar, rao, asha, "10:00")
    with pytest.raises(Conflict, match="another visit at that time: Cedar Hospital at 10:00"):
        visit(in_cedar, other, asha, "10:00")
    assert Appointment.objects.booked().count() == 1


def test_a_visit_is_moved_and_its_old_time_is_free(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    old = visit(in_cedar, rao, asha, "10:00")
    new = moving.move(
        hospital=in_cedar, visit=old, starts_at=at(in_cedar, "11:00"), by=asha, now=now(), by_hospital=False
    )
    old.refresh_from_db()
    assert (old.status, new.status) == (Status.RESCHEDULED, Status.CONFIRMED)
    assert new.rescheduled_from == old
    assert visit(in_cedar, rao, factories.person("b@example.com"), "10:00").status == Status.CONFIRMED


def test_a_move_to_a_taken_time_changes_nothing(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    visit(in_cedar, rao, factories.person("b@example.com"), "11:00")
    old = visit(in_cedar, rao, asha, "10:00")
    with pytest.raises(times.SlotTaken):
        moving.move(
            hospital=in_cedar, visit=old, starts_at=at(in_cedar, "11:00"), by=asha, now=now(), by_hospital=False
        )
    old.refresh_from_db()
    assert old.status == Status.CONFIRMED


def test_three_share_a_slot_and_a_fourth_does_not(in_cedar: Hospital, rao: Doctor) -> None:
    rao.availability.update(capacity=3)
    for number in range(3):
        visit(in_cedar, rao, factories.person(f"p{number}@example.com"), "10:00")
    with pytest.raises(times.SlotTaken):
        visit(in_cedar, rao, factories.person("p3@example.com"), "10:00")


def test_a_key_that_is_sent_twice_books_once(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    first = visit(in_cedar, rao, asha, idempotency_key="abc")
    assert visit(in_cedar, rao, asha, idempotency_key="abc") == first
    assert Appointment.objects.count() == 1


def test_tokens_follow_one_another(in_cedar: Hospital, rao: Doctor, asha: User, hari: User) -> None:
    walked = [
        booking.walk_in(
            hospital=in_cedar, doctor=rao, patient=factories.patient(asha), reason="", by=hari, now=now()
        ).token
        for _ in range(3)
    ]
    assert walked == [1, 2, 3]


def test_a_cancelled_visit_gives_its_time_back(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    booked = visit(in_cedar, rao, asha)
    day.cancel(hospital=in_cedar, visit=booked, by=asha, reason="", now=now(), by_hospital=False)
    assert not TakenTime.objects.get(appointment=booked.code).is_live
    assert visit(in_cedar, rao, asha).status == Status.CONFIRMED
