"""A visit as a file that calendars read (RFC 5545). It says when and where, and nothing of why."""

from datetime import datetime

from django.http import HttpResponse
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vCalAddress, vText

from appointments.models import Appointment, Status
from appointments.services.times import zone_of
from core.hosts import hospital_url
from core.visits import VisitKind
from tenants.models import Hospital

MEDIA_TYPE = "text/calendar"
_OFF = [Status.CANCELLED, Status.NO_SHOW, Status.RESCHEDULED]


def answer(*, hospital: Hospital, visit: Appointment, now: datetime) -> HttpResponse:
    """The file as a download."""
    return HttpResponse(
        calendar_of(hospital=hospital, visit=visit, now=now),
        content_type=f"{MEDIA_TYPE}; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{visit.reference}.ics"',
            "Cache-Control": "private, no-store",
        },
    )


def calendar_of(*, hospital: Hospital, visit: Appointment, now: datetime) -> bytes:
    """The file. A visit that was moved keeps its entry in the calendar, which then takes the new time."""
    zone = zone_of(hospital)
    first, moves = _history(visit)
    event = Event()
    event.uid = f"{first.code}@{hospital.host}"
    event.add("sequence", 2 * moves + (visit.status in _OFF))
    event.stamp = now
    event.start, event.end = visit.starts_at.astimezone(zone), visit.ends_at.astimezone(zone)
    event.add("summary", _("Appointment at %(hospital)s") % {"hospital": hospital.name})
    event.add("location", _place(hospital, visit))
    words = {"name": visit.doctor.name, "reference": visit.reference}
    event.add("description", _("With %(name)s. Reference %(reference)s.") % words)
    event.add("url", hospital_url(hospital.slug, "visit_detail", visit.code))
    event.add("status", "CANCELLED" if visit.status in _OFF else "CONFIRMED")
    event.add("class", "PRIVATE")
    organizer = vCalAddress(f"mailto:{hospital.email}")
    organizer.params["cn"] = vText(hospital.name)
    event.add("organizer", organizer)
    calendar = Calendar()
    calendar.add("prodid", "-//RHMS//Appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if visit.status in _OFF else "PUBLISH")
    calendar.add_component(event)
    calendar.add_missing_timezones()
    content: bytes = calendar.to_ical()
    return content


def _history(visit: Appointment) -> tuple[Appointment, int]:
    """The visit as it was first booked, and how often it was moved since."""
    first, moves = visit, 0
    while first.rescheduled_from is not None:
        first, moves = first.rescheduled_from, moves + 1
    return first, moves


def _place(hospital: Hospital, visit: Appointment) -> str:
    if visit.kind != VisitKind.IN_PERSON:
        return str(visit.get_kind_display())
    return ", ".join([hospital.name, *hospital.address.splitlines(), hospital.city])
