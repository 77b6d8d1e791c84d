"""Doctors, from their application on, and the documents they send."""

from decimal import Decimal
from functools import cache
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.permissions import ROLES, Permission, Role
from core.codes import new_code
from core.languages import Language
from core.visits import VisitKind
from directory.models import DoctorListing, Wanted
from hospitals.models.departments import Department, Departments
from hospitals.models.staff import Staff, called


@cache
def bookable() -> RawSQL:
    """The keys of those patients may book, to stand in a query: see `Doctors.bookable`.

    It stands in every question about free times. Writing it takes Django longer than anything Postgres does with it,
    1.1 ms of a booking's 16. As it is the same in every schema, it is written once.
    """
    roles = [role for role in Role if Permission.OWN_DAY in ROLES[role]]
    working = Staff.objects.working().filter(role__in=roles, user__is_active=True)
    offers = Q(fee_in_person__isnull=False) | Q(fee_video__isnull=False) | Q(fee_chat__isnull=False)
    found = Doctor.objects.verified().filter(offers, user__in=working.values("user"), is_available=True)
    return RawSQL(*found.values("pk").query.sql_with_params())  # noqa: S611  (what Django has written)


class Doctors(models.QuerySet["Doctor"]):
    """Finding doctors."""

    def waiting(self) -> Self:
        """Those the hospital has to decide about."""
        return self.filter(status=Doctor.Status.PENDING)

    def verified(self) -> Self:
        """Those whose documents the hospital has checked."""
        return self.filter(status=Doctor.Status.APPROVED)

    def applying(self, user: User) -> Self:
        """The application of this person, as long as they are not verified."""
        return self.filter(user=user).exclude(status=Doctor.Status.APPROVED)

    def bookable(self) -> Self:
        """Those patients may book: verified, working here as a doctor, taking bookings, with a fee for some visit."""
        return self.filter(pk__in=bookable())

    def of(self, user: User) -> Self:
        """The verified doctor this person is, if they are one."""
        return self.verified().filter(user=user)

    def holding_licences(self) -> Self:
        """Those whose licence number no other doctor here may have."""
        held = [Doctor.Status.PENDING, Doctor.Status.MORE_ASKED, Doctor.Status.APPROVED]
        return self.filter(status__in=held).exclude(licence_number="")

    def sent(self) -> Self:
        """Those the hospital sees: what somebody has not sent yet is theirs alone."""
        return self.exclude(status=Doctor.Status.INCOMPLETE)

    def with_people(self) -> Self:
        """With what a page shows beside them."""
        return self.select_related("user", "department", "verified_by")

    def locked(self) -> Self:
        """For the length of the transaction, in one order so that two do not wait for each other.

        Bookings, which only point to the doctor, need not wait.
        """
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")

    def matching(self, words: str) -> Self:
        """Each word in the name, e-mail address, specialization or licence number."""
        rows = self
        for word in words.split()[:8]:
            rows = rows.filter(
                called(word)
                | Q(user__email__icontains=word)
                | Q(specialization__icontains=word)
                | Q(licence_number__icontains=word)
            )
        return rows

    def found_by(self, words: str) -> Self:
        """Each word in what patients read: name, specialization, qualifications or department."""
        rows = self
        for word in words.split()[:8]:
            rows = rows.filter(
                called(word)
                | Q(specialization__icontains=word)
                | Q(qualifications__icontains=word)
                | Q(department__name__icontains=word, department__is_active=True)
            )
        return rows

    def departments(self) -> Departments:
        """The departments in which patients find these doctors."""
        return Department.objects.active().filter(pk__in=self.values("department"))

    def listed_as(self, wanted: Wanted) -> Self:
        """Those whose entry in the search is all that somebody wants, in the searcher's own words."""
        return self.filter(code__in=DoctorListing.objects.wanted(wanted).values("code"))

    def with_times(self) -> Self:
        """Those of whom the search knows a free time."""
        return self.filter(code__in=DoctorListing.objects.with_times().values("code"))

    def earliest_first(self, kind: VisitKind | None = None) -> Self:
        """Who is free first comes first, as the search knows it; who has no free time comes last."""
        column = f"next_{kind}_at" if kind else "next_free_at"
        known = DoctorListing.objects.filter(code=OuterRef("code")).values(column)
        return self.annotate(earliest=Subquery(known)).order_by(F("earliest").asc(nulls_last=True), "pk")

    def hidden_first(self) -> Self:
        """Each with `is_found`, whether patients find them; those whom they do not find come first."""
        found = Exists(Doctor.objects.bookable().filter(pk=OuterRef("pk")))
        return self.annotate(is_found=found).order_by("is_found", "user__first_name", "pk")


