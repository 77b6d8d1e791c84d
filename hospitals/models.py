"""What every hospital has, in its own schema. Users are referred to without a database constraint (see docs/adr)."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.permissions import STAFF_ROLES, Role
from core.codes import new_code


class StaffMembers(models.QuerySet["Staff"]):
    """Finding staff."""

    def working(self) -> Self:
        """Those whose role counts now."""
        return self.filter(is_active=True)


class Staff(models.Model):
    """A person's role in this hospital. Without an active row a person is at most a patient here."""

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    role = models.CharField(_("role"), max_length=20, choices=[(role.value, role.label) for role in STAFF_ROLES])
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("added"), default=timezone.now)

    objects = StaffMembers.as_manager()

    class Meta:
        verbose_name = _("staff member")
        verbose_name_plural = _("staff")
        constraints = [
            models.UniqueConstraint(fields=["user"], name="one_staff_row_per_person"),
            models.CheckConstraint(condition=Q(role__in=[role.value for role in STAFF_ROLES]), name="staff_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {Role(self.role).label}"


class Invitations(models.QuerySet["Invitation"]):
    """Finding invitations."""

    def usable(self, now: datetime) -> Self:
        """Not used, not replaced, not too old."""
        return self.filter(accepted_at__isnull=True, replaced_at__isnull=True, expires_at__gt=now)


class Invitation(models.Model):
    """A one-time link by which a staff member comes in for the first time. Only the token's digest is stored."""

    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="invitations")
    token_digest = models.CharField(_("digest of the token"), max_length=64, unique=True)
    expires_at = models.DateTimeField(_("valid until"))
    accepted_at = models.DateTimeField(_("used"), null=True)
    replaced_at = models.DateTimeField(_("replaced by a newer one"), null=True)
    created_at = models.DateTimeField(_("sent"), default=timezone.now)

    objects = Invitations.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return str(self.staff)


class Departments(models.QuerySet["Department"]):
    """Finding departments."""

    def active(self) -> Self:
        """Those that patients see."""
        return self.filter(is_active=True)

    def by_name(self) -> Self:
        """In the order of the alphabet."""
        return self.order_by(Lower("name"))

    def matching(self, words: str) -> Self:
        """Each word in the name or description."""
        rows = self
        for word in words.split()[:8]:
            rows = rows.filter(Q(name__icontains=word) | Q(description__icontains=word))
        return rows


class Department(models.Model):
    """A department, like Cardiology. Its slug is made from its name and stays when the name is corrected."""

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(_("slug"), max_length=140, unique=True)
    description = models.TextField(_("description"), max_length=2000, blank=True)
    image = models.CharField(_("image"), max_length=200, blank=True, help_text=_("Path in the file storage."))
    image_thumb = models.TextField(_("small image"), blank=True, default="", help_text=_("A data: address, for lists."))
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("added"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = Departments.as_manager()

    class Meta:
        verbose_name = _("department")
        verbose_name_plural = _("departments")
        constraints = [models.UniqueConstraint(Lower("name"), name="one_department_per_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def image_name(self) -> str:
        """The last part of its image's address, which changes with the picture; "" without one."""
        return self.image.rpartition("-")[2]


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
