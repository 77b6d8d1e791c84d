"""After a hospital was restored: what the portal knows of it is written anew from the hospital's own rows."""

from django.db import transaction

from appointments.models import Appointment
from appointments.services.following import note
from core import schemas
from directory import services as directory
from directory.models import TakenTime
from hospitals.services.departments import shown_to_patients
from hospitals.services.doctors import publishing
from tenants.models import Hospital


def settle() -> None:
    """Show the active hospital in the search as it is now, and note its visits among those of their people.

    Safe to call at any time. A visit that is to come and meets another one of the same person elsewhere stays.
    """
    hospital = Hospital.objects.get(schema_name=schemas.active())
    if hospital.status == Hospital.Status.APPROVED:
        _show(hospital)
    _note_visits(hospital)


@transaction.atomic
def _show(hospital: Hospital) -> None:
    """Whoever is not there any more is not shown either."""
    directory.withdraw(hospital=hospital)
    directory.publish(hospital=hospital, departments=shown_to_patients)
    publishing.republish(hospital=hospital)


@transaction.atomic
def _note_visits(hospital: Hospital) -> None:
    known = dict(TakenTime.objects.filter(hospital=hospital).values_list("appointment", "is_live"))
    visits = Appointment.objects.filter(patient__user__isnull=False).select_related("patient__user")
    for visit in visits.order_by("pk").iterator(chunk_size=1000):
        is_noted_live = known.pop(visit.code, None)
        if is_noted_live is None:
            if visit.is_live or visit.booked_at:
                note(visit, hospital=hospital)
        elif visit.is_live and not is_noted_live:
            directory.resume_time(appointment=visit.code)
        elif is_noted_live and not visit.is_live:
            directory.end_time(appointment=visit.code)
    TakenTime.objects.filter(appointment__in=known).delete()
