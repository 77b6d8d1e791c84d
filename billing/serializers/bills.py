"""What the API takes and gives about bills."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from billing import steps
from billing.models import CreditNote, Invoice, InvoiceLine, Method, Payment, Refund, TaxCategory
from billing.models.rules import GSTIN
from billing.services.drafts import MOST_LINES, charges_of, doctors, said_of
from billing.services.invoices import Charge, Draft
from hospitals.models import Department, Doctor
from patients.models import Patient
from tenants.states import State

_ZERO = Decimal()


def _money(**also: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=12, decimal_places=2, **also)


@extend_schema_serializer(component_name="BillParty")
class Named(serializers.Serializer[Any]):
    """Somebody or something, by id and name."""

    id = serializers.UUIDField(source="code")
    name = serializers.CharField()


@extend_schema_serializer(component_name="BillPatient")
class PatientNamed(Named):
    """A patient, with the hospital's own number."""

    number = serializers.CharField()


# --- In --------------------------------------------------------------------------------------------------------------


class LineIn(serializers.Serializer[Any]):
    """One thing to bill. `discount` is in rupees, off the whole line; `tax_category` is the key of one."""

    description = serializers.CharField(max_length=200)
    quantity = serializers.DecimalField(max_digits=9, decimal_places=3, min_value=Decimal("0.001"), default=Decimal(1))
    unit_price = serializers.DecimalField(max_digits=10, decimal_places=2, min_value=_ZERO)
    discount = _money(min_value=_ZERO, default=_ZERO)
    tax_category = serializers.CharField(max_length=40, default=TaxCategory.CONSULTATION)


class BillChange(serializers.Serializer[Any]):
    """What a draft is to say. `lines` replace all that were there; what is not sent stays."""

    lines = serializers.ListField(child=LineIn(), required=False, min_length=1, max_length=MOST_LINES)
    doctor = serializers.UUIDField(required=False, allow_null=True)
    department = serializers.UUIDField(required=False, allow_null=True)
    promo_code = serializers.CharField(max_length=24, required=False, allow_blank=True)
    discount_reason = serializers.CharField(max_length=200, required=False, allow_blank=True)
    bill_to = serializers.CharField(max_length=200, required=False, allow_blank=True)
    bill_to_address = serializers.CharField(max_length=400, required=False, allow_blank=True)
    bill_to_gstin = serializers.CharField(
        max_length=15, required=False, allow_blank=True, validators=[RegexValidator(f"^$|{GSTIN}")]
    )
    place_of_supply = serializers.ChoiceField(choices=State.choices, required=False)
    note = serializers.CharField(max_length=300, required=False, allow_blank=True)

    def validate_doctor(self, code: UUID | None) -> Doctor | None:
        """Somebody who works here."""
        found = doctors().filter(code=code).first() if code else None
        if code and found is None:
            raise serializers.ValidationError(_("No doctor of this hospital has this id."))
        return found

    def validate_department(self, code: UUID | None) -> Department | None:
        """One of this hospital."""
        found = Department.objects.filter(code=code).first() if code else None
        if code and found is None:
            raise serializers.ValidationError(_("No department of this hospital has this id."))
        return found

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A discount by hand needs a word of explanation, as on the page."""
        has_discount = any(line["discount"] for line in attrs.get("lines", []))
        if has_discount and not attrs.get("discount_reason", self._reason_before):
            raise serializers.ValidationError({"discount_reason": [_("Say why the discount is given.")]})
        return attrs

    @property
    def _reason_before(self) -> str:
        return self.instance.discount_reason if self.instance else ""


class BillIn(BillChange):
    """A bill by hand: its `lines`, or in short one `amount` with a `description` and a `discount`.

    With `issue` false it stays a draft; so it does while a discount above the limit waits for approval.
    """

    patient = serializers.UUIDField()
    amount = serializers.DecimalField(max_digits=10, decimal_places=2, min_value=_ZERO, required=False)
    description = serializers.CharField(max_length=200, required=False)
    discount = _money(min_value=_ZERO, required=False)
    tax_category = serializers.CharField(max_length=40, required=False)
    issue = serializers.BooleanField(default=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Make one line of the short form."""
        amount, description = attrs.pop("amount", None), attrs.pop("description", "")
        discount = attrs.pop("discount", _ZERO)
        category = attrs.pop("tax_category", TaxCategory.CONSULTATION)
        if "lines" not in attrs:
            if amount is None:
                raise serializers.ValidationError({"lines": [_("Send the lines of the bill, or one amount.")]})
            line = {"description": description or _("Services"), "unit_price": amount, "quantity": Decimal(1)}
            attrs["lines"] = [line | {"discount": discount, "tax_category": category}]
        return super().validate(attrs)


def draft_of(said: Mapping[str, Any], patient: Patient, key: str) -> Draft:
    """What was sent, as the services take it."""
    return Draft(patient=patient, idempotency_key=key, **_fields(said))


def changed(invoice: Invoice, said: Mapping[str, Any]) -> Draft:
    """A draft as it is, with what was sent in place of what it said."""
    before = said_of(invoice) | {
        "doctor": invoice.doctor,
        "department": invoice.department,
        "charges": charges_of(invoice),
        "promo_word": invoice.promo_code.word if invoice.promo_code else "",
    }
    before.pop("promo_code")
    return Draft(patient=invoice.patient, **(before | _fields(said)))


def _fields(said: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in said.items() if name not in ("lines", "promo_code", "patient", "issue")}
    if "promo_code" in said:
        fields["promo_word"] = said["promo_code"]
    if "lines" in said:
        fields["charges"] = [
            Charge(
                description=line["description"],
                unit_price=line["unit_price"],
                category=line["tax_category"],
                quantity=line["quantity"],
                discount=line["discount"],
            )
            for line in said["lines"]
        ]
    return fields


