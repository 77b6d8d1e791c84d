"""Which doctors have had their list of the day."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from hospitals.models import Doctor


class MorningList(models.Model):
    """A doctor was written what their day brings. One row a doctor and day, so that nobody is written twice."""

    doctor = models.ForeignKey(Doctor, on_delete=models.CASCADE, related_name="+")
    date = models.DateField(_("day"))

    class Meta:
        verbose_name = _("morning list")
        verbose_name_plural = _("morning lists")
        constraints = [models.UniqueConstraint(fields=["doctor", "date"], name="one_morning_list_per_day")]

    def __str__(self) -> str:
        return f"{self.doctor}, {self.date}"
