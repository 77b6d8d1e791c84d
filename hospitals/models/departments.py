"""What the hospital is divided into."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.permissions import ROLES, Permission, Role
from core.codes import new_code


class Departments(models.QuerySet["Department"]):
    """Finding departments."""

    def active(self) -> Self:
        """Those that patients see."""
        return self.filter(is_active=True)

    def visible_to(self, role: Role | None) -> Self:
        """All for those who edit departments, the active ones for everybody else."""
        return self if role and Permission.DEPARTMENT_EDIT in ROLES[role] else self.active()

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
