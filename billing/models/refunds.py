"""Money that goes back."""

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.models.credits import CreditNote
from billing.models.desk import CashDay
from billing.models.invoices import Invoice
from billing.models.payments import Method, Payment
from core.codes import new_code
from patients.models import Patient


class RefundStatus(models.TextChoices):
    """Where a refund stands."""

    REQUESTED = "requested", _("To be approved")
    APPROVED = "approved", _("To be paid")
    PROCESSING = "processing", _("On its way")
    PROCESSED = "processed", _("Refunded")
    FAILED = "failed", _("Failed")
    DECLINED = "declined", _("Declined")


_TO_APPROVE = Q(status=RefundStatus.REQUESTED)
_TO_PAY_OUT = Q(status=RefundStatus.APPROVED) & ~Q(method=Method.ONLINE)
_ON_THEIR_WAY = Q(status=RefundStatus.PROCESSING) | Q(status=RefundStatus.APPROVED, method=Method.ONLINE)


class Refunds(models.QuerySet["Refund"]):
    """Finding refunds."""

    def counting(self) -> Self:
        """Those whose money is given back, or will be."""
        return self.exclude(status__in=[RefundStatus.FAILED, RefundStatus.DECLINED])

    def open(self) -> Self:
        """Those somebody still has to do something about, or wait for."""
        return self.filter(
            status__in=[RefundStatus.REQUESTED, RefundStatus.APPROVED, RefundStatus.PROCESSING, RefundStatus.FAILED]
        )

    def to_approve(self) -> Self:
        """Those somebody has to decide about."""
        return self.filter(_TO_APPROVE)

    def to_pay_out(self) -> Self:
        """Those whose money waits at the desk."""
        return self.filter(_TO_PAY_OUT)

    def on_their_way(self) -> Self:
        """Those the gateway is at work on."""
        return self.filter(_ON_THEIR_WAY)

    def to_send(self, *, not_since: datetime) -> Self:
        """Those the gateway has to be told of, that were not told of since this moment."""
        rested = Q(asked_at=None, created_at__lte=not_since) | Q(asked_at__lte=not_since)
        return self.filter(rested, status=RefundStatus.APPROVED, method=Method.ONLINE)

    def untold(self) -> Self:
        """Money that is back, and nobody who waits for it knows."""
        return self.filter(status=RefundStatus.PROCESSED, told_at=None)

    def failed(self) -> Self:
        """Those that did not get through."""
        return self.filter(status=RefundStatus.FAILED)

    def over(self) -> Self:
        """Those nobody has to think of any more."""
        return self.filter(status__in=[RefundStatus.PROCESSED, RefundStatus.DECLINED])

    def matching(self, words: str) -> Self:
        """Those with this number (of the bill, the receipt, the slip or the gateway), or of patients with each word."""
        if not words:
            return self
        number = words.strip()
        named = Q(payment__receipt_number__iexact=number) | Q(reference__iexact=number) | Q(gateway_id=number)
        billed = Q(invoice__reference__iexact=number) | Q(invoice__patient__in=Patient.objects.matching(words))
        return self.filter(named | billed)

    def with_people(self) -> Self:
        """With what a list shows of each."""
        return self.select_related("invoice__patient", "payment", "asked_by")

    def by_standing(self) -> dict[str, int]:
        """How many of the open ones stand where."""
        return self.aggregate(
            to_approve=Count("pk", filter=_TO_APPROVE),
            to_pay_out=Count("pk", filter=_TO_PAY_OUT),
            on_their_way=Count("pk", filter=_ON_THEIR_WAY),
            failed=Count("pk", filter=Q(status=RefundStatus.FAILED)),
        )

    def oldest_first(self) -> Self:
        """By time of writing."""
        return self.order_by("created_at", "pk")

    def newest_first(self) -> Self:
        """By time of writing, backwards."""
        return self.order_by("-created_at", "-pk")

    def locked(self) -> Self:
        """For the length of the transaction, in one order."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class Refund(models.Model):
    """Money that goes back. `receipt` is its name at the gateway: asking twice refunds once.

    `method` is how it goes: the way it came, unless the desk hands out what the gateway or an insurer did not take back.
    `told_at` is when everybody who waited for it knew of it; until then a task tells them again.
    """

    Status = RefundStatus
    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        RefundStatus.REQUESTED: {RefundStatus.APPROVED, RefundStatus.DECLINED},
        RefundStatus.APPROVED: {RefundStatus.PROCESSING, RefundStatus.PROCESSED, RefundStatus.FAILED},
        RefundStatus.PROCESSING: {RefundStatus.PROCESSED, RefundStatus.FAILED},
        RefundStatus.PROCESSED: set(),
        RefundStatus.FAILED: {RefundStatus.APPROVED},  # tried again
        RefundStatus.DECLINED: set(),
    }

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    status = models.CharField(_("status"), max_length=12, choices=RefundStatus.choices)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="refunds")
    credit_note = models.ForeignKey(CreditNote, null=True, on_delete=models.PROTECT, related_name="refunds")
    method = models.CharField(_("method"), max_length=10, choices=Method.choices)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    reason = models.CharField(_("reason"), max_length=200)
    receipt = models.CharField(_("receipt"), max_length=40, unique=True)
    gateway_id = models.CharField(_("refund id"), max_length=40, null=True, unique=True)
    reference = models.CharField(_("reference"), max_length=80, blank=True)
    failure = models.CharField(_("why it failed"), max_length=300, blank=True)
    cash_day = models.ForeignKey(CashDay, null=True, on_delete=models.PROTECT, related_name="refunds")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    idempotency_key = models.CharField(_("idempotency key"), max_length=80, blank=True)
    created_at = models.DateTimeField(_("written"), default=timezone.now)
    processed_at = models.DateTimeField(_("refunded"), null=True)
    asked_at = models.DateTimeField(_("asked about"), null=True)
    told_at = models.DateTimeField(_("passed on"), null=True)

    objects = Refunds.as_manager()

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints = [
            models.UniqueConstraint(
                fields=["asked_by", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="one_refund_per_idempotency_key",
            ),
            models.CheckConstraint(condition=Q(status__in=RefundStatus.values), name="refund_status_known"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_has_amount"),
            models.CheckConstraint(
                condition=~Q(status="processed") | Q(processed_at__isnull=False), name="refund_processed_has_time"
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=Q(status__in=["requested", "approved", "processing", "failed"]),
                name="refund_open",
            ),
            models.Index(fields=["processed_at"], name="refund_by_time"),
            models.Index(
                fields=["processed_at"], condition=Q(status="processed", told_at__isnull=True), name="refund_untold"
            ),
        ]

    def __str__(self) -> str:
        return self.gateway_id or self.receipt

    @property
    def standing(self) -> str:
        """Its status in words: what is granted is to be paid at the desk, or with the gateway already."""
        with_gateway = self.status == RefundStatus.APPROVED and self.method == Method.ONLINE
        return str(RefundStatus.PROCESSING.label if with_gateway else self.get_status_display())
