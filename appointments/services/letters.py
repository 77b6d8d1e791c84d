"""What patients and doctors are written about visits. No message says what somebody is treated for."""

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.models import Appointment
from appointments.services.times import zone_of
from notifications import services as notifications
from tenants.models import Hospital


def booked(*, hospital: Hospital, visit: Appointment) -> None:
    """The visit is booked; whether it is confirmed, or has to be."""
    if visit.status == Appointment.Status.PENDING:
        _to_patient(hospital, visit, template="visit_pending", subject=_("We have received your booking"))
    else:
        _to_patient(hospital, visit, template="visit_booked", subject=_("Your appointment is booked"))


def confirmed(*, hospital: Hospital, visit: Appointment) -> None:
    """The hospital has confirmed the visit."""
    _to_patient(hospital, visit, template="visit_booked", subject=_("Your appointment is confirmed"))


def moved(*, hospital: Hospital, visit: Appointment, old: Appointment, reason: str) -> None:
    """The visit has another time."""


def cancelled(*, hospital: Hospital, visit: Appointment, reason: str) -> None:
    """The visit will not be."""


def missed(*, hospital: Hospital, visit: Appointment) -> None:
    """The patient did not come."""


def _to_patient(hospital: Hospital, visit: Appointment, *, template: str, subject: str) -> None:
    patient = visit.patient
    if patient is None or not patient.email:
        return
    starts = visit.starts_at.astimezone(zone_of(hospital))
    notifications.notify(
        to_address=patient.email,
        to_name=patient.name,
        template=template,
        subject=subject,
        brand_name=hospital.name,
        accent=hospital.accent,
        context={
            "hospital_name": hospital.name,
            "doctor_name": visit.doctor.name,
            "day": date_format(starts, "l j F"),
            "time": f"{starts:%H:%M}",
            "reference": visit.reference,
        },
    )
