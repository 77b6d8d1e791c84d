"""A clerk's cash, from the opening of their day to its count."""

from decimal import Decimal
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.permissions import ROLES, Permission, Role
from core.codes import new_code


class CashDays(models.QuerySet["CashDay"]):
    """Finding days."""

    def open_of(self, user: User) -> "CashDay | None":
        """The day this clerk has open."""
        return self.filter(clerk=user, status=CashDay.Status.OPEN).first()

    def visible_to(self, user: User, role: Role | None) -> Self:
        """One's own, and all for who sees the hospital's money."""
        sees_all = role is not None and Permission.MONEY_VIEW in ROLES[role]
        return self if sees_all else self.filter(clerk=user)

    def closable_by(self, user: User, role: Role | None) -> Self:
        """Open ones: one's own, and for who approves money also that of a clerk who went without closing it."""
        closes_all = role is not None and Permission.MONEY_APPROVE in ROLES[role]
        rows = self.filter(status=CashDay.Status.OPEN)
        return rows if closes_all else rows.filter(clerk=user)

    def differing(self) -> Self:
        """Those whose count was not what was expected."""
        return self.filter(status=CashDay.Status.CLOSED).exclude(counted=F("expected"))

    def newest_first(self) -> Self:
        """By opening."""
        return self.order_by("-opened_at", "-pk")

    def locked(self) -> Self:
        """For the length of the transaction, in one order."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class CashDay(models.Model):
    """The cash one clerk answers for. `expected` and `counted` are written when it is closed; open, the books say it."""

    class Status(models.TextChoices):
        """Whether the clerk still takes money."""

        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {Status.OPEN: {Status.CLOSED}, Status.CLOSED: set()}

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.OPEN)
    clerk = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    opening_float = models.DecimalField(_("cash at the start"), max_digits=12, decimal_places=2)
    closed_at = models.DateTimeField(_("closed"), null=True)
    expected = models.DecimalField(_("expected"), max_digits=12, decimal_places=2, null=True)
    counted = models.DecimalField(_("counted"), max_digits=12, decimal_places=2, null=True)
    note = models.CharField(_("note"), max_length=300, blank=True)

    objects = CashDays.as_manager()

    class Meta:
        verbose_name = _("cash day")
        verbose_name_plural = _("cash days")
        constraints = [
            models.UniqueConstraint(fields=["clerk"], condition=Q(status="open"), name="one_open_cash_day_per_clerk"),
            models.CheckConstraint(condition=Q(status__in=["open", "closed"]), name="cash_day_status_known"),
            models.CheckConstraint(
                condition=Q(status="open") | Q(closed_at__isnull=False, expected__isnull=False, counted__isnull=False),
                name="cash_day_closed_is_counted",
            ),
            models.CheckConstraint(
                condition=Q(opening_float__gte=0) & (Q(counted__isnull=True) | Q(counted__gte=0)),
                name="cash_day_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.clerk}, {self.opened_at:%d.%m.%Y}"

    @property
    def difference(self) -> Decimal | None:
        """What was counted too much, or less than nothing where it was too little; None before the count."""
        return None if self.counted is None or self.expected is None else self.counted - self.expected
