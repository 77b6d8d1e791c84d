"""What the pages have in common on which a time is chosen."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.forms import Form
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.timezone import now

from appointments.services import times, weeks
from appointments.services.weeks import Week
from core.errors import DomainError
from core.http import HospitalRequest
from core.visits import VisitKind
from hospitals.models import Doctor


@dataclass(frozen=True)
class Kind:
    """A kind of visit that can be chosen, with its price."""

    kind: VisitKind
    fee: Decimal
    url: str
    is_current: bool


def day_asked(request: HospitalRequest) -> date | None:
    """The day that ?week= names."""
    try:
        return date.fromisoformat(request.GET.get("week", ""))
    except ValueError:
        return None


def picker(
    request: HospitalRequest,
    *,
    doctor: Doctor,
    kind: VisitKind,
    holder: UUID | None = None,
    day: date | None = None,
    at: datetime | None = None,
    form: Form | None = None,
) -> dict[str, Any]:
    """The context of `booking/picker.html`: the week of times; after a refusal, what can be had instead is chosen."""
    refusal = getattr(form, "refusal", None)
    if isinstance(refusal, times.SlotTaken):
        at = refusal.next_free_at
    elif isinstance(refusal, DomainError):
        at = None
    week = weeks.week_of(
        hospital=request.hospital, doctor=doctor, kind=kind, now=now(), asked=day, at=at, holder=holder
    )
    return {
        "doctor": doctor,
        "kind": kind,
        "week": week,
        "gone": at if at and not week.chosen and form is None else None,
        "minutes": times.schedule_of(doctor).slot_minutes,
        "form": form,
    }


def kinds_of(doctor: Doctor, kind: VisitKind, week: Week) -> list[Kind]:
    """The kinds of visit the doctor offers, each with its price; choosing one stays on the same day."""
    page = reverse("doctor_page", args=[doctor.code])
    day = {"week": week.shown.isoformat()} if week.shown else {}
    return [
        Kind(
            kind=offered,
            fee=fee,
            url=f"{page}?{urlencode({'kind': offered.value, **day})}",
            is_current=offered == kind,
        )
        for offered, fee in doctor.fees.items()
    ]
