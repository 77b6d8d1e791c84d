"""What the API takes and gives about many visits at once, and about the queues of a day."""

from typing import Any

from rest_framework import serializers

from appointments.services import bulk
from appointments.services.queue import Line


class BulkIn(serializers.Serializer[Any]):
    """Which visits, and what is to become of them. A move needs another `doctor`, another day (`on`), or both."""

    action = serializers.ChoiceField(choices=["cancel", "move"])
    appointments = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=bulk.LIMIT)
    reason = serializers.CharField(max_length=500)
    doctor = serializers.UUIDField(required=False)
    on = serializers.DateField(required=False)


class OutcomeOut(serializers.Serializer[Any]):
    """What became of one visit: `refusal` says why it stays as it was."""

    id = serializers.UUIDField(source="visit.code")
    reference = serializers.CharField(source="visit.reference")
    status = serializers.CharField(source="visit.status")
    moved_to = serializers.UUIDField(source="moved_to.code", allow_null=True, default=None)
    moved_to_starts_at = serializers.DateTimeField(source="moved_to.starts_at", allow_null=True, default=None)
    refusal = serializers.CharField()


class WalkInIn(serializers.Serializer[Any]):
    """Who has come without a booking, and to whom. Somebody new is registered first, at /api/patients/."""

    patient = serializers.UUIDField()
    doctor = serializers.UUIDField()
    reason = serializers.CharField(required=False, allow_blank=True, max_length=300, default="")


class LineOut(serializers.Serializer[Any]):
    """The queue of a doctor as the board in the waiting room shows it: tokens, and nothing about people."""

    doctor = serializers.UUIDField(source="doctor.code")
    doctor_name = serializers.CharField(source="doctor.name")
    room = serializers.CharField()
    now = serializers.SerializerMethodField()
    next = serializers.SerializerMethodField()

    def get_now(self, line: Line) -> list[int]:
        """Tokens that are inside."""
        return [visit.token for visit in line.inside if visit.token]

    def get_next(self, line: Line) -> list[int]:
        """Tokens in the order of being called."""
        return [visit.token for visit in line.waiting if visit.token]
