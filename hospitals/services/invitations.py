"""One-time links by which staff come in for the first time. No password ever travels by mail."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts import services as accounts
from accounts.models import User
from audit import services as audit
from audit.models import Action
from core.errors import Gone
from hospitals.models import Invitation, Staff

VALID_FOR = timedelta(hours=72)


@transaction.atomic
def issue(*, staff: Staff, now: datetime) -> tuple[Invitation, str]:
    """A new invitation and its token; earlier ones of the same person stop working."""
    staff.invitations.filter(accepted_at__isnull=True, replaced_at__isnull=True).update(replaced_at=now)
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(staff=staff, token_digest=_digest(token), expires_at=now + VALID_FOR)
    return invitation, token


def behind(*, token: str, now: datetime) -> Invitation:
    """The invitation of a link. Raises Gone, saying why, for one that does not work any more."""
    invitation = Invitation.objects.select_related("staff__user").filter(token_digest=_digest(token)).first()
    if invitation is None:
        raise Gone(_("This link is not complete. Copy the whole address from our message."))
    if invitation.accepted_at:
        raise Gone(_("This invitation was used already. Sign in with your e-mail address and password."))
    if invitation.replaced_at:
        raise Gone(_("A newer invitation was sent. Use the link in the latest message."))
    if invitation.expires_at <= now:
        raise Gone(_("This invitation is more than 72 hours old. Ask for a new one."))
    return invitation


def accept(*, request: HttpRequest, token: str, password: str, now: datetime) -> Staff:
    """Use the link: set the password, or prove the one the person already has, and sign in. Works once."""
    invitation = behind(token=token, now=now)
    user: User = invitation.staff.user
    if user.has_usable_password():
        accounts.check_credentials(request=request, email=user.email, password=password)
    with transaction.atomic():
        won = Invitation.objects.usable(now).filter(pk=invitation.pk).update(accepted_at=now)
        if not won:
            raise Gone(_("This invitation was used already. Sign in with your e-mail address and password."))
        if not user.has_usable_password():
            accounts.set_password(user=user, password=password)
        audit.record(action=Action.INVITATION_ACCEPTED, target=invitation.staff, by=user)
        accounts.open_session(request=request, user=user)
    return invitation.staff


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
