"""What the gateway tells us, as it was told, and what does not fit together."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.models.invoices import Invoice
from billing.models.payments import Payment, PaymentOrder
from billing.models.refunds import Refund
from core.codes import new_code


class WebhookEvents(models.QuerySet["WebhookEvent"]):
    """Finding events."""

    def keep(self, *, event_id: str, digest: str, event: str, body: bytes, is_of_platform: bool, now: datetime) -> bool:
        """Write one down, in one statement; tell whether it was not there yet, neither its id nor its body.

        It does not wait for the disk. Should the database's machine die in that moment, what the message told is still
        found: whatever is not heard of is asked about.
        """
        table = self.model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (event_id, digest, event, body, is_of_platform, received_at, next_attempt_at, "  # noqa: S608
                "state, attempts, last_error) SELECT %s, %s, %s, %s, %s, %s, %s, %s, 0, '' "
                "FROM set_config('synchronous_commit', 'off', true) ON CONFLICT DO NOTHING RETURNING id",
                [event_id, digest, event, body, is_of_platform, now, now, WebhookEvent.State.RECEIVED],
            )
            return cursor.fetchone() is not None

    def due(self, now: datetime) -> Self:
        """Those to work on now, among them those whose worker died."""
        return self.filter(state=WebhookEvent.State.RECEIVED, next_attempt_at__lte=now)

    def of_own_keys(self) -> Self:
        """Those signed for the hospital's own keys."""
        return self.filter(is_of_platform=False)

    def newest_first(self) -> Self:
        """By arrival."""
        return self.order_by("-received_at", "-pk")


