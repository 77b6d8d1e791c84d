"""Writing messages with the change they tell of, and delivering them afterwards."""

import logging
import smtplib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import formataddr
from typing import TypeAlias
from uuid import UUID

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ObjectDoesNotExist
from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.utils.module_loading import import_string
from django.utils.timezone import now as clock
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from audit import services as audit
from audit.models import Action
from core.colour import accent_tokens
from core.errors import NotAllowedNow
from core.prepared import insert
from core.queue import after_commit
from core.text import one_line
from notifications.models import Notification, State

logger = logging.getLogger(__name__)

# What a template may be told: what survives being kept until the message is delivered.
Fact: TypeAlias = str | int | Sequence["Fact"]

# Waiting times after the 1st, 2nd, ... failed attempt; after the last one a person has to look.
BACKOFF = [timedelta(minutes=m) for m in (1, 5, 15, 60, 240, 720)]
# How long one attempt may take before another messenger may take over.
LEASE = timedelta(minutes=5)
# What a mail server says; ValueError: a header that cannot be written; the others: a letter or document that cannot be made.
UNDELIVERABLE = (
    OSError,
    smtplib.SMTPException,
    ValueError,
    RuntimeError,
    ObjectDoesNotExist,
    TemplateDoesNotExist,
    TemplateSyntaxError,
)


def notify(
    *,
    to_address: str,
    to_name: str,
    template: str,
    subject: str,
    brand_name: str,
    accent: str,
    context: Mapping[str, Fact],
    is_secret: bool = False,
    attachment: "Attachment | None" = None,
) -> Notification:
    """Write an e-mail into the outbox, to be delivered once the present transaction has committed.

    `template` names `templates/emails/<template>.html` and `.txt`, which are drawn when the message is delivered:
    `context` is kept until then, in strings, numbers and lists. `accent` is the sender's brand colour, a hex value.
    `is_secret` marks a message that holds a one-time link. `attachment` is a document that goes with it.
    """
    letter = Letter(to_address, to_name, template, subject, context, is_secret=is_secret, attachment=attachment)
    return notify_all(letters=[letter], brand_name=brand_name, accent=accent)[0]


@dataclass(frozen=True)
class Attachment:
    """A PDF file that goes with a message, made when it is delivered: it must be of something that never changes.

    settings.MESSAGE_ATTACHMENTS says who makes a document of this `kind`, given its `code`.
    """

    kind: str
    code: UUID
    name: str


@dataclass(frozen=True)
class Letter:
    """One of several e-mails about the same change; see `notify` for what its parts are."""

    to_address: str
    to_name: str
    template: str
    subject: str
    context: Mapping[str, Fact]
    is_secret: bool = False
    attachment: Attachment | None = None


def notify_all(*, letters: Sequence[Letter], brand_name: str, accent: str) -> list[Notification]:
    """The same as `notify` for several e-mails in one name, in one statement."""
    if not connection.in_atomic_block:
        raise RuntimeError("A message is written in the transaction of the change it tells of.")
    tokens = accent_tokens(accent, "light")
    brand = {
        "language": get_language(),
        "brand_name": brand_name,
        "brand_accent": tokens["accent"],
        "brand_on_accent": tokens["on-accent"],
    }
    messages = [_written(letter, brand) for letter in letters]
    insert(*messages)
    for message in messages:
        after_commit("notifications.deliver", notification_id=message.pk)
    return messages


def _written(letter: Letter, brand: Mapping[str, str]) -> Notification:
    return Notification(
        to_address=letter.to_address,
        to_name=letter.to_name,
        template=letter.template,
        subject=one_line(letter.subject)[:200],
        facts={**letter.context, **brand, "subject": letter.subject, "person_name": letter.to_name},
        is_secret=letter.is_secret,
        attachment=f"{letter.attachment.kind}:{letter.attachment.code}" if letter.attachment else "",
        attachment_name=letter.attachment.name if letter.attachment else "",
    )


def deliver(*, notification_id: int, now: datetime | None = None) -> None:
    """Send one message if it is due; safe to call twice, or from two workers at once: one of them wins the lease.

    A messenger that dies after the mail server took the message leads to a second copy with the same Message-ID.
    """
    now = now or clock()
    won = (
        Notification.objects.due(now)
        .filter(pk=notification_id)
        .update(state=State.SENDING, next_attempt_at=now + LEASE)
    )
    if not won:
        return
    message = Notification.objects.get(pk=notification_id)
    attempts = message.attempts + 1
    mine = Notification.objects.filter(pk=message.pk, state=State.SENDING)
    try:
        message.sent_text, message.sent_html = message.text, message.html
        _send_email(message)
    except UNDELIVERABLE as error:
        logger.warning("Message %s was not delivered (attempt %d): %s", message.code, attempts, error)
        given_up = attempts > len(BACKOFF) or isinstance(error, smtplib.SMTPRecipientsRefused)
        mine.update(
            state=State.FAILED if given_up else State.WAITING,
            attempts=attempts,
            last_error=f"{type(error).__name__}: {error}"[:2000],
            next_attempt_at=now + BACKOFF[min(attempts, len(BACKOFF)) - 1],
        )
        return
    # The demo's outbox page shows one-time links so that a visitor without a mailbox can follow them; nobody else's.
    is_kept = settings.DEBUG or not message.is_secret
    text, html = (message.sent_text, message.sent_html) if is_kept else ("", "")
    sent = {"state": State.SENT, "sent_at": clock(), "sent_text": text, "sent_html": html, "facts": {}}
    mine.update(attempts=attempts, last_error="", **sent)


def _send_email(message: Notification) -> None:
    domain = settings.BASE_DOMAIN
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.text,
        to=[formataddr((one_line(message.to_name), message.to_address))],
        headers={"Message-ID": f"<{message.code}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(message.html, "text/html")
    if message.attachment:
        kind, _colon, code = message.attachment.partition(":")
        make = import_string(settings.MESSAGE_ATTACHMENTS[kind])
        mail.attach(message.attachment_name, make(code), "application/pdf")
    mail.send()


def sweep(*, now: datetime | None = None, limit: int = 200) -> int:
    """Queue the messages of the active schema that are due and that nobody is sending; return how many."""
    due = list(
        Notification.objects.due(now or clock()).order_by("next_attempt_at").values_list("pk", flat=True)[:limit]
    )
    for pk in due:
        after_commit("notifications.deliver", notification_id=pk)
    return len(due)


@transaction.atomic
def retry(*, message: Notification, by: AbstractBaseUser, now: datetime) -> None:
    """Try a failed message again, from the first attempt."""
    if message.is_blank:
        raise NotAllowedNow(_("Its one-time link is no longer kept. Send a new invitation instead."))
    won = Notification.objects.filter(pk=message.pk, state=State.FAILED).update(
        state=State.WAITING, attempts=0, next_attempt_at=now
    )
    if not won:
        raise NotAllowedNow(_("Only a failed message can be sent again."))
    audit.record(action=Action.MESSAGE_RETRIED, target=message, by=by)
    after_commit("notifications.deliver", notification_id=message.pk)
