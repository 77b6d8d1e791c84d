"""What the API takes and gives about paying one's own bills."""

from typing import Any

from rest_framework import serializers

from billing.models import Invoice, Payment
from billing.services.checkout import Outcome

PAPERS = [(kind, kind) for kind in ("bill", "receipt", "credit_note")]


class Prefill(serializers.Serializer[Any]):
    """What the checkout need not ask."""

    name = serializers.CharField()
    email = serializers.CharField()
    contact = serializers.CharField()


class CheckoutOut(serializers.Serializer[Any]):
    """What Razorpay's checkout is opened with. `amount` is in paise."""

    key_id = serializers.CharField()
    order_id = serializers.CharField()
    amount = serializers.IntegerField()
    currency = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    prefill = Prefill()
    callback_url = serializers.CharField()
    is_test = serializers.BooleanField()


class VerifyIn(serializers.Serializer[Any]):
    """What Razorpay's checkout has answered."""

    razorpay_order_id = serializers.CharField(max_length=60)
    razorpay_payment_id = serializers.CharField(max_length=60)
    razorpay_signature = serializers.CharField(max_length=200)


class PaymentSeen(serializers.ModelSerializer[Payment]):
    """A try to pay, or money that arrived. `receipt_number` is empty until then."""

    id = serializers.UUIDField(source="code")
    method = serializers.CharField()
    status = serializers.CharField()

    class Meta:
        """Fields."""

        model = Payment
        fields = ["id", "status", "method", "amount", "receipt_number", "failure", "created_at", "captured_at"]


class VerifiedOut(serializers.Serializer[Any]):
    """What became of it. `checking`: nobody knows yet, ask again; nobody is charged twice."""

    outcome = serializers.ChoiceField(choices=[(one.value, one.value) for one in Outcome])
    payment = PaymentSeen(allow_null=True)
    bill_status = serializers.ChoiceField(choices=Invoice.Status.choices)
    owed = serializers.DecimalField(max_digits=12, decimal_places=2)


class PaperOut(serializers.Serializer[Any]):
    """A document; at `url` it is a PDF file."""

    kind = serializers.ChoiceField(choices=PAPERS)
    id = serializers.UUIDField()
    number = serializers.CharField()
    date = serializers.DateField()
    amount = serializers.DecimalField(max_digits=12, decimal_places=2)
    url = serializers.CharField()
