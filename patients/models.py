"""The hospital's register of patients. What stands here is health data: every reader needs a permission for it."""

import re
from datetime import date
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import TrigramSimilarity
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, Value
from django.db.models.functions import Concat, Lower
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from accounts.models import FamilyMember, Sex, User
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


# How alike two names must be, from 0 to 1: with the same birth date, and when nothing else is known.
ALIKE, SAME = 0.35, 0.8


def _parts(words: str) -> list[str]:
    """What somebody looks for, in lower case: digits that stand side by side are one number, `98450 12345` as `9845012345`."""
    number = re.compile(r"(?<!\S)\+?\(?\d[\d\s().-]*(?!\S)")
    numbers = [re.sub(r"\D", "", found) for found in number.findall(words)]
    return [*numbers, *number.sub(" ", words).lower().split()]


class Patients(models.QuerySet["Patient"]):
    """Finding patients."""

    def current(self) -> Self:
        """Those in use: one that was merged into another is only history."""
        return self.filter(merged_into__isnull=True)

    def of(self, user: User) -> Self:
        """The person's own entry and those of their family."""
        return self.current().filter(user=user)

    def looked_after_by(self, user: User) -> Self:
        """The person's own entry and those of whom they book for now; not of who was removed from the family since."""
        family = FamilyMember.objects.of(user).values("code")
        rows = self.of(user).filter(Q(family_member__isnull=True) | Q(family_member__in=family))
        return rows.order_by(F("family_member").asc(nulls_first=True), "pk")

    def visible_to(self, user: User, role: Role | None) -> Self:
        """One's own and one's family's; and everybody, for who works with patients here."""
        if role is not None and Permission.PATIENT_VIEW in ROLES[role]:
            return self.current()
        return self.of(user)

    def matching(self, words: str) -> Self:
        """Each word in the name, number, e-mail or telephone number, however its digits are written: `042` is `P000042`."""
        rows = self
        for asked in _parts(words)[:8]:
            if not asked.isdecimal():
                rows = rows.filter(search_text__contains=asked)
                continue
            digits = asked.lstrip("0")
            found = Q(number=f"P{digits.zfill(6)}")
            if len(digits) >= 4:  # fewer would be in half of all telephone numbers
                found |= Q(search_text__contains=digits)
            rows = rows.filter(found)
        return rows

    def like(self, *, name: str, birth_date: date | None, phone: str) -> Self:
        """Who may be this person: with the same telephone number, or alike in name and, where known, in birth date."""
        same = Q(alike__gte=SAME)
        for word in name.lower().split():
            same &= Q(search_text__contains=word)  # by the index: not every name of the register is compared
        if birth_date is None:
            of_birth = same
        else:
            of_birth = Q(birth_date=birth_date, alike__gte=ALIKE) | Q(birth_date__isnull=True) & same
        rows = self.annotate(alike=TrigramSimilarity("name", name))
        return rows.filter(of_birth | Q(phone=phone) if phone else of_birth).order_by("-alike", "pk")

    def maybe_double(self) -> Self:
        """Those beside whom stands another one who is alike in name, and has the same birth date or telephone number."""
        others = Patient.objects.current().exclude(pk=OuterRef("pk"))
        others = others.filter(Q(birth_date=OuterRef("birth_date")) | ~Q(phone="") & Q(phone=OuterRef("phone")))
        similarity = Func(F("name"), OuterRef("name"), function="SIMILARITY", output_field=models.FloatField())
        alike = others.annotate(alike=similarity).filter(alike__gte=ALIKE)
        return self.current().filter(Exists(alike))

    def needing(self, look: str) -> Self:
        """Those that need a look: possible `doubles`, or who is `blocked`; all without one."""
        if look == "doubles":
            return self.maybe_double()
        return self.filter(is_blocked=True) if look == "blocked" else self

    def by_name(self) -> Self:
        """In the order of the alphabet."""
        return self.order_by(Lower("name"), "pk")

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
    # Many know their age and not the day they were born: then it is the first of January that fits.
    is_birth_date_estimated = models.BooleanField(_("only the age is known"), default=False)
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
    search_text = models.GeneratedField(
        expression=Lower(
            Concat(
                "name", Value(" "), "number", Value(" "), "phone", Value(" "), "email", output_field=models.TextField()
            )
        ),
        output_field=models.TextField(_("what the search looks through")),
        db_persist=True,
    )

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
            models.Index(Lower("name"), "id", name="patient_by_name"),
            GinIndex(OpClass("search_text", name="gin_trgm_ops"), name="patient_search"),
        ]

    def __str__(self) -> str:
        # The log shows it: the number says who without saying what for.
        return self.number

    def age_on(self, day: date) -> int | None:
        """In whole years."""
        born = self.birth_date
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day)) if born else None

    @property
    def age(self) -> str:
        """Today, in words: in months for small children, "about" if nobody knows the day; "" if nothing is known."""
        today = timezone.localdate()
        years = self.age_on(today)
        if self.birth_date is None or years is None:
            return ""
        if years < 2 and not self.is_birth_date_estimated:
            months = (today.year - self.birth_date.year) * 12 + today.month - self.birth_date.month
            months -= today.day < self.birth_date.day
            return ngettext("%(n)s month", "%(n)s months", months) % {"n": months}
        if self.is_birth_date_estimated:
            return ngettext("about %(n)s year", "about %(n)s years", years) % {"n": years}
        return ngettext("%(n)s year", "%(n)s years", years) % {"n": years}

    @property
    def age_and_sex(self) -> str:
        """What is known of both, like "42 years, female"."""
        if self.age and self.sex:
            return gettext("%(age)s, %(sex)s") % {"age": self.age, "sex": self.get_sex_display().lower()}
        return self.age or self.get_sex_display()


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

    `moved` holds, by model and field, the primary keys of the rows that named `gone` and name `kept` since; `before`, by
    column of `kept`, what it said and what the merge made of it.
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
