"""Doctors' time, patients and visits on the scene, and the pages that show them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.timezone import now

from accounts.models import FamilyMember, Relation, Sex, User
from appointments.models import Appointment, Availability
from appointments.services import booking, day
from core.hosts import hospital_url, portal_url
from hospitals.models import Department, Doctor
from hospitals.services.doctors import publishing
from patients.models import Patient
from tenants.models import Hospital
from tests import factories
from tests.journeys.stops import Stop


@dataclass
class Visits:
    """What was made, for the addresses of its pages."""

    doctor: Doctor
    coming: Appointment
    waiting: Appointment
    over: Appointment
    patient: Patient


def build(cedar: Hospital, hari: User, department: Department) -> Visits:
    """Dr Rao has hours and leave; Asha has visits of every kind, others fill the day. Works in Cedar's schema."""
    asha = User.objects.get(email="asha@example.com")
    doctor = factories.bookable_doctor(
        cedar,
        hari,
        department=department,
        bio="Chest pain, breathlessness, rhythm. I explain until you have understood.",
        languages=["en", "hi", "mr"],
        experience_years=19,
        qualifications="MBBS, MD (Medicine), DM (Cardiology)",
    )
    leave = date.today() + timedelta(days=9)  # noqa: DTZ011
    Availability.objects.create(
        doctor=doctor,
        kind=Availability.Kind.LEAVE,
        first_date=leave,
        last_date=leave,
        starts="09:00",
        ends="13:00",
        note="Conference",
    )
    FamilyMember.objects.create(
        user=asha, name="Ishaan Patel", birth_date=date(2018, 3, 9), sex=Sex.MALE, relation=Relation.CHILD
    )
    coming = factories.visit(cedar, doctor, asha, "10:00", reason="Palpitations")
    over = factories.visit(cedar, doctor, asha, "11:00", days=2)
    day.cancel(hospital=cedar, visit=over, by=asha, reason="Away", now=now(), by_hospital=False)
    for number, clock in enumerate(["09:20", "12:00", "15:40"]):
        somebody = factories.person(f"patient{number}@example.com", ["Ravi", "Sunita", "Lata"][number], "Kulkarni")
        factories.visit(cedar, doctor, somebody, clock, days=1 + number)
    patient = factories.patient(asha)
    walked = [
        booking.walk_in(hospital=cedar, doctor=doctor, patient=who, reason="Fever", by=hari, now=now())
        for who in Patient.objects.exclude(pk=patient.pk).order_by("pk")[:2]
    ]
    day.call(visit=walked[0], by=hari, now=now())
    publishing.republish(hospital=cedar)
    return Visits(doctor, coming, walked[1], over, patient)


def patient(made: Visits) -> Iterator[Stop]:
    """What a patient sees of their visits."""
    doctor, visit = made.doctor.code, made.coming.code
    yield Stop("doctors of the hospital", hospital_url("cedar", "doctor_list"))
    yield Stop("doctors of the hospital, none found", hospital_url("cedar", "doctor_list") + "?q=nothing")
    yield Stop("doctor's page", hospital_url("cedar", "doctor_page", doctor))
    yield Stop("my appointments", hospital_url("cedar", "visit_list"))
    yield Stop("appointment", hospital_url("cedar", "visit_detail", visit))
    yield Stop("appointment, over", hospital_url("cedar", "visit_detail", made.over.code))
    yield Stop("moving", hospital_url("cedar", "visit_move", visit))
    yield Stop("cancelling", hospital_url("cedar", "visit_cancel", visit))
    yield Stop("waitlist, joining", hospital_url("cedar", "waitlist_join", doctor))
    yield Stop("waitlist", hospital_url("cedar", "waitlist"))
    yield Stop("own details", hospital_url("cedar", "own_details"))
    yield Stop("family", hospital_url("cedar", "family"))


def searcher(made: Visits) -> Iterator[Stop]:
    """The search across hospitals."""
    yield Stop("doctors", portal_url("doctor_search"))
    yield Stop("doctors, found by a word", portal_url("doctor_search") + "?q=heart")
    yield Stop("doctors, none found", portal_url("doctor_search") + "?q=zzzzzz")


def doctor(made: Visits) -> Iterator[Stop]:
    """A doctor's own rooms."""
    yield Stop("today", hospital_url("cedar", "today"))
    yield Stop("schedule", hospital_url("cedar", "own_week"))
    yield Stop("own hours", hospital_url("cedar", "own_hours"))
    yield Stop("own profile", hospital_url("cedar", "own_profile"))
    yield Stop("patients", hospital_url("cedar", "patient_admin"))
    yield Stop("patient", hospital_url("cedar", "patient_detail", made.patient.code))
    yield Stop("visit, own", hospital_url("cedar", "appointment_detail", made.coming.code))


def office(made: Visits) -> Iterator[Stop]:
    """The front desk, and what the admin does about visits."""
    yield Stop("front desk", hospital_url("cedar", "desk"))
    yield Stop("walk-in", hospital_url("cedar", "walk_in"))
    yield Stop("booking at the desk", hospital_url("cedar", "desk_book"))
    yield Stop("display", hospital_url("cedar", "queue_display"))
    yield Stop("appointments", hospital_url("cedar", "appointment_admin"))
    yield Stop("appointments, none found", hospital_url("cedar", "appointment_admin") + "?q=nothing")
    yield Stop("doctors' weeks", hospital_url("cedar", "doctor_week"))
    yield Stop("visit", hospital_url("cedar", "appointment_detail", made.coming.code))
    yield Stop("waitlist of the hospital", hospital_url("cedar", "waitlist_admin"))
    yield Stop("patients of the hospital", hospital_url("cedar", "patient_admin"))
    yield Stop("patient, adding", hospital_url("cedar", "patient_add"))
    yield Stop("patient, editing", hospital_url("cedar", "patient_edit", made.patient.code))
    yield Stop("doctor's profile", hospital_url("cedar", "doctor_profile", made.doctor.code))
    yield Stop("doctor's hours", hospital_url("cedar", "doctor_hours", made.doctor.code))
    yield Stop("booking rules", hospital_url("cedar", "settings_booking"))
