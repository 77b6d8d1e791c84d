"""What the API takes and gives about cash days and payments."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing import steps
from billing.models import CashDay, Method, Payment, Refund
from billing.serializers.bills import PatientNamed
from billing.services import cash

_ZERO = Decimal()


def money(**also: Any) -> serializers.DecimalField:
    """An amount in rupees, with two decimals."""
    return serializers.DecimalField(max_digits=12, decimal_places=2, **also)


# --- In --------------------------------------------------------------------------------------------------------------


class OpenIn(serializers.Serializer[Any]):
    """The cash in the drawer at the start."""

    opening_float = money(min_value=_ZERO)


class CloseIn(serializers.Serializer[Any]):
    """What was counted; `note` is needed when it differs from what is expected.

    With `expected`, what the clerk was shown, closing is refused if cash came or went since.
    """

    counted = money(min_value=_ZERO)
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    expected = money(required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """As the service calls it."""
        return {"counted": attrs["counted"], "note": attrs["note"], "seen": attrs["expected"]}


# --- Out -------------------------------------------------------------------------------------------------------------


class SumOut(serializers.Serializer[Any]):
    """What came and went by one method."""

    method = serializers.ChoiceField(choices=Method.choices)
    taken = money()
    payments = serializers.IntegerField()
    paid_out = money()
    refunds = serializers.IntegerField()


class CashDayOut(serializers.ModelSerializer[CashDay]):
    """A clerk's cash day. `expected` is what should be in the drawer; `difference` is there once it is counted."""

    id = serializers.UUIDField(source="code")
    clerk = serializers.CharField()
    expected = serializers.SerializerMethodField()
    difference = money(allow_null=True)

    class Meta:
        model = CashDay
        fields = [
            "id", "status", "clerk", "opened_at", "opening_float", "closed_at", "expected", "counted", "difference",
            "note",
        ]  # fmt: skip

    @extend_schema_field(money(allow_null=True))
    def get_expected(self, day: CashDay) -> str | None:
        """As it was when the day was closed."""
        return None if day.expected is None else f"{day.expected:.2f}"


class OneCashDayOut(CashDayOut):
    """A cash day with what came and went."""

    sums = serializers.SerializerMethodField()

    class Meta(CashDayOut.Meta):
        fields = [*CashDayOut.Meta.fields, "sums"]

    @extend_schema_field(money())
    def get_expected(self, day: CashDay) -> str:
        """Of an open day, by what came and went so far."""
        return f"{cash.expected_in(day) if day.expected is None else day.expected:.2f}"

    @extend_schema_field(SumOut(many=True))
    def get_sums(self, day: CashDay) -> Any:
        """By method."""
        return SumOut(cash.sums_of(day), many=True).data


class RefundInShort(serializers.ModelSerializer[Refund]):
    """Money of a payment that goes back."""

    id = serializers.UUIDField(source="code")

    class Meta:
        model = Refund
        fields = ["id", "status", "amount", "created_at", "processed_at"]


class OnePaymentOut(serializers.ModelSerializer[Payment]):
    """A payment, whatever became of it; `may` says what the caller may do with it now, `refundable` how much goes back.

    `gateway_id` and `order_id` are Razorpay's.
    """

    id = serializers.UUIDField(source="code")
    status_display = serializers.CharField(source="get_status_display")
    bill = serializers.UUIDField(source="invoice.code")
    bill_number = serializers.CharField(source="invoice.reference")
    patient = PatientNamed(source="invoice.patient")
    order_id = serializers.SerializerMethodField()
    received_by = serializers.SerializerMethodField()
    refunds = RefundInShort(many=True)
    refundable = serializers.SerializerMethodField()
    may = serializers.SerializerMethodField()

    class Meta:
        model = Payment
        fields = [
            "id", "status", "status_display", "method", "amount", "reference", "receipt_number", "bill", "bill_number",
            "patient", "gateway_id", "order_id", "gateway_method", "gateway_fee", "failure", "received_by",
            "created_at", "captured_at", "refunds", "refundable", "may",
        ]  # fmt: skip

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_order_id(self, payment: Payment) -> str | None:
        """Of one that was paid online."""
        return payment.order.gateway_id if payment.order else None

    def get_received_by(self, payment: Payment) -> str:
        """Who took it at the desk."""
        return str(payment.received_by or "")

    @extend_schema_field(money())
    def get_refundable(self, payment: Payment) -> str:
        """What of it the caller may ask to be given back."""
        return f"{self._refundable(payment):.2f}"

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(choices=["refund"])))
    def get_may(self, payment: Payment) -> list[str]:
        """What the caller may do with it now."""
        return ["refund"] if self._refundable(payment) > 0 else []

    def _refundable(self, payment: Payment) -> Decimal:
        return steps.refundable(self.context["request"], payment)
