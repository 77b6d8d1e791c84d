"""Where people are signed in. Each row is good on one host's place only: the portal, or one hospital.

`place` is the hospital's code as text, or "" for the portal. It stands in every session, token family and ticket, so
that none of them is found anywhere else.
"""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.codes import new_code


class Sessions(models.QuerySet["Session"]):
    """Finding sessions."""

    def of(self, user: models.Model) -> Self:
        """A person's own, and those in which they act for somebody as support."""
        return self.filter(Q(user=user) | Q(supporter=user))

    def open(self, now: datetime) -> Self:
        """Not yet over."""
        return self.filter(expire_date__gt=now)


class Session(AbstractBaseSession):
    """A browser's session. `user` is empty for a visitor; `supporter` is who acts in that person's name, if anybody."""

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    place = models.CharField(_("place"), max_length=36, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="sessions")
    supporter = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    host = models.CharField(_("host"), max_length=253, blank=True)
    address = models.GenericIPAddressField(_("IP address"), null=True)
    agent = models.CharField(_("browser"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("signed in"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)

    objects = Sessions.as_manager()  # type: ignore[assignment, misc]  # AbstractBaseSession's manager only makes rows

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")

    def __str__(self) -> str:
        return f"{self.user or _('A visitor')}, {self.host}"


class TokenFamilies(models.QuerySet["TokenFamily"]):
    """Finding token families."""

    def open(self, now: datetime) -> Self:
        """Neither ended nor past the life of their last refresh token."""
        return self.filter(ended_at__isnull=True, expires_at__gt=now)


class TokenFamily(models.Model):
    """One sign-in of an API client: the pair of tokens it got, and all that came of refreshing them.

    Only the refresh token with `token_id` (its `jti`) counts; an older one proves that somebody copied it, and ends the
    family. Ending the family ends its access tokens at once.
    """

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="token_families")
    place = models.CharField(_("place"), max_length=36, blank=True)
    token_id = models.CharField(_("refresh token's id"), max_length=64)
    is_two_factor = models.BooleanField(_("signed in with a second factor"), default=False)
    host = models.CharField(_("host"), max_length=253, blank=True)
    address = models.GenericIPAddressField(_("IP address"), null=True)
    agent = models.CharField(_("client"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("signed in"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last refreshed"), default=timezone.now)
    expires_at = models.DateTimeField(_("valid until"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    objects = TokenFamilies.as_manager()

    class Meta:
        verbose_name = _("token family")
        verbose_name_plural = _("token families")
        indexes = [models.Index(fields=["expires_at"], name="token_family_by_end")]

    def __str__(self) -> str:
        return f"{self.user}, {self.host}"


class Ticket(models.Model):
    """What carries a session from one host to another: good once, for a minute, in `place` only.

    `state` is the digest of a random value that only the browser which asked for the ticket holds in a cookie.
    """

    digest = models.CharField(_("digest of the ticket"), max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    supporter = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    reason = models.TextField(_("reason for the support"), blank=True)
    place = models.CharField(_("place"), max_length=36, blank=True)
    state = models.CharField(_("digest of the browser's state"), max_length=64, blank=True)
    is_two_factor = models.BooleanField(_("signed in with a second factor"), default=False)
    expires_at = models.DateTimeField(_("valid until"))

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        constraints = [
            models.CheckConstraint(
                condition=Q(supporter__isnull=True) | ~Q(reason=""), name="support_ticket_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(supporter__isnull=False) | ~Q(state=""), name="ticket_is_bound_to_a_browser"
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="ticket_by_end")]

    def __str__(self) -> str:
        return str(self.user)