class ReasonIn(serializers.Serializer[Any]):
    """Why."""

    reason = serializers.CharField(max_length=200)


class CreditIn(ReasonIn):
    """How much of what is owed is taken back, tax included."""

    amount = _money(min_value=Decimal("0.01"))


class MarkPaidIn(serializers.Serializer[Any]):
    """Money taken at the desk. Without `amount` it is all that is owed; `reference` is needed except for cash.

    `payment_method` is also understood as `method`.
    """

    payment_method = serializers.ChoiceField(choices=Method.choices, required=False)
    method = serializers.ChoiceField(choices=Method.choices, required=False)
    amount = _money(min_value=Decimal("0.01"), required=False, allow_null=True, default=None)
    reference = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Settle which method is meant."""
        method = attrs.pop("payment_method", None) or attrs.get("method")
        if not method:
            raise serializers.ValidationError({"payment_method": [_("This field is required.")]})
        return attrs | {"method": Method(method)}


# --- Out -------------------------------------------------------------------------------------------------------------


class BillLineOut(serializers.ModelSerializer[InvoiceLine]):
    """A line, with its tax."""

    discount = _money()

    class Meta:
        model = InvoiceLine
        fields = [
            "position", "description", "hsn_sac", "quantity", "unit_price", "gross", "discount", "tax_percent",
            "cgst", "sgst", "igst", "total",
        ]  # fmt: skip


class RefundOut(serializers.ModelSerializer[Refund]):
    """Money that goes back."""

    id = serializers.UUIDField(source="code")

    class Meta:
        model = Refund
        fields = ["id", "status", "amount", "processed_at"]


class BillPaymentOut(serializers.ModelSerializer[Payment]):
    """Money that arrived, and what of it goes back."""

    id = serializers.UUIDField(source="code")
    refunds = RefundOut(many=True)

    class Meta:
        model = Payment
        fields = ["id", "method", "amount", "reference", "receipt_number", "captured_at", "refunds"]


class CreditNoteOut(serializers.ModelSerializer[CreditNote]):
    """What was taken back of a bill."""

    id = serializers.UUIDField(source="code")
    number = serializers.CharField(source="reference")

    class Meta:
        model = CreditNote
        fields = ["id", "number", "issue_date", "reason", "total"]


class BillOut(serializers.ModelSerializer[Invoice]):
    """A bill, and in `may` what the caller may do with it now.

    `amount` is before discount and tax, `total_amount` what is billed; `paid`, `refunded`, `credited` and `owed` are what
    the books say. `appointment` is the id of the visit it is for.
    """

    id = serializers.UUIDField(source="code")
    number = serializers.CharField(source="reference")
    status_display = serializers.CharField(source="get_status_display")
    appointment = serializers.SerializerMethodField()
    patient = PatientNamed()
    doctor = Named(allow_null=True)
    department = Named(allow_null=True)
    lines = serializers.SerializerMethodField()
    amount = _money(source="gross")
    tax = serializers.SerializerMethodField()
    total_amount = _money(source="total")
    paid = _money()
    refunded = _money()
    credited = _money()
    owed = _money()
    payment_method = serializers.SerializerMethodField()
    payments = serializers.SerializerMethodField()
    credit_notes = CreditNoteOut(many=True)
    discount_waits = serializers.SerializerMethodField()
    may = serializers.SerializerMethodField()

    class Meta:
        model = Invoice
        fields = [
            "id", "number", "status", "status_display", "about", "appointment", "patient", "doctor", "department",
            "bill_to", "bill_to_address", "bill_to_gstin", "place_of_supply", "seller_gstin", "lines", "amount",
            "discount", "cgst", "sgst", "igst", "tax", "total_amount", "paid", "refunded", "credited", "owed",
            "payment_method", "payments", "credit_notes", "discount_waits", "note", "issue_date", "created_at", "may",
        ]  # fmt: skip

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_appointment(self, invoice: Invoice) -> str | None:
        """The visit's id."""
        return str(invoice.about_code) if invoice.about == "appointment" and invoice.about_code else None

    @extend_schema_field(BillLineOut(many=True))
    def get_lines(self, invoice: Invoice) -> Any:
        """In their order."""
        return BillLineOut(sorted(invoice.lines.all(), key=lambda line: line.position), many=True).data

    @extend_schema_field(_money())
    def get_tax(self, invoice: Invoice) -> str:
        """All tax together."""
        return f"{invoice.amounts.tax:.2f}"

    @extend_schema_field(serializers.ChoiceField(choices=["", *Method.values]))
    def get_payment_method(self, invoice: Invoice) -> str:
        """How the last payment came; empty before the first."""
        return next((payment.method for payment in reversed(_captured(invoice))), "")

    @extend_schema_field(BillPaymentOut(many=True))
    def get_payments(self, invoice: Invoice) -> Any:
        """Money that arrived, by time."""
        return BillPaymentOut(_captured(invoice), many=True).data

    def get_discount_waits(self, invoice: Invoice) -> bool:
        """Whether its discount waits for approval."""
        return steps.waits(invoice)

    def get_may(self, invoice: Invoice) -> list[str]:
        """What the caller may do with it now."""
        return list(steps.possible(self.context["request"], invoice))


def _captured(invoice: Invoice) -> list[Payment]:
    found = [payment for payment in invoice.payments.all() if payment.captured_at]
    return sorted(found, key=lambda payment: payment.captured_at or payment.created_at)
