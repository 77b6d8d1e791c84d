"""What the API gives and takes about what does not match, and about comparisons."""

from typing import Any

from rest_framework import serializers

from billing import steps
from billing.models import Discrepancy, Reconciliation


class PersonNamed(serializers.Serializer[Any]):
    """A colleague. `id` is what `owner` takes."""

    id = serializers.UUIDField(source="code")
    name = serializers.CharField(source="__str__")


class DiscrepancyOut(serializers.ModelSerializer[Discrepancy]):
    """One thing that does not match; `key` names it, `may` says what the caller may do with it now.

    `amount` is what is in question; less than nothing where too little is here, or money went the other way.
    """

    id = serializers.UUIDField(source="code")
    kind_display = serializers.CharField(source="get_kind_display")
    amount = serializers.DecimalField(max_digits=12, decimal_places=2, allow_null=True)
    bill = serializers.UUIDField(source="invoice.code", default=None)
    bill_number = serializers.CharField(source="invoice.reference", default="")
    payment = serializers.UUIDField(source="payment.code", default=None)
    refund = serializers.UUIDField(source="refund.code", default=None)
    order = serializers.CharField(source="order.receipt", default="")
    owner = PersonNamed(allow_null=True)
    explained_by = PersonNamed(source="resolved_by", allow_null=True)
    explained_at = serializers.DateTimeField(source="resolved_at")
    explanation = serializers.CharField(source="resolution")
    may = serializers.SerializerMethodField()

    class Meta:
        model = Discrepancy
        fields = [
            "id", "kind", "kind_display", "key", "amount", "details", "bill", "bill_number", "payment", "refund",
            "order", "found_at", "owner", "explained_at", "explained_by", "explanation", "may",
        ]  # fmt: skip

    def get_may(self, row: Discrepancy) -> list[str]:
        """What the caller may do with it now."""
        return list(steps.on_discrepancy(self.context["request"], row))


class TakeIn(serializers.Serializer[Any]):
    """Who is to look after it; the caller when it is left out."""

    owner = serializers.UUIDField(required=False)


class ExplanationIn(serializers.Serializer[Any]):
    """How it came about."""

    explanation = serializers.CharField(max_length=300)


class ReconciliationOut(serializers.ModelSerializer[Reconciliation]):
    """One comparison; `ended_at` is empty while it goes on, and `error` says what kept it from looking at everything."""

    id = serializers.UUIDField(source="code")

    class Meta:
        model = Reconciliation
        fields = [
            "id",
            "began_at",
            "ended_at",
            "orders",
            "payments",
            "refunds",
            "settled",
            "repaired",
            "found",
            "error",
        ]


class FileIn(serializers.Serializer[Any]):
    """The settlement report that Razorpay's dashboard exports, as CSV."""

    file = serializers.FileField()


class TakenOut(serializers.Serializer[Any]):
    """What became of the lines of a file: `others` are of payments that are not this hospital's, and were left out."""

    new = serializers.IntegerField()
    known = serializers.IntegerField()
    others = serializers.IntegerField()
