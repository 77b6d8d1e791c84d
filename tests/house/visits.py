"""Doctors' time, patients and visits for the two hospitals of `cast.py`.

The doctor of the matrix can be booked. A patient whom the desk has registered, and all that is known of them, carries
canaries; nobody but the hospital's own people has any business with them.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.utils.timezone import now

from accounts.models import Sex, User
from accounts.permissions import Role
from appointments.models import Appointment, Availability, Schedule, WaitlistEntry
from appointments.services import booking, tokens
from appointments.services.booking import Booking
from appointments.services.tokens import Purpose
from audit import services as audit
from audit.models import Action
from core.visits import VisitKind
from hospitals.models import Doctor
from hospitals.services.doctors import publishing
from patients.models import Patient
from patients.services import register
from tests.house.walk import Door

if TYPE_CHECKING:
    from tests.house.cast import House

Canary = Callable[[str, str], str]


def furnish(house: "House", admin: User, canary: Canary) -> None:
    """A doctor with hours and leave, two patients, their visits, and one who waits for an earlier time."""
    doctor = _doctor(house, admin, canary)
    patient = _patient(house, canary, "patient")
    at = datetime.combine(date.today() + timedelta(days=2), time(10), ZoneInfo(house.hospital.time_zone))  # noqa: DTZ011
    visit = booking.book(
        hospital=house.hospital,
        doctor=doctor,
        starts_at=at,
        kind=VisitKind.IN_PERSON,
        booking=Booking(patient=patient, reason=canary(house.slug, "complaint"), source=Appointment.Source.DESK),
        by=admin,
        now=now(),
        any_notice=True,
    )
    entry = WaitlistEntry.objects.create(
        status=WaitlistEntry.Status.WAITING,
        doctor=doctor,
        patient=patient,
        first_date=at.date(),
        last_date=at.date() + timedelta(days=7),
    )
    audit.record(action=Action.WAITLIST_WAITING, target=entry, by=admin, new=entry.status)
    house.things |= {
        "bookable": doctor,
        "patient": patient,
        "visit": visit,
        "visit token": tokens.make(purpose=Purpose.CANCEL, code=visit.code),
        "entry": entry,
        "entry token": tokens.make(purpose=Purpose.OFFER, code=entry.code),
    }


def _doctor(house: "House", admin: User, canary: Canary) -> Doctor:
    doctor = Doctor.objects.create(
        user=house.people[Role.DOCTOR],
        specialization="Cardiology",
        licence_number=f"{house.slug}-1",
        department=house.things["shown"],
        status=Doctor.Status.APPROVED,
        verified_at=now(),
        verified_by=admin,
        fee_in_person=700,
        fee_video=500,
    )
    audit.record(action=Action.DOCTOR_APPROVED, target=doctor, by=admin, new=Doctor.Status.APPROVED)
    Schedule.objects.create(doctor=doctor, room="Room 3")
    hours = [
        Availability.objects.create(
            doctor=doctor, kind=Availability.Kind.WEEKLY, weekday=weekday, starts=time(9), ends=time(17)
        )
        for weekday in range(7)
    ]
    far = date.today() + timedelta(days=20)  # noqa: DTZ011
    Availability.objects.create(
        doctor=doctor,
        kind=Availability.Kind.LEAVE,
        first_date=far,
        last_date=far,
        starts=time(9),
        ends=time(12),
        note=canary(house.slug, "leave"),
    )
    house.things["hours"] = hours[0]
    publishing.publish(hospital=house.hospital, doctor=doctor)
    return doctor


def _patient(house: "House", canary: Canary, kind: str) -> Patient:
    patient = Patient.objects.create(
        number=register.next_number(),
        name=canary(house.slug, kind),
        birth_date=date(1961, 7, 2),
        sex=Sex.FEMALE,
        phone="+919822012345",
        email=f"{canary(house.slug, kind + 'mail').lower()}@example.com",
        address=canary(house.slug, kind + "home"),
        emergency_contact_name=canary(house.slug, kind + "kin"),
        allergies=[canary(house.slug, kind + "allergy")],
        conditions=[canary(house.slug, kind + "condition")],
    )
    audit.record(action=Action.PATIENT_ADDED, target=patient, by=None)
    return patient


def arguments(door: Door, house: "House") -> dict[str, Any] | None:
    """What stands in the address of a door about doctors' time, patients or visits; None for every other door."""
    things = house.things
    thing = next((thing for words, thing in _ABOUT if any(word in door.name for word in words)), None)
    if door.name in ("api_doctor", "api_doctor_profile"):
        thing = "bookable"
    if thing is None:
        return None
    return {"code": things[thing].code, "row": things["hours"].code, "weekday": 0, "step": "cancel"} | {
        "token": things[f"{thing} token"] if "token" in door.slots else "",
        "name": "0.webp",
    }


# By words in a door's name, the first that fits: whom or what its address names.
_ABOUT = [
    (("patient", "own_details"), "patient"),
    (("waitlist_join",), "bookable"),
    (("waitlist",), "entry"),
    (("doctor_photo", "doctor_page", "doctor_profile", "visit_hold", "hours", "availability"), "bookable"),
    (("visit", "appointment", "api_hold"), "visit"),
]
