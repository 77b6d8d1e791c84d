"""Money that comes: what the gateway is asked for, and payments. Card data is never kept."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import ExpressionWrapper, F, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.models.desk import CashDay
from billing.models.invoices import Invoice
from billing.models.ledger import Account
from billing.models.rules import GatewayAccount
from core.codes import new_code
from patients.models import Patient


class Method(models.TextChoices):
    """How money travels."""

    CASH = "cash", _("Cash")
    CARD = "card", _("Card")
    UPI = "upi", _("UPI")
    ONLINE = "online", _("Online")
    INSURANCE = "insurance", _("Insurance")

    @property
    def account(self) -> Account:
        """Where money that came this way stands in the books."""
        return _ACCOUNTS[self]


_ACCOUNTS = {
    Method.CASH: Account.CASH,
    Method.CARD: Account.CARD,
    Method.UPI: Account.UPI,
    Method.ONLINE: Account.GATEWAY,
    Method.INSURANCE: Account.INSURANCE,
}
# What the desk takes. Online money comes through the gateway alone, or somebody could write it down without any.
AT_THE_DESK = [Method.CASH, Method.CARD, Method.UPI, Method.INSURANCE]


class OrderStatus(models.TextChoices):
    """Where a wish to be paid online stands."""

    NEW = "new", _("Being prepared")
    OPEN = "open", _("Open")
    PAID = "paid", _("Paid")
    CLOSED = "closed", _("Closed")


class PaymentOrders(models.QuerySet["PaymentOrder"]):
    """Finding orders."""

    def live(self) -> Self:
        """Those that can still be paid."""
        return self.filter(status__in=[OrderStatus.NEW, OrderStatus.OPEN])

    def payable(self, now: datetime) -> Self:
        """Those for which money may still come: live ones, and closed ones for the days that a bank may answer late."""
        late = Q(status=OrderStatus.CLOSED, gateway_id__isnull=False, created_at__gte=now - timedelta(days=4))
        return self.filter(Q(status__in=[OrderStatus.NEW, OrderStatus.OPEN]) | late)

    def to_ask_about(self, now: datetime, *, after: timedelta) -> Self:
        """Those nobody has heard of for so long.

        The older an order is, the longer nobody asks again: a tenth of its age.
        """
        moment = Value(now, models.DateTimeField())
        pause = ExpressionWrapper((moment - F("created_at")) / 10, models.DurationField())
        rested = Q(asked_at__lte=now - after) & Q(asked_at__lte=moment - pause)
        return self.payable(now).filter(Q(asked_at=None, created_at__lte=now - after) | rested)

    def locked(self) -> Self:
        """For the length of the transaction, in one order."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class PaymentOrder(models.Model):
    """What the gateway is asked to collect for an invoice (Razorpay: order). One at a time; each try to pay is on it.

    It is written before the gateway hears of it, and `receipt` is its name there, so that asking again after a lost
    answer finds the same order. `account` are the hospital's keys it was made with, empty for the platform's.
    """

    Status = OrderStatus
    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        OrderStatus.NEW: {OrderStatus.OPEN, OrderStatus.CLOSED},
        OrderStatus.OPEN: {OrderStatus.PAID, OrderStatus.CLOSED},
        OrderStatus.CLOSED: {OrderStatus.PAID, OrderStatus.OPEN},  # a late payment, or somebody wants to pay after all
        OrderStatus.PAID: set(),
    }

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    status = models.CharField(_("status"), max_length=10, choices=OrderStatus.choices, default=OrderStatus.NEW)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="orders")
    account = models.ForeignKey(GatewayAccount, null=True, on_delete=models.PROTECT, related_name="orders")
    receipt = models.CharField(_("receipt"), max_length=40, unique=True)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    gateway_id = models.CharField(_("order id"), max_length=40, null=True, unique=True)
    created_at = models.DateTimeField(_("written"), default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    # When the gateway was last asked what became of it, and what went wrong then.
    asked_at = models.DateTimeField(_("asked about"), null=True)
    last_error = models.TextField(_("last error"), blank=True)

    objects = PaymentOrders.as_manager()

    class Meta:
        verbose_name = _("payment order")
        verbose_name_plural = _("payment orders")
        constraints = [
            models.UniqueConstraint(
                fields=["invoice"], condition=Q(status__in=["new", "open"]), name="one_live_order_per_invoice"
            ),
            models.CheckConstraint(condition=Q(status__in=OrderStatus.values), name="payment_order_status_known"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_order_has_amount"),
            models.CheckConstraint(
                condition=Q(status__in=["new", "closed"]) | Q(gateway_id__isnull=False),
                name="payment_order_open_has_id",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=~Q(status="paid"), name="payment_order_unpaid"),
        ]

    def __str__(self) -> str:
        return self.receipt


class PaymentStatus(models.TextChoices):
    """Where a payment stands, in Razorpay's words. Only `captured` is the hospital's money."""

    CREATED = "created", _("Begun")
    AUTHORIZED = "authorized", _("Authorised")
    CAPTURED = "captured", _("Received")
    FAILED = "failed", _("Failed")
    VOIDED = "voided", _("Given back by the gateway")


class Payments(models.QuerySet["Payment"]):
    """Finding payments."""

    def captured(self) -> Self:
        """Money that arrived."""
        return self.filter(status=PaymentStatus.CAPTURED)

    def sum(self) -> Decimal:
        """What they come to together."""
        found: Decimal = self.aggregate(sum=Coalesce(models.Sum("amount"), Decimal()))["sum"]
        return found

    def matching(self, words: str) -> Self:
        """Those with this number (of the receipt, the slip, the gateway or the bill), or of patients with each word."""
        if not words:
            return self
        number = words.strip()
        named = Q(receipt_number__iexact=number) | Q(reference__iexact=number) | Q(gateway_id=number)
        billed = Q(invoice__reference__iexact=number) | Q(invoice__patient__in=Patient.objects.matching(words))
        return self.filter(named | billed)

    def with_people(self) -> Self:
        """With what a list shows of each."""
        return self.select_related("invoice__patient", "received_by")

    def with_refunded(self) -> Self:
        """Each with `refunded`, what of it is given back, or about to be."""
        counting = ~Q(refunds__status__in=["failed", "declined"])
        return self.annotate(refunded=Coalesce(models.Sum("refunds__amount", filter=counting), Decimal()))

    def unfulfilled(self) -> Self:
        """Money that arrived and has not bought anything yet."""
        return self.captured().filter(fulfilled_at=None)

    def newest_first(self) -> Self:
        """By time of writing."""
        return self.order_by("-created_at", "-pk")

    def locked(self) -> Self:
        """For the length of the transaction, in one order."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class Payment(models.Model):
    """Money for an invoice, taken at the desk or collected by the gateway (FHIR PaymentReconciliation detail).

    `reference` is what the card terminal, the UPI app or the insurer calls it. `number` is that of its receipt.
    `fulfilled_at` is when everybody who waited for the money knew of it; until then a task tells them again.
    """

    Status = PaymentStatus
    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        PaymentStatus.CREATED: {
            PaymentStatus.AUTHORIZED,
            PaymentStatus.CAPTURED,
            PaymentStatus.FAILED,
            PaymentStatus.VOIDED,
        },
        # Forward only; the one exception is a bank that answers late, up to three days.
        PaymentStatus.FAILED: {PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED, PaymentStatus.VOIDED},
        PaymentStatus.AUTHORIZED: {PaymentStatus.CAPTURED, PaymentStatus.VOIDED},
        PaymentStatus.CAPTURED: set(),
        PaymentStatus.VOIDED: set(),
    }

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    status = models.CharField(_("status"), max_length=12, choices=PaymentStatus.choices)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="payments")
    method = models.CharField(_("method"), max_length=10, choices=Method.choices)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    reference = models.CharField(_("reference"), max_length=80, blank=True)
    order = models.ForeignKey(PaymentOrder, null=True, on_delete=models.PROTECT, related_name="payments")
    gateway_id = models.CharField(_("payment id"), max_length=40, null=True, unique=True)
    gateway_method = models.CharField(_("paid with"), max_length=20, blank=True)
    gateway_fee = models.DecimalField(_("fee of the gateway"), max_digits=10, decimal_places=2, null=True)
    failure = models.CharField(_("why it failed"), max_length=300, blank=True)
    financial_year = models.CharField(_("financial year"), max_length=5, blank=True)
    number = models.PositiveIntegerField(_("number of the receipt"), null=True)
    receipt_number = models.CharField(_("receipt"), max_length=16, blank=True)
    cash_day = models.ForeignKey(CashDay, null=True, on_delete=models.PROTECT, related_name="payments")
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    idempotency_key = models.CharField(_("idempotency key"), max_length=80, blank=True)
    created_at = models.DateTimeField(_("written"), default=timezone.now)
    captured_at = models.DateTimeField(_("received"), null=True)
    fulfilled_at = models.DateTimeField(_("passed on"), null=True)

    objects = Payments.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = [
            models.UniqueConstraint(
                fields=["financial_year", "number"], condition=Q(number__isnull=False), name="one_receipt_per_number"
            ),
            models.UniqueConstraint(
                fields=["received_by", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="one_payment_per_idempotency_key",
            ),
            models.CheckConstraint(condition=Q(status__in=PaymentStatus.values), name="payment_status_known"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_has_amount"),
            models.CheckConstraint(
                condition=~Q(status="captured") | Q(captured_at__isnull=False, number__isnull=False),
                name="payment_captured_has_receipt",
            ),
            models.CheckConstraint(
                condition=Q(method="online", order__isnull=False, gateway_id__isnull=False)
                | ~Q(method="online") & Q(order__isnull=True, gateway_id__isnull=True),
                name="payment_online_has_order",
            ),
            models.CheckConstraint(
                condition=~Q(method="cash") | Q(cash_day__isnull=False), name="payment_cash_has_day"
            ),
        ]
        indexes = [
            models.Index(fields=["captured_at"], name="payment_by_time"),
            models.Index(fields=["-created_at", "-id"], name="payment_newest"),
            models.Index(
                fields=["captured_at"],
                condition=Q(status="captured", fulfilled_at__isnull=True),
                name="payment_unfulfilled",
            ),
        ]

    def __str__(self) -> str:
        return self.receipt_number or self.gateway_id or str(self.code)
