"""The order of the queue, a place in it, and how long it takes."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment
from appointments.services import booking, day, queue
from hospitals.models import Doctor
from tenants.models import Hospital
from tests import factories
from tests.appointments.today import arrived, booked, called, person
from tests.factories import at


def order(hospital: Hospital) -> list[str]:
    [line] = queue.lines(hospital=hospital, now=now())
    return [visit.patient.name.split()[0] for visit in line.waiting if visit.patient]


def comes(visit: Appointment, clock: str, hospital: Hospital) -> None:
    Appointment.objects.filter(pk=visit.pk).update(checked_in_at=at(hospital, clock, days=0))


def test_who_is_booked_earlier_is_called_earlier_whoever_came_first(in_cedar: Hospital, rao: Doctor) -> None:
    late = arrived(in_cedar, rao, person("Bela"), "11:00")
    early = arrived(in_cedar, rao, person("Asha"), "10:00")
    comes(late, "09:00", in_cedar)
    comes(early, "09:50", in_cedar)
    assert order(in_cedar) == ["Asha", "Bela"]


def test_who_comes_late_is_not_called_before_those_who_came_in_time(in_cedar: Hospital, rao: Doctor) -> None:
    late = arrived(in_cedar, rao, person("Asha"), "10:00")
    in_time = arrived(in_cedar, rao, person("Bela"), "10:20")
    comes(late, "10:30", in_cedar)
    comes(in_time, "10:10", in_cedar)
    assert order(in_cedar) == ["Bela", "Asha"]


def test_who_walks_in_waits_between_the_booked(in_cedar: Hospital, rao: Doctor, hari: User) -> None:
    for name, clock, came in (("Asha", "10:00", "09:50"), ("Bela", "10:40", "10:05")):
        comes(arrived(in_cedar, rao, person(name), clock), came, in_cedar)
    patient = factories.patient(person("Chand"))
    booking.walk_in(
        hospital=in_cedar, doctor=rao, patient=patient, reason="", by=hari, now=at(in_cedar, "10:10", days=0)
    )
    assert order(in_cedar) == ["Asha", "Chand", "Bela"]


def test_a_place_counts_those_who_are_called_before(in_cedar: Hospital, rao: Doctor) -> None:
    arrived(in_cedar, rao, person("Asha"), "09:00")
    mine = arrived(in_cedar, rao, person("Bela"), "09:20")
    arrived(in_cedar, rao, person("Chand"), "09:40")
    place = queue.place_of(mine, now=at(in_cedar, "16:00", days=0))
    assert place
    assert (place.before, place.minutes) == (1, 20)


def test_nobody_is_told_to_wait_less_than_until_their_time(in_cedar: Hospital, rao: Doctor) -> None:
    mine = arrived(in_cedar, rao, person("Asha"), "11:00")
    place = queue.place_of(mine, now=at(in_cedar, "10:15", days=0))
    assert place
    assert (place.before, place.minutes) == (0, 45)


def test_who_has_not_arrived_has_no_place(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    assert queue.place_of(booked(in_cedar, rao, asha), now=now()) is None


def test_the_visit_that_goes_on_counts_with_what_is_left_of_it(in_cedar: Hospital, rao: Doctor) -> None:
    inside = called(in_cedar, rao, person("Asha"), "09:00")
    mine = arrived(in_cedar, rao, person("Bela"), "09:20")
    moment = at(in_cedar, "16:00", days=0)
    Appointment.objects.filter(pk=inside.pk).update(called_at=moment - timedelta(minutes=5))
    place = queue.place_of(mine, now=moment)
    assert place
    assert (place.before, place.minutes) == (0, 15)


def test_a_place_asks_two_queries(in_cedar: Hospital, rao: Doctor, django_assert_num_queries: Any) -> None:
    for number in range(4):
        arrived(in_cedar, rao, person("Asha"), f"{9 + number}:00".zfill(5))
    mine = arrived(in_cedar, rao, person("Bela"), "16:00")
    assert Appointment.objects.exists()  # back in the schema
    with django_assert_num_queries(2):
        queue.place_of(mine, now=now())


@pytest.mark.parametrize(("minutes", "usual"), [([10, 12, 30], 12), ([10, 12], 20)])
def test_the_usual_length_is_the_median_of_visits_or_the_planned_one(
    in_cedar: Hospital, rao: Doctor, hari: User, minutes: list[int], usual: int
) -> None:
    for number, length in enumerate(minutes):
        visit = called(in_cedar, rao, person("Asha"), f"{9 + number}:00".zfill(5))
        day.complete(visit=visit, by=hari, now=now())
        Appointment.objects.filter(pk=visit.pk).update(called_at=now() - timedelta(minutes=length), completed_at=now())
    assert round(queue.usual_length(rao) / timedelta(minutes=1)) == usual


def test_the_shortest_queue_of_a_doctor_at_work_comes_first(in_cedar: Hospital, rao: Doctor, hari: User) -> None:
    sen = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    away = factories.bookable_doctor(in_cedar, hari, "away@cedar.example", "Aarav")
    away.availability.all().delete()
    arrived(in_cedar, sen, person("Asha"))
    early = at(in_cedar, "09:00", days=0)
    found = queue.counters(hospital=in_cedar, now=early)
    assert [(counter.doctor, counter.waiting, counter.is_at_work) for counter in found] == [
        (rao, 0, True),
        (sen, 1, True),
        (away, 0, False),
    ]


def test_the_counters_ask_the_same_number_of_queries_for_any_number_of_doctors(
    in_cedar: Hospital, rao: Doctor, hari: User, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        factories.bookable_doctor(in_cedar, hari, f"d{number}@cedar.example", "Anika")
    with django_assert_num_queries(3):
        queue.counters(hospital=in_cedar, now=now())


def test_a_doctor_is_behind_by_the_longest_wait_past_its_time(in_cedar: Hospital, rao: Doctor) -> None:
    visit = arrived(in_cedar, rao, person("Asha"), "10:00")
    comes(visit, "09:50", in_cedar)
    visits = list(Appointment.objects.all())
    assert queue.minutes_behind(visits, now=at(in_cedar, "10:25", days=0)) == 25
    assert queue.minutes_behind(visits, now=at(in_cedar, "09:55", days=0)) == 0


def test_the_day_in_numbers(in_cedar: Hospital, rao: Doctor, hari: User) -> None:
    booked(in_cedar, rao, person("Asha"), "10:00")
    arrived(in_cedar, rao, person("Bela"), "11:00")
    off = booked(in_cedar, rao, person("Chand"), "12:00")
    day.cancel(hospital=in_cedar, visit=off, by=hari, reason="", now=now(), by_hospital=True)
    counts = queue.counts(hospital=in_cedar, now=now())
    assert (counts.visits, counts.waiting, counts.patients) == (2, 1, 3)
