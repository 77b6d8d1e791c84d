"""The day of a visit: confirmed, checked in, called, completed, missed, cancelled."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Status
from appointments.services import booking, day
from audit.models import AuditLog
from core.errors import Conflict, Invalid, NotAllowedNow
from directory.models import TakenTime
from hospitals.models import BookingPolicy, Doctor, Staff
from tenants.models import Hospital
from tests import factories
from tests.appointments.money import pay_at_desk
from tests.factories import visit


@pytest.fixture
def booked(in_cedar: Hospital, rao: Doctor, asha: User) -> Appointment:
    """Asha's visit of tomorrow at ten."""
    return visit(in_cedar, rao, asha)


def test_a_visit_goes_from_check_in_to_its_end(in_cedar: Hospital, booked: Appointment, hari: User) -> None:
    day.check_in(hospital=in_cedar, visit=booked, by=hari, now=booked.starts_at)
    day.call(visit=booked, by=hari, now=booked.starts_at)
    day.complete(visit=booked, by=hari, now=booked.ends_at)
    booked.refresh_from_db()
    assert (booked.status, booked.token) == (Status.COMPLETED, 1)
    assert booked.checked_in_at == booked.called_at == booked.starts_at
    assert booked.completed_at == booked.ends_at
    assert not TakenTime.objects.get().is_live


def test_who_is_called_without_checking_in_has_a_token_too(in_cedar: Hospital, booked: Appointment, hari: User) -> None:
    day.call(visit=booked, by=hari, now=booked.starts_at)
    assert (booked.status, booked.token, booked.checked_in_at) == (Status.IN_PROGRESS, 1, booked.starts_at)
    day.undo(visit=booked, by=hari)
    assert booked.status == Status.CHECKED_IN


def test_nobody_is_called_or_checked_in_on_another_day(in_cedar: Hospital, booked: Appointment, hari: User) -> None:
    yesterday = booked.starts_at - timedelta(days=1)
    with pytest.raises(NotAllowedNow, match="not today"):
        day.call(visit=booked, by=hari, now=yesterday)
    with pytest.raises(NotAllowedNow, match="not today"):
        day.check_in(hospital=in_cedar, visit=booked, by=hari, now=yesterday)


@pytest.mark.parametrize(("minutes", "words"), [(-31, "too early"), (21, "has passed")])
def test_a_patient_checks_in_around_the_time(
    in_cedar: Hospital, booked: Appointment, asha: User, minutes: int, words: str
) -> None:
    moment = booked.starts_at + timedelta(minutes=minutes)
    with pytest.raises(NotAllowedNow, match=words):
        day.check_in(hospital=in_cedar, visit=booked, by=asha, now=moment, as_patient=True)
    day.check_in(hospital=in_cedar, visit=booked, by=asha, now=booked.starts_at, as_patient=True)
    assert booked.status == Status.CHECKED_IN


def test_a_token_stays_with_who_was_sent_back(in_cedar: Hospital, booked: Appointment, hari: User) -> None:
    for _time in range(2):
        day.check_in(hospital=in_cedar, visit=booked, by=hari, now=booked.starts_at)
        assert booked.token == 1
        day.undo(visit=booked, by=hari)
    assert (booked.status, booked.checked_in_at) == (Status.CONFIRMED, None)


def test_who_walked_in_is_not_sent_back(in_cedar: Hospital, rao: Doctor, asha: User, hari: User) -> None:
    patient = factories.patient(asha)
    walked = booking.walk_in(hospital=in_cedar, doctor=rao, patient=patient, reason="", by=hari, now=now())
    with pytest.raises(NotAllowedNow, match="Cancel the visit instead"):
        day.undo(visit=walked, by=hari)


def test_nobody_walks_in_to_a_doctor_who_has_left(in_cedar: Hospital, rao: Doctor, asha: User, hari: User) -> None:
    Staff.objects.filter(user=rao.user).update(is_active=False)
    patient = factories.patient(asha)
    with pytest.raises(Invalid, match="does not work here any more"):
        booking.walk_in(hospital=in_cedar, doctor=rao, patient=patient, reason="", by=hari, now=now())


def test_a_visit_is_missed_once_it_has_begun(in_cedar: Hospital, booked: Appointment, hari: User) -> None:
    with pytest.raises(NotAllowedNow, match="has not begun"):
        day.miss(hospital=in_cedar, visit=booked, by=hari, now=booked.starts_at - timedelta(minutes=1))
    day.miss(hospital=in_cedar, visit=booked, by=hari, now=booked.starts_at)
    assert booked.status == Status.NO_SHOW
    assert not TakenTime.objects.get().is_live


@pytest.mark.parametrize(
    ("paid", "hours", "by_hospital", "kept", "payment"),
    [
        (True, 30, False, 0, "refund_due"),
        (True, 1, False, 210, "refund_due"),
        (True, 1, True, 0, "refund_due"),
        (False, 1, False, 210, "unpaid"),
    ],
)
def test_cancelling_late_costs_a_patient_what_the_rules_say(
    in_cedar: Hospital, rao: Doctor, asha: User, paid: bool, hours: int, by_hospital: bool, kept: int, payment: str
) -> None:
    BookingPolicy.objects.update(free_cancellation_hours=24, late_cancellation_percent=30)
    booked = visit(in_cedar, rao, asha)
    if paid:
        booked = pay_at_desk(in_cedar, booked, by=asha)
    moment = booked.starts_at - timedelta(hours=hours)
    day.cancel(hospital=in_cedar, visit=booked, by=asha, reason="", now=moment, by_hospital=by_hospital)
    booked.refresh_from_db()
    assert (int(booked.kept_fee), booked.payment_status, booked.cancelled_by_hospital) == (kept, payment, by_hospital)


def test_a_visit_the_hospital_has_not_confirmed_costs_nothing_to_cancel(
    in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    BookingPolicy.objects.update(confirmation="doctor", free_cancellation_hours=100, late_cancellation_percent=30)
    waiting = visit(in_cedar, rao, asha)
    assert day.late_fee(waiting, now()) == Decimal(0)


def test_a_patient_does_not_cancel_a_visit_that_has_begun(in_cedar: Hospital, booked: Appointment, asha: User) -> None:
    with pytest.raises(NotAllowedNow, match="has begun"):
        day.cancel(hospital=in_cedar, visit=booked, by=asha, reason="", now=booked.starts_at, by_hospital=False)


def test_the_hospital_cancels_for_somebody_who_waits(in_cedar: Hospital, booked: Appointment, hari: User) -> None:
    day.check_in(hospital=in_cedar, visit=booked, by=hari, now=booked.starts_at)
    day.cancel(hospital=in_cedar, visit=booked, by=hari, reason="Ill", now=booked.starts_at, by_hospital=True)
    assert AuditLog.objects.about(booked).newest_first()[0].reason == "Ill"


def test_of_two_steps_on_one_visit_the_second_is_refused(in_cedar: Hospital, booked: Appointment, hari: User) -> None:
    other = Appointment.objects.get(pk=booked.pk)
    day.cancel(hospital=in_cedar, visit=booked, by=hari, reason="", now=now(), by_hospital=True)
    with pytest.raises(Conflict, match="Visit cancelled by Hari Rao"):
        day.check_in(hospital=in_cedar, visit=other, by=hari, now=other.starts_at)


def test_a_patient_says_that_they_come(booked: Appointment, asha: User) -> None:
    for _time in range(2):
        day.patient_comes(visit=booked, by=asha, now=now())
    assert booked.patient_confirmed_at
    assert AuditLog.objects.filter(action="appointment.patient_confirmed").count() == 1
