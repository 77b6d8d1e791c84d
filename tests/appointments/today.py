"""Visits of today, whatever time it is, and the people who look after them."""

from datetime import timedelta
from uuid import uuid4

from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from accounts.permissions import Role
from appointments.models import Appointment
from appointments.services import booking, day
from appointments.services.booking import Booking
from core.schemas import schema_context
from core.visits import VisitKind
from hospitals.models import Doctor, Staff
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser
from tests.factories import at


def staff(hospital: Hospital, role: Role | str) -> Client:
    """Somebody of the hospital in this role, at its site."""
    user = factories.person(f"{role}-{uuid4().hex[:6]}@{hospital.slug}.example", "Meena", "Shah")
    with schema_context(hospital.schema_name):
        Staff.objects.create(user=user, role=role, joined_at=now())
    return browser(hospital.host, user)


def booked(hospital: Hospital, doctor: Doctor, user: User, clock: str = "10:00", **fields: str) -> Appointment:
    """A visit of today, booked when the day began."""
    with schema_context(hospital.schema_name):
        return booking.book(
            hospital=hospital,
            doctor=doctor,
            starts_at=at(hospital, clock, days=0),
            kind=VisitKind.IN_PERSON,
            booking=Booking(patient=factories.patient(user), **fields),  # type: ignore[arg-type]
            by=user,
            now=at(hospital, "00:00", days=0),
        )


def arrived(
    hospital: Hospital, doctor: Doctor, user: User, clock: str = "10:00", minutes_ago: int = 0, **fields: str
) -> Appointment:
    """A visit of today whose patient has checked in, so many minutes ago."""
    visit = booked(hospital, doctor, user, clock, **fields)
    with schema_context(hospital.schema_name):
        day.check_in(hospital=hospital, visit=visit, by=user, now=now())
        Appointment.objects.filter(pk=visit.pk).update(checked_in_at=now() - timedelta(minutes=minutes_ago))
    return as_it_is(hospital, visit)


def called(hospital: Hospital, doctor: Doctor, user: User, clock: str = "10:00") -> Appointment:
    """A visit of today whose patient is with the doctor."""
    visit = arrived(hospital, doctor, user, clock)
    with schema_context(hospital.schema_name):
        day.call(visit=visit, by=user, now=now())
    return visit


def as_it_is(hospital: Hospital, visit: Appointment) -> Appointment:
    """The visit as the database knows it."""
    with schema_context(hospital.schema_name):
        return Appointment.objects.select_related("doctor__schedule", "patient").get(pk=visit.pk)


def person(name: str) -> User:
    """Somebody with an account, called so."""
    first, _space, last = name.partition(" ")
    return factories.person(f"{first.lower()}-{uuid4().hex[:6]}@example.com", first, last or "Iyer")
