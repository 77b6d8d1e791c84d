"""Moving a visit: the new time first, and what it keeps."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Schedule, Status
from appointments.services import booking, day, moving, times
from audit.models import AuditLog
from core.errors import Conflict, NotAllowedNow
from core.visits import VisitKind
from directory.models import TakenTime
from hospitals.models import BookingPolicy, Doctor
from patients.models import Patient
from tenants.models import Hospital
from tests import factories
from tests.factories import at, visit


def moved(hospital: Hospital, old: Appointment, by: User, clock: str = "11:00", **fields: object) -> Appointment:
    asked = {"now": now(), "by_hospital": False, "starts_at": at(hospital, clock), **fields}
    return moving.move(hospital=hospital, visit=old, by=by, **asked)  # type: ignore[arg-type]


def test_it_keeps_its_price_what_was_paid_and_its_rules(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    BookingPolicy.objects.update(free_cancellation_hours=2, late_cancellation_percent=30, no_show_percent=50)
    old = visit(in_cedar, rao, asha, reason="Cough")
    Appointment.objects.update(payment_status="paid")
    old.refresh_from_db()
    Doctor.objects.update(fee_in_person=900)
    BookingPolicy.objects.update(late_cancellation_percent=0, no_show_percent=0)
    new = moved(in_cedar, old, asha)
    assert (int(new.fee), new.payment_status, new.reason, new.booked_by) == (700, "paid", "Cough", asha)
    assert (new.late_cancellation_percent, new.no_show_percent) == (30, 50)
    assert new.free_cancellation_until == new.starts_at - timedelta(hours=2)


def test_moving_late_does_not_make_cancelling_free(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    BookingPolicy.objects.update(free_cancellation_hours=100, late_cancellation_percent=30)
    old = visit(in_cedar, rao, asha)
    by_patient = moved(in_cedar, old, asha, starts_at=at(in_cedar, "10:00", days=20))
    assert day.late_fee(by_patient, now()) == 210
    by_hospital = moved(in_cedar, by_patient, rao.user, starts_at=at(in_cedar, "10:00", days=10), by_hospital=True)
    assert day.late_fee(by_hospital, now()) == 210


def test_what_the_hospital_moves_is_free_to_cancel_for_as_long_as_before(
    in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    BookingPolicy.objects.update(free_cancellation_hours=100, late_cancellation_percent=30)
    old = visit(in_cedar, rao, asha)
    new = moved(in_cedar, old, rao.user, starts_at=at(in_cedar, "10:00", days=10), by_hospital=True)
    assert day.late_fee(new, now()) == 0


def test_the_persons_time_moves_with_it(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    old = visit(in_cedar, rao, asha)
    new = moved(in_cedar, old, asha)
    live = TakenTime.objects.get(is_live=True)
    assert (live.appointment, live.period.lower) == (new.code, new.starts_at)
    assert not TakenTime.objects.get(appointment=old.code).is_live


def test_it_moves_to_a_time_that_overlaps_its_own(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    old = visit(in_cedar, rao, asha)
    Schedule.objects.update(slot_minutes=15)
    new = moved(in_cedar, old, asha, "10:15")
    assert [new] == list(Appointment.objects.live())
    assert TakenTime.objects.get(is_live=True).appointment == new.code


def test_a_time_that_overlaps_its_own_and_is_taken_changes_nothing(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    old = visit(in_cedar, rao, asha)
    visit(in_cedar, rao, factories.person("b@example.com"), "10:20")
    Schedule.objects.update(slot_minutes=15)
    with pytest.raises(times.SlotTaken):
        moved(in_cedar, old, asha, "10:15")
    old.refresh_from_db()
    assert old.status == Status.CONFIRMED
    assert TakenTime.objects.get(appointment=old.code).is_live


def test_another_visit_of_the_person_is_in_the_way(in_cedar: Hospital, rao: Doctor, asha: User, hari: User) -> None:
    sen = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    old = visit(in_cedar, rao, asha)
    visit(in_cedar, sen, asha, "11:00")
    with pytest.raises(Conflict, match="Asha Patel has another visit at that time: Cedar Hospital at 11:00"):
        moved(in_cedar, old, asha)
    assert TakenTime.objects.filter(is_live=True).count() == 2


def test_only_the_hospital_names_another_doctor(in_cedar: Hospital, rao: Doctor, asha: User, hari: User) -> None:
    sen = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    assert moved(in_cedar, visit(in_cedar, rao, asha), asha, doctor=sen).doctor == rao
    other = visit(in_cedar, rao, factories.person("b@example.com"))
    assert moved(in_cedar, other, hari, "12:00", doctor=sen, by_hospital=True).doctor == sen


def test_a_time_somebody_holds_is_theirs_to_move_to(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    old = visit(in_cedar, rao, asha)
    hold = booking.hold(
        hospital=in_cedar,
        doctor=rao,
        starts_at=at(in_cedar, "11:00"),
        kind=VisitKind.IN_PERSON,
        holder=asha.code,
        by=asha,
        now=now(),
    )
    with pytest.raises(times.SlotTaken):
        moved(in_cedar, old, asha)
    assert moved(in_cedar, old, asha, holder=asha.code).starts_at == hold.starts_at


@pytest.mark.parametrize("minutes", [0, 5])
def test_a_patient_does_not_move_a_visit_that_has_begun(
    in_cedar: Hospital, rao: Doctor, asha: User, minutes: int
) -> None:
    old = visit(in_cedar, rao, asha)
    late = old.starts_at + timedelta(minutes=minutes)
    with pytest.raises(NotAllowedNow):
        moved(in_cedar, old, asha, now=late)


def test_a_visit_is_not_moved_to_where_it_is(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    with pytest.raises(NotAllowedNow, match="at this time already"):
        moved(in_cedar, visit(in_cedar, rao, asha), asha, "10:00")


def test_a_blocked_patient_does_not_move_online(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    old = visit(in_cedar, rao, asha)
    Patient.objects.update(is_blocked=True)
    with pytest.raises(NotAllowedNow, match="Call the front desk"):
        moved(in_cedar, Appointment.objects.get(pk=old.pk), asha)


def test_who_comes_second_reads_what_became_of_the_visit(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    old = visit(in_cedar, rao, asha)
    stale = Appointment.objects.get(pk=old.pk)
    moved(in_cedar, old, asha)
    with pytest.raises(Conflict, match="Visit moved by Asha Patel"):
        moved(in_cedar, stale, asha, "12:00")
    assert Appointment.objects.live().count() == 1


def test_both_visits_have_a_line_in_the_log(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    old = visit(in_cedar, rao, asha)
    new = moved(in_cedar, old, asha)
    first, second = AuditLog.objects.filter(entity="appointments.appointment").order_by("-pk")[:2]
    assert {first.thing, second.thing} == {old.reference, new.reference}
    assert AuditLog.objects.about(new).get().data == {"from": old.reference}
