"""A person (public schema). What somebody may do in a hospital is a staff row in that hospital, not a field here."""

from typing import Any

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from core.codes import new_code


class Users(BaseUserManager["User"]):
    """Finding and making people; e-mail addresses are kept in lower case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """The person with this e-mail address, however it is typed."""
        return self.get(email=(username or "").strip().lower())

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A person; without a password they cannot sign in with one until they have set it."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str, **fields: Any) -> "User":
        """A superadmin of the platform: sees the portal's administration, and no hospital's data."""
        return self.create_user(
            email, password, is_staff=True, is_superuser=True, email_verified_at=timezone.now(), **fields
        )


class User(AbstractUser):
    """One person, whatever they are in however many hospitals.

    People are never deleted, because schemas refer to them without a database constraint: erasing somebody makes the
    row anonymous. `username` is only a second sign-in name for API clients that insist on one. Until somebody has shown
    that they read the mail at the address (`email_verified_at`), the account is a claim: it opens nothing, and whoever
    shows it later may choose the password anew.
    """

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    username = models.CharField(  # type: ignore[assignment]  # AbstractUser insists on one
        _("username"), max_length=150, unique=True, null=True, blank=True
    )
    email = models.EmailField(_("e-mail address"), unique=True)
    email_verified_at = models.DateTimeField(_("e-mail address confirmed"), null=True, blank=True)
    phone = PhoneNumberField(_("phone number"), blank=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    objects = Users()  # type: ignore[misc, assignment]  # AbstractUser's manager finds people by username

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower")]

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    @property
    def has_own_password(self) -> bool:
        """Whether there is a password that its owner chose: an unconfirmed account's may be anybody's."""
        return self.email_verified_at is not None and self.has_usable_password()
