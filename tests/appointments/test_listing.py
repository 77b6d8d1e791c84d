"""What the search says of a doctor's free times, and that it stays true."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.models import User
from appointments.services import booking, listing
from core.codes import new_code
from core.visits import VisitKind
from directory import services as directory
from directory.models import DoctorListing, FreeTime, Wanted
from hospitals.models import Doctor
from hospitals.services.doctors import publishing
from tenants.models import Hospital
from tests import factories


@pytest.fixture
def shown(in_cedar: Hospital, rao: Doctor) -> DoctorListing:
    """Dr Rao in the search, with free times."""
    publishing.publish(hospital=in_cedar, doctor=rao)
    listing.refresh_times(doctor_id=rao.pk, now=now())
    return DoctorListing.objects.get(code=rao.code)


def again(shown: DoctorListing) -> DoctorListing:
    """As it is now."""
    return DoctorListing.objects.get(pk=shown.pk)


def hold(hospital: Hospital, doctor: Doctor, clock: str, holder: UUID | None = None) -> None:
    """Somebody holds a time of tomorrow."""
    booking.hold(
        hospital=hospital,
        doctor=doctor,
        starts_at=factories.at(hospital, clock),
        kind=VisitKind.IN_PERSON,
        holder=holder or new_code(),
        by=None,
        now=now(),
    )


def test_two_weeks_of_times_are_shown(shown: DoctorListing, in_cedar: Hospital) -> None:
    free = [time.starts_at for time in shown.free(now())]
    assert factories.at(in_cedar, "10:00") in free
    assert factories.at(in_cedar, "10:00", days=13) in free
    assert factories.at(in_cedar, "10:00", days=14) not in free
    assert free == sorted(free)
    assert shown.next_free_at == free[0]


def test_only_kinds_the_doctor_offers_are_shown(shown: DoctorListing) -> None:
    assert all(time.kinds == {VisitKind.IN_PERSON, VisitKind.VIDEO} for time in shown.free(now()))
    assert shown.next_video_at == shown.next_free_at
    assert shown.next_chat_at is None


def test_a_time_that_is_too_soon_is_not_shown_though_nobody_worked_it_out_anew(
    shown: DoctorListing, in_cedar: Hospital
) -> None:
    just_before = factories.at(in_cedar, "10:00") - timedelta(minutes=59)
    assert factories.at(in_cedar, "10:00") not in [time.starts_at for time in shown.free(just_before)]
    assert shown.free(just_before)[0].starts_at == factories.at(in_cedar, "10:20")
    assert shown.free(just_before - timedelta(minutes=1))[0].starts_at == factories.at(in_cedar, "10:00")


def test_a_booked_time_is_gone(shown: DoctorListing, in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    factories.visit(in_cedar, rao, asha, "10:00")
    listing.refresh_times(doctor_id=rao.pk, now=now())
    assert factories.at(in_cedar, "10:00") not in [time.starts_at for time in again(shown).free(now())]


def test_a_booking_far_ahead_leaves_the_search_alone(
    shown: DoctorListing, in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    with CaptureQueriesContext(connection) as queries:
        factories.visit(in_cedar, rao, asha, days=16)
    assert not [query for query in queries if "directory_doctorlisting" in query["sql"]]
    factories.visit(in_cedar, rao, asha, days=13)
    assert len(again(shown).free_times) == len(shown.free_times) - 1


def test_taking_a_time_off_is_one_statement_and_corrects_the_next_one(shown: DoctorListing) -> None:
    first, second = shown.free(now())[:2]
    with CaptureQueriesContext(connection) as queries:
        directory.take_off(code=shown.code, starts_at=first.starts_at, ends_at=second.starts_at)
    assert len(queries) == 1
    after = again(shown)
    assert after.next_free_at == after.next_in_person_at == after.next_video_at == second.starts_at
    assert after.first_passes_at == second.starts_at - timedelta(minutes=60)
    assert len(after.free_times) == len(shown.free_times) - 1


def test_taking_off_a_time_that_is_not_shown_writes_nothing(shown: DoctorListing, in_cedar: Hospital) -> None:
    night = factories.at(in_cedar, "03:00")
    directory.take_off(code=shown.code, starts_at=night, ends_at=night + timedelta(minutes=20))
    assert again(shown).free_times == shown.free_times


def test_a_day_whose_last_time_is_taken_off_is_no_longer_a_free_day(shown: DoctorListing, in_cedar: Hospital) -> None:
    day = factories.at(in_cedar, "10:00").date()
    found = DoctorListing.objects.published().wanted(Wanted(day=day))
    assert found.exists()
    directory.take_off(
        code=shown.code, starts_at=factories.at(in_cedar, "00:00"), ends_at=factories.at(in_cedar, "00:00", days=2)
    )
    assert not found.exists()
    assert DoctorListing.objects.published().wanted(Wanted(day=day + timedelta(days=1))).exists()


def test_a_day_is_one_of_the_hospitals_own_calendar(in_cedar: Hospital, rao: Doctor) -> None:
    Hospital.objects.filter(pk=in_cedar.pk).update(time_zone="Pacific/Auckland")
    hospital = Hospital.objects.get(pk=in_cedar.pk)
    publishing.publish(hospital=hospital, doctor=rao)
    noon = factories.at(hospital, "01:00", days=3)  # the day before in UTC
    directory.show_times(
        code=rao.code,
        times=[FreeTime(noon, frozenset({VisitKind.VIDEO}))],
        notice_minutes=0,
        stale_at=None,
    )
    published = DoctorListing.objects.published()
    assert published.wanted(Wanted(day=noon.date())).exists()
    assert published.wanted(Wanted(day=noon.date(), kind=VisitKind.VIDEO)).exists()
    assert not published.wanted(Wanted(day=noon.date(), kind=VisitKind.IN_PERSON)).exists()
    assert not published.wanted(Wanted(day=noon.date() - timedelta(days=1))).exists()


def test_passed_times_are_forgotten_for_all_doctors_in_one_statement(shown: DoctorListing, in_cedar: Hospital) -> None:
    later = factories.at(in_cedar, "12:30", days=2)
    with CaptureQueriesContext(connection) as queries:
        assert directory.drop_passed(now=later) == 1
    assert len(queries) == 1
    assert again(shown).next_free_at == factories.at(in_cedar, "13:40", days=2)
    assert directory.drop_passed(now=later) == 0


def test_a_doctor_is_stale_when_a_hold_ends(shown: DoctorListing, in_cedar: Hospital, rao: Doctor) -> None:
    hold(in_cedar, rao, "11:00")
    listing.refresh_times(doctor_id=rao.pk, now=now())
    stale_at = again(shown).stale_at
    assert stale_at is not None
    assert timedelta(minutes=9) < stale_at - now() <= timedelta(minutes=10)
    listing.refresh_times(doctor_id=rao.pk, now=stale_at)
    assert factories.at(in_cedar, "11:00") in [time.starts_at for time in again(shown).free(now())]


def test_a_doctor_is_stale_when_the_hospitals_day_is_over(shown: DoctorListing, in_cedar: Hospital) -> None:
    midnight = factories.at(in_cedar, "00:00")
    assert shown.stale_at is not None
    assert midnight <= shown.stale_at < midnight + timedelta(hours=2)


def test_the_sweep_hands_each_stale_doctor_out_once(shown: DoctorListing, in_cedar: Hospital) -> None:
    assert shown.stale_at is not None
    assert directory.claim_stale(now=shown.stale_at, limit=10) == [(in_cedar.schema_name, shown.code)]
    assert directory.claim_stale(now=shown.stale_at, limit=10) == []
    assert directory.claim_stale(now=shown.stale_at + timedelta(minutes=5), limit=10) != []  # had the work been lost


def test_the_sweep_has_stale_doctors_worked_out(shown: DoctorListing, in_cedar: Hospital) -> None:
    DoctorListing.objects.update(free_times=[], next_free_at=None, stale_at=now())
    assert listing.refresh_stale(now=now()) == 1
    listing.refresh_listed(code=shown.code, now=now())
    assert again(shown).next_free_at == shown.next_free_at


def test_working_out_a_doctor_who_is_not_listed_does_nothing(in_cedar: Hospital, rao: Doctor) -> None:
    listing.refresh_times(doctor_id=rao.pk, now=now())
    listing.refresh_listed(code=new_code(), now=now())
    assert not DoctorListing.objects.filter(code=rao.code).exists()


def test_a_kind_that_is_no_longer_offered_is_not_shown_any_more(
    shown: DoctorListing, in_cedar: Hospital, rao: Doctor
) -> None:
    Doctor.objects.filter(pk=rao.pk).update(fee_video=None)
    publishing.publish(hospital=in_cedar, doctor=rao)
    assert all(time.kinds == {VisitKind.IN_PERSON} for time in again(shown).free(now()))
    assert again(shown).free(now(), VisitKind.VIDEO) == []


def test_dates_of_before_1970_find_nobody(shown: DoctorListing) -> None:
    assert not DoctorListing.objects.published().wanted(Wanted(day=date(1, 1, 1))).exists()
