"""What the API takes and gives about insurers' claims."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from billing import steps
from billing.models import InsuranceClaim
from billing.serializers.bills import PatientNamed


class CoverIn(serializers.Serializer[Any]):
    """Who insures the patient, and how much of the bill is claimed."""

    payer = serializers.CharField(max_length=120)
    policy_number = serializers.CharField(max_length=60)
    member_id = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    amount = serializers.DecimalField(max_digits=12, decimal_places=2, min_value=Decimal("0.01"))
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class ClaimStepIn(serializers.Serializer[Any]):
    """What the step says: a number, an amount, a reason or a reference, by the step."""

    preauth_number = serializers.CharField(max_length=60, required=False)
    claim_number = serializers.CharField(max_length=60, required=False)
    amount = serializers.DecimalField(max_digits=12, decimal_places=2, required=False)
    reason = serializers.CharField(max_length=200, required=False)
    reference = serializers.CharField(max_length=80, required=False)


class ClaimOut(serializers.ModelSerializer[InsuranceClaim]):
    """A claim, and in `may` what the caller may do with it now."""

    id = serializers.UUIDField(source="code")
    bill = serializers.UUIDField(source="invoice.code")
    bill_number = serializers.CharField(source="invoice.reference")
    patient = PatientNamed(source="invoice.patient")
    status_display = serializers.CharField(source="get_status_display")
    may = serializers.SerializerMethodField()

    class Meta:
        model = InsuranceClaim
        fields = [
            "id", "bill", "bill_number", "patient", "status", "status_display", "payer", "policy_number", "member_id",
            "preauth_number", "claim_number", "amount", "amount_approved", "note", "created_at", "may",
        ]  # fmt: skip

    def get_may(self, claim: InsuranceClaim) -> list[str]:
        """What the caller may do with it now."""
        return list(steps.on_claim(self.context["request"], claim))
