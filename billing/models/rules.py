"""The hospital's rules of money, its tax rates by date, and its own keys to the payment gateway."""

from datetime import date, datetime
from decimal import Decimal
from typing import Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.models.numbers import Series
from core.codes import new_code

GSTIN = r"^[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z[0-9A-Z]$"


class BillingRules(models.Model):
    """Who the hospital is on its bills, and what its people may do alone, one row.

    Percentages are of a line's price. Nobody gives a larger discount than the cap; above the limit, and refunds above
    theirs, somebody with the permission to approve money decides.
    """

    legal_name = models.CharField(_("name on bills"), max_length=160, blank=True)
    gstin = models.CharField(_("GSTIN"), max_length=15, blank=True, validators=[RegexValidator(GSTIN)])
    series = models.CharField(
        _("letters before bill numbers"), max_length=3, default="INV", validators=[RegexValidator(r"^[A-Z]{1,3}$")]
    )
    discount_limit_percent = models.PositiveSmallIntegerField(_("discount without approval, in percent"), default=10)
    discount_cap_percent = models.PositiveSmallIntegerField(_("largest discount, in percent"), default=80)
    refund_limit = models.DecimalField(
        _("largest refund without approval"), max_digits=12, decimal_places=2, default=Decimal(2000)
    )
    takes_online = models.BooleanField(_("patients pay online"), default=True)
    footer = models.CharField(_("line at the foot of bills"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("billing rules")
        verbose_name_plural = _("billing rules")
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="billing_rules_is_one_row"),
            models.CheckConstraint(
                condition=Q(discount_limit_percent__lte=F("discount_cap_percent")) & Q(discount_cap_percent__lte=100),
                name="billing_rules_percentages",
            ),
            models.CheckConstraint(condition=Q(refund_limit__gte=0), name="billing_rules_refund_limit"),
            models.CheckConstraint(condition=Q(gstin="") | Q(gstin__regex=GSTIN), name="billing_rules_gstin"),
            # A bill's number is never that of a credit note or a receipt.
            models.CheckConstraint(
                condition=Q(series__regex=r"^[A-Z]{1,3}$") & ~Q(series__in=[Series.CREDIT_NOTE, Series.RECEIPT]),
                name="billing_rules_series",
            ),
        ]

    def __str__(self) -> str:
        return "Billing rules"


class TaxCategories(models.QuerySet["TaxCategory"]):
    """Finding kinds of goods and services."""

    def with_rate(self, day: date) -> Self:
        """Each with `percent`, the tax on that day; None before its first rate."""
        then = TaxRate.objects.filter(category=OuterRef("pk"), valid_from__lte=day).order_by("-valid_from")
        return self.annotate(percent=Subquery(then.values("percent")[:1]))

    def by_name(self) -> Self:
        """In the order of a list."""
        return self.order_by("name", "pk")


class TaxCategory(models.Model):
    """A kind of goods or services that is taxed alike, under one HSN or SAC code."""

    # What the platform itself bills; these rows come with the schema.
    CONSULTATION = "consultation"
    MEDICINE = "medicine"

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    key = models.SlugField(_("key"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    hsn_sac = models.CharField(_("HSN or SAC code"), max_length=8, validators=[RegexValidator(r"^[0-9]{4,8}$")])

    objects = TaxCategories.as_manager()

    class Meta:
        verbose_name = _("tax category")
        verbose_name_plural = _("tax categories")

    def __str__(self) -> str:
        return self.name


class TaxRates(models.QuerySet["TaxRate"]):
    """Finding rates."""

    def newest_first(self) -> Self:
        """By the day from which they count."""
        return self.order_by("-valid_from", "-pk")


class TaxRate(models.Model):
    """What a category is taxed with from a day on, until its next rate. A bill keeps the rate of its day."""

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    category = models.ForeignKey(TaxCategory, on_delete=models.PROTECT, related_name="rates", db_index=False)
    percent = models.DecimalField(_("GST in percent"), max_digits=5, decimal_places=2)
    valid_from = models.DateField(_("from"))

    objects = TaxRates.as_manager()

    class Meta:
        verbose_name = _("tax rate")
        verbose_name_plural = _("tax rates")
        constraints = [
            models.UniqueConstraint(fields=["category", "valid_from"], name="one_tax_rate_per_day"),
            models.CheckConstraint(condition=Q(percent__gte=0, percent__lte=100), name="tax_rate_is_a_percentage"),
        ]

    def __str__(self) -> str:
        return f"{self.category}: {self.percent} %, {self.valid_from}"


class GatewayAccounts(models.QuerySet["GatewayAccount"]):
    """Finding keys."""

    def current(self) -> "GatewayAccount | None":
        """The keys with which new payments are asked for; None where the platform's are used."""
        return self.filter(is_active=True).first()


class GatewayAccount(models.Model):
    """A hospital's own keys to Razorpay. What was paid with earlier keys is refunded with them, so rows stay.

    The secrets are sealed (core.sealing) and never shown again. While the webhook's secret is being replaced, messages
    signed with the previous one count until `previous_until`: repeats of older events still carry it.
    """

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    key_id = models.CharField(_("key id"), max_length=60, unique=True)
    key_secret = models.TextField(_("key secret, sealed"))
    webhook_secret = models.TextField(_("webhook secret, sealed"))
    previous_webhook_secret = models.TextField(_("previous webhook secret, sealed"), blank=True)
    previous_until = models.DateTimeField(_("previous webhook secret counts until"), null=True)
    is_active = models.BooleanField(_("in use"), default=True)
    created_at = models.DateTimeField(_("added"), default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )

    objects = GatewayAccounts.as_manager()

    class Meta:
        verbose_name = _("keys to the payment gateway")
        verbose_name_plural = _("keys to the payment gateway")
        constraints = [
            models.UniqueConstraint(
                fields=["is_active"], condition=Q(is_active=True), name="one_gateway_account_in_use"
            )
        ]

    def __str__(self) -> str:
        return self.key_id

    @property
    def hint(self) -> str:
        """Enough of the key id to recognise it, like "rzp_live_…x7Qa"."""
        return f"{self.key_id[:9]}…{self.key_id[-4:]}"

    def has_previous_secret(self, now: datetime) -> bool:
        """Whether the previous webhook secret still counts."""
        return bool(self.previous_webhook_secret and self.previous_until and self.previous_until > now)
