"""People on the waitlist, and times that become free."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, WaitlistEntry
from appointments.services import day, waiting
from appointments.services.waiting import Wish
from hospitals.models import Doctor
from tenants.models import Hospital
from tests.factories import at, person, visit

Standing = WaitlistEntry.Status
MINUTES = timedelta(minutes=1)


def wait(
    hospital: Hospital, doctor: Doctor, user: User, *, since: datetime | None = None, **fields: Any
) -> WaitlistEntry:
    """`user` waits for the doctor in the next ten days."""
    first = at(hospital, "00:00", 0).date()
    days = {"first_date": first, "last_date": first + timedelta(days=10), "kinds": []}
    wish = Wish(**{**days, **{name: value for name, value in fields.items() if name != "member"}})
    return waiting.join(
        hospital=hospital, doctor=doctor, member=fields.get("member"), wish=wish, by=user, now=since or now()
    )


def cancelled(hospital: Hospital, doctor: Doctor, clock: str = "10:00", days: int = 2) -> Appointment:
    """The time of somebody who has just cancelled."""
    booked = visit(hospital, doctor, person(f"{uuid4()}@example.com"), clock, days)
    day.cancel(hospital=hospital, visit=booked, by=None, reason="", now=now(), by_hospital=True)
    return booked


def freed(visit: Appointment, moment: datetime | None = None) -> None:
    """What the task does when a time is free again."""
    waiting.freed(appointment_id=visit.pk, now=moment or now())


def now_of(entry: WaitlistEntry) -> WaitlistEntry:
    return WaitlistEntry.objects.select_related("offer", "patient__user").get(pk=entry.pk)


def offered_to(*entries: WaitlistEntry) -> list[bool]:
    return [now_of(entry).status == Standing.OFFERED for entry in entries]
