"""The same people and hospitals in every test, made by the services that make real ones.

Usha      superadmin of the platform
Hari      admin of Cedar Hospital
Kiran     admin of Lotus Clinic: the stranger in every test about Cedar
Asha      a person without any role: a patient
Dr Rao    a doctor whose documents Cedar has checked
"""

from datetime import datetime, time, timedelta
from io import BytesIO
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils.timezone import now
from PIL import Image

from accounts.models import User
from accounts.permissions import Role
from appointments.models import Appointment, Availability, Schedule
from appointments.services import booking
from audit import services as audit
from audit.models import Action
from core.visits import VisitKind
from hospitals.models import Doctor, Staff
from hospitals.services import joining
from hospitals.services.joining import Registration
from patients.models import Patient
from patients.services import register
from tenants.models import Hospital

PASSWORD = "correct-horse-7"
_numbers = count(1)


def superadmin(email: str = "usha@rhms.example") -> User:
    """Usha."""
    return User.objects.create_superuser(email, PASSWORD, first_name="Usha", last_name="Menon")


def person(email: str = "asha@example.com", first_name: str = "Asha", last_name: str = "Patel") -> User:
    """Somebody with an account and a password, and no role anywhere."""
    return User.objects.create_user(
        email, PASSWORD, first_name=first_name, last_name=last_name, email_verified_at=now()
    )


@transaction.atomic
def verified_doctor(by: User, email: str = "rao@cedar.example", first_name: str = "Vikram") -> Staff:
    """Dr Rao, whose documents the hospital of the active schema has checked."""
    user = person(email, first_name, "Rao")
    doctor = Doctor.objects.create(
        user=user, licence_number=f"KA-{user.pk}", status=Doctor.Status.APPROVED, verified_at=now(), verified_by=by
    )
    audit.record(action=Action.DOCTOR_APPROVED, target=doctor, by=by, new=doctor.status)
    return Staff.objects.create(user=user, role=Role.DOCTOR, joined_at=now())


def registration(**fields: Any) -> Registration:
    """What a hospital says of itself; every call another hospital."""
    number = next(_numbers)
    return Registration(
        **{
            "name": f"Hospital {number}",
            "registration_number": f"MH/{number:05d}",
            "email": f"office{number}@hospital.example",
            "phone_number": "+919845012345",
            "address": "12 Lake Road\nKothrud",
            "city": "Pune",
            "state": "MH",
            "contact_person": "Meera Shah",
            "slug": f"hospital-{number}",
            **fields,
        }
    )


def pending(**fields: Any) -> Hospital:
    """A hospital in the queue."""
    return joining.register(registration=registration(**fields), logo=None, address=f"visitor {next(_numbers)}")


def opened(by: User, **fields: Any) -> Hospital:
    """A hospital that has just been approved; its admin has not come in yet."""
    hospital = pending(**fields)
    joining.approve(hospital=hospital, by=by, now=now())
    return hospital


def picture(name: str = "logo.png", size: tuple[int, int] = (120, 80), colour: str = "teal") -> SimpleUploadedFile:
    """A picture as a browser sends it."""
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, format="PNG")
    return SimpleUploadedFile(name, out.getvalue(), content_type="image/png")


def bookable_doctor(
    hospital: Hospital, by: User, email: str = "rao@cedar.example", first_name: str = "Vikram", **fields: Any
) -> Doctor:
    """A doctor of the active schema whom patients can book: every day from 9 to 17, visits of 20 minutes, for ₹700."""
    verified_doctor(by, email, first_name)
    fields = {"specialization": "Cardiology", "fee_in_person": 700, "fee_video": 500, **fields}
    Doctor.objects.filter(user__email=email).update(**fields)
    doctor = Doctor.objects.select_related("user").get(user__email=email)
    Schedule.objects.create(doctor=doctor)
    for weekday in range(7):
        every_week(doctor, weekday)
    return Doctor.objects.select_related("user", "schedule").get(pk=doctor.pk)


def every_week(doctor: Doctor, weekday: int, starts: str = "09:00", ends: str = "17:00", **fields: Any) -> Availability:
    """Hours of every week."""
    return Availability.objects.create(
        doctor=doctor,
        kind=Availability.Kind.WEEKLY,
        weekday=weekday,
        starts=time.fromisoformat(starts),
        ends=time.fromisoformat(ends),
        **fields,
    )


def patient(user: User) -> Patient:
    """The person's entry in the register of the active schema."""
    return register.for_person(user=user, member=None, by=user)


def at(hospital: Hospital, clock: str, days: int = 1) -> datetime:
    """An instant by the hospital's clocks: `at(cedar, "10:00")` is tomorrow at ten."""
    zone = ZoneInfo(hospital.time_zone)
    day = now().astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, time.fromisoformat(clock), zone)


def visit(
    hospital: Hospital, doctor: Doctor, user: User, clock: str = "10:00", days: int = 1, **fields: Any
) -> Appointment:
    """A booked visit of `user`, by default tomorrow at ten."""
    asked = booking.Booking(patient=patient(user), **fields)
    return booking.book(
        hospital=hospital,
        doctor=doctor,
        starts_at=at(hospital, clock, days),
        kind=VisitKind.IN_PERSON,
        booking=asked,
        by=user,
        now=now(),
    )
