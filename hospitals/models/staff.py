"""Who works here, and the links by which they come in. A person is referred to without a database constraint."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Coalesce, Concat, Lower, NullIf
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Passkey, Totp
from accounts.permissions import STAFF_ROLES, Role
from core.codes import new_code

STAFF_STATES = ["active", "invited", "deactivated"]


def called(word: str) -> Q:
    """Rows whose shown name holds the word: who was invited and has not come in is found by no other name."""
    theirs = Q(user__first_name__icontains=word) | Q(user__last_name__icontains=word)
    return Q(invited_as__icontains=word) | Q(invited_as="") & theirs


class StaffMembers(models.QuerySet["Staff"]):
    """Finding staff."""

    def working(self) -> Self:
        """Those whose role counts now: they have come in, and nobody has deactivated them."""
        return self.filter(is_active=True, joined_at__isnull=False)

    def admins(self) -> Self:
        """Those who run the hospital."""
        return self.filter(role=Role.HOSPITAL_ADMIN)

    def by_name(self) -> Self:
        """In the order of the alphabet."""
        called = Coalesce(NullIf("invited_as", Value("")), Concat("user__first_name", Value(" "), "user__last_name"))
        return self.select_related("user").order_by(Lower(called), Lower("user__email"), "pk")

    def matching(self, words: str) -> Self:
        """Each word in the name or the e-mail address."""
        rows = self
        for word in words.split()[:8]:
            rows = rows.filter(called(word) | Q(user__email__icontains=word))
        return rows

    def in_state(self, state: str) -> Self:
        """Those a tab of the list shows; invitations that were taken back stand beside who was deactivated."""
        if state == "active":
            return self.working()
        if state == "invited":
            return self.filter(is_active=True, joined_at__isnull=True)
        return self.filter(is_active=False) if state == "deactivated" else self

    def with_two_factor(self) -> Self:
        """Each with `has_two_factor`: whether they prove who they are twice when they sign in."""
        app = Totp.objects.filter(user=OuterRef("user"), confirmed_at__isnull=False)
        return self.annotate(has_two_factor=Exists(app) | Exists(Passkey.objects.filter(user=OuterRef("user"))))

    def locked(self) -> Self:
        """For the length of the transaction, in one order so that two do not wait for each other."""
        return self.select_for_update(of=("self",)).order_by("pk")


class Staff(models.Model):
    """A person's role in this hospital. Without an active row a person is at most a patient here.

    The row is made with the invitation; the role counts from when the person came in (`joined_at`).
    """

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
    joined_at = models.DateTimeField(_("came in"), null=True)
    # What who invites calls them. Until they come in, the hospital is not told what they call themselves elsewhere.
    invited_as = models.CharField(_("invited as"), max_length=150, blank=True, default="", db_default="")
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
        return f"{self.name}, {Role(self.role).label}"

    @property
    def name(self) -> str:
        """What the hospital calls this person."""
        return self.invited_as or str(self.user)

    @property
    def state(self) -> str:
        """One of active, invited, deactivated, and taken_back for an invitation that nobody may accept any more."""
        if self.joined_at:
            return "active" if self.is_active else "deactivated"
        return "invited" if self.is_active else "taken_back"


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
