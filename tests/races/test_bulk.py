"""A whole day is moved or cancelled while patients go on booking, moving and cancelling: nothing is lost or doubled."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Status
from appointments.services import bulk
from core.errors import DomainError
from core.schemas import schema_context
from hospitals.models import Doctor
from tenants.models import Hospital
from tests import factories
from tests.factories import at
from tests.races.crowd import again, booker, crowd, deadlocks, live, overlapping, patients, the_doctor
from tests.races.test_tokens import cancel


def visits_of(hospital: Hospital, doctor: Doctor, people: list[User]) -> list[Appointment]:
    """Visits of tomorrow, one after another."""
    with schema_context(hospital.schema_name):
        return [
            factories.visit(hospital, doctor, user, f"{9 + number // 3:02}:{number % 3 * 2}0")
            for number, user in enumerate(people)
        ]


def moving_all(hospital: Hospital, visits: list[Appointment], by: User, **where: Any) -> Callable[[], Any]:
    def move() -> list[bulk.Outcome]:
        fresh = Appointment.objects.with_people().select_related("doctor__schedule")
        chosen = list(fresh.filter(pk__in=[visit.pk for visit in visits]))
        asked = {"doctor": None, "on": None, **where}
        return bulk.move(hospital=hospital, visits=chosen, by=by, reason="Ill", now=now(), **asked)

    return move


def test_a_day_moved_to_a_doctor_whom_others_book_meanwhile_doubles_nothing(committed: None) -> None:
    hospital, doctor = the_doctor()
    _same, other = the_doctor(email="sen@cedar.example")
    hari = User.objects.get(email=hospital.email)
    people = patients(hospital, 20)
    visits = visits_of(hospital, doctor, people[:8])
    rivals = [
        (hospital, booker(hospital, other, user, f"{9 + number // 3:02}:{number % 3 * 2}0"))
        for number, user in enumerate(people[8:])
    ]
    with schema_context(hospital.schema_name):
        target = again(other)
    [outcomes, *_booked] = crowd((hospital, moving_all(hospital, visits, hari, doctor=target)), *rivals)
    assert [outcome.refusal for outcome in outcomes] == [""] * 8
    kept = live(hospital)
    assert overlapping(kept) == []
    moved = {outcome.moved_to.pk for outcome in outcomes}
    assert moved <= {visit.pk for visit in kept}
    assert deadlocks() == 0


def test_two_who_move_the_same_day_at_once_move_each_visit_once(committed: None) -> None:
    hospital, doctor = the_doctor()
    hari = User.objects.get(email=hospital.email)
    visits = visits_of(hospital, doctor, patients(hospital, 6))
    day = at(hospital, "10:00", days=2).date()
    answers = crowd(*[(hospital, moving_all(hospital, visits, hari, on=day))] * 2)
    done = [outcome.visit.pk for outcomes in answers for outcome in outcomes if not outcome.refusal]
    assert sorted(done) == sorted(visit.pk for visit in visits)
    assert all(len(outcomes) == 6 for outcomes in answers)
    kept = live(hospital)
    assert len(kept) == 6
    assert overlapping(kept) == []


def test_a_day_cancelled_while_patients_cancel_too_ends_each_visit_once(committed: None) -> None:
    hospital, doctor = the_doctor()
    hari = User.objects.get(email=hospital.email)
    visits = visits_of(hospital, doctor, patients(hospital, 6))

    def cancel_all() -> list[bulk.Outcome]:
        chosen = list(Appointment.objects.with_people().filter(pk__in=[visit.pk for visit in visits]))
        return bulk.cancel(hospital=hospital, visits=chosen, by=hari, reason="Ill", now=now())

    [outcomes, *answers] = crowd(
        (hospital, cancel_all), *[(hospital, partial(cancel, hospital, visit, hari)) for visit in visits]
    )
    by_hospital = {outcome.visit.pk for outcome in outcomes if not outcome.refusal}
    by_others = {visit.pk for visit, answer in zip(visits, answers, strict=True) if not isinstance(answer, DomainError)}
    assert by_hospital | by_others == {visit.pk for visit in visits}
    assert by_hospital & by_others == set()
    with schema_context(hospital.schema_name):
        assert set(Appointment.objects.values_list("status", flat=True)) == {Status.CANCELLED}
