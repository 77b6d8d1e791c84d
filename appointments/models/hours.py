"""When a doctor can be booked. Slots are computed from this (`appointments.slots`) and never stored."""

from datetime import date, time
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from core.codes import new_code
from core.visits import VisitKind
from hospitals.models import Doctor


class Schedules(models.QuerySet["Schedule"]):
    """Finding how doctors' hours are divided."""

    def locked(self) -> Self:
        """For the length of the transaction: who changes a doctor's hours holds the doctor's row."""
        return self.select_for_update(of=("self",)).order_by("pk")

    def kept(self, doctor: Doctor) -> "Schedule | None":
        """The doctor's row, kept as it is until the transaction ends: who books holds it together with other bookers."""
        names = [field.attname for field in self.model._meta.concrete_fields]
        with connection.cursor() as cursor:  # Django knows no FOR SHARE
            cursor.execute(
                f"SELECT {', '.join(names)} FROM {self.model._meta.db_table} WHERE doctor_id = %s FOR SHARE",  # noqa: S608
                [doctor.pk],
            )
            row = cursor.fetchone()
        return self.model.from_db(connection.alias, names, row) if row else None


class Schedule(models.Model):
    """How a doctor's hours are divided. Minutes throughout; `max_per_day` empty means no limit.

    A visit of `slot_minutes` keeps the doctor busy from `buffer_before` before it until `buffer_after` after it. It can
    be booked from `horizon_days` before it until `notice_minutes` before it.
    """

    doctor = models.OneToOneField(Doctor, on_delete=models.CASCADE, related_name="schedule")
    slot_minutes = models.PositiveSmallIntegerField(_("length of a visit"), default=20)
    buffer_before = models.PositiveSmallIntegerField(_("pause before a visit"), default=0)
    buffer_after = models.PositiveSmallIntegerField(_("pause after a visit"), default=0)
    notice_minutes = models.PositiveIntegerField(_("shortest notice"), default=60)
    horizon_days = models.PositiveSmallIntegerField(_("days ahead"), default=30)
    max_per_day = models.PositiveSmallIntegerField(_("visits a day at most"), null=True, blank=True)
    room = models.CharField(_("room"), max_length=40, blank=True)

    objects = Schedules.as_manager()

    class Meta:
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")
        constraints = [
            models.CheckConstraint(condition=Q(slot_minutes__gte=5, slot_minutes__lte=480), name="schedule_slot_sane"),
            models.CheckConstraint(
                condition=Q(buffer_before__lte=240, buffer_after__lte=240), name="schedule_buffers_sane"
            ),
            models.CheckConstraint(condition=Q(notice_minutes__lte=60 * 24 * 30), name="schedule_notice_sane"),
            models.CheckConstraint(
                condition=Q(horizon_days__gte=1, horizon_days__lte=180), name="schedule_horizon_sane"
            ),
            models.CheckConstraint(
                condition=Q(max_per_day__isnull=True) | Q(max_per_day__gte=1), name="schedule_max_per_day_sane"
            ),
        ]

    def __str__(self) -> str:
        return str(self.doctor)


class Availabilities(models.QuerySet["Availability"]):
    """Finding hours."""

    def weekly(self) -> Self:
        """Hours that repeat every week, in the order of the week."""
        return self.filter(kind=Availability.Kind.WEEKLY).order_by("weekday", "starts", "pk")

    def dated(self) -> Self:
        """Extra hours and leave, the earliest first."""
        return self.exclude(kind=Availability.Kind.WEEKLY).order_by("first_date", "starts", "pk")

    def touching(self, first: date, last: date) -> Self:
        """What may bear on the days from `first` to `last`."""
        return self.filter(
            Q(first_date__isnull=True) | Q(first_date__lte=last), Q(last_date__isnull=True) | Q(last_date__gte=first)
        )

    def locked(self) -> Self:
        """For the length of the transaction, in one order so that two do not wait for each other."""
        return self.select_for_update(of=("self",)).order_by("pk")


class Availability(models.Model):
    """One stretch of a doctor's time, in the hospital's own time zone: hours of every week, extra hours, or leave.

    Weekly hours: `weekday` (0 is Monday), from `starts` to `ends`, valid from `first_date` to `last_date` where given.
    Extra hours: on `first_date` (and `last_date` the same). Leave: from `starts` on `first_date` until `ends` on
    `last_date`. Hours that end after midnight say so (`ends_next_day`). `visit_kinds` are those that may be booked in
    them, empty for all the doctor offers; `capacity` how many patients may share a slot.
    """

    class Kind(models.TextChoices):
        """What the stretch means."""

        WEEKLY = "weekly", _("Every week")
        EXTRA = "extra", _("Extra hours")
        LEAVE = "leave", _("Leave")

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    doctor = models.ForeignKey(Doctor, on_delete=models.CASCADE, related_name="availability")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    weekday = models.PositiveSmallIntegerField(_("day of the week"), null=True)
    first_date = models.DateField(_("from"), null=True)
    last_date = models.DateField(_("to"), null=True)
    starts = models.TimeField(_("starts"))
    ends = models.TimeField(_("ends"))
    ends_next_day = models.BooleanField(_("ends after midnight"), default=False)
    visit_kinds = ArrayField(
        models.CharField(max_length=10, choices=VisitKind.choices), verbose_name=_("kinds of visit"), default=list
    )
    capacity = models.PositiveSmallIntegerField(_("patients a slot"), default=1)
    note = models.CharField(_("note"), max_length=200, blank=True)  # for the hospital, never shown to patients
    created_at = models.DateTimeField(_("added"), default=timezone.now)

    objects = Availabilities.as_manager()

    class Meta:
        verbose_name = _("hours")
        verbose_name_plural = _("hours")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["weekly", "extra", "leave"]), name="availability_kind_known"),
            models.CheckConstraint(
                condition=Q(kind="weekly", weekday__lte=6)
                | Q(kind="extra", weekday__isnull=True, first_date__isnull=False, last_date=F("first_date"))
                | Q(kind="leave", weekday__isnull=True, first_date__isnull=False, last_date__isnull=False),
                name="availability_says_when",
            ),
            models.CheckConstraint(
                condition=Q(first_date__isnull=True) | Q(last_date__isnull=True) | Q(last_date__gte=F("first_date")),
                name="availability_dates_forwards",
            ),
            models.CheckConstraint(
                condition=Q(ends_next_day=False, ends__gt=F("starts"))
                | Q(ends_next_day=True, ends__lte=F("starts"))
                | Q(kind="leave", last_date__gt=F("first_date")),
                name="availability_times_forwards",
            ),
            models.CheckConstraint(condition=Q(capacity__gte=1, capacity__lte=100), name="availability_capacity_sane"),
        ]
        indexes = [models.Index(fields=["doctor", "kind", "weekday"], name="availability_by_doctor")]

    def __str__(self) -> str:
        times = f"{self.starts:%H:%M}–{self.ends:%H:%M}"
        if self.weekday is not None:
            return f"{WEEKDAYS[self.weekday]}, {times}"
        first, last = (date_format(day, "D j M") if day else "" for day in (self.first_date, self.last_date))
        return f"{first}, {times}" if first == last else f"{first} – {last}"

    @property
    def is_whole_days(self) -> bool:
        """Whether it is leave from a midnight to a midnight."""
        return self.kind == self.Kind.LEAVE and self.ends_next_day and self.starts == self.ends == time()
