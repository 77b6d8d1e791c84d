"""What proves who somebody is, besides a password. No secret is stored as it is: codes as digests, keys sealed."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.codes import new_code


class OneTimeCode(models.Model):
    """Six digits sent by mail. A person has at most one code for a purpose: a newer one takes its place.

    A row without a person opens nothing. It is written when a code is asked for with an address that has no account, so
    that both take the same time.
    """

    class Purpose(models.TextChoices):
        """What the right code opens."""

        CONFIRM_EMAIL = "confirm_email", _("Confirm the e-mail address")
        SIGN_IN = "sign_in", _("Sign in")
        NEW_EMAIL = "new_email", _("Change the e-mail address")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="one_time_codes"
    )
    purpose = models.CharField(_("purpose"), max_length=20, choices=Purpose.choices)
    email = models.EmailField(_("sent to"))
    digest = models.CharField(_("digest of the code"), max_length=64)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    expires_at = models.DateTimeField(_("valid until"))

    class Meta:
        verbose_name = _("one-time code")
        verbose_name_plural = _("one-time codes")
        constraints = [
            models.UniqueConstraint(fields=["user", "purpose"], name="one_code_per_purpose"),
            models.CheckConstraint(condition=Q(tries__lte=5), name="one_time_code_five_tries"),
        ]
        indexes = [models.Index(fields=["expires_at"], name="one_time_code_by_end")]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_purpose_display()}"


class Totp(models.Model):
    """An authenticator app (RFC 6238). It counts once a code of it has been typed (`confirmed_at`)."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="totp")
    sealed_secret = models.TextField(_("sealed secret"))
    # The 30-second step of the last code that was taken: no code counts twice.
    last_step = models.BigIntegerField(_("last step"), default=0)
    confirmed_at = models.DateTimeField(_("in use since"), null=True)

    class Meta:
        verbose_name = _("authenticator app")
        verbose_name_plural = _("authenticator apps")

    def __str__(self) -> str:
        return str(self.user)


class RecoveryCodes(models.QuerySet["RecoveryCode"]):
    """Finding recovery codes."""

    def unused(self) -> Self:
        """Those that still open the door once."""
        return self.filter(used_at__isnull=True)


class RecoveryCode(models.Model):
    """One of the ten codes for the day the telephone is lost; each counts once."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(_("digest of the code"), max_length=64)
    used_at = models.DateTimeField(_("used"), null=True)

    objects = RecoveryCodes.as_manager()

    class Meta:
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="one_recovery_code_per_digest")]

    def __str__(self) -> str:
        return str(self.user)


class Passkeys(models.QuerySet["Passkey"]):
    """Finding passkeys."""

    def newest_first(self) -> Self:
        """By when they were added."""
        return self.order_by("-created_at", "-pk")

    def usable_at(self, relying_party: str) -> Self:
        """Those that a browser offers where passkeys belong to this domain."""
        return self.filter(relying_party=relying_party)


class Passkey(models.Model):
    """A key that a person's device or password manager keeps (W3C WebAuthn). It counts as both factors.

    `relying_party` is the domain it was made for: the platform's, which covers every subdomain, or a hospital's own.
    """

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="passkeys")
    name = models.CharField(_("name"), max_length=60)
    relying_party = models.CharField(_("made for"), max_length=253)
    credential = models.BinaryField(_("credential"), unique=True)
    public_key = models.BinaryField(_("public key"))
    sign_count = models.BigIntegerField(_("counter"), default=0)
    created_at = models.DateTimeField(_("added"), default=timezone.now)
    last_used_at = models.DateTimeField(_("last used"), null=True)

    objects = Passkeys.as_manager()

    class Meta:
        verbose_name = _("passkey")
        verbose_name_plural = _("passkeys")

    def __str__(self) -> str:
        return f"{self.user}: {self.name}"
