"""The outbox of the schema that is active: the platform's in public, a hospital's in its own."""

from datetime import datetime
from typing import Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q, Value
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from core.codes import new_code


class Channel(models.TextChoices):
    """How a message travels."""

    EMAIL = "email", _("E-mail")


class State(models.TextChoices):
    """Where a message is. It is the messenger's note, not a status that somebody decides, so it is not audited."""

    WAITING = "waiting", _("Waiting")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")


# How the kinds begin that tell of somebody's visits and bills: support does not see whose they are.
ABOUT_VISITS = ("visit_", "waitlist_", "morning_", "bill_")


class Notifications(models.QuerySet["Notification"]):
    """Finding messages."""

    def shown_to(self, *, is_support: bool) -> Self:
        """All messages; to support only those that tell nothing of patients."""
        if not is_support:
            return self
        about_visits = Q()
        for prefix in ABOUT_VISITS:
            about_visits |= Q(template__startswith=prefix)
        return self.exclude(about_visits)

    def due(self, now: datetime) -> Self:
        """Messages to try now, among them those whose messenger died while sending."""
        return self.filter(state__in=[State.WAITING, State.SENDING], next_attempt_at__lte=now)

    def matching(self, words: str) -> Self:
        """Messages with each of the words in the subject, the name or the address."""
        rows = self
        for word in words.split()[:8]:
            rows = rows.filter(Q(subject__icontains=word) | Q(to_name__icontains=word) | Q(to_address__icontains=word))
        return rows

    def newest_first(self) -> Self:
        """By time of writing."""
        return self.order_by("-created_at", "-pk")


class Notification(models.Model):
    """One message to one person. It says what was true when it was written.

    `facts` are what its template is told, in plain words and numbers: who books a visit need not wait until a letter is
    drawn. Its messenger draws it, and what was sent is kept as it was, whatever becomes of the template.
    """

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices, default=Channel.EMAIL)
    to_name = models.CharField(_("name"), max_length=200, blank=True)
    to_address = models.CharField(_("address"), max_length=254)
    template = models.CharField(_("kind"), max_length=60)
    subject = models.CharField(_("subject"), max_length=200)
    facts = models.JSONField(
        _("facts"), blank=True, default=dict, db_default=Value({}, models.JSONField()), encoder=DjangoJSONEncoder
    )
    sent_text = models.TextField(_("text that was sent"), db_column="text", blank=True)
    sent_html = models.TextField(_("HTML that was sent"), db_column="html", blank=True)
    # A document is made when the message is delivered: `attachment` names what is to be made, as "receipt:<its code>".
    attachment = models.CharField(_("made of"), max_length=80, blank=True, default="", db_default="")
    attachment_name = models.CharField(_("attached"), max_length=120, blank=True, default="", db_default="")
    # A one-time link is a key: once it is delivered, the outbox keeps no copy (see services.deliver).
    is_secret = models.BooleanField(_("holds a one-time link"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    last_error = models.TextField(_("last error"), blank=True)
    created_at = models.DateTimeField(_("written"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True)

    objects = Notifications.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.CheckConstraint(
                condition=Q(state=State.SENT, sent_at__isnull=False) | (~Q(state=State.SENT) & Q(sent_at__isnull=True)),
                name="notification_sent_has_time",
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="notification_state_known"),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="notification_due",
                condition=Q(state__in=[State.WAITING, State.SENDING]),
            ),
            models.Index(fields=["-created_at", "-id"], name="notification_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} ({self.to_address})"

    @property
    def is_blank(self) -> bool:
        """Whether nothing is kept of what it says: it held a one-time link, and was delivered."""
        return not (self.sent_text or self.facts)

    @property
    def text(self) -> str:
        """What it says without HTML; nothing if it is blank. Raises TemplateDoesNotExist for another release's letter."""
        return self.sent_text or self._drawn("txt")

    @property
    def html(self) -> str:
        """What it says in HTML, likewise."""
        return self.sent_html or self._drawn("html")

    def _drawn(self, kind: str) -> str:
        if not self.facts:
            return ""
        with translation.override(self.facts["language"]):
            return render_to_string(f"emails/{self.template}.{kind}", self.facts).strip() + "\n"
