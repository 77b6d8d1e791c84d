"""What the tests of the patient's pages share: choosing a time, and reading what a page says."""

from typing import Any

from django.test import Client

from appointments.models import Appointment
from appointments.services.weeks import Time
from core.schemas import schema_context
from hospitals.models import Doctor
from tenants.models import Hospital
from tests.factories import at


def said(response: Any) -> str:
    """A page's text with its markup, on one line."""
    return " ".join(response.content.decode().split())


def value(hospital: Hospital, clock: str, days: int = 1) -> str:
    """A time as an address and a form name it."""
    return Time(at(hospital, clock, days)).value


def choose(client: Client, hospital: Hospital, doctor: Doctor, clock: str = "10:00", **chosen: str) -> Any:
    """Send a time from the doctor's page."""
    return client.post(
        f"/doctors/{doctor.code}/hold/", {"starts_at": value(hospital, clock), "kind": "in_person", **chosen}
    )


def visits(hospital: Hospital) -> list[Appointment]:
    """All holds and visits of the hospital, the earliest made first."""
    with schema_context(hospital.schema_name):
        return list(Appointment.objects.select_related("patient", "doctor__user").order_by("pk"))


def only_visit(hospital: Hospital) -> Appointment:
    """The one that there is."""
    [visit] = visits(hospital)
    return visit
