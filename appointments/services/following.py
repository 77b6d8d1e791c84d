"""A patient's visits stand among those of the account that the patient belongs to, whichever that is now."""

from typing import Any, cast

from django.db import transaction

from accounts.models import User
from appointments.models import Appointment
from core import schemas
from directory import services as directory
from directory.models import TakenTime
from patients.models import Patient
from tenants.models import Hospital


@transaction.atomic
def follow(*, patient_id: int) -> None:
    """After two entries became one, or two again: note the visits that the account has now, and forget those it has not.

    A visit of the desk that meets another one of the same person elsewhere stays: nobody is sent home for it. Safe to
    call at any time.
    """
    patient = Patient.objects.current().select_related("user").filter(pk=patient_id).first()
    if patient is None:
        return
    visits = {visit.code: visit for visit in patient.appointments.booked().by_time()}
    noted = TakenTime.objects.filter(appointment__in=visits)
    if patient.user is None:
        noted.delete()
        return
    known = set(noted.values_list("appointment", flat=True))
    hospital = Hospital.objects.get(schema_name=schemas.active())
    for visit in visits.values():
        if visit.code not in known:
            visit.patient = patient
            note(visit, hospital=hospital)


def note(visit: Appointment, *, hospital: Hospital) -> None:
    """Note a visit of a patient who has an account: as theirs to come if it is, unless another one is in the way."""
    patient = cast(Patient, visit.patient)
    user = cast(User, patient.user)
    whose: dict[str, Any] = {"user": user, "person": patient.family_member or user.code, "hospital": hospital}
    said = {**whose, "appointment": visit.code, "starts_at": visit.starts_at, "ends_at": visit.ends_at}
    if not (visit.is_live and directory.claim_time(**said)):
        period = (visit.starts_at, visit.ends_at)
        TakenTime.objects.create(appointment=visit.code, period=period, is_live=False, **whose)
