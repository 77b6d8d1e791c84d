"""When a person has a visit, at whatever hospital (public schema)."""

from typing import Self

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class TakenTimes(models.QuerySet["TakenTime"]):
    """Finding visits across hospitals."""

    def newest_first(self) -> Self:
        """By the time of the visit."""
        return self.order_by("-period", "-pk")


class TakenTime(models.Model):
    """When a person has a visit, and at which hospital: no more. The visit itself stands in the hospital's schema.

    `user` is whose account it is; `person` the code of that user, or of the family member the visit is for. While
    `is_live`, no other visit of the person may overlap, at any hospital: the database refuses it. Rows stay when a
    visit is over, so that people find their visits at all hospitals.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    person = models.UUIDField(_("person"))
    hospital = models.ForeignKey("tenants.Hospital", on_delete=models.CASCADE, related_name="+")
    appointment = models.UUIDField(_("visit"), unique=True)
    period = DateTimeRangeField(_("time"))
    is_live = models.BooleanField(_("still to come or under way"), default=True)

    objects = TakenTimes.as_manager()

    class Meta:
        verbose_name = _("taken time")
        verbose_name_plural = _("taken times")
        constraints = [
            ExclusionConstraint(
                name="one_visit_at_a_time",
                expressions=[("person", RangeOperators.EQUAL), ("period", RangeOperators.OVERLAPS)],
                condition=Q(is_live=True),
            )
        ]
        indexes = [models.Index(fields=["user", "-id"], name="taken_time_by_user")]

    def __str__(self) -> str:
        return str(self.appointment)
