"""The hospital's register of patients. What stands here is health data: every reader needs a permission for it."""

from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from accounts.models import Sex, User
from accounts.permissions import ROLES, Permission, Role
from core.codes import new_code


class BloodGroup(models.TextChoices):
    """ABO and rhesus."""

    A_POSITIVE = "A+", "A+"
    A_NEGATIVE = "A-", "A−"
    B_POSITIVE = "B+", "B+"
    B_NEGATIVE = "B-", "B−"
    AB_POSITIVE = "AB+", "AB+"
    AB_NEGATIVE = "AB-", "AB−"
    O_POSITIVE = "O+", "O+"
    O_NEGATIVE = "O-", "O−"


class Patients(models.QuerySet["Patient"]):
    """Finding patients."""

    def current(self) -> Self:
        """Those in use: one that was merged into another is only history."""
        return self.filter(merged_into__isnull=True)

    def of(self, user: User) -> Self:
        """The person's own entry and those of their family."""
        return self.current().filter(user=user)

    def visible_to(self, user: User, role: Role | None) -> Self:
        """One's own and one's family's; and everybody, for who works with patients here."""
        if role is not None and Permission.PATIENT_VIEW in ROLES[role]:
            return self.current()
        return self.of(user)

    def matching(self, words: str) -> Self:
        """Each word in the name, number, telephone number or e-mail address."""
        rows = self
        for word in words.split()[:8]:
            digits = "".join(letter for letter in word if letter.isdigit())
            found = Q(name__icontains=word) | Q(number__iexact=word) | Q(email__icontains=word)
            rows = rows.filter(found | Q(phone__contains=digits) if len(digits) >= 4 else found)
        return rows

    def by_name(self) -> Self:
        """In the order of the alphabet."""
        return self.order_by(models.functions.Lower("name"), "pk")

    def locked(self) -> Self:
        """For the length of the transaction, in one order so that two do not wait for each other."""
        return self.select_for_update(of=("self",)).order_by("pk")


class Patient(models.Model):
    """A patient of this hospital, under the hospital's own number.

    `user` is the account through which the visits are booked, if there is one; `family_member` is the code of the
    member of that person's family whom this is, empty for the person themselves. An entry of the front desk has neither
    until somebody claims it. `merged_into` names the entry that took this one's place.
    """

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    number = models.CharField(_("patient number"), max_length=12, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("account"),
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    family_member = models.UUIDField(_("family member"), null=True)
    name = models.CharField(_("name"), max_length=150)
    birth_date = models.DateField(_("date of birth"), null=True, blank=True)
    sex = models.CharField(_("sex"), max_length=10, choices=Sex.choices, blank=True)
    phone = PhoneNumberField(_("phone number"), blank=True)
    email = models.EmailField(_("e-mail address"), blank=True)
    address = models.TextField(_("address"), max_length=400, blank=True)
    emergency_contact_name = models.CharField(_("emergency contact"), max_length=150, blank=True)
    emergency_contact_phone = PhoneNumberField(_("emergency contact’s phone number"), blank=True)
    blood_group = models.CharField(_("blood group"), max_length=3, choices=BloodGroup.choices, blank=True)
    # None is "not asked yet", an empty list "none known": the difference can save a life.
    allergies = ArrayField(models.CharField(max_length=120), verbose_name=_("allergies"), null=True)
    conditions = ArrayField(models.CharField(max_length=120), verbose_name=_("conditions"), null=True)
    is_blocked = models.BooleanField(_("may not book online"), default=False)
    merged_into = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="merged")
    created_at = models.DateTimeField(_("registered"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = Patients.as_manager()

    class Meta:
        verbose_name = _("patient")
        verbose_name_plural = _("patients")
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(family_member__isnull=True, merged_into__isnull=True),
                name="one_patient_per_person",
            ),
            models.UniqueConstraint(
                fields=["family_member"], condition=Q(merged_into__isnull=True), name="one_patient_per_family_member"
            ),
            models.CheckConstraint(
                condition=Q(family_member__isnull=True) | Q(user__isnull=False), name="patient_of_family_has_account"
            ),
            models.CheckConstraint(condition=~Q(merged_into=models.F("id")), name="patient_not_merged_into_itself"),
        ]
        indexes = [
            models.Index(fields=["phone"], name="patient_by_phone"),
            models.Index(fields=["birth_date"], name="patient_by_birth_date"),
        ]

    def __str__(self) -> str:
        # The log shows it: the number says who without saying what for.
        return self.number


class PatientCounter(models.Model):
    """The last patient number given out, one row. Taking the next one locks it, so that no number is given twice."""

    last = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("patient counter")
        verbose_name_plural = _("patient counters")
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="patient_counter_is_one_row")]

    def __str__(self) -> str:
        return str(self.last)


class Merge(models.Model):
    """Two entries that were one person, and all that is needed to take that back.

    `moved` holds, by model label, the primary keys of the rows that named `gone` and name `kept` since; `before` what
    `kept` said in the fields that it took over.
    """

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    kept = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="merges")
    gone = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="merged_by")
    moved = models.JSONField(_("what was moved"), default=dict)
    before = models.JSONField(_("what it said before"), default=dict)
    created_at = models.DateTimeField(_("merged"), default=timezone.now)
    undone_at = models.DateTimeField(_("taken back"), null=True)

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        constraints = [
            models.UniqueConstraint(fields=["gone"], condition=Q(undone_at__isnull=True), name="one_open_merge"),
        ]

    def __str__(self) -> str:
        return f"{self.gone} → {self.kept}"
