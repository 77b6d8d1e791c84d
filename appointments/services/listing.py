"""Telling the search when a doctor is free next."""

from datetime import datetime, timedelta

from django.db import transaction
from django_tenants.utils import schema_context

from appointments.models import Appointment
from appointments.services import times
from appointments.slots import Slot, by_day
from core import schemas
from directory import services as directory
from directory.models import DoctorListing
from directory.services import FreeTime
from hospitals.models import Doctor
from tenants.models import Hospital

# What a result shows: a few times of each of the next days.
DAYS = 14
A_DAY = 4


def refresh_times(*, doctor_id: int, now: datetime) -> None:
    """Work out when a doctor of the active hospital is free next, and show it; safe to call at any time.

    The listing is locked before the visits are read: of two that refresh at once the later one sees all that is booked.
    """
    doctor = Doctor.objects.with_people().select_related("schedule").get(pk=doctor_id)
    hospital = Hospital.objects.get(schema_name=schemas.active())
    zone = times.zone_of(hospital)
    today = now.astimezone(zone).date()
    with transaction.atomic():
        if not DoctorListing.objects.select_for_update().filter(code=doctor.code).exists():
            return
        last = today + timedelta(days=DAYS)
        free = times.free_slots(hospital=hospital, doctor=doctor, first=today, last=last, now=now)
        shown = [slot for day in by_day(free, zone).values() for slot in _few(day)]
        notice = timedelta(minutes=times.schedule_of(doctor).notice_minutes)
        holds = Appointment.objects.held(now).filter(doctor=doctor)
        ends = [until for until in holds.values_list("held_until", flat=True) if until]
        tomorrow = times.instants_of(today, zone)[1]
        stale_at = min([tomorrow, *ends, *(slot.starts_at - notice for slot in shown[:1])])
        directory.show_times(
            code=doctor.code, times=[FreeTime(slot.starts_at, slot.kinds) for slot in shown], stale_at=stale_at
        )


def _few(slots: list[Slot]) -> list[Slot]:
    """The first times of a day."""
    return slots[:A_DAY]


def refresh_stale(*, now: datetime) -> list[tuple[str, str]]:
    """Schema and doctor of every listing whose times have to be worked out anew; the task sends one for each."""
    with schema_context("public"):
        stale = DoctorListing.objects.published().filter(stale_at__lte=now).select_related("hospital")
        return [(listing.hospital.schema_name, str(listing.code)) for listing in stale.order_by("stale_at")[:500]]
