"""What becomes of visits that a change of hours leaves without their time."""

from collections.abc import Callable
from datetime import time, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Availability, Schedule, Status
from appointments.services import booking, day, hours
from appointments.services.displacing import Choice, Decision, Decisions, VisitsAffected
from appointments.services.hours import Stretch
from audit.models import Action
from core.errors import DomainError, NotAllowedNow
from core.visits import VisitKind
from hospitals.models import Doctor
from tenants.models import Hospital
from tests import factories
from tests.appointments.hours import (
    CANCEL,
    KEEP,
    MOVE,
    UNDECIDED,
    actions,
    change,
    drop,
    free_on,
    stretch,
    tomorrow,
    week,
)
from tests.appointments.money import pay_at_desk
from tests.factories import at, visit


def test_leave_over_a_visit_asks_what_becomes_of_it(
    leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    booked = visit(in_cedar, rao, asha)
    with pytest.raises(VisitsAffected, match="1 booked visit would be outside the hours") as refusal:
        leave()
    [lost] = refusal.value.more["affected"]
    assert (lost["id"], lost["reference"], lost["patient"]) == (str(booked.code), booked.reference, "Asha Patel")
    assert lost["next_free_at"] == at(in_cedar, "09:00", days=2).isoformat()
    assert not Availability.objects.filter(kind=Availability.Kind.LEAVE).exists()


def test_two_visits_are_not_proposed_the_same_time(
    leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    visit(in_cedar, rao, asha, "10:00")
    visit(in_cedar, rao, factories.person("b@example.com"), "10:20")
    with pytest.raises(VisitsAffected, match="2 booked visits") as refusal:
        leave()
    assert [one.next_free_at for one in refusal.value.displaced] == [
        at(in_cedar, "09:00", days=2),
        at(in_cedar, "09:20", days=2),
    ]


def test_visits_are_moved_to_the_next_free_times(
    leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    first = visit(in_cedar, rao, asha, "10:00")
    second = visit(in_cedar, rao, factories.person("b@example.com"), "10:20")
    visit(in_cedar, rao, factories.person("c@example.com"), "09:20", days=2)
    leave(MOVE)
    moved = [Appointment.objects.get(rescheduled_from=old).starts_at for old in (first, second)]
    assert moved == [at(in_cedar, "09:00", days=2), at(in_cedar, "09:40", days=2)]
    first.refresh_from_db()
    assert first.status == Status.RESCHEDULED


def test_a_visit_is_not_moved_to_where_the_patient_is_elsewhere(
    leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor, asha: User, hari: User
) -> None:
    other = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    visit(in_cedar, other, asha, "09:00", days=2)
    old = visit(in_cedar, rao, asha)
    leave(MOVE)
    assert Appointment.objects.get(rescheduled_from=old).starts_at == at(in_cedar, "09:20", days=2)


def test_a_visit_is_moved_within_the_day_where_leave_ends_early(
    leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    old = visit(in_cedar, rao, asha)
    leave(MOVE, starts=time(9), ends=time(12))
    assert Appointment.objects.get(rescheduled_from=old).starts_at == at(in_cedar, "12:00")


def test_a_day_that_is_full_is_passed_over(
    leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    Schedule.objects.update(max_per_day=2)
    people = [asha, factories.person("b@example.com")]
    old = [visit(in_cedar, rao, user, clock) for user, clock in zip(people, ("10:00", "10:20"), strict=True)]
    visit(in_cedar, rao, factories.person("c@example.com"), "12:00", days=2)
    leave(MOVE)
    moved = [Appointment.objects.get(rescheduled_from=one).starts_at for one in old]
    assert moved == [at(in_cedar, "09:00", days=2), at(in_cedar, "09:00", days=3)]


def test_a_visit_is_moved_to_a_chosen_time(
    leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    old = visit(in_cedar, rao, asha)
    to = at(in_cedar, "15:00", days=3)
    leave(Decisions(each={old.code: Choice(Decision.MOVE, to)}))
    assert Appointment.objects.get(rescheduled_from=old).starts_at == to


def test_a_chosen_time_that_is_taken_undoes_the_leave(
    leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    old = visit(in_cedar, rao, asha)
    visit(in_cedar, rao, factories.person("b@example.com"), "15:00", days=3)
    with pytest.raises(VisitsAffected, match="15:00 has just been taken") as refusal:
        leave(Decisions(each={old.code: Choice(Decision.MOVE, at(in_cedar, "15:00", days=3))}))
    assert refusal.value.more["affected"][0]["status"] == Status.CONFIRMED
    assert not Availability.objects.filter(kind=Availability.Kind.LEAVE).exists()
    assert Appointment.objects.get(pk=old.pk).status == Status.CONFIRMED


def test_a_visit_without_another_free_time_undoes_the_leave(
    leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    old = visit(in_cedar, rao, asha)
    with pytest.raises(VisitsAffected, match=f"No other time is free for the visit {old.reference}"):
        leave(MOVE, days=120)
    assert Appointment.objects.get(pk=old.pk).status == Status.CONFIRMED


def test_a_cancelled_visit_is_the_hospitals_doing(
    leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    old = pay_at_desk(in_cedar, visit(in_cedar, rao, asha), by=asha)
    leave(CANCEL)
    old.refresh_from_db()
    assert (old.status, old.cancelled_by_hospital, old.kept_fee) == (Status.CANCELLED, True, Decimal())
    assert old.payment_status == Appointment.PaymentStatus.REFUND_DUE


def test_a_visit_that_is_kept_stays_and_the_log_says_so(
    leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    old = visit(in_cedar, rao, asha)
    leave(KEEP)
    assert Appointment.objects.get(pk=old.pk).status == Status.CONFIRMED
    assert actions(old)[-1] == Action.VISIT_CHANGED


def test_a_visit_that_was_kept_is_not_asked_about_again(
    leave: Callable[..., Availability], act: Callable[..., Any], in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    visit(in_cedar, rao, asha)
    leave(KEEP)
    drop(act, rao.availability.get(weekday=tomorrow(in_cedar).weekday()))


def test_each_visit_has_its_own_decision(
    leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    clocks = ["10:00", "10:20", "10:40"]
    old = [visit(in_cedar, rao, factories.person(f"p{n}@example.com"), clock) for n, clock in enumerate(clocks)]
    what = [Decision.MOVE, Decision.CANCEL, Decision.KEEP]
    leave(Decisions(each={one.code: Choice(choice) for one, choice in zip(old, what, strict=True)}))
    for one in old:
        one.refresh_from_db()
    assert [one.status for one in old] == [Status.RESCHEDULED, Status.CANCELLED, Status.CONFIRMED]


def test_one_undecided_visit_stops_everything(
    leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    first = visit(in_cedar, rao, asha, "10:00")
    second = visit(in_cedar, rao, factories.person("b@example.com"), "10:20")
    with pytest.raises(VisitsAffected) as refusal:
        leave(Decisions(each={first.code: Choice(Decision.CANCEL)}))
    assert [one.visit for one in refusal.value.displaced] == [first, second]
    assert Appointment.objects.get(pk=first.pk).status == Status.CONFIRMED


def test_a_visit_that_has_changed_meanwhile_brings_the_list_anew(
    leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor, asha: User, hari: User
) -> None:
    first = visit(in_cedar, rao, asha, "10:00")
    second = visit(in_cedar, rao, factories.person("b@example.com"), "10:20")
    decided = Decisions(each={one.code: Choice(Decision.MOVE) for one in (first, second)})
    day.cancel(hospital=in_cedar, visit=first, by=asha, reason="", now=now(), by_hospital=False)
    with pytest.raises(VisitsAffected) as refusal:
        leave(decided)
    assert [one.visit for one in refusal.value.displaced] == [second]


def test_a_visit_booked_meanwhile_brings_the_list_anew(
    leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    first = visit(in_cedar, rao, asha, "10:00")
    decided = Decisions(each={first.code: Choice(Decision.MOVE)})
    visit(in_cedar, rao, factories.person("b@example.com"), "10:20")
    with pytest.raises(VisitsAffected, match="2 booked visits"):
        leave(decided)


def test_nothing_is_asked_when_all_those_visits_are_gone(
    leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    first = visit(in_cedar, rao, asha, "10:00")
    day.cancel(hospital=in_cedar, visit=first, by=asha, reason="", now=now(), by_hospital=False)
    assert leave(Decisions(each={first.code: Choice(Decision.MOVE)})).pk


def test_who_may_not_see_visits_changes_no_hours_under_them(
    leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    visit(in_cedar, rao, asha)
    with pytest.raises(NotAllowedNow, match="Visits are booked in this time") as refusal:
        leave(None)
    assert refusal.value.more == {}


def test_a_held_time_in_new_leave_is_given_up(
    leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor
) -> None:
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
    leave()
    hold.refresh_from_db()
    assert hold.status == Status.EXPIRED


@pytest.mark.parametrize(
    "new",
    [stretch("11:00", "17:00"), stretch("09:00", "10:10"), stretch("09:00", "17:00", visit_kinds=["video"])],
    ids=["later", "shorter", "other kinds"],
)
def test_changed_hours_ask_about_visits_that_fall_out(
    act: Callable[..., Any], in_cedar: Hospital, rao: Doctor, asha: User, new: Stretch
) -> None:
    booked = visit(in_cedar, rao, asha)
    row = rao.availability.get(weekday=tomorrow(in_cedar).weekday())
    with pytest.raises(VisitsAffected):
        change(act, row, new)
    change(act, row, new, CANCEL)
    booked.refresh_from_db()
    assert booked.status == Status.CANCELLED


def test_removed_hours_ask_about_visits_in_them(
    act: Callable[..., Any], in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    visit(in_cedar, rao, asha)
    with pytest.raises(VisitsAffected):
        drop(act, rao.availability.get(weekday=tomorrow(in_cedar).weekday()))


def test_a_new_week_asks_about_visits_that_fall_out(
    act: Callable[..., Any], in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    visit(in_cedar, rao, asha)
    with pytest.raises(VisitsAffected):
        week(act, [])
    week(act, [], CANCEL)
    assert not rao.availability.exists()


def test_hours_that_still_hold_the_visit_ask_nothing(
    act: Callable[..., Any], in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    booked = visit(in_cedar, rao, asha)
    weekday = tomorrow(in_cedar).weekday()
    week(act, [(weekday, stretch("09:30", "10:10")), (weekday, stretch("10:10", "12:00"))])
    assert Appointment.objects.get(pk=booked.pk).status == Status.CONFIRMED


def test_removed_leave_asks_nothing_and_frees_the_time(
    act: Callable[..., Any], leave: Callable[..., Availability], in_cedar: Hospital, rao: Doctor
) -> None:
    drop(act, leave())
    assert free_on(in_cedar, rao, tomorrow(in_cedar))


def test_a_visit_longer_ago_does_not_ask(act: Callable[..., Any], in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    visit(in_cedar, rao, asha)
    week(act, [], now=now() + timedelta(days=3))
    assert not rao.availability.exists()


def test_refusals_are_sentences(act: Callable[..., Any]) -> None:
    with pytest.raises(DomainError) as refusal:
        act(hours.replace_week, week=[(0, stretch("09:00", "10:00"))] * 61, decisions=UNDECIDED)
    assert (str(refusal.value), refusal.value.field) == ("A week has at most 60 stretches of hours.", "weekly")
