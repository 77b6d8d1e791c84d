"""The waitlist: joining and leaving it, answering an offer, and what time does to both."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils.timezone import now

from accounts.models import User
from accounts.services import family
from appointments.models import Appointment, Status, WaitlistEntry
from appointments.services import day, waiting
from core.errors import Conflict, DomainError, Invalid, NotAllowedNow
from directory.models import TakenTime
from hospitals.models import Doctor
from notifications.models import Notification
from patients.models import Patient
from tenants.models import Hospital
from tests import factories
from tests.appointments.mail import letter
from tests.appointments.waitlist import MINUTES, Standing, cancelled, freed, now_of, offered_to, wait
from tests.factories import at, visit

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
    in_cedar: Hospital, rao: Doctor, three_waiting: list[WaitlistEntry]
) -> None:
    time = cancelled(in_cedar, rao)
    freed(time)
    waiting.withdraw(entry=three_waiting[2], by=three_waiting[2].patient.user)  # type: ignore[arg-type]
    freed(time)
    assert offered_to(*three_waiting) == [False, True, False]


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
    in_cedar: Hospital, rao: Doctor, asha: User, three_waiting: list[WaitlistEntry]
) -> None:
    WaitlistEntry.objects.filter(pk__in=[three_waiting[1].pk, three_waiting[2].pk]).delete()
    present = visit(in_cedar, rao, asha, "15:00", days=5)
    entry = wait(in_cedar, rao, asha, instead_of=present, since=now() - timedelta(days=1))
    freed(cancelled(in_cedar, rao, days=2))
    accept(in_cedar, entry)
    freed(present)
    offer = now_of(three_waiting[0]).offer
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


def test_a_round_passes_on_what_nobody_answered(
    in_cedar: Hospital, rao: Doctor, three_waiting: list[WaitlistEntry]
) -> None:
    freed(cancelled(in_cedar, rao))
    waiting.go_round(hospital=in_cedar, now=now() + 16 * MINUTES)
    assert offered_to(*three_waiting) == [False, True, False]


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
