"""Telling the search when a doctor is free next."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Min

from appointments.models import Appointment
from appointments.services import times
from core import schemas
from core.queue import after_commit
from core.schemas import schema_context
from directory import services as directory
from directory.models import DoctorListing, FreeTime
from hospitals.models import Doctor
from hospitals.services.doctors import publishing
from tenants.models import Hospital

DAYS = 14
# Nobody shows a time beyond this before it has been worked out anew, which takes less than the day that is added.
FURTHEST = timedelta(days=DAYS + 1)
AT_ONCE = 2000
# A new day is worked out during the first two hours of it, not for all doctors in the same minute.
_NIGHT_MINUTES = 120


def refresh_times(*, doctor_id: int, now: datetime) -> None:
    """Work out when a doctor of the active hospital is free in the next two weeks, and show it.

    Safe to call at any time: the listing is locked before the visits are read, so of two that refresh at once the later
    one sees all that is booked.
    """
    doctor = Doctor.objects.with_people().select_related("schedule").filter(pk=doctor_id).first()
    if doctor is None:
        return
    hospital = Hospital.objects.get(schema_name=schemas.active())
    zone = times.zone_of(hospital)
    today = now.astimezone(zone).date()
    with transaction.atomic():
        if not DoctorListing.objects.filter(code=doctor.code).locked().values("pk"):
            return
        last = today + timedelta(days=DAYS - 1)
        free = times.free_slots(hospital=hospital, doctor=doctor, first=today, last=last, now=now)
        held = Appointment.objects.held(now).filter(doctor=doctor).aggregate(ends=Min("held_until"))
        tomorrow = times.instants_of(today, zone)[1] + timedelta(minutes=doctor.pk % _NIGHT_MINUTES)
        directory.show_times(
            code=doctor.code,
            times=[FreeTime(slot.starts_at, slot.kinds) for slot in free],
            notice_minutes=times.schedule_of(doctor).notice_minutes,
            stale_at=min(tomorrow, held["ends"] or tomorrow),
        )


def refresh_listed(*, code: UUID, now: datetime) -> None:
    """The same for a doctor the search knows by this code, whose name it asks for anew."""
    doctor = Doctor.objects.filter(code=code).first()
    if doctor:
        publishing.renew(hospital=Hospital.objects.get(schema_name=schemas.active()), doctor=doctor)
        refresh_times(doctor_id=doctor.pk, now=now)


def refresh_stale(*, now: datetime) -> int:
    """Put the results in order again after a minute has passed, and have what is stale worked out anew.

    Returns for how many doctors. Each is worked out in a task of its own, in its hospital's schema.
    """
    with schema_context("public"):
        directory.drop_passed(now=now)
        stale = directory.claim_stale(now=now, limit=AT_ONCE)
    for schema, code in stale:
        with schema_context(schema):
            after_commit("appointments.refresh_listed", code=str(code))
    return len(stale)
