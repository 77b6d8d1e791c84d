"""What the API takes and gives about the waitlist."""

from typing import Any

from django.utils.timezone import now
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.permissions import Permission, may
from appointments.models import WaitlistEntry
from appointments.services import waiting
from core.visits import VisitKind
from patients.models import Patient

_OPEN = (WaitlistEntry.Status.WAITING, WaitlistEntry.Status.OFFERED)


class WishIn(serializers.Serializer[Any]):
    """Whose waitlist, for whom, and for which days.

    `member` is the id of somebody in one's family; without it the wish is for who asks. `kinds` left out is any kind.
    `instead_of` is the id of one's visit with the same doctor that an earlier time would take the place of.
    """

    doctor = serializers.UUIDField()
    member = serializers.UUIDField(required=False, allow_null=True, default=None)
    first_date = serializers.DateField()
    last_date = serializers.DateField()
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=VisitKind.choices), required=False, default=list
    )
    instead_of = serializers.UUIDField(required=False, allow_null=True, default=None)


class Offer(serializers.Serializer[Any]):
    """A time that is held for somebody who waits."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=VisitKind.choices)
    fee = serializers.DecimalField(max_digits=10, decimal_places=2)
    held_until = serializers.DateTimeField()


class WaitlistDoctor(serializers.Serializer[Any]):
    """The doctor somebody waits for."""

    id = serializers.UUIDField(source="code")
    name = serializers.CharField()


class WaitlistPatient(serializers.ModelSerializer[Patient]):
    """Who waits."""

    id = serializers.UUIDField(source="code")

    class Meta:
        model = Patient
        fields = ["id", "name", "number"]


class EntryOut(serializers.ModelSerializer[WaitlistEntry]):
    """An entry of the waitlist. `offer` is there while a time is held; `appointment` once one was taken."""

    id = serializers.UUIDField(source="code")
    status_display = serializers.CharField(source="get_status_display")
    doctor = WaitlistDoctor()
    patient = WaitlistPatient()
    kinds = serializers.ListField(source="visit_kinds", child=serializers.ChoiceField(choices=VisitKind.choices))
    instead_of = serializers.UUIDField(source="instead_of.code", allow_null=True, default=None)
    offer = serializers.SerializerMethodField()
    appointment = serializers.SerializerMethodField()
    may = serializers.SerializerMethodField()

    class Meta:
        model = WaitlistEntry
        fields = [
            "id",
            "status",
            "status_display",
            "doctor",
            "patient",
            "first_date",
            "last_date",
            "kinds",
            "instead_of",
            "offer",
            "appointment",
            "asked_at",
            "created_at",
            "may",
        ]

    @extend_schema_field(Offer(allow_null=True))
    def get_offer(self, entry: WaitlistEntry) -> dict[str, Any] | None:
        """The time that is held now."""
        return dict(Offer(entry.offer).data) if waiting.is_offer_open(entry, now()) else None

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_appointment(self, entry: WaitlistEntry) -> str | None:
        """The id of the visit that came of it."""
        return str(entry.offer.code) if entry.offer and entry.status == WaitlistEntry.Status.BOOKED else None

    def get_may(self, entry: WaitlistEntry) -> list[str]:
        """What the caller may do with it now."""
        request = self.context["request"]
        if entry.status not in _OPEN:
            return []
        if entry.patient.user_id != request.user.pk:
            return may(request, request.user, withdraw=Permission.APPOINTMENT_DESK)
        answers = ["accept", "decline"] if waiting.is_offer_open(entry, now()) else []
        return [*answers, "withdraw"]
