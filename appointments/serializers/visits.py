"""What the API takes and gives about visits and holds."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from appointments import steps
from appointments.models import Appointment, Status
from appointments.services import paying
from appointments.steps import STATUS_ALIASES
from audit.models import AuditLog
from core.rest import Shape
from core.visits import VisitKind
from tenants.models import Hospital

KINDS = [(name, name) for name in (*VisitKind.values, "online")]  # the last by another name: video


class When(Shape):
    """A time by the hospital's clocks, `appointment_date` and `appointment_time`; or one instant, `starts_at`."""

    appointment_date = serializers.DateField(required=False)
    appointment_time = serializers.TimeField(required=False)
    starts_at = serializers.DateTimeField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Make one `starts_at` of it."""
        day, clock = attrs.pop("appointment_date", None), attrs.pop("appointment_time", None)
        if "starts_at" not in attrs:
            missing = {"appointment_date": day, "appointment_time": clock}
            faults = {name: _("This field is required.") for name, given in missing.items() if given is None}
            if day is None or clock is None:
                raise serializers.ValidationError(faults)
            attrs["starts_at"] = datetime.combine(day, clock.replace(tzinfo=None), _zone(self.context))
        return attrs


class HoldIn(When):
    """A time of a doctor. `kind` is also understood as `type`; `online` is by video."""

    doctor = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=KINDS, required=False)
    type = serializers.ChoiceField(choices=KINDS, required=False)
    hospital_id = serializers.UUIDField(required=False, help_text="On the portal: which hospital.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Settle which kind is meant: in person, if none is named."""
        attrs.pop("hospital_id", None)
        kind, other = attrs.pop("kind", None), attrs.pop("type", None)
        kind = kind or other or VisitKind.IN_PERSON
        return super().validate(attrs) | {"kind": VisitKind.VIDEO if kind == "online" else VisitKind(kind)}


class Whom(Shape):
    """Whom a visit is for, and why.

    `patient` is the id of somebody in one's family, or of an entry of the register: one's own, or at the desk anybody's.
    Without it the visit is for who asks.
    """

    patient = serializers.UUIDField(required=False, allow_null=True, default=None)
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)


class BookingIn(HoldIn, Whom):
    """A booking in one step."""


class MoveIn(When):
    """Where a visit is moved to. Only the hospital names another doctor."""

    doctor = serializers.UUIDField(required=False)
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)


class StepIn(serializers.Serializer[Any]):
    """Why, if there is something to say. The hospital reads it, and the patient."""

    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)


class StatusIn(StepIn):
    """The state a visit is to be in. `requested` is the same as pending, `booked` as confirmed."""

    status = serializers.ChoiceField(choices=[*Status.values, *STATUS_ALIASES])

    def validate_status(self, status: str) -> Status:
        """By its own name."""
        return STATUS_ALIASES.get(status) or Status(status)


class Named(Shape):
    """Somebody or something, by id and name."""

    id = serializers.UUIDField(source="code")
    name = serializers.CharField()


class PatientNamed(Named):
    """A patient, with the hospital's own number."""

    number = serializers.CharField()


