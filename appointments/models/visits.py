"""Visits, from the hold on. The database itself refuses two that want the same doctor at the same time."""

import datetime as dt
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, IntegerRangeField, RangeOperators
from django.db import connection, models
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.permissions import ROLES, Permission, Role
from billing.models import About, Invoice
from core.codes import as_reference, new_code, new_reference
from core.visits import VisitKind
from hospitals.models import Department, Doctor
from patients.models import Patient


class Status(models.TextChoices):
    """Where a visit stands. `held` and `expired` are not visits yet, or never became one."""

    HELD = "held", _("Held")
    PENDING = "pending", _("Waiting to be confirmed")
    CONFIRMED = "confirmed", _("Confirmed")
    CHECKED_IN = "checked_in", _("Checked in")
    IN_PROGRESS = "in_progress", _("With the doctor")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")
    NO_SHOW = "no_show", _("Did not attend")
    RESCHEDULED = "rescheduled", _("Moved")
    EXPIRED = "expired", _("Given up")


TRANSITIONS: dict[str, set[str]] = {
    Status.HELD: {Status.PENDING, Status.CONFIRMED, Status.EXPIRED},
    # One that was never paid is given up.
    Status.PENDING: {Status.CONFIRMED, Status.CANCELLED, Status.RESCHEDULED, Status.NO_SHOW, Status.EXPIRED},
    Status.CONFIRMED: {
        Status.CHECKED_IN,
        Status.IN_PROGRESS,
        Status.CANCELLED,
        Status.RESCHEDULED,
        Status.NO_SHOW,
    },
    # Back, for somebody who was checked in or called by mistake.
    Status.CHECKED_IN: {Status.IN_PROGRESS, Status.CONFIRMED, Status.CANCELLED, Status.NO_SHOW},
    Status.IN_PROGRESS: {Status.COMPLETED, Status.CHECKED_IN},
    Status.COMPLETED: set(),
    Status.CANCELLED: set(),
    Status.NO_SHOW: set(),
    Status.RESCHEDULED: set(),
    Status.EXPIRED: {Status.CONFIRMED},  # a payment came late, and the time is still free
}

# States in which a visit keeps its time: nobody else gets it.
LIVE = [Status.HELD, Status.PENDING, Status.CONFIRMED, Status.CHECKED_IN, Status.IN_PROGRESS]
BOOKED = [status for status in Status if status not in (Status.HELD, Status.EXPIRED)]
TO_COME = [Status.PENDING, Status.CONFIRMED]
_HALF_A_DAY = timedelta(hours=12)


class Appointments(models.QuerySet["Appointment"]):
    """Finding visits."""

    def live(self) -> Self:
        """Those that keep their time, holds included, even one that has run out and that nobody has released yet."""
        return self.filter(status__in=LIVE)

    def booked(self) -> Self:
        """Visits, whatever became of them, also those given up unpaid; not mere holds."""
        return self.filter(Q(status__in=BOOKED) | Q(status=Status.EXPIRED, booked_at__isnull=False))

    def to_come(self) -> Self:
        """Booked visits that have not begun."""
        return self.filter(status__in=TO_COME)

    def held(self, now: datetime) -> Self:
        """Holds that still count."""
        return self.filter(status=Status.HELD, held_until__gt=now)

    def run_out(self, now: datetime) -> Self:
        """Holds whose time is over."""
        return self.filter(status=Status.HELD, held_until__lte=now)

    def unpaid(self, now: datetime) -> Self:
        """Those that were to be paid by now."""
        return self.filter(status=Status.PENDING, pay_until__lte=now)

    def with_bill(self) -> Self:
        """Each with `bill_code`, the code of the bill for it, or None."""
        bills = Invoice.objects.filter(about=About.VISIT, about_code=OuterRef("code"))
        return self.annotate(bill_code=Subquery(bills.exclude(status=Invoice.Status.CANCELLED).values("code")[:1]))

    def between(self, first: datetime, last: datetime) -> Self:
        """Those that begin from `first` on and before `last`."""
        return self.filter(starts_at__gte=first, starts_at__lt=last)

    def visible_to(self, user: User, role: Role | None) -> Self:
        """Visits one has booked, for oneself or one's family; a doctor's own; and all, for who looks after them here."""
        mine = Q(patient__user=user)
        if role is None:
            return self.booked().filter(mine)
        if Permission.APPOINTMENT_VIEW in ROLES[role]:
            return self.booked()
        if Permission.OWN_DAY in ROLES[role]:
            return self.booked().filter(mine | Q(doctor__user=user))
        return self.booked().filter(mine)

    def looked_after_by(self, user: User, role: Role | None) -> Self:
        """Visits somebody works on here: all of the hospital's, or, for a doctor, those with them."""
        if role is not None and Permission.APPOINTMENT_VIEW in ROLES[role]:
            return self.booked()
        if role is not None and Permission.OWN_DAY in ROLES[role]:
            return self.booked().filter(doctor__user=user)
        return self.none()

    def not_closed(self, now: datetime) -> Self:
        """Visits that were over half a day ago, of which nobody has said what became of them."""
        unclosed = [status for status in LIVE if status != Status.HELD]
        return self.filter(status__in=unclosed, ends_at__lt=now - _HALF_A_DAY)

    def coming(self, now: datetime) -> Self:
        """Visits that may still take place; half a day after its end nobody waits for one any more."""
        return self.live().filter(ends_at__gte=now - _HALF_A_DAY)

    def past(self, now: datetime) -> Self:
        """All others, whatever became of them."""
        return self.exclude(status__in=LIVE, ends_at__gte=now - _HALF_A_DAY)

    def matching(self, words: str) -> Self:
        """The visit with this reference, or those of patients with each word in their name, number or telephone."""
        reference = as_reference(words)
        if reference:
            return self.filter(reference=reference)
        return self.filter(patient__in=Patient.objects.matching(words)) if words else self

    def in_line(self) -> Self:
        """In the order in which doctors call: whose turn was due first.

        A booked visit is due at its time, or on arrival if that is later; somebody who walked in, on arrival.
        """
        return self.order_by(Greatest("starts_at", "checked_in_at"), "token", "pk")

    def with_people(self) -> Self:
        """With what a list shows of each."""
        return self.select_related("patient", "doctor__user", "department")

    def by_time(self) -> Self:
        """The earliest first."""
        return self.order_by("starts_at", "pk")

    def locked(self, *, skip_locked: bool = False) -> Self:
        """For the length of the transaction, in one order so that two do not wait for each other.

        With `skip_locked` without those that somebody else has locked.
        """
        return self.select_for_update(of=("self",), skip_locked=skip_locked).order_by("pk")


