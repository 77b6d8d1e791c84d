"""Two people change what the search says of doctors at the same moment: nothing is lost, and nobody waits for ever."""

from decimal import Decimal
from functools import partial

from django.utils.timezone import now

from accounts.models import User
from core.schemas import schema_context
from directory.models import DoctorListing
from hospitals.models import Doctor, Staff
from hospitals.services import departments
from hospitals.services import staff as staff_services
from hospitals.services.doctors import profile, reviewing
from hospitals.services.doctors.profile import Profile
from tests import factories
from tests.races.crowd import crowd, the_doctor

ROUNDS = 15


def test_a_departments_new_name_and_a_doctors_new_fee_both_stand_in_the_search(committed: None) -> None:
    cedar, rao = the_doctor()
    hari = User.objects.get(email="hari@cedar.example")
    with schema_context(cedar.schema_name):
        department = departments.add(hospital=cedar, name="Cardiology", description="", image=None, by=hari)
        reviewing.change_department(hospital=cedar, doctor=rao, department=department, by=hari)
        for number in range(4):
            factories.bookable_doctor(cedar, hari, f"other{number}@cedar.example", f"Other{number}")

    def charge(fee: int) -> None:
        doctor = Doctor.objects.with_people().get(pk=rao.pk)
        profile.change(hospital=cedar, doctor=doctor, profile=Profile(fee_video=Decimal(fee)), by=hari)

    def rename(name: str) -> None:
        departments.change(hospital=cedar, department=department, name=name, description="", image=None, by=hari)

    for number in range(1, ROUNDS + 1):
        name = f"Cardiology {number}"
        crowd((cedar, partial(charge, number)), (cedar, partial(rename, name)))
        listing = DoctorListing.objects.get(code=rao.code)
        assert (listing.department, listing.fee_video) == (name, Decimal(number))


def test_a_doctor_who_is_deactivated_while_their_fee_changes_is_not_found(committed: None) -> None:
    cedar, rao = the_doctor()
    hari = User.objects.get(email="hari@cedar.example")

    def charge(fee: int) -> None:
        doctor = Doctor.objects.with_people().get(pk=rao.pk)
        profile.change(hospital=cedar, doctor=doctor, profile=Profile(fee_video=Decimal(fee)), by=hari)

    def turn(act: str) -> None:
        row = Staff.objects.select_related("user").get(user=rao.user)
        getattr(staff_services, act)(hospital=cedar, staff=row, by=hari, now=now())

    for number in range(1, ROUNDS + 1):
        crowd((cedar, partial(charge, number)), (cedar, partial(turn, "deactivate")))
        assert not DoctorListing.objects.published().exists()
        with schema_context(cedar.schema_name):
            turn("activate")
        assert DoctorListing.objects.published().exists()