class _Timed(Shape, serializers.ModelSerializer[Appointment]):
    """What visits and holds have in common."""

    id = serializers.UUIDField(source="code")
    hospital_id = serializers.SerializerMethodField()
    doctor = Named()
    department = Named(allow_null=True)
    appointment_date = serializers.SerializerMethodField()
    appointment_time = serializers.SerializerMethodField()
    duration = serializers.SerializerMethodField(help_text="In minutes.")
    type = serializers.ChoiceField(source="kind", choices=VisitKind.choices)

    def get_hospital_id(self, visit: Appointment) -> str:
        """The hospital's id."""
        return str(self.context["hospital"].code)

    @extend_schema_field(serializers.DateField())
    def get_appointment_date(self, visit: Appointment) -> str:
        """The day by the hospital's clocks."""
        return f"{visit.starts_at.astimezone(_zone(self.context)):%Y-%m-%d}"

    @extend_schema_field(serializers.TimeField())
    def get_appointment_time(self, visit: Appointment) -> str:
        """The time by the hospital's clocks."""
        return f"{visit.starts_at.astimezone(_zone(self.context)):%H:%M}"

    def get_duration(self, visit: Appointment) -> int:
        """How long it is, without the pauses around it."""
        return int((visit.ends_at - visit.starts_at).total_seconds() // 60)


_TIMED = [
    "id", "hospital_id", "doctor", "department", "appointment_date", "appointment_time", "starts_at", "ends_at",
    "duration", "type", "fee",
]  # fmt: skip


class VisitPaymentOut(Shape):
    """What a visit costs. `required`: it is confirmed by paying `amount` until `pay_until`; `invoice` is its bill's id.

    The bill is paid at /api/billing/{invoice}/checkout/. A visit without one gets it at its own /pay/.
    """

    required = serializers.BooleanField()  # type: ignore[assignment]  # fields have one too, which is not shown
    pay_until = serializers.DateTimeField(allow_null=True)
    amount = serializers.DecimalField(max_digits=10, decimal_places=2)
    invoice = serializers.UUIDField(allow_null=True)


class CancellingOut(serializers.Serializer[Any]):
    """What would become of the money if the visit were cancelled now: kept by the rules, refunded, and still due."""

    kept = serializers.DecimalField(max_digits=10, decimal_places=2)
    refund = serializers.DecimalField(max_digits=10, decimal_places=2)
    due = serializers.DecimalField(max_digits=10, decimal_places=2)


class VisitOut(_Timed):
    """A visit, and in `may` what the caller may do with it now."""

    patient = PatientNamed()
    payment = serializers.SerializerMethodField()
    status_display = serializers.SerializerMethodField()
    reason = serializers.SerializerMethodField()
    may = serializers.SerializerMethodField()

    class Meta:
        model = Appointment
        fields = [
            *_TIMED, "reference", "patient", "status", "status_display", "payment_status", "payment", "kept_fee", "reason",
            "source", "token", "free_cancellation_until", "cancelled_by_hospital", "booked_at", "checked_in_at",
            "called_at", "completed_at", "may",
        ]  # fmt: skip

    def get_status_display(self, visit: Appointment) -> str:
        """The status in words."""
        return str(Status(visit.status).label)  # Django's own way to say it looks at all of them each time

    @extend_schema_field(VisitPaymentOut)
    def get_payment(self, visit: Appointment) -> dict[str, Any]:
        """What it costs, and whether it must be paid first."""
        waits = visit.waits_for_payment
        said = {
            "required": waits,
            "pay_until": visit.pay_until if waits else None,
            "amount": visit.fee,
            "invoice": _bill_code(visit),
        }
        return dict(VisitPaymentOut(said).data)

    def get_reason(self, visit: Appointment) -> str:
        """Why the patient comes, for those who may read it."""
        return visit.reason if steps.reads_reason(self.context["request"], visit) else ""

    def get_may(self, visit: Appointment) -> list[str]:
        """The steps that the caller and the state permit."""
        as_patient = self.context.get("as_patient", False)
        return [str(step) for step in steps.possible(self.context["request"], visit, as_patient=as_patient)]


class HoldOut(_Timed):
    """A time that is held. `holder` is the key a visitor shows, as the header `X-Holder`, for anything about the hold."""

    holder = serializers.SerializerMethodField()

    class Meta:
        model = Appointment
        fields = [*_TIMED, "held_until", "is_hold_extended", "holder"]

    def get_holder(self, visit: Appointment) -> str | None:
        """The key; none for somebody signed in, whose hold it is."""
        return cast("str | None", self.context.get("holder"))


class VisitLog(serializers.ModelSerializer[AuditLog]):
    """One thing that happened to a visit."""

    id = serializers.UUIDField(source="code")
    title = serializers.CharField()

    class Meta:
        model = AuditLog
        fields = ["id", "timestamp", "action", "title", "actor", "old", "new", "reason"]


class SlotTaken(serializers.Serializer[Any]):
    """A refusal of a time that somebody else has, with the next one that is free."""

    detail = serializers.CharField()
    field = serializers.CharField(required=False)
    next_free_at = serializers.DateTimeField(required=False, allow_null=True)


def _bill_code(visit: Appointment) -> UUID | None:
    """The bill's id; lists have read it with the visits, and a visit that costs nothing has none."""
    if hasattr(visit, "bill_code"):
        return cast("UUID | None", visit.bill_code)
    found = paying.bill_of(visit) if visit.fee else None
    return found.code if found else None


def _zone(context: Mapping[str, Any]) -> ZoneInfo:
    hospital: Hospital = context["hospital"]
    return ZoneInfo(hospital.time_zone)
