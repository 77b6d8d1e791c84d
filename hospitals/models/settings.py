"""What a hospital says and wants."""

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
