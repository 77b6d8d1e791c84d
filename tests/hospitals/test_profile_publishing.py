"""What the search knows of a hospital's doctors is what the hospital knows, from one commit to the next."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils.timezone import now

from accounts.models import User
from accounts.permissions import Role
from accounts.services import people
from appointments.services import listing as refreshing
from core.errors import DomainError
from core.schemas import schema_context
from directory.models import DoctorListing
from hospitals.models import Department, Doctor, Staff
from hospitals.services import departments, invitations, joining, settings, staff
from hospitals.services.doctors import applying, inviting, profile, publishing, reviewing
from hospitals.services.doctors.details import Details
from hospitals.services.doctors.inviting import Invited
from hospitals.services.doctors.profile import Profile
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser


@pytest.fixture
def rao(in_cedar: Hospital, hari: User) -> Doctor:
    """Dr Rao, whom patients find. The test works in Cedar's schema."""
    doctor = factories.bookable_doctor(in_cedar, hari)
    publishing.publish(hospital=in_cedar, doctor=doctor)
    return doctor


@pytest.fixture
def cardiology(in_cedar: Hospital, hari: User, rao: Doctor) -> Department:
    """Where Dr Rao works."""
    department = departments.add(hospital=in_cedar, name="Cardiology", description="", image=None, by=hari)
    reviewing.change_department(hospital=in_cedar, doctor=rao, department=department, by=hari)
    return department


def listing() -> DoctorListing:
    return DoctorListing.objects.get()


def is_found() -> bool:
    return DoctorListing.objects.published().exists()


def own_row(doctor: Doctor) -> Staff:
    return Staff.objects.select_related("user").get(user=doctor.user)


def test_the_department_stands_in_the_search_by_its_present_name(
    in_cedar: Hospital, hari: User, cardiology: Department
) -> None:
    assert listing().department == "Cardiology"
    departments.change(
        hospital=in_cedar, department=cardiology, name="Heart centre", description="", image=None, by=hari
    )
    assert listing().department == "Heart centre"


def test_a_hidden_department_is_not_named_and_its_doctors_are_still_found(
    in_cedar: Hospital, hari: User, cardiology: Department
) -> None:
    departments.deactivate(hospital=in_cedar, department=cardiology, by=hari)
    assert (listing().department, is_found()) == ("", True)
    departments.activate(hospital=in_cedar, department=cardiology, by=hari)
    assert listing().department == "Cardiology"


def test_who_is_deactivated_is_not_found_and_is_again_when_activated(
    in_cedar: Hospital, hari: User, rao: Doctor
) -> None:
    staff.deactivate(hospital=in_cedar, staff=own_row(rao), by=hari, now=now())
    assert not is_found()
    staff.activate(hospital=in_cedar, staff=own_row(rao), by=hari, now=now())
    assert is_found()


def test_a_doctor_with_another_role_is_not_found(in_cedar: Hospital, hari: User, rao: Doctor) -> None:
    staff.change_role(hospital=in_cedar, staff=own_row(rao), role=Role.NURSE, by=hari)
    assert not is_found()
    staff.change_role(hospital=in_cedar, staff=own_row(rao), role=Role.DOCTOR, by=hari)
    assert is_found()


def test_an_admin_who_is_a_doctor_is_found(in_cedar: Hospital, hari: User, rao: Doctor) -> None:
    staff.change_role(hospital=in_cedar, staff=own_row(rao), role=Role.HOSPITAL_ADMIN, by=hari)
    assert is_found()


def test_the_search_finds_doctors_by_the_hospitals_new_name(in_cedar: Hospital, hari: User, rao: Doctor) -> None:
    settings.change_brand(hospital=in_cedar, name="Deodar House", accent=in_cedar.accent, logo=None, by=hari)
    assert "deodar" in listing().search_text


