"""One-time links by which staff come in for the first time. No password ever travels by mail."""

import hashlib
import secrets
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import Role, is_support
from accounts.services import passwords, people, sign_in
from accounts.services.sign_in import Step
from audit import services as audit
from audit.models import Action
from core.errors import Gone
from core.hosts import hospital_url
from hospitals.models import Doctor, Invitation, Staff
from hospitals.services.doctors import publishing
from notifications import services as notifications
from tenants.models import Hospital

VALID_FOR = timedelta(hours=72)
# For so long a sign-in stands for the password.
_FRESH = timedelta(minutes=15)


@transaction.atomic
def send(*, hospital: Hospital, staff: Staff, by: User, now: datetime, template: str = "staff_invited") -> None:
    """Write to somebody who is to work here, with a link that takes the place of every earlier one.

    The letter stands in the hospital's own outbox: it is the hospital that invites.
    """
    invitation, token = issue(staff=staff, now=now)
    audit.record(action=Action.INVITATION_SENT, target=staff, by=by)
    notifications.notify(
        to_address=staff.user.email,
        to_name=staff.name,
        template=template,
        subject=_("%(hospital)s invites you") % {"hospital": hospital.name},
        brand_name=hospital.name,
        accent=hospital.accent,
        context={
            "hospital_name": hospital.name,
            "role": str(Role(staff.role).label),
            "is_known": staff.user.has_own_password,
            "link": hospital_url(hospital.slug, "invitation", token),
            "until": valid_until(invitation, hospital),
            "invited_by": str(by),
        },
        is_secret=True,
    )


@transaction.atomic
def issue(*, staff: Staff, now: datetime) -> tuple[Invitation, str]:
    """A new invitation and its token; earlier ones of the same person stop working."""
    end(staff=staff, now=now)
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(staff=staff, token_digest=_digest(token), expires_at=now + VALID_FOR)
    return invitation, token


def valid_until(invitation: Invitation, hospital: Hospital) -> str:
    """When its link stops working, by the hospital's clock."""
    return date_format(invitation.expires_at.astimezone(ZoneInfo(hospital.time_zone)), "l j F Y, H:i")


def end(*, staff: Staff, now: datetime) -> None:
    """Let no link that was sent to this person work any more."""
    staff.invitations.filter(accepted_at__isnull=True, replaced_at__isnull=True).update(replaced_at=now)


def behind(*, token: str, now: datetime) -> Invitation:
    """The invitation of a link. Raises Gone, saying why, for one that does not work any more."""
    invitation = Invitation.objects.select_related("staff__user").filter(token_digest=_digest(token)).first()
    if invitation is None:
        raise Gone(_("This link is not complete. Copy the whole address from our message."))
    if invitation.accepted_at:
        raise Gone(_("This invitation was used already. Sign in with your e-mail address and password."))
    if not invitation.staff.is_active or not invitation.staff.user.is_active:
        raise Gone(_("This invitation was taken back. Ask the hospital's admin."))
    if invitation.replaced_at:
        raise Gone(_("A newer invitation was sent. Use the link in the latest message."))
    if invitation.expires_at <= now:
        raise Gone(_("This invitation is more than 72 hours old. Ask for a new one."))
    return invitation


def is_signed_in_freshly(*, request: HttpRequest, person: User, now: datetime) -> bool:
    """Whether this session was opened a moment ago by the person the link is for: then nothing more is to be proved."""
    if getattr(request, "user", None) != person or is_support(request):
        return False
    session = getattr(request.session, "row", None)
    return session is not None and session.created_at > now - _FRESH


def accept(*, request: HttpRequest, token: str, password: str = "", now: datetime) -> Step:
    """Use the link: set the password, or prove the one the person already has, and sign in. Works once.

    The link came by mail, so it proves the address; a password on an unconfirmed account is nobody's and is replaced.
    A second factor is asked for afterwards, as at every sign-in. Who has just signed in here goes on as they are.
    """
    invitation = behind(token=token, now=now)
    user: User = invitation.staff.user
    is_in = is_signed_in_freshly(request=request, person=user, now=now)
    is_known = is_in or user.has_own_password
    if is_known and not is_in:
        sign_in.check_credentials(request=request, email=user.email, password=password)
    with transaction.atomic():
        # The staff row first, as whoever takes the invitation back at this moment does.
        still = Staff.objects.filter(pk=invitation.staff_id, is_active=True)
        came_in = still.update(joined_at=Coalesce("joined_at", now), invited_as="")
        if not came_in or not Invitation.objects.usable(now).filter(pk=invitation.pk).update(accepted_at=now):
            raise Gone(_("This invitation was used already or was taken back. Ask the hospital's admin."))
        if Doctor.objects.filter(user=user).update(invited_as=""):
            asked = request.hospital  # type: ignore[attr-defined]  # see tenants.middleware
            publishing.publish_person(hospital=asked, user=user)
        if not is_known:
            passwords.choose(user=user, password=password, now=now)
            people.confirm_email(user=user, now=now)
        audit.record(action=Action.INVITATION_ACCEPTED, target=invitation.staff, by=user)
        return Step.IN if is_in else sign_in.go_on(request=request, user=user)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
