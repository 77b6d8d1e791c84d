"""What a hospital says and wants."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Settings(models.Model):
    """What a hospital says and wants, one row. Its name, brand and address are on `tenants.Hospital`."""

    welcome = models.TextField(_("welcome"), max_length=1000, blank=True)
    emergency_phone = models.CharField(_("emergency number"), max_length=20, default="112")
    opening_hours = models.CharField(_("opening hours"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("settings")
        verbose_name_plural = _("settings")
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="settings_is_one_row")]

    def __str__(self) -> str:
        return "Settings"


class BookingPolicy(models.Model):
    """The hospital's rules of booking, one row: how a visit becomes confirmed, and what cancelling or missing it costs.

    Percentages are of the visit's fee. Patients read the rules before they book, and each visit keeps those it was
    booked under.
    """

    class Confirmation(models.TextChoices):
        """How a booked visit becomes confirmed."""

        AUTOMATIC = "automatic", _("At once")
        DOCTOR = "doctor", _("When the doctor or the front desk confirms it")
        PAYMENT = "payment", _("When it is paid")

    confirmation = models.CharField(
        _("visits are confirmed"), max_length=10, choices=Confirmation.choices, default=Confirmation.AUTOMATIC
    )
    free_cancellation_hours = models.PositiveSmallIntegerField(_("hours before the visit to cancel free"), default=24)
    late_cancellation_percent = models.PositiveSmallIntegerField(_("fee for cancelling later, in percent"), default=0)
    no_show_percent = models.PositiveSmallIntegerField(_("fee for a missed visit, in percent"), default=0)
    # After so many missed visits within a year a patient's bookings wait for the hospital; 0 is never.
    no_show_limit = models.PositiveSmallIntegerField(_("missed visits before bookings must be confirmed"), default=0)
    check_in_minutes = models.PositiveSmallIntegerField(
        _("minutes before the visit from which to check in"), default=30
    )

    class Meta:
        verbose_name = _("booking rules")
        verbose_name_plural = _("booking rules")
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="booking_policy_is_one_row"),
            models.CheckConstraint(
                condition=Q(late_cancellation_percent__lte=100) & Q(no_show_percent__lte=100),
                name="booking_policy_percentages",
            ),
            models.CheckConstraint(
                condition=Q(confirmation__in=["automatic", "doctor", "payment"]),
                name="booking_policy_confirmation_known",
            ),
        ]

    def __str__(self) -> str:
        return "Booking rules"

    @property
    def free_cancellation(self) -> timedelta:
        """How long before a visit cancelling it still costs nothing."""
        return timedelta(hours=self.free_cancellation_hours)

    @property
    def check_in(self) -> timedelta:
        """How long before a visit patients may check in themselves."""
        return timedelta(minutes=self.check_in_minutes)
