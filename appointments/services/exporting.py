"""The file of visits. What somebody is treated for is not in it."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from appointments.models import Appointment
from appointments.models.visits import Appointments
from appointments.services.times import zone_of
from audit import services as audit
from audit.models import Action
from core import spreadsheets
from core.schemas import schema_context
from core.visits import VisitKind
from tenants.models import Hospital

_AT_ONCE = 500


@transaction.atomic
def export(*, hospital: Hospital, visits: Appointments, narrowed_by: list[str], by: User) -> Iterator[str]:
    """The visits as lines of a CSV file, read a part at a time while they are sent; that it was taken is recorded.

    `narrowed_by` names the filters, not what was typed into them: that may be a patient's name.
    """
    data = {"visits": visits.count(), "narrowed_by": ", ".join(narrowed_by)}
    audit.record(action=Action.VISITS_EXPORTED, target=hospital, by=by, data=data)
    heads = [
        _("Reference"),
        _("Date"),
        _("Starts"),
        _("Ends"),
        _("Status"),
        _("Kind of visit"),
        _("Booked"),
        _("Doctor"),
        _("Department"),
        _("Patient number"),
        _("Patient"),
        _("Phone number"),
        _("Token"),
        _("Fee"),
        _("Payment"),
        _("Fee kept"),
    ]
    # The file is written after the page has been answered, when neither the schema nor the language is set any more.
    words = {value: str(label) for value, label in _choices()}
    return _lines(hospital, visits, heads, words, zone_of(hospital))


def _choices() -> Iterator[tuple[str, object]]:
    found = {
        "status": Appointment.Status.choices,
        "kind": VisitKind.choices,
        "source": Appointment.Source.choices,
        "payment_status": Appointment.PaymentStatus.choices,
    }
    for name, choices in found.items():
        for value, label in choices:
            yield f"{name}.{value}", label


def _lines(
    hospital: Hospital, visits: Appointments, heads: list[str], words: dict[str, str], zone: ZoneInfo
) -> Iterator[str]:
    yield spreadsheets.MARK + spreadsheets.line(heads)
    for visit in _read(hospital, visits):
        yield spreadsheets.line(_cells(visit, words, zone))


def _read(hospital: Hospital, visits: Appointments) -> Iterator[Appointment]:
    rows = visits.with_people().order_by("starts_at", "pk")
    part = None
    while part is None or len(part) == _AT_ONCE:
        after = Q()
        if part:
            last = part[-1]
            # The first condition alone lets Postgres begin there, instead of at the first visit of all.
            after = Q(starts_at__gte=last.starts_at) & (Q(starts_at__gt=last.starts_at) | Q(pk__gt=last.pk))
        with schema_context(hospital.schema_name):
            part = list(rows.filter(after)[:_AT_ONCE])
        yield from part


def _cells(visit: Appointment, words: dict[str, str], zone: ZoneInfo) -> list[object]:
    starts, ends = visit.starts_at.astimezone(zone), visit.ends_at.astimezone(zone)
    patient = visit.patient
    return [
        visit.reference,
        f"{starts:%Y-%m-%d}",
        _clock(starts),
        _clock(ends),
        words[f"status.{visit.status}"],
        words[f"kind.{visit.kind}"],
        words[f"source.{visit.source}"],
        visit.doctor.name,
        visit.department.name if visit.department else "",
        patient.number if patient else "",
        patient.name if patient else "",
        patient.phone if patient else "",
        visit.token or "",
        visit.fee,
        words[f"payment_status.{visit.payment_status}"],
        visit.kept_fee,
    ]


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M}"