class WebhookEvent(models.Model):
    """A signed message of the gateway, exactly as it came. `event_id` is the same when it is sent again.

    The signature does not cover that id, so the body counts once, too. `is_of_platform` tells with whose keys it is
    signed, the platform's or the hospital's own: it speaks of orders that were made with those, and of no others.
    Its state is the messenger's note, not a status that somebody decides, so it is not audited: what it changes is.
    """

    class State(models.TextChoices):
        """What became of it."""

        RECEIVED = "received", _("Received")
        DONE = "done", _("Taken in")
        FAILED = "failed", _("Not understood")

    event_id = models.CharField(_("event id"), max_length=80, unique=True)
    digest = models.CharField(_("digest of the body"), max_length=64, unique=True)
    is_of_platform = models.BooleanField(_("signed with the platform's secret"), default=False)
    event = models.CharField(_("event"), max_length=60)
    body = models.BinaryField(_("body"))
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.RECEIVED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    last_error = models.TextField(_("last error"), blank=True)

    objects = WebhookEvents.as_manager()

    class Meta:
        verbose_name = _("message of the gateway")
        verbose_name_plural = _("messages of the gateway")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["received", "done", "failed"]), name="webhook_event_state_known"
            )
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(state="received"), name="webhook_event_due"),
            models.Index(fields=["received_at"], name="webhook_event_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.event_id}"


class SettlementLines(models.QuerySet["SettlementLine"]):
    """Finding lines."""

    def unmatched(self) -> Self:
        """Those of which we do not know yet what they are for."""
        return self.filter(payment=None, refund=None)

    def locked(self) -> Self:
        """For the length of the transaction, in one order."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class SettlementLine(models.Model):
    """What the gateway says it has paid out to the hospital's bank, line by line (Razorpay: settlement recon)."""

    settlement_id = models.CharField(_("settlement"), max_length=40)
    entity_id = models.CharField(_("payment or refund"), max_length=40)
    kind = models.CharField(_("kind"), max_length=20)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    fee = models.DecimalField(_("fee and tax on it"), max_digits=10, decimal_places=2, default=0)
    settled_at = models.DateTimeField(_("settled"))
    bank_reference = models.CharField(_("reference of the bank (UTR)"), max_length=60, blank=True)
    payment = models.ForeignKey(Payment, null=True, on_delete=models.PROTECT, related_name="settlement_lines")
    refund = models.ForeignKey(Refund, null=True, on_delete=models.PROTECT, related_name="settlement_lines")
    created_at = models.DateTimeField(_("written"), default=timezone.now)

    objects = SettlementLines.as_manager()

    class Meta:
        verbose_name = _("line of a settlement")
        verbose_name_plural = _("lines of a settlement")
        constraints = [
            models.UniqueConstraint(fields=["settlement_id", "entity_id", "kind"], name="one_line_per_settled_thing")
        ]
        indexes = [models.Index(fields=["settled_at"], name="settlement_line_by_time")]

    def __str__(self) -> str:
        return f"{self.settlement_id}: {self.entity_id}"


class Discrepancies(models.QuerySet["Discrepancy"]):
    """Finding what does not match."""

    def open(self) -> Self:
        """Those nobody has explained yet."""
        return self.filter(resolved_at=None)

    def explained(self) -> Self:
        """Those that are off the list again."""
        return self.exclude(resolved_at=None)

    def matching(self, words: str) -> Self:
        """Those with these words in what they are about: ids of the gateway, and numbers of bills and receipts."""
        asked = words.strip()
        if not asked:
            return self
        found = Q(key__icontains=asked) | Q(details__icontains=asked)
        for way in ("payment__", "refund__", "order__"):
            found |= Q(**{f"{way}gateway_id": asked}) | Q(**{f"{way}invoice__reference__iexact": asked})
        return self.filter(found | Q(payment__receipt_number__iexact=asked) | Q(order__receipt=asked))

    def with_things(self) -> Self:
        """With what a list shows of each, and who looks after it."""
        return self.select_related(
            "owner", "resolved_by", "order__invoice", "payment__invoice", "refund__invoice", "refund__payment"
        )

    def oldest_first(self) -> Self:
        """The longest known first."""
        return self.order_by("found_at", "pk")

    def last_explained_first(self) -> Self:
        """By the time of the explanation."""
        return self.order_by("-resolved_at", "-pk")


class Discrepancy(models.Model):
    """A rupee that is not matched: on the list until somebody explains it, or it repairs itself.

    `key` names what does not match, so that a second look finds the same row.
    """

    class Kind(models.TextChoices):
        """What is wrong."""

        UNKNOWN_PAYMENT = "unknown_payment", _("The gateway has a payment we do not know")
        AMOUNT_DIFFERS = "amount_differs", _("The amounts differ")
        NOT_AT_GATEWAY = "not_at_gateway", _("The gateway does not know it")
        NOT_SETTLED = "not_settled", _("Not paid out to the bank yet")
        UNKNOWN_SETTLEMENT = "unknown_settlement", _("Paid out, and we do not know for what")
        REFUND_STUCK = "refund_stuck", _("A refund does not get through")
        UNKNOWN_REFUND = "unknown_refund", _("The gateway has a refund we do not know")
        UNREADABLE_EVENT = "unreadable_event", _("A message of the gateway could not be taken in")
        BOOKS_DIFFER = "books_differ", _("Books and payments differ")

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    key = models.CharField(_("what"), max_length=120)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2, null=True)
    details = models.CharField(_("details"), max_length=300, blank=True)
    order = models.ForeignKey(PaymentOrder, null=True, on_delete=models.PROTECT, related_name="+")
    payment = models.ForeignKey(Payment, null=True, on_delete=models.PROTECT, related_name="+")
    refund = models.ForeignKey(Refund, null=True, on_delete=models.PROTECT, related_name="+")
    found_at = models.DateTimeField(_("found"), default=timezone.now)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("who looks after it"),
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    resolved_at = models.DateTimeField(_("explained"), null=True)
    # Empty where it has repaired itself.
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("who explained it"),
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    resolution = models.CharField(_("explanation"), max_length=300, blank=True)

    objects = Discrepancies.as_manager()

    class Meta:
        verbose_name = _("discrepancy")
        verbose_name_plural = _("discrepancies")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"], condition=Q(resolved_at__isnull=True), name="one_open_discrepancy_per_thing"
            ),
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=True) | ~Q(resolution=""), name="discrepancy_resolved_is_explained"
            ),
        ]
        indexes = [models.Index(fields=["found_at"], name="discrepancy_by_time")]

    def __str__(self) -> str:
        return self.key

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to look."""
        return self.resolved_at is None

    @property
    def invoice(self) -> Invoice | None:
        """The bill that it concerns, as far as that is known."""
        thing = self.refund or self.payment or self.order
        return thing.invoice if thing else None


class Reconciliations(models.QuerySet["Reconciliation"]):
    """Finding comparisons."""

    def running(self) -> Self:
        """The one that is going on: there is one at a time."""
        return self.filter(ended_at=None)

    def complete(self) -> Self:
        """Those that looked at everything."""
        return self.filter(ended_at__isnull=False, error="")

    def newest_first(self) -> Self:
        """By their beginning."""
        return self.order_by("-began_at", "-pk")


class Reconciliation(models.Model):
    """One comparison of the gateway with the books, with what was looked at and found."""

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    began_at = models.DateTimeField(_("began"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True)
    orders = models.PositiveIntegerField(_("orders looked at"), default=0)
    payments = models.PositiveIntegerField(_("payments matched"), default=0)
    refunds = models.PositiveIntegerField(_("refunds matched"), default=0)
    settled = models.PositiveIntegerField(_("settlement lines matched"), default=0)
    repaired = models.PositiveIntegerField(_("repaired"), default=0)
    found = models.PositiveIntegerField(_("left over"), default=0)
    error = models.CharField(_("what went wrong"), max_length=300, blank=True)

    objects = Reconciliations.as_manager()

    class Meta:
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=Q(ended_at__isnull=True), name="one_reconciliation_at_a_time"
            )
        ]
        indexes = [models.Index(fields=["-began_at"], name="reconciliation_by_time")]

    def __str__(self) -> str:
        return f"{self.began_at:%d.%m.%Y %H:%M}"
