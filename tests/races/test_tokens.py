"""Tokens given out at once have no gap and no twin; and of two who take a visit further, one does."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Status
from appointments.services import booking, day
from core.errors import DomainError
from core.schemas import schema_context
from hospitals.models import Doctor
from tenants.models import Hospital
from tests import factories
from tests.appointments.today import booked
from tests.races.crowd import again, crowd, deadlocks, patients, the_doctor

THIRTY = 30


def checking_in(hospital: Hospital, visit: Appointment, by: User) -> Callable[[], Any]:
    def check_in() -> int | None:
        fresh = Appointment.objects.select_related("doctor", "patient").get(pk=visit.pk)
        day.check_in(hospital=hospital, visit=fresh, by=by, now=now())
        return fresh.token

    return check_in


def walking_in(hospital: Hospital, doctor: Doctor, user: User, by: User) -> Callable[[], Any]:
    def walk_in() -> int | None:
        patient = factories.patient(user)
        visit = booking.walk_in(hospital=hospital, doctor=again(doctor), patient=patient, reason="", by=by, now=now())
        return visit.token

    return walk_in


def test_thirty_who_arrive_at_once_have_thirty_tokens_without_a_gap(committed: None) -> None:
    hospital, doctor = the_doctor()
    hari = User.objects.get(email=hospital.email)
    with schema_context(hospital.schema_name):
        doctor.availability.update(capacity=THIRTY)
    people = patients(hospital, THIRTY)
    visits = [booked(hospital, doctor, user, "10:00") for user in people[: THIRTY // 2]]
    acts = [(hospital, checking_in(hospital, visit, hari)) for visit in visits]
    acts += [(hospital, walking_in(hospital, doctor, user, hari)) for user in people[THIRTY // 2 :]]
    tokens = crowd(*acts)
    assert sorted(tokens) == list(range(1, THIRTY + 1))
    assert deadlocks() == 0


def test_who_is_checked_in_by_two_desks_at_once_has_one_token(committed: None) -> None:
    hospital, doctor = the_doctor()
    hari = User.objects.get(email=hospital.email)
    [user, other] = patients(hospital, 2)
    visit = booked(hospital, doctor, user, "10:00")
    answers = crowd(*[(hospital, checking_in(hospital, visit, hari))] * 8)
    assert [answer for answer in answers if not isinstance(answer, DomainError)] == [1]
    assert crowd((hospital, walking_in(hospital, doctor, other, hari))) == [2]


def test_somebody_who_is_called_and_cancelled_at_once_is_one_of_the_two(committed: None) -> None:
    hospital, doctor = the_doctor()
    hari = User.objects.get(email=hospital.email)
    for number, user in enumerate(patients(hospital, 6)):
        visit = booked(hospital, doctor, user, f"{10 + number}:00")
        crowd((hospital, checking_in(hospital, visit, hari)))
        answers = crowd((hospital, partial(call, visit, hari)), (hospital, partial(cancel, hospital, visit, hari)))
        with schema_context(hospital.schema_name):
            status = Appointment.objects.get(pk=visit.pk).status
        assert [isinstance(answer, DomainError) for answer in answers] == [
            status == Status.CANCELLED,
            status == Status.IN_PROGRESS,
        ]


def call(visit: Appointment, by: User) -> None:
    day.call(visit=Appointment.objects.get(pk=visit.pk), by=by, now=now())


def cancel(hospital: Hospital, visit: Appointment, by: User) -> None:
    fresh = Appointment.objects.select_related("doctor__user", "patient").get(pk=visit.pk)
    day.cancel(hospital=hospital, visit=fresh, by=by, reason="", now=now(), by_hospital=True)
