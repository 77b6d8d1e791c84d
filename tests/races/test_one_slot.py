"""Many want the same time of a doctor at the same moment: as many as it has places for get it."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Availability, Schedule, Status
from appointments.services import booking, taking
from appointments.services.booking import Booking
from appointments.services.times import SlotTaken
from appointments.slots import EVERY_KIND, Slot
from audit import services as audit
from audit.models import Action, AuditLog
from core.errors import Conflict, DomainError
from core.schemas import schema_context
from core.visits import VisitKind
from directory.models import TakenTime
from notifications.models import Notification
from tests.factories import at, patient
from tests.races.crowd import again, booker, crowd, deadlocks, holding, live, overlapping, patients, the_doctor


def winners(answers: list[Any]) -> list[Appointment]:
    """Those who got something, each once."""
    return list({answer.pk: answer for answer in answers if isinstance(answer, Appointment)}.values())


def test_of_two_hundred_one_gets_the_time_and_the_others_read_when_the_next_one_is(committed: None) -> None:
    cedar, rao = the_doctor()
    answers = crowd(*((cedar, booker(cedar, rao, user)) for user in patients(cedar, 200)))
    [visit] = live(cedar)
    assert [won.pk for won in winners(answers)] == [visit.pk]
    refusals = [answer for answer in answers if isinstance(answer, SlotTaken)]
    assert len(refusals) == 199
    assert {refusal.next_free_at for refusal in refusals} == {at(cedar, "10:20")}
    assert {str(refusal) for refusal in refusals} == {"10:00 has just been taken. The next free time is 10:20."}
    assert TakenTime.objects.get().appointment == visit.code
    with schema_context(cedar.schema_name):
        assert AuditLog.objects.filter(entity="appointments.appointment").count() == 1
        assert Notification.objects.filter(template="visit_booked").count() == 1
    assert deadlocks() == 0


def test_of_many_who_hold_one_holds(committed: None) -> None:
    cedar, rao = the_doctor()
    answers = crowd(*((cedar, holding(cedar, rao, uuid4())) for _ in range(40)))
    assert len(winners(answers)) == len(live(cedar)) == 1
    assert sum(isinstance(answer, SlotTaken) for answer in answers) == 39


def test_holding_and_booking_at_once_leave_one(committed: None) -> None:
    cedar, rao = the_doctor()
    bookers = [(cedar, booker(cedar, rao, user)) for user in patients(cedar, 20)]
    holders = [(cedar, holding(cedar, rao, uuid4())) for _ in range(20)]
    answers = crowd(*(act for pair in zip(bookers, holders, strict=True) for act in pair))
    assert len(winners(answers)) == len(live(cedar)) == 1


def test_times_that_overlap_in_part_are_not_both_taken(committed: None) -> None:
    cedar, rao = the_doctor()
    people = patients(cedar, 48)
    starts = [at(cedar, "10:00") + timedelta(minutes=5 * (number % 12)) for number in range(48)]

    def take(user: User, begins: datetime) -> bool:
        ends = begins + timedelta(minutes=20)
        slot = Slot(begins, ends, begins - timedelta(minutes=5), ends + timedelta(minutes=5), EVERY_KIND)
        with transaction.atomic():
            visit = taking.fresh(
                doctor=again(rao), slot=slot, kind=VisitKind.IN_PERSON, status=Status.CONFIRMED, patient=patient(user)
            )
            taken = taking.take(cedar, visit, slot, now=now())
            if taken:
                audit.record(action=Action.VISIT_CONFIRMED, target=visit, by=user, new=visit.status)
        return taken

    answers = crowd(*((cedar, partial(take, *each)) for each in zip(people, starts, strict=True)))
    visits = live(cedar)
    assert answers.count(True) == len(visits) >= 2
    assert not overlapping(visits)
    assert deadlocks() == 0


def test_a_slot_for_three_takes_three_of_fifty(committed: None) -> None:
    cedar, rao = the_doctor()
    with schema_context(cedar.schema_name):
        Availability.objects.update(capacity=3)
    answers = crowd(*((cedar, booker(cedar, rao, user)) for user in patients(cedar, 50)))
    visits = live(cedar)
    assert len(winners(answers)) == 3
    assert {visit.places.lower for visit in visits} == {1, 2, 3}
    assert sum(isinstance(answer, SlotTaken) for answer in answers) == 47


def test_a_day_for_two_takes_two(committed: None) -> None:
    cedar, rao = the_doctor()
    with schema_context(cedar.schema_name):
        Schedule.objects.update(max_per_day=2)
    people = patients(cedar, 12)
    clocks = [f"{9 + number // 3:02}:{number % 3 * 20:02}" for number in range(12)]
    crowd(*((cedar, booker(cedar, rao, user, clock)) for user, clock in zip(people, clocks, strict=True)))
    assert len(live(cedar)) == 2
    assert deadlocks() == 0


@pytest.mark.parametrize("capacity", [1, 3])
def test_one_key_that_is_sent_many_times_at_once_books_once(committed: None, capacity: int) -> None:
    cedar, rao = the_doctor()
    with schema_context(cedar.schema_name):
        Availability.objects.update(capacity=capacity)
    [user] = patients(cedar, 1)
    answers = crowd(*((cedar, booker(cedar, rao, user, idempotency_key="abc")) for _ in range(12)))
    [visit] = live(cedar)
    assert [answer.pk for answer in answers] == [visit.pk] * 12


def test_a_hold_that_ran_out_goes_to_one_of_those_who_want_it_or_stays_with_its_holder(committed: None) -> None:
    cedar, rao = the_doctor()
    people = patients(cedar, 3)
    clocks = ["10:00", "11:00", "12:00", "13:00", "14:00", "15:00"]
    for clock in clocks:
        holder = uuid4()
        with schema_context(cedar.schema_name):
            hold = holding(cedar, rao, holder, clock)()
            Appointment.objects.filter(pk=hold.pk).update(held_until=now())

        def confirm(holder: Any = holder, pk: int = hold.pk) -> Appointment:
            mine = Appointment.objects.select_related("doctor__user", "doctor__schedule").get(pk=pk)
            asked = Booking(patient=patient(people[0]))
            return booking.book_held(hospital=cedar, visit=mine, holder=holder, booking=asked, by=people[0], now=now())

        others = [(cedar, booker(cedar, rao, user, clock)) for user in people[1:]]
        answers = crowd((cedar, confirm), *others)
        assert len(winners(answers)) == 1, answers
        assert sum(isinstance(answer, Conflict) for answer in answers) == 2
    assert [visit.starts_at for visit in live(cedar)] == [at(cedar, clock) for clock in clocks]
    assert deadlocks() == 0


def test_a_hold_is_booked_once_by_a_double_click(committed: None) -> None:
    cedar, rao = the_doctor()
    [user] = patients(cedar, 1)
    holder = uuid4()
    with schema_context(cedar.schema_name):
        hold = holding(cedar, rao, holder)()

    def confirm() -> Appointment:
        mine = Appointment.objects.select_related("doctor__user", "doctor__schedule").get(pk=hold.pk)
        asked = Booking(patient=patient(user))
        return booking.book_held(hospital=cedar, visit=mine, holder=holder, booking=asked, by=user, now=now())

    answers = crowd(*((cedar, confirm) for _ in range(6)))
    assert [answer.pk for answer in answers] == [hold.pk] * 6
    with schema_context(cedar.schema_name):
        assert Notification.objects.filter(template="visit_booked").count() == 1


def test_one_person_at_two_hospitals_at_once_has_one_visit(committed: None) -> None:
    cedar, rao = the_doctor()
    lotus, sen = the_doctor("lotus", "sen@lotus.example")
    [user] = patients(cedar, 1)
    with schema_context(lotus.schema_name):
        patient(user)
    for clock in ("10:00", "11:00", "12:00", "13:00", "14:00", "15:00"):
        answers = crowd((cedar, booker(cedar, rao, user, clock)), (lotus, booker(lotus, sen, user, clock)))
        [refusal] = [answer for answer in answers if isinstance(answer, DomainError)]
        assert "Asha" not in str(refusal)
        assert "another visit at that time" in str(refusal)
    assert len(live(cedar)) + len(live(lotus)) == TakenTime.objects.filter(is_live=True).count() == 6