def test_a_suspended_hospitals_doctors_are_not_found_until_it_is_open_again(
    cedar: Hospital, usha: User, rao: Doctor
) -> None:
    with schema_context("public"):
        joining.suspend(hospital=cedar, by=usha, reason="Papers have run out.")
    assert not DoctorListing.objects.filter(is_published=True).exists()
    with schema_context("public"):
        joining.resume(hospital=cedar, by=usha, reason="Papers have come.")
    assert is_found()


def test_somebody_whose_fees_are_set_beforehand_is_found_when_they_come_in(in_cedar: Hospital, hari: User) -> None:
    department = departments.add(hospital=in_cedar, name="Cardiology", description="", image=None, by=hari)
    details = Details("Cardiology", "MBBS", "KA-7", 3, department)
    doctor = inviting.invite(
        hospital=in_cedar, invited=Invited("zoya@cedar.example", "Zoya Khan", details=details), by=hari, now=now()
    )
    profile.change(hospital=in_cedar, doctor=doctor, profile=Profile(fee_in_person=Decimal(600)), by=hari)
    assert not is_found()
    row = Staff.objects.select_related("user").get(user=doctor.user)
    _invitation, token = invitations.issue(staff=row, now=now())
    browser("cedar.localhost").post(f"/invitation/{token}/", {"password": factories.PASSWORD})
    assert is_found()
    assert (listing().name, listing().department) == ("Zoya Khan", "Cardiology")


def test_a_doctor_who_changes_their_name_is_found_by_it_after_the_next_sweep(in_cedar: Hospital, rao: Doctor) -> None:
    people.change_profile(user=rao.user, first_name="Vikramaditya", last_name="Rao", phone="", by=rao.user)
    refreshing.refresh_listed(code=rao.code, now=now())
    assert (listing().name, is_found()) == ("Vikramaditya Rao", True)


def test_a_doctor_whose_account_is_closed_cannot_be_booked_at_once_nor_found_after_the_next_sweep(
    in_cedar: Hospital, rao: Doctor, usha: User
) -> None:
    with schema_context("public"):
        people.deactivate(user=rao.user, by=usha, now=now())
    assert not Doctor.objects.bookable().exists()
    refreshing.refresh_listed(code=rao.code, now=now())
    assert not is_found()


def test_a_refused_change_shows_nothing_in_the_search(in_cedar: Hospital, asha: User, hari: User) -> None:
    applicant = applying.begin(user=asha)
    with pytest.raises(DomainError, match="Only a verified doctor"):
        profile.change(hospital=in_cedar, doctor=applicant, profile=Profile(fee_in_person=Decimal(600)), by=hari)
    assert not DoctorListing.objects.exists()


def test_the_search_and_the_change_are_one_commit(in_cedar: Hospital, hari: User, rao: Doctor) -> None:
    def change_and_fail() -> None:
        with transaction.atomic():
            profile.change(hospital=in_cedar, doctor=rao, profile=Profile(fee_chat=Decimal(5)), by=hari)
            assert listing().fee_chat == 5
            raise RuntimeError("the power is gone")

    with pytest.raises(RuntimeError):
        change_and_fail()
    assert listing().fee_chat is None
    assert Doctor.objects.get(pk=rao.pk).fee_chat is None


def test_all_doctors_are_shown_anew_in_the_same_number_of_queries(
    in_cedar: Hospital, hari: User, rao: Doctor, django_assert_num_queries: Any
) -> None:
    for number in range(10):
        factories.bookable_doctor(in_cedar, hari, f"doctor{number}@cedar.example", "Long" * 37, fee_video=None)
    with django_assert_num_queries(8):  # savepoint, lock, read, new listings, keys, all listings, words, its end
        publishing.republish(hospital=in_cedar)
    assert DoctorListing.objects.published().count() == 11


def test_what_is_shown_is_worked_out_anew_afterwards(
    in_cedar: Hospital, hari: User, rao: Doctor, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as sent:
        profile.change(hospital=in_cedar, doctor=rao, profile=Profile(fee_chat=Decimal(5)), by=hari)
    assert len(sent) == 1
