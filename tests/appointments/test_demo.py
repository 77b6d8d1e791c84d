"""The demo's doctors can be booked, and its days are full, on whatever day it is started."""

import pytest
from django.core.management import CommandError, call_command

from appointments.demo.content import PRACTICES, VISITS
from appointments.models import Appointment, Status
from core.schemas import schema_context
from directory.models import DoctorListing, TakenTime
from patients.models import Patient
from tenants.models import Hospital
from tests.hospitals.test_demo import nothing_yet, run

__all__ = ["nothing_yet"]


def test_the_demo_has_doctors_patients_and_visits_and_loading_again_adds_none(nothing_yet: None) -> None:
    run()
    call_command("demo_visits")
    listed = DoctorListing.objects.filter(hospital__slug__in=VISITS, is_published=True)
    assert listed.count() == len(PRACTICES)
    assert all(listing.next_free_at for listing in listed)
    cedar = Hospital.objects.get(slug="cedar")
    with schema_context(cedar.schema_name):
        visits, patients = Appointment.objects.count(), Patient.objects.count()
        assert {Status.COMPLETED, Status.NO_SHOW, Status.CANCELLED, Status.CONFIRMED, Status.CHECKED_IN} <= set(
            Appointment.objects.values_list("status", flat=True)
        )
    assert TakenTime.objects.values("hospital").distinct().count() == len(VISITS)

    call_command("demo_visits")
    with schema_context(cedar.schema_name):
        assert (Appointment.objects.count(), Patient.objects.count()) == (visits, patients)


def test_the_demo_is_refused_in_production(db: None) -> None:
    with pytest.raises(CommandError, match="only with DEBUG"):
        call_command("demo_visits")
