"""What the front desk does for somebody who stands there or telephones: registered and booked in one go, or neither."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from appointments.models import Appointment
from appointments.services import booking
from core.visits import VisitKind
from hospitals.models import Doctor
from patients.models import Patient
from patients.services import register
from tenants.models import Hospital


@dataclass(frozen=True)
class Newcomer:
    """Somebody who is not in the register yet. `is_new` says that they are nobody of those who look like them."""

    details: Mapping[str, Any]
    is_new: bool


@transaction.atomic
def walk_in(
    *, hospital: Hospital, doctor: Doctor, who: Patient | Newcomer, reason: str, by: User, now: datetime
) -> Appointment:
    """Give somebody without a booking a token for today.

    Raises PossibleDouble when a newcomer looks like somebody of the register; then nothing is written.
    """
    patient = _registered(who, by)
    return booking.walk_in(hospital=hospital, doctor=doctor, patient=patient, reason=reason, by=by, now=now)


def book(
    *,
    hospital: Hospital,
    doctor: Doctor,
    patient: Patient,
    starts_at: datetime,
    kind: VisitKind,
    reason: str,
    by: User,
    now: datetime,
) -> Appointment:
    """Book a time for a patient, whatever the shortest notice and the furthest day; it is confirmed at once."""
    asked = booking.Booking(patient=patient, reason=reason, source=Appointment.Source.DESK)
    return booking.book(
        hospital=hospital, doctor=doctor, starts_at=starts_at, kind=kind, booking=asked, by=by, now=now, any_notice=True
    )


def _registered(who: Patient | Newcomer, by: User) -> Patient:
    if isinstance(who, Patient):
        return who
    return register.register(details=who.details, by=by, is_new=who.is_new)
