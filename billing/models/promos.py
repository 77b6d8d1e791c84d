"""Promo codes."""

from datetime import date
from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.codes import new_code


class Standing(models.TextChoices):
    """How a code stands on a day."""

    COUNTS = "counts", _("Counts")
    PLANNED = "planned", _("Planned")
    USED_UP = "used_up", _("Used up")
    OVER = "over", _("Over")
    STOPPED = "stopped", _("Stopped")


class PromoCodes(models.QuerySet["PromoCode"]):
    """Finding promo codes."""

    def valid_on(self, day: date) -> Self:
        """Those that count on this day."""
        return self.filter(Q(last_date=None) | Q(last_date__gte=day), is_active=True, first_date__lte=day)

    def current(self, day: date) -> Self:
        """Those that count on this day or will."""
        return self.filter(Q(last_date=None) | Q(last_date__gte=day), is_active=True)

    def ended(self, day: date) -> Self:
        """Those that are over or stopped."""
        return self.filter(Q(last_date__lt=day) | Q(is_active=False))

    def matching(self, words: str) -> Self:
        """Each word in the code or in what it is for."""
        rows = self
        for word in words.split()[:8]:
            rows = rows.filter(Q(word__icontains=word) | Q(description__icontains=word))
        return rows

    def with_uses(self) -> Self:
        """Each with `uses`, how many bills carry it; cancelled ones do not count."""
        return self.annotate(uses=Count("invoices", filter=~Q(invoices__status="cancelled")))

    def newest_first(self) -> Self:
        """By time of writing."""
        return self.order_by("-created_at", "-pk")

    def locked(self) -> Self:
        """For the length of the transaction: whoever counts the uses waits."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class PromoCode(models.Model):
    """A word that takes something off a bill: a percentage, at most `cap`, or an amount.

    How often it was used is counted among the bills that carry it.
    """

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    word = models.CharField(_("code"), max_length=24, unique=True, validators=[RegexValidator(r"^[A-Z0-9-]{3,24}$")])
    description = models.CharField(_("what it is for"), max_length=200, blank=True)
    percent = models.PositiveSmallIntegerField(_("percent off"), null=True)
    amount = models.DecimalField(_("rupees off"), max_digits=10, decimal_places=2, null=True)
    cap = models.DecimalField(_("at most"), max_digits=10, decimal_places=2, null=True)
    minimum = models.DecimalField(_("on bills from"), max_digits=10, decimal_places=2, default=0)
    first_date = models.DateField(_("from"))
    last_date = models.DateField(_("until"), null=True)
    most_uses = models.PositiveIntegerField(_("uses"), null=True)
    most_uses_each = models.PositiveIntegerField(_("uses for each patient"), null=True)
    is_active = models.BooleanField(_("in use"), default=True)
    created_at = models.DateTimeField(_("written"), default=timezone.now)

    objects = PromoCodes.as_manager()

    class Meta:
        verbose_name = _("promo code")
        verbose_name_plural = _("promo codes")
        constraints = [
            models.CheckConstraint(
                condition=Q(percent__isnull=False, amount__isnull=True) | Q(percent__isnull=True, amount__isnull=False),
                name="promo_code_percent_or_amount",
            ),
            models.CheckConstraint(
                condition=(Q(percent__isnull=True) | Q(percent__gte=1, percent__lte=100))
                & (Q(amount__isnull=True) | Q(amount__gt=0)),
                name="promo_code_takes_something_off",
            ),
            models.CheckConstraint(
                condition=Q(last_date__isnull=True) | Q(last_date__gte=models.F("first_date")),
                name="promo_code_forwards",
            ),
            models.CheckConstraint(
                condition=(Q(cap__isnull=True) | Q(cap__gt=0))
                & Q(minimum__gte=0)
                & (Q(most_uses__isnull=True) | Q(most_uses__gt=0))
                & (Q(most_uses_each__isnull=True) | Q(most_uses_each__gt=0)),
                name="promo_code_limits",
            ),
        ]

    def __str__(self) -> str:
        return self.word

    def standing(self, day: date, *, uses: int) -> Standing:
        """How it stands on this day, after so many uses."""
        if not self.is_active:
            return Standing.STOPPED
        if self.last_date and self.last_date < day:
            return Standing.OVER
        if self.most_uses is not None and uses >= self.most_uses:
            return Standing.USED_UP
        return Standing.PLANNED if self.first_date > day else Standing.COUNTS
