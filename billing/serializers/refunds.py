"""What the API takes and gives about money that goes back."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing import steps
from billing.models import AT_THE_DESK, Method, Refund
from billing.serializers.bills import PatientNamed
from billing.serializers.cash import money
from billing.services import refunds
from billing.steps import RefundStep


class AskIn(serializers.Serializer[Any]):
    """How much of a payment goes back, and why. Without `amount` it is all that is left of it."""

    amount = money(min_value=Decimal("0.01"), required=False, allow_null=True, default=None)
    reason = serializers.CharField(max_length=200)


class PayOutIn(serializers.Serializer[Any]):
    """How the desk hands it out; `ways` of the refund says which methods are possible. Only cash needs no `reference`."""

    method = serializers.ChoiceField(choices=[(method.value, method.label) for method in AT_THE_DESK])
    reference = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")

    def validate_method(self, method: str) -> Method:
        """As the services take it."""
        return Method(method)


class DeclineIn(serializers.Serializer[Any]):
    """Why it is refused."""

    reason = serializers.CharField(max_length=200)


class OneRefundOut(serializers.ModelSerializer[Refund]):
    """Money that goes back, and in `may` what the caller may do with it now. `gateway_id` is Razorpay's."""

    id = serializers.UUIDField(source="code")
    status_display = serializers.CharField(source="standing")
    payment = serializers.UUIDField(source="payment.code")
    bill = serializers.UUIDField(source="invoice.code")
    bill_number = serializers.CharField(source="invoice.reference")
    patient = PatientNamed(source="invoice.patient")
    asked_by = serializers.SerializerMethodField()
    ways = serializers.SerializerMethodField()
    may = serializers.SerializerMethodField()

    class Meta:
        model = Refund
        fields = [
            "id", "status", "status_display", "method", "amount", "reason", "reference", "gateway_id", "failure",
            "payment", "bill", "bill_number", "patient", "asked_by", "created_at", "processed_at", "ways", "may",
        ]  # fmt: skip

    def get_asked_by(self, refund: Refund) -> str:
        """Who asked for it; empty where a rule did."""
        return str(refund.asked_by or "")

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(choices=Method.choices)))
    def get_ways(self, refund: Refund) -> list[str]:
        """How the desk may hand it out now."""
        return list(refunds.ways(refund))

    @extend_schema_field(
        serializers.ListField(child=serializers.ChoiceField(choices=[step.value for step in RefundStep]))
    )
    def get_may(self, refund: Refund) -> list[str]:
        """What the caller may do with it now."""
        return list(steps.on_refund(self.context["request"], refund))
