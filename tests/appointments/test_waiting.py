"""The waitlist: who is asked when a time becomes free, in which order, and what comes of it."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from celery.signals import before_task_publish
from django.utils.timezone import now

from accounts.models import User
from accounts.services import family
from appointments.models import Appointment, Availability, Schedule, Status, WaitlistEntry
from appointments.services import booking, day, hours, moving, waiting
from appointments.services.waiting import Wish
from core.errors import Conflict, DomainError, Invalid, NotAllowedNow
from core.visits import VisitKind
from directory.models import TakenTime
from hospitals.models import Doctor
from notifications.models import Notification
from patients.models import Patient
from tenants.models import Hospital
from tests import factories
from tests.appointments.mail import letter
from tests.factories import at, person, visit

Standing = WaitlistEntry.Status
MINUTES = timedelta(minutes=1)


def wait(
    hospital: Hospital, doctor: Doctor, user: User, *, since: datetime | None = None, **fields: Any
) -> WaitlistEntry:
    """`user` waits for the doctor in the next ten days."""
    first = at(hospital, "00:00", 0).date()
    days = {"first_date": first, "last_date": first + timedelta(days=10), "kinds": []}
    wish = Wish(**{**days, **{name: value for name, value in fields.items() if name != "member"}})
    return waiting.join(
        hospital=hospital, doctor=doctor, member=fields.get("member"), wish=wish, by=user, now=since or now()
    )


def cancelled(hospital: Hospital, doctor: Doctor, clock: str = "10:00", days: int = 2) -> Appointment:
    """The time of somebody who has just cancelled."""
    booked = visit(hospital, doctor, person(f"{uuid4()}@example.com"), clock, days)
    day.cancel(hospital=hospital, visit=booked, by=None, reason="", now=now(), by_hospital=True)
    return booked


def freed(visit: Appointment, moment: datetime | None = None) -> None:
    """What the task does when a time is free again."""
    waiting.freed(appointment_id=visit.pk, now=moment or now())


def now_of(entry: WaitlistEntry) -> WaitlistEntry:
    return WaitlistEntry.objects.select_related("offer", "patient__user").get(pk=entry.pk)


def offered_to(*entries: WaitlistEntry) -> list[bool]:
    return [now_of(entry).status == Standing.OFFERED for entry in entries]


@pytest.fixture
def three(in_cedar: Hospital, rao: Doctor) -> list[WaitlistEntry]:
    """Three who wait for Dr Rao, since an hour, two hours and three hours."""
    people = [person(f"w{number}@example.com", f"W{number}") for number in range(3)]
    return [wait(in_cedar, rao, one, since=now() - timedelta(hours=number + 1)) for number, one in enumerate(people)]


# --- Joining and leaving ---------------------------------------------------------------------------------------------


def test_somebody_waits_for_themselves_or_their_family(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    born = now().date() - timedelta(days=900)
    child = family.add(user=asha, name="Isha", birth_date=born, sex="female", relation="child", by=asha)
    wait(in_cedar, rao, asha)
    entry = wait(in_cedar, rao, asha, member=child)
    assert entry.patient.name == "Isha"
    assert WaitlistEntry.objects.of(asha).count() == 2


def test_nobody_waits_twice_for_one_doctor(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    wait(in_cedar, rao, asha)
    with pytest.raises(Conflict, match="Asha Patel is on this doctor’s waitlist already."):
        wait(in_cedar, rao, asha)


@pytest.mark.parametrize(
    ("first", "last", "field"), [(-1, 3, "first_date"), (3, 2, "last_date"), (0, 181, "last_date")]
)
def test_days_that_make_no_sense_are_refused_at_their_field(
    in_cedar: Hospital, rao: Doctor, asha: User, first: int, last: int, field: str
) -> None:
    today = at(in_cedar, "00:00", 0).date()
    with pytest.raises(Invalid) as refusal:
        wait(in_cedar, rao, asha, first_date=today + timedelta(first), last_date=today + timedelta(last))
    assert refusal.value.field == field


def test_a_visit_with_another_doctor_is_not_exchanged(in_cedar: Hospital, rao: Doctor, asha: User, hari: User) -> None:
    sen = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    with pytest.raises(Invalid, match="cannot be exchanged"):
        wait(in_cedar, rao, asha, instead_of=visit(in_cedar, sen, asha))


def test_a_patient_whom_the_hospital_has_blocked_cannot_wait(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    wait(in_cedar, rao, asha)
    WaitlistEntry.objects.update(status=Standing.WAITING)
    Patient.objects.update(is_blocked=True)
    with pytest.raises(DomainError, match="cannot book online"):
        wait(in_cedar, rao, asha)


def test_who_leaves_is_not_asked(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    entry = wait(in_cedar, rao, asha)
    waiting.withdraw(entry=entry, by=asha)
    freed(cancelled(in_cedar, rao))
    assert now_of(entry).status == Standing.WITHDRAWN
    assert not Notification.objects.filter(template="waitlist_offer").exists()


def test_who_leaves_with_an_offer_lets_the_next_one_have_it(
    in_cedar: Hospital, rao: Doctor, three: list[WaitlistEntry]
) -> None:
    time = cancelled(in_cedar, rao)
    freed(time)
    waiting.withdraw(entry=three[2], by=three[2].patient.user)  # type: ignore[arg-type]
    freed(time)
    assert offered_to(*three) == [False, True, False]


# --- Who is asked ----------------------------------------------------------------------------------------------------


def test_a_freed_time_is_held_for_who_waited_longest_and_they_are_told(
    in_cedar: Hospital, rao: Doctor, three: list[WaitlistEntry]
) -> None:
    moment = now()
    freed(cancelled(in_cedar, rao), moment)
    assert offered_to(*three) == [False, False, True]
    hold = now_of(three[2]).offer
    assert hold
    assert (hold.status, hold.holder, hold.starts_at) == (Status.HELD, three[2].code, at(in_cedar, "10:00", 2))
    assert hold.held_until == moment + 15 * MINUTES
    assert letter("waitlist_offer").to_address == "w2@example.com"


def test_one_person_at_a_time_is_asked(in_cedar: Hospital, rao: Doctor, three: list[WaitlistEntry]) -> None:
    time = cancelled(in_cedar, rao)
    for _again in range(4):
        freed(time)
    assert sum(offered_to(*three)) == 1
    assert Appointment.objects.held(now()).count() == 1
    assert Notification.objects.filter(template="waitlist_offer").count() == 1


def test_two_freed_times_are_offered_to_two(in_cedar: Hospital, rao: Doctor, three: list[WaitlistEntry]) -> None:
    freed(cancelled(in_cedar, rao, "10:00"))
    freed(cancelled(in_cedar, rao, "11:00"))
    assert offered_to(*three) == [False, True, True]


def test_an_offer_nobody_answers_goes_round_until_all_were_asked_once(
    in_cedar: Hospital, rao: Doctor, three: list[WaitlistEntry]
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
    assert {now_of(entry).status for entry in three} == {Standing.WAITING}
    assert Notification.objects.filter(template="waitlist_offer").count() == 3
    assert not Appointment.objects.live().exists()


def test_who_was_asked_before_waits_behind_who_was_not(
    in_cedar: Hospital, rao: Doctor, three: list[WaitlistEntry]
) -> None:
    first = cancelled(in_cedar, rao, "10:00")
    freed(first)
    waiting.decline(entry=three[2], by=None)
    freed(cancelled(in_cedar, rao, "12:00"))
    assert offered_to(*three) == [False, True, False]


def test_a_declined_time_goes_to_the_next(in_cedar: Hospital, rao: Doctor, three: list[WaitlistEntry]) -> None:
    time = cancelled(in_cedar, rao)
    freed(time)
    hold = now_of(three[2]).offer
    waiting.decline(entry=three[2], by=None)
    assert hold
    freed(hold)
    assert offered_to(*three) == [False, True, False]


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
    in_cedar: Hospital, rao: Doctor, three: list[WaitlistEntry]
) -> None:
    waiting.opened(doctor_id=rao.pk, since=at(in_cedar, "10:00", 2), until=at(in_cedar, "10:40", 2), now=now())
    assert offered_to(*three) == [False, True, True]
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


# --- Answering -------------------------------------------------------------------------------------------------------


def accept(hospital: Hospital, entry: WaitlistEntry, moment: datetime | None = None) -> Appointment:
    return waiting.accept(hospital=hospital, entry=entry, by=None, now=moment or now())


def test_who_accepts_has_the_time(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    entry = wait(in_cedar, rao, asha)
    freed(cancelled(in_cedar, rao))
    booked = accept(in_cedar, entry)
    assert (booked.status, booked.patient, booked.starts_at) == (
        Status.CONFIRMED,
        entry.patient,
        at(in_cedar, "10:00", 2),
    )
    assert (now_of(entry).status, now_of(entry).offer) == (Standing.BOOKED, booked)
    assert Notification.objects.filter(template="visit_booked", to_address=asha.email).exists()


def test_accepting_twice_books_once(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    entry = wait(in_cedar, rao, asha)
    freed(cancelled(in_cedar, rao))
    assert accept(in_cedar, entry) == accept(in_cedar, entry)
    assert Appointment.objects.live().count() == 1


def test_who_accepts_an_earlier_time_gives_the_later_one_up(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    present = visit(in_cedar, rao, asha, "15:00", days=5)
    entry = wait(in_cedar, rao, asha, instead_of=present)
    freed(cancelled(in_cedar, rao, days=2))
    booked = accept(in_cedar, entry)
    present.refresh_from_db()
    assert (present.status, booked.rescheduled_from) == (Status.RESCHEDULED, present)
    assert [one.pk for one in Appointment.objects.live()] == [booked.pk]
    assert letter("visit_moved").to_address == asha.email


def test_the_time_given_up_for_an_earlier_one_is_offered_in_turn(
    in_cedar: Hospital, rao: Doctor, asha: User, three: list[WaitlistEntry]
) -> None:
    WaitlistEntry.objects.filter(pk__in=[three[1].pk, three[2].pk]).delete()
    present = visit(in_cedar, rao, asha, "15:00", days=5)
    entry = wait(in_cedar, rao, asha, instead_of=present, since=now() - timedelta(days=1))
    freed(cancelled(in_cedar, rao, days=2))
    accept(in_cedar, entry)
    freed(present)
    offer = now_of(three[0]).offer
    assert offer
    assert offer.starts_at == at(in_cedar, "15:00", 5)


def test_an_answer_that_comes_too_late_leaves_one_on_the_waitlist(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    entry = wait(in_cedar, rao, asha)
    freed(cancelled(in_cedar, rao))
    with pytest.raises(NotAllowedNow, match="You are still on the waitlist."):
        accept(in_cedar, entry, now() + 15 * MINUTES)
    assert not Appointment.objects.booked().live().exists()


def test_who_has_got_another_visit_then_is_refused_and_keeps_the_offer(
    in_cedar: Hospital, rao: Doctor, asha: User, lotus: Hospital
) -> None:
    entry = wait(in_cedar, rao, asha)
    freed(cancelled(in_cedar, rao))
    starts = at(in_cedar, "10:00", 2)
    TakenTime.objects.create(
        user=asha, person=asha.code, hospital=lotus, appointment=uuid4(), period=(starts, starts + 20 * MINUTES)
    )
    with pytest.raises(Conflict, match="another visit at that time: Lotus Clinic"):
        accept(in_cedar, entry)
    assert offered_to(entry) == [True]


def test_declining_twice_changes_nothing(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    entry = wait(in_cedar, rao, asha)
    freed(cancelled(in_cedar, rao))
    waiting.decline(entry=entry, by=asha)
    waiting.decline(entry=entry, by=asha)
    assert now_of(entry).status == Standing.WAITING
    assert not Appointment.objects.live().exists()


# --- The clock -------------------------------------------------------------------------------------------------------


def test_a_round_passes_on_what_nobody_answered(in_cedar: Hospital, rao: Doctor, three: list[WaitlistEntry]) -> None:
    freed(cancelled(in_cedar, rao))
    waiting.go_round(hospital=in_cedar, now=now() + 16 * MINUTES)
    assert offered_to(*three) == [False, True, False]


def test_a_round_offers_what_a_lost_task_should_have(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    entry = wait(in_cedar, rao, asha)
    cancelled(in_cedar, rao)
    waiting.go_round(hospital=in_cedar, now=now())
    waiting.go_round(hospital=in_cedar, now=now())
    assert offered_to(entry) == [True]
    assert Appointment.objects.held(now()).count() == 1


def test_a_wish_whose_days_are_over_lapses(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    entry = wait(in_cedar, rao, asha)
    waiting.go_round(hospital=in_cedar, now=now() + timedelta(days=10))
    assert now_of(entry).status == Standing.WAITING
    waiting.go_round(hospital=in_cedar, now=now() + timedelta(days=11))
    assert now_of(entry).status == Standing.LAPSED


def test_a_wish_lapses_with_the_visit_it_would_replace(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    present = visit(in_cedar, rao, asha, "15:00", days=5)
    entry = wait(in_cedar, rao, asha, instead_of=present)
    day.cancel(hospital=in_cedar, visit=present, by=asha, reason="", now=now(), by_hospital=False)
    waiting.go_round(hospital=in_cedar, now=now())
    assert now_of(entry).status == Standing.LAPSED


def test_a_round_without_anybody_waiting_asks_little(
    in_cedar: Hospital, rao: Doctor, django_assert_max_num_queries: Any
) -> None:
    cancelled(in_cedar, rao)
    with django_assert_max_num_queries(4):
        waiting.go_round(hospital=in_cedar, now=now())
