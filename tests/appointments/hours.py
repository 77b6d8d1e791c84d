"""What the tests about hours share."""

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from django.utils.timezone import now

from appointments.models import Availability
from appointments.services import hours, times
from appointments.services.displacing import Choice, Decision, Decisions
from appointments.services.hours import Stretch
from audit.models import AuditLog
from hospitals.models import Doctor
from tenants.models import Hospital
from tests.factories import at

UNDECIDED = Decisions()
CANCEL = Decisions(others=Choice(Decision.CANCEL))
MOVE = Decisions(others=Choice(Decision.MOVE))
KEEP = Decisions(others=Choice(Decision.KEEP))


def tomorrow(hospital: Hospital) -> date:
    return at(hospital, "10:00").date()


def stretch(starts: str, ends: str, **fields: Any) -> Stretch:
    return Stretch(time.fromisoformat(starts), time.fromisoformat(ends), **fields)


def actions(target: Any) -> list[str]:
    return list(AuditLog.objects.about(target).order_by("pk").values_list("action", flat=True))


def free_on(hospital: Hospital, doctor: Doctor, day: date) -> list[datetime]:
    found = Doctor.objects.select_related("user").get(pk=doctor.pk)
    slots = times.free_slots(hospital=hospital, doctor=found, first=day, last=day, now=now())
    return [slot.starts_at for slot in slots]


def change(act: Callable[..., Any], row: Availability, new: Stretch, decisions: Decisions | None = UNDECIDED) -> None:
    def service(doctor: Doctor, **fields: Any) -> None:
        hours.change_weekly(row=row, **fields)

    act(service, weekday=row.weekday, stretch=new, decisions=decisions)


def drop(act: Callable[..., Any], row: Availability, decisions: Decisions | None = UNDECIDED) -> None:
    def service(doctor: Doctor, **fields: Any) -> None:
        hours.remove(row=row, **fields)

    act(service, decisions=decisions)


def week(
    act: Callable[..., Any], rows: list[tuple[int, Stretch]], decisions: Decisions = UNDECIDED, **more: Any
) -> None:
    act(hours.replace_week, week=rows, decisions=decisions, **more)