class Appointment(models.Model):
    """A visit (FHIR Appointment), or the hold that comes before it.

    `busy` is the time in which the doctor is not free for others, buffers included; empty for a walk-in, who waits
    between the booked. `places` are the places of that time it takes: all of them (from 1 without end) in an ordinary
    slot, one number in a slot that several patients share. The database refuses two live visits of a doctor that
    overlap in both. `token` is the number in the queue of `token_date`, given out when somebody has arrived.
    """

    Status = Status

    class Source(models.TextChoices):
        """How the visit was booked."""

        WEB = "web", _("On the web")
        API = "mobile", _("In an app")
        DESK = "desk", _("At the desk")
        WALK_IN = "walk_in", _("Walked in")

    class PaymentStatus(models.TextChoices):
        """Whether the visit is paid."""

        UNPAID = "unpaid", _("Not paid")
        PAID = "paid", _("Paid")
        REFUND_DUE = "refund_due", _("To be refunded")
        REFUNDED = "refunded", _("Refunded")

    TRANSITIONS: ClassVar[dict[str, set[str]]] = TRANSITIONS

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    reference = models.CharField(_("reference"), max_length=12, default=new_reference, editable=False)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices)
    doctor = models.ForeignKey(Doctor, on_delete=models.PROTECT, related_name="appointments", db_index=False)
    department = models.ForeignKey(
        Department, null=True, on_delete=models.PROTECT, related_name="appointments", db_index=False
    )
    patient = models.ForeignKey(Patient, null=True, on_delete=models.PROTECT, related_name="appointments")
    kind = models.CharField(_("kind of visit"), max_length=10, choices=VisitKind.choices)
    source = models.CharField(_("booked"), max_length=10, choices=Source.choices, default=Source.WEB)
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    busy = DateTimeRangeField(_("busy"), null=True)  # type: ignore[misc]  # the stubs know no empty ranges
    places = IntegerRangeField(_("places"), null=True)  # type: ignore[misc]
    fee = models.DecimalField(_("fee"), max_digits=10, decimal_places=2)
    payment_status = models.CharField(
        _("payment"), max_length=10, choices=PaymentStatus.choices, default=PaymentStatus.UNPAID
    )
    reason = models.CharField(_("reason for the visit"), max_length=300, blank=True)
    # Who holds: the code of a person, or of a visitor's browser, or of an entry of the waitlist.
    holder = models.UUIDField(_("holder"), null=True)
    held_until = models.DateTimeField(_("held until"), null=True)
    is_hold_extended = models.BooleanField(_("hold was extended"), default=False)
    booked_at = models.DateTimeField(_("booked"), null=True)
    booked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("booked by"),
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    # A client that asks twice with the same key gets the same visit (see services.booking).
    idempotency_key = models.CharField(_("idempotency key"), max_length=80, blank=True)
    # The rules the visit was booked under (hospitals.BookingPolicy).
    free_cancellation_until = models.DateTimeField(_("free to cancel until"), null=True)
    late_cancellation_percent = models.PositiveSmallIntegerField(_("fee for cancelling later, in percent"), default=0)
    no_show_percent = models.PositiveSmallIntegerField(_("fee for missing it, in percent"), default=0)
    # What the hospital keeps of the fee for a visit that was cancelled late or missed.
    kept_fee = models.DecimalField(_("fee kept"), max_digits=10, decimal_places=2, default=0)
    cancelled_by_hospital = models.BooleanField(_("cancelled by the hospital"), default=False)
    rescheduled_from = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="rescheduled_to")
    # A visit that is confirmed by paying for it is given up when nobody has paid, nor is about to, by then.
    pay_until = models.DateTimeField(_("to be paid until"), null=True)
    patient_confirmed_at = models.DateTimeField(_("patient says they come"), null=True)
    token = models.PositiveSmallIntegerField(_("token"), null=True)
    token_date = models.DateField(_("day of the token"), null=True)
    checked_in_at = models.DateTimeField(_("checked in"), null=True)
    called_at = models.DateTimeField(_("called"), null=True)
    completed_at = models.DateTimeField(_("completed"), null=True)
    reminded_day_at = models.DateTimeField(_("reminded the day before"), null=True)
    reminded_hour_at = models.DateTimeField(_("reminded the hour before"), null=True)
    created_at = models.DateTimeField(_("written"), default=timezone.now)

    objects = Appointments.as_manager()

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        constraints = [
            ExclusionConstraint(
                name="doctor_is_booked_once",
                # What tells rows apart comes first: `places` is the same in nearly all.
                expressions=[
                    ("doctor", RangeOperators.EQUAL),
                    ("busy", RangeOperators.OVERLAPS),
                    ("places", RangeOperators.OVERLAPS),
                ],
                condition=Q(status__in=[str(status) for status in LIVE]),
            ),
            models.UniqueConstraint(
                fields=["booked_by", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="one_visit_per_idempotency_key",
            ),
            models.UniqueConstraint(
                fields=["doctor", "token_date", "token"], condition=Q(token__isnull=False), name="one_visit_per_token"
            ),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="appointment_status_known"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="appointment_forwards"),
            models.CheckConstraint(
                condition=Q(busy__isnull=True, places__isnull=True) | Q(busy__isnull=False, places__isnull=False),
                name="appointment_busy_has_places",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["held", "expired"]) | Q(patient__isnull=False), name="appointment_has_patient"
            ),
            models.CheckConstraint(
                condition=~Q(status="held") | Q(holder__isnull=False, held_until__isnull=False),
                name="appointment_hold_has_holder",
            ),
            models.CheckConstraint(
                condition=Q(token__isnull=True) | Q(token_date__isnull=False), name="appointment_token_has_day"
            ),
        ]
        indexes = [
            models.Index(fields=["doctor", "starts_at"], name="appointment_by_doctor"),
            models.Index(fields=["starts_at"], name="appointment_by_time"),
            models.Index(fields=["held_until"], condition=Q(status="held"), name="appointment_hold_end"),
            models.Index(
                fields=["pay_until"],
                condition=Q(status="pending", pay_until__isnull=False),
                name="appointment_to_be_paid",
            ),
            models.Index(fields=["reference"], name="appointment_by_reference"),
        ]

    def __str__(self) -> str:
        return self.reference

    def is_held(self, now: datetime) -> bool:
        """Whether it is a hold that still counts."""
        return self.status == Status.HELD and self.held_until is not None and self.held_until > now

    @property
    def is_live(self) -> bool:
        """Whether it keeps its time."""
        return self.status in LIVE

    @property
    def is_to_come(self) -> bool:
        """Whether it is booked and has not begun."""
        return self.status in TO_COME

    @property
    def waits_for_payment(self) -> bool:
        """Whether it is confirmed by paying for it, and is not paid."""
        return self.status == Status.PENDING and self.pay_until is not None


class TokenCounter(models.Model):
    """The last token of a doctor's day. Taking the next one locks the row: tokens have no gap and no twin."""

    doctor = models.ForeignKey(Doctor, on_delete=models.CASCADE, related_name="+")
    date = models.DateField(_("day"))
    last = models.PositiveSmallIntegerField(_("last token"))

    class Meta:
        verbose_name = _("token counter")
        verbose_name_plural = _("token counters")
        constraints = [models.UniqueConstraint(fields=["doctor", "date"], name="one_token_counter_per_day")]

    def __str__(self) -> str:
        return f"{self.doctor}, {self.date}: {self.last}"

    @classmethod
    def take(cls, doctor: Doctor, day: dt.date) -> int:
        """The next token of the doctor's day; nobody else gets one until the transaction has ended."""
        table = connection.ops.quote_name(cls._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} AS counter (doctor_id, date, last) VALUES (%s, %s, 1) "  # noqa: S608
                "ON CONFLICT (doctor_id, date) DO UPDATE SET last = counter.last + 1 RETURNING last",
                [doctor.pk, day],
            )
            return int(cursor.fetchone()[0])
