"""Holding a time, booking it, and what stands in the way."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Schedule, Status
from appointments.services import booking, day, listing, moving, times
from appointments.services.booking import Booking
from core.errors import Conflict, Invalid, NotAllowedNow, TooMany
from core.visits import VisitKind
from directory.models import DoctorListing, TakenTime
from hospitals.models import BookingPolicy, Doctor, Staff
from hospitals.services.doctors import publishing
from notifications.models import Notification
from patients.models import Patient
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


# --- Holding ---------------------------------------------------------------------------------------------------------


def test_somebody_holds_one_time_at_once(in_cedar: Hospital, rao: Doctor) -> None:
    me = uuid4()
    first = held(in_cedar, rao, "10:00", holder=me)
    held(in_cedar, rao, "11:00", holder=me)
    first.refresh_from_db()
    assert first.status == Status.EXPIRED
    assert visit(in_cedar, rao, factories.person("b@example.com"), "10:00").is_live


def test_who_wants_a_taken_time_keeps_what_they_held(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    me = uuid4()
    mine = held(in_cedar, rao, "10:00", holder=me)
    visit(in_cedar, rao, asha, "11:00")
    with pytest.raises(times.SlotTaken):
        held(in_cedar, rao, "11:00", holder=me)
    mine.refresh_from_db()
    assert mine.status == Status.HELD


def test_the_same_time_is_held_for_another_kind_of_visit_instead(in_cedar: Hospital, rao: Doctor) -> None:
    me = uuid4()
    held(in_cedar, rao, holder=me)
    assert held(in_cedar, rao, holder=me, kind=VisitKind.VIDEO).fee == 500
    assert Appointment.objects.live().count() == 1


def test_holding_again_what_one_holds_changes_nothing(in_cedar: Hospital, rao: Doctor) -> None:
    me = uuid4()
    assert held(in_cedar, rao, holder=me) == held(in_cedar, rao, holder=me)


def test_one_address_holds_so_many_times_of_a_hospital(in_cedar: Hospital, rao: Doctor) -> None:
    clocks = [f"{9 + number // 3:02}:{number % 3 * 20:02}" for number in range(21)]
    for clock in clocks[:20]:
        held(in_cedar, rao, clock)
    with pytest.raises(TooMany):
        held(in_cedar, rao, clocks[20])
    assert held(in_cedar, rao, clocks[20], address="192.0.2.2").is_live


def test_a_hold_is_extended_once_by_its_holder(in_cedar: Hospital, rao: Doctor) -> None:
    hold = held(in_cedar, rao)
    later = now() + timedelta(minutes=5)
    with pytest.raises(NotAllowedNow):
        booking.extend(visit=hold, holder=uuid4(), by=None, now=later)
    booking.extend(visit=hold, holder=hold.holder or uuid4(), by=None, now=later)
    assert hold.held_until == later + timedelta(minutes=10)
    with pytest.raises(NotAllowedNow):
        booking.extend(visit=hold, holder=hold.holder or uuid4(), by=None, now=later)


def test_holds_that_ran_out_are_swept(in_cedar: Hospital, rao: Doctor) -> None:
    held(in_cedar, rao, "10:00")
    held(in_cedar, rao, "11:00", now=now() + timedelta(minutes=8))
    assert booking.release_run_out(now=now() + timedelta(minutes=11)) == 1
    assert Appointment.objects.live().count() == 1


# --- From a hold to a visit ------------------------------------------------------------------------------------------


def confirmed(hospital: Hospital, hold: Appointment, user: User, **fields: Any) -> Appointment:
    """The held time booked."""
    return booking.book_held(
        hospital=hospital,
        visit=hold,
        holder=hold.holder or uuid4(),
        by=user,
        **{"booking": Booking(patient=factories.patient(user)), "now": now(), **fields},
    )


def test_a_hold_that_ran_out_is_booked_as_long_as_nobody_wanted_it(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    hold = held(in_cedar, rao)
    assert confirmed(in_cedar, hold, asha, now=now() + timedelta(hours=1)) == hold


def test_a_hold_that_was_swept_is_booked_anew_if_the_time_is_free(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    hold = held(in_cedar, rao)
    booking.release_run_out(now=now() + timedelta(minutes=11))
    booked = confirmed(in_cedar, hold, asha)
    assert booked != hold
    assert (booked.status, booked.starts_at) == (Status.CONFIRMED, hold.starts_at)


def test_a_hold_whose_time_somebody_else_has_is_over(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    hold = held(in_cedar, rao)
    booking.release_run_out(now=now() + timedelta(minutes=11))
    visit(in_cedar, rao, factories.person("b@example.com"))
    with pytest.raises(booking.HoldOver) as refusal:
        confirmed(in_cedar, hold, asha)
    assert refusal.value.next_free_at == at(in_cedar, "10:20")


def test_booking_a_hold_twice_answers_the_same_visit(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    hold = held(in_cedar, rao)
    assert confirmed(in_cedar, hold, asha) == confirmed(in_cedar, hold, asha) == hold
    assert Notification.objects.filter(template="visit_booked").count() == 1


def test_nobody_books_what_somebody_else_holds(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    hold = held(in_cedar, rao)
    asked = Booking(patient=factories.patient(asha))
    with pytest.raises(booking.HoldOver):
        booking.book_held(hospital=in_cedar, visit=hold, holder=uuid4(), booking=asked, by=asha, now=now())


def test_a_hold_ends_with_the_doctors_hours(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    hold = held(in_cedar, rao)
    rao.availability.all().delete()
    with pytest.raises(Invalid, match="cannot be booked at this time"):
        confirmed(in_cedar, hold, asha)


# --- What stands in the way ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["is_available", "deactivated"])
def test_a_doctor_who_takes_no_bookings_is_neither_held_nor_booked(
    in_cedar: Hospital, rao: Doctor, asha: User, change: str
) -> None:
    hold = held(in_cedar, rao)
    if change == "is_available":
        Doctor.objects.update(is_available=False)
    else:
        Staff.objects.filter(user=rao.user).update(is_active=False)
    with pytest.raises(Invalid, match="takes no bookings at present"):
        held(in_cedar, rao, "11:00")
    with pytest.raises(Invalid, match="takes no bookings at present"):
        visit(in_cedar, rao, asha, "11:00")
    with pytest.raises(Invalid, match="takes no bookings at present"):
        confirmed(in_cedar, hold, asha)


def test_a_time_that_has_passed_is_not_booked_at_the_desk_either(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    asked = Booking(patient=factories.patient(asha), source=Appointment.Source.DESK)
    with pytest.raises(Invalid):
        booking.book(
            hospital=in_cedar,
            doctor=rao,
            starts_at=at(in_cedar, "10:00", days=-1),
            kind=IN_PERSON,
            booking=asked,
            by=asha,
            now=now(),
            any_notice=True,
        )


def test_a_full_day_is_closed_and_a_move_within_it_is_not(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    Schedule.objects.update(max_per_day=1)
    rao.schedule.refresh_from_db()
    mine = visit(in_cedar, rao, asha)
    with pytest.raises(times.SlotTaken):
        visit(in_cedar, rao, factories.person("b@example.com"), "11:00")
    moved = moving.move(
        hospital=in_cedar, visit=mine, starts_at=at(in_cedar, "12:00"), by=asha, now=now(), by_hospital=False
    )
    assert moved.status == Status.CONFIRMED


def test_a_patient_without_an_account_has_one_visit_at_a_time_here(
    in_cedar: Hospital, rao: Doctor, hari: User, asha: User
) -> None:
    sen = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    nobody = Patient.objects.create(number="P000099", name="Ravi")
    asked = Booking(patient=nobody, source=Appointment.Source.DESK)
    desk: dict[str, Any] = {
        "hospital": in_cedar,
        "starts_at": at(in_cedar, "10:00"),
        "kind": IN_PERSON,
        "booking": asked,
    }
    booking.book(**desk, doctor=rao, by=hari, now=now(), any_notice=True)
    with pytest.raises(Conflict, match="Ravi has another visit at that time"):
        booking.book(**desk, doctor=sen, by=hari, now=now(), any_notice=True)


def test_a_taken_time_leaves_the_search_at_once(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    publishing.publish(hospital=in_cedar, doctor=rao)
    listing.refresh_times(doctor_id=rao.pk, now=now())
    first = DoctorListing.objects.get().next_free_at
    assert first
    visit(in_cedar, rao, asha, f"{first.astimezone(times.zone_of(in_cedar)):%H:%M}", days=_days_until(in_cedar, first))
    following = DoctorListing.objects.get().next_free_at
    assert following
    assert following > first


def _days_until(hospital: Hospital, moment: datetime) -> int:
    zone = times.zone_of(hospital)
    return (moment.astimezone(zone).date() - now().astimezone(zone).date()).days


# --- How a visit is confirmed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("confirmation", "source", "fee", "status"),
    [
        ("automatic", "web", 700, "confirmed"),
        ("doctor", "web", 700, "pending"),
        ("doctor", "desk", 700, "confirmed"),
        ("payment", "web", 700, "pending"),
        ("payment", "web", 0, "confirmed"),
    ],
)
def test_the_hospital_says_how_visits_are_confirmed(
    in_cedar: Hospital, rao: Doctor, asha: User, confirmation: str, source: str, fee: int, status: str
) -> None:
    BookingPolicy.objects.update(confirmation=confirmation)
    rao.fee_in_person = Decimal(fee)
    assert visit(in_cedar, rao, asha, source=Appointment.Source(source)).status == status


def test_who_often_does_not_come_waits_to_be_confirmed(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    BookingPolicy.objects.update(no_show_limit=1)
    missed = visit(in_cedar, rao, asha)
    day.miss(hospital=in_cedar, visit=missed, by=rao.user, now=missed.ends_at)
    assert visit(in_cedar, rao, asha, "11:00").status == Status.PENDING


def test_a_visit_keeps_the_rules_it_was_booked_under(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    BookingPolicy.objects.update(free_cancellation_hours=48, late_cancellation_percent=30, no_show_percent=100)
    booked = visit(in_cedar, rao, asha)
    BookingPolicy.objects.update(late_cancellation_percent=0)
    assert booked.free_cancellation_until == booked.starts_at - timedelta(hours=48)
    assert day.late_fee(booked, now()) == 210
