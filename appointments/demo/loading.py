"""Taking the demo's doctors, patients and visits through the same services as real ones, at made-up moments."""

from datetime import datetime, time, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils.timezone import now

from accounts.models import FamilyMember, User
from accounts.services import family
from appointments.demo.content import (
    LATE,
    MISSED,
    PATIENTS,
    PRACTICES,
    SON,
    VISITS,
    WALK_INS,
    DemoPatient,
    DemoVisit,
)
from appointments.models import Appointment, Availability
from appointments.services import booking, day, hours, listing, times
from appointments.services.booking import Booking
from core.schemas import schema_context
from core.visits import VisitKind
from hospitals.models import BookingPolicy, Doctor, Staff
from hospitals.services import settings
from hospitals.services.doctors import profile
from hospitals.services.doctors.profile import Profile
from patients.models import Patient
from patients.services import register
from tenants.models import Hospital

_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)


def load_family(person: User) -> FamilyMember:
    """The son for whom the demo's patient books."""
    name, born, sex, relation = SON
    found = FamilyMember.objects.of(person).filter(name=name).first()
    return found or family.add(user=person, name=name, birth_date=born, sex=sex, relation=relation, by=person)


def load(hospital: Hospital, *, person: User, son: FamilyMember) -> None:
    """Doctors' hours, the register and visits. All or nothing; leaves a hospital alone where somebody has hours."""
    with schema_context(hospital.schema_name), transaction.atomic():
        admin = Staff.objects.select_related("user").admins().working().order_by("pk").first()
        practising = [doctor for doctor in _doctors().values() if doctor.user.email in PRACTICES]
        if admin is None or Availability.objects.exists():
            return
        for doctor in practising:
            _open_practice(hospital, doctor, by=admin.user)
        known = {patient.name: _register(patient, by=admin.user) for patient in PATIENTS.get(hospital.slug, [])}
        known["Asha"] = register.for_person(user=person, member=None, by=person)
        known["Ishaan"] = register.for_person(user=person, member=son, by=person)
        _fill(hospital, known, by=admin.user)
        for doctor in practising:
            listing.refresh_times(doctor_id=doctor.pk, now=now())


def _doctors() -> dict[str, Doctor]:
    """The verified doctors of the active hospital by e-mail address."""
    return {doctor.user.email: doctor for doctor in Doctor.objects.verified().with_people().select_related("schedule")}


def _fill(hospital: Hospital, known: dict[str, Patient], *, by: User) -> None:
    """Visits of the last days, of today and to come; and who walked in."""
    doctors = _doctors()
    # A demo of an earlier version has fewer doctors, and keeps those it has.
    for visit in [visit for visit in VISITS.get(hospital.slug, []) if visit.doctor in doctors]:
        _visit(hospital, visit, doctors[visit.doctor], known[visit.patient], by=by)
    walked = [
        booking.walk_in(hospital=hospital, doctor=doctors[email], patient=known[name], reason=reason, by=by, now=now())
        for email, name, reason in WALK_INS.get(hospital.slug, [])
    ]
    for first in walked[:1]:
        day.call(visit=first, by=by, now=now())
    rules = {"late_cancellation_percent": LATE, "no_show_percent": MISSED}
    settings.change_booking(policy=BookingPolicy.objects.get(), by=by, **rules)


def _open_practice(hospital: Hospital, doctor: Doctor, *, by: User) -> None:
    practice = PRACTICES[doctor.user.email]
    profile.change(
        hospital=hospital,
        doctor=doctor,
        profile=Profile(
            bio=practice.bio,
            languages=practice.languages,
            fee_in_person=Decimal(practice.fee),
            fee_video=None if practice.video is None else Decimal(practice.video),
            fee_chat=None if practice.chat is None else Decimal(practice.chat),
        ),
        by=by,
    )
    hours.set_schedule(doctor=doctor, by=by, slot_minutes=practice.slot_minutes, room=practice.room)
    for weekdays, starts, ends in practice.hours:
        hours.add_weekly(
            hospital=hospital,
            doctor=doctor,
            weekdays=[int(weekday) for weekday in weekdays],
            stretch=hours.Stretch(starts=time.fromisoformat(starts), ends=time.fromisoformat(ends)),
            by=by,
            now=now(),
        )
    today = now().astimezone(times.zone_of(hospital)).date()
    if practice.room == "Room 3":
        away = today + 16 * _DAY
        hours.add_leave(
            hospital=hospital,
            doctor=doctor,
            first_date=away,
            last_date=away + _DAY,
            note="Cardiology congress",
            by=by,
            now=now(),
            decisions=None,
        )


def _register(patient: DemoPatient, *, by: User) -> Patient:
    details = {"name": patient.name, "birth_date": patient.born, "sex": patient.sex, "phone": patient.phone}
    made = register.register(details=details, by=by, is_new=True)
    if patient.allergies is not None:
        register.change(patient=made, details={"allergies": patient.allergies}, by=by)
    return made


def _visit(hospital: Hospital, content: DemoVisit, doctor: Doctor, patient: Patient, *, by: User) -> None:
    """Book a visit as if long before, and let happen what has happened by now."""
    zone = times.zone_of(hospital)
    today = now().astimezone(zone).date()
    date_ = today + content.days * _DAY
    while not doctor.availability.filter(weekday=date_.weekday()).exists():  # the demo may begin on a Saturday
        date_ += _DAY
    starts = datetime.combine(date_, time.fromisoformat(content.time), zone)
    by_patient = patient.user if patient.user and doctor.user_id != patient.user_id else None
    visit = booking.book(
        hospital=hospital,
        doctor=doctor,
        starts_at=starts,
        kind=content.kind,
        booking=Booking(
            patient=patient,
            reason=content.reason,
            source=Appointment.Source.WEB if by_patient else Appointment.Source.DESK,
        ),
        by=by_patient or by,
        now=min(now(), starts) - 3 * _DAY,
        any_notice=True,
    )
    if content.state == "cancelled":
        day.cancel(hospital=hospital, visit=visit, by=by, reason="Asked to by telephone.", now=now(), by_hospital=True)
    elif starts <= now():
        _let_pass(hospital, visit, missed=content.state == "missed", by=by)


def _let_pass(hospital: Hospital, visit: Appointment, *, missed: bool, by: User) -> None:
    """What has become of a visit whose time has come: missed, completed, or just under way."""
    if missed:
        day.miss(hospital=hospital, visit=visit, by=by, now=visit.ends_at)
        return
    arrived = visit.starts_at - 10 * _MINUTE
    if visit.kind == VisitKind.IN_PERSON:
        day.check_in(hospital=hospital, visit=visit, by=by, now=arrived)
    day.call(visit=visit, by=by, now=visit.starts_at + 3 * _MINUTE)
    if visit.ends_at <= now():
        day.complete(visit=visit, by=by, now=visit.ends_at + 2 * _MINUTE)
