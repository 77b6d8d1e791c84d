"""Who wants an earlier time."""

from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.permissions import ROLES, Permission, Role
from appointments.models.visits import Appointment
from core.codes import new_code
from core.visits import VisitKind
from hospitals.models import Doctor
from patients.models import Patient


class WaitlistEntries(models.QuerySet["WaitlistEntry"]):
    """Finding who waits."""

    def of(self, user: User) -> Self:
        """One's own entries and those for one's family."""
        return self.filter(patient__user=user)

    def visible_to(self, user: User, role: Role | None) -> Self:
        """One's own and one's family's; and all, for who books for patients here."""
        if role is not None and Permission.APPOINTMENT_DESK in ROLES[role]:
            return self.all()
        return self.of(user)

    def open(self) -> Self:
        """Those that may still be offered a time, or have just been."""
        return self.filter(status__in=[WaitlistEntry.Status.WAITING, WaitlistEntry.Status.OFFERED])

    def closed(self) -> Self:
        """Those of which something has become."""
        return self.exclude(status__in=[WaitlistEntry.Status.WAITING, WaitlistEntry.Status.OFFERED])

    def matching(self, words: str) -> Self:
        """Those of patients with each word in their name, number, telephone number or e-mail address."""
        return self.filter(patient__in=Patient.objects.matching(words)) if words else self

    def with_people(self) -> Self:
        """With what a list shows of each."""
        return self.select_related("patient", "doctor__user", "instead_of", "offer")

    def in_fair_order(self) -> Self:
        """As they are asked when a time becomes free: who was never asked first, then who has waited longest."""
        return self.order_by(F("asked_at").asc(nulls_first=True), "created_at", "pk")

    def newest_first(self) -> Self:
        """The latest wish first."""
        return self.order_by("-created_at", "-pk")

    def locked(self) -> Self:
        """For the length of the transaction, in one order so that two do not wait for each other."""
        return self.select_for_update(of=("self",)).order_by("pk")


class WaitlistEntry(models.Model):
    """A patient who is told when a doctor's time becomes free between two days.

    A freed time is held for them for some minutes (`offer`, whose holder is this entry); then the next one is asked.
    """

    class Status(models.TextChoices):
        """What became of the wish."""

        WAITING = "waiting", _("Waiting")
        OFFERED = "offered", _("A time is offered")
        BOOKED = "booked", _("Booked")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        LAPSED = "lapsed", _("Nothing became free")

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        Status.WAITING: {Status.OFFERED, Status.BOOKED, Status.WITHDRAWN, Status.LAPSED},
        # Back to waiting when the time that was offered was not taken.
        Status.OFFERED: {Status.BOOKED, Status.WAITING, Status.WITHDRAWN, Status.LAPSED},
        Status.BOOKED: set(),
        Status.WITHDRAWN: set(),
        Status.LAPSED: set(),
    }

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices)
    doctor = models.ForeignKey(Doctor, on_delete=models.CASCADE, related_name="waitlist")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="waitlist")
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    first_date = models.DateField(_("from"))
    last_date = models.DateField(_("to"))
    visit_kinds = ArrayField(
        models.CharField(max_length=10, choices=VisitKind.choices), verbose_name=_("kinds of visit"), default=list
    )
    # The visit they have already and would move to an earlier time; empty if they have none.
    instead_of = models.ForeignKey(Appointment, null=True, on_delete=models.PROTECT, related_name="+")
    offer = models.ForeignKey(Appointment, null=True, on_delete=models.PROTECT, related_name="+")
    # When they were last asked: who was asked before waits behind those who were not.
    asked_at = models.DateTimeField(_("last asked"), null=True)
    created_at = models.DateTimeField(_("added"), default=timezone.now)

    objects = WaitlistEntries.as_manager()

    class Meta:
        verbose_name = _("waitlist entry")
        verbose_name_plural = _("waitlist entries")
        constraints = [
            models.CheckConstraint(condition=Q(last_date__gte=F("first_date")), name="waitlist_dates_forwards"),
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "offered", "booked", "withdrawn", "lapsed"]),
                name="waitlistentry_status_known",
            ),
            models.UniqueConstraint(
                fields=["doctor", "patient"],
                condition=Q(status__in=["waiting", "offered"]),
                name="one_open_wish_per_doctor",
            ),
        ]
        indexes = [models.Index(fields=["doctor", "status", "first_date"], name="waitlist_by_doctor")]

    def __str__(self) -> str:
        return str(self.code)