class Doctor(models.Model):
    """A doctor of this hospital, from their application on.

    What they may do follows from their staff row, which there is once the hospital has approved them. A hospital that
    invites a doctor itself has approved them beforehand.
    """

    class Status(models.TextChoices):
        """Where the hospital's check of the doctor stands."""

        INCOMPLETE = "incomplete", _("Not sent yet")
        PENDING = "pending", _("Awaiting approval")
        MORE_ASKED = "more_asked", _("More asked for")
        APPROVED = "approved", _("Verified")
        REJECTED = "rejected", _("Rejected")

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        Status.INCOMPLETE: {Status.PENDING, Status.APPROVED},
        Status.PENDING: {Status.MORE_ASKED, Status.APPROVED, Status.REJECTED},
        Status.MORE_ASKED: {Status.PENDING, Status.APPROVED, Status.REJECTED},
        Status.APPROVED: set(),
        Status.REJECTED: {Status.PENDING},
    }

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    invited_as = models.CharField(_("invited as"), max_length=150, blank=True, default="", db_default="")  # see Staff
    specialization = models.CharField(_("specialization"), max_length=120, blank=True)
    qualifications = models.CharField(_("qualifications"), max_length=300, blank=True)
    licence_number = models.CharField(_("licence number"), max_length=60, blank=True)
    experience_years = models.PositiveSmallIntegerField(_("years of experience"), null=True)
    department = models.ForeignKey(
        Department, verbose_name=_("department"), null=True, on_delete=models.PROTECT, related_name="doctors"
    )
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.INCOMPLETE)
    # What patients read, and what a visit costs. A kind of visit without a fee is not offered; 0 is free of charge.
    bio = models.TextField(_("about the doctor"), max_length=2000, blank=True, default="", db_default="")
    languages = ArrayField(
        models.CharField(max_length=8, choices=Language.choices),
        verbose_name=_("languages"),
        default=list,
        db_default=[],
        blank=True,
    )
    fee_in_person = models.DecimalField(_("fee in person"), max_digits=10, decimal_places=2, null=True, blank=True)
    fee_video = models.DecimalField(_("fee by video"), max_digits=10, decimal_places=2, null=True, blank=True)
    fee_chat = models.DecimalField(_("fee by chat"), max_digits=10, decimal_places=2, null=True, blank=True)
    photo = models.CharField(_("photo"), max_length=200, blank=True, default="", db_default="")  # path in the storage
    photo_thumb = models.TextField(
        _("small photo"), blank=True, default="", db_default=""
    )  # a data: address, for lists
    is_available = models.BooleanField(_("takes bookings"), default=True, db_default=True)
    # What the hospital last wrote to the doctor: what is missing, or why not.
    answer = models.TextField(_("the hospital's answer"), max_length=1000, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    verified_at = models.DateTimeField(_("verified"), null=True)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("verified by"),
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    created_at = models.DateTimeField(_("begun"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = Doctors.as_manager()

    class Meta:
        verbose_name = _("doctor")
        verbose_name_plural = _("doctors")
        constraints = [
            models.UniqueConstraint(fields=["user"], name="one_doctor_per_person"),
            # Among those the hospital looks at or has verified: a number that somebody only typed blocks nobody.
            models.UniqueConstraint(
                Upper("licence_number"),
                condition=Q(status__in=["pending", "more_asked", "approved"]) & ~Q(licence_number=""),
                name="one_doctor_per_licence",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["incomplete", "pending", "more_asked", "approved", "rejected"]),
                name="doctor_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="approved", verified_at__isnull=False)
                | (~Q(status="approved") & Q(verified_at__isnull=True)),
                name="doctor_verified_has_time",
            ),
            *(
                models.CheckConstraint(
                    condition=Q(**{f"fee_{kind}__isnull": True}) | Q(**{f"fee_{kind}__gte": 0}),
                    name=f"doctor_fee_{kind}_not_negative",
                )
                for kind in VisitKind
            ),
            models.CheckConstraint(
                condition=Q(experience_years__isnull=True) | Q(experience_years__lte=80), name="doctor_experience_sane"
            ),
        ]
        indexes = [models.Index(fields=["status", "sent_at"], name="doctor_by_status")]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What the hospital calls this doctor."""
        return self.invited_as or str(self.user)

    @property
    def is_verified(self) -> bool:
        """Whether the hospital has checked the doctor's documents."""
        return self.status == self.Status.APPROVED

    @property
    def photo_name(self) -> str:
        """The last part of the photo's address, which changes with the picture; "" without one."""
        return self.photo.rpartition("-")[2]

    @property
    def fees(self) -> dict[VisitKind, Decimal]:
        """What a visit costs, in rupees, by the kinds the doctor offers."""
        fees = {kind: getattr(self, f"fee_{kind}") for kind in VisitKind}
        return {kind: fee for kind, fee in fees.items() if fee is not None}

    @property
    def kinds(self) -> list[VisitKind]:
        """The kinds of visit the doctor offers."""
        return list(self.fees)


class DoctorDocuments(models.QuerySet["DoctorDocument"]):
    """Finding certificates."""

    def visible_to(self, user: User, role: Role | None) -> Self:
        """One's own; and, for who reviews doctors here, those of everybody who has sent an application."""
        mine = Q(doctor__user=user)
        if role is not None and Permission.DOCTOR_REVIEW in ROLES[role]:
            return self.filter(mine | ~Q(doctor__status=Doctor.Status.INCOMPLETE))
        return self.filter(mine)


class DoctorDocument(models.Model):
    """A certificate a doctor has sent: private, seen by the doctor and by who reviews doctors here."""

    class Kind(models.TextChoices):
        """What it shows."""

        LICENCE = "licence", _("Licence to practise")
        DEGREE = "degree", _("Degree or certificate")
        IDENTITY = "identity", _("Proof of identity")
        OTHER = "other", _("Other")

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    doctor = models.ForeignKey(Doctor, on_delete=models.CASCADE, related_name="documents")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    name = models.CharField(_("file name"), max_length=120)
    path = models.CharField(_("path in the file storage"), max_length=200)
    content_type = models.CharField(_("type"), max_length=40)
    size = models.PositiveIntegerField(_("size in bytes"))
    created_at = models.DateTimeField(_("sent"), default=timezone.now)

    objects = DoctorDocuments.as_manager()

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        constraints = [
            models.UniqueConstraint(fields=["doctor", "path"], name="one_document_per_content"),
            models.CheckConstraint(
                condition=Q(kind__in=["licence", "degree", "identity", "other"]), name="document_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name
