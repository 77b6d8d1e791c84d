"""Reports that are made in the background."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.codes import new_code

_SILENCE = timedelta(minutes=5)  # who makes a report is heard of every few seconds
_KEPT = timedelta(days=30)


class Reports(models.QuerySet["Report"]):
    """Finding reports."""

    def free(self, now: datetime) -> Self:
        """Those nobody makes: they wait, or their worker was not heard of for minutes."""
        is_lost = Q(state=Report.State.RUNNING, touched_at__lte=now - _SILENCE)
        return self.filter(Q(state=Report.State.WAITING) | is_lost)

    def too_old(self, now: datetime) -> Self:
        """Those that are not kept any longer."""
        return self.filter(created_at__lte=now - _KEPT).exclude(state=Report.State.RUNNING)

    def newest_first(self) -> Self:
        """By time of asking."""
        return self.order_by("-created_at", "-pk")


class Report(models.Model):
    """A report somebody asked for, over the days from `first_date` to `last_date`, both included.

    Its state is the worker's note. The file is kept in the storage at `path`, and goes with the row.
    """

    class Kind(models.TextChoices):
        """What it tells."""

        REVENUE = "revenue", _("Revenue by day")
        DOCTORS = "doctors", _("Revenue by doctor")
        DEPARTMENTS = "departments", _("Revenue by department")
        METHODS = "methods", _("Payments by method")
        REFUNDS = "refunds", _("Refunds")
        TAX = "tax", _("Tax summary for the GST return")

    class Format(models.TextChoices):
        """What the file is."""

        CSV = "csv", _("Table (CSV)")
        PDF = "pdf", _("Document (PDF)")

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Being made")
        DONE = "done", _("Ready")
        FAILED = "failed", _("Failed")

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    kind = models.CharField(_("report"), max_length=20, choices=Kind.choices)
    format = models.CharField(_("file"), max_length=5, choices=Format.choices)
    first_date = models.DateField(_("from"))
    last_date = models.DateField(_("until"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    percent = models.PositiveSmallIntegerField(_("done, in percent"), default=0)
    path = models.CharField(_("file"), max_length=200, blank=True)
    error = models.CharField(_("what went wrong"), max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    created_at = models.DateTimeField(_("asked for"), default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    began_at = models.DateTimeField(_("begun"), null=True)
    touched_at = models.DateTimeField(_("last heard of its worker"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = Reports.as_manager()

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        constraints = [
            models.CheckConstraint(condition=Q(last_date__gte=F("first_date")), name="report_forwards"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running", "done", "failed"]), name="report_state_known"
            ),
            models.UniqueConstraint(
                fields=["kind", "format", "first_date", "last_date"],
                condition=Q(state__in=["waiting", "running"]),
                name="one_report_is_made_at_a_time",
            ),
        ]
        indexes = [models.Index(fields=["-created_at", "-id"], name="report_by_time")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.first_date} – {self.last_date}"
