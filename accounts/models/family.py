"""Whom somebody looks after: people without an account of their own, for whom somebody else books."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User
from core.codes import new_code


class Sex(models.TextChoices):
    """As a hospital's register asks for it (FHIR administrative gender)."""

    FEMALE = "female", _("Female")
    MALE = "male", _("Male")
    OTHER = "other", _("Other")


class Relation(models.TextChoices):
    """What somebody is to whose account it is."""

    CHILD = "child", _("Child")
    PARTNER = "partner", _("Wife, husband or partner")
    PARENT = "parent", _("Parent")
    SIBLING = "sibling", _("Brother or sister")
    GRANDPARENT = "grandparent", _("Grandparent")
    OTHER = "other", _("Somebody else")


class FamilyMembers(models.QuerySet["FamilyMember"]):
    """Finding the people somebody looks after."""

    def of(self, user: User) -> Self:
        """Those one may book for now, the oldest entry first."""
        return self.filter(user=user, is_active=True).order_by("pk")


class FamilyMember(models.Model):
    """A person for whom `user` books. Hospitals keep their own register; this is only who may be chosen.

    Removing one hides the row: visits of the past go on naming it.
    """

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="family")
    name = models.CharField(_("name"), max_length=150)
    birth_date = models.DateField(_("date of birth"))
    sex = models.CharField(_("sex"), max_length=10, choices=Sex.choices)
    relation = models.CharField(_("relation"), max_length=12, choices=Relation.choices)
    is_active = models.BooleanField(_("can be chosen"), default=True)
    created_at = models.DateTimeField(_("added"), default=timezone.now)

    objects = FamilyMembers.as_manager()

    class Meta:
        verbose_name = _("family member")
        verbose_name_plural = _("family members")
        constraints = [
            models.CheckConstraint(condition=Q(sex__in=Sex.values), name="family_member_sex_known"),
            models.CheckConstraint(condition=Q(relation__in=Relation.values), name="family_member_relation_known"),
            models.UniqueConstraint(
                "user", Lower("name"), "birth_date", condition=Q(is_active=True), name="family_member_once"
            ),
        ]

    def __str__(self) -> str:
        # The log shows it: it outlives the person's data, and says what they are without saying who.
        return self.get_relation_display()
