"""Tickets: what carries a sign-in from one host to another. Good once, for a minute, in one place, in one browser."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from accounts.models import Ticket, User
from accounts.places import place_of
from accounts.services import sign_in, support

VALID_FOR = timedelta(seconds=60)


def digest_of(secret: str) -> str:
    """What is stored, or sent along, in place of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def issue(*, user: User, place: str, state: str, is_two_factor: bool, now: datetime) -> str:
    """A ticket that signs this person in at `place`, in the browser whose cookie has the digest `state`.

    An earlier one of theirs for the same place stops working.
    """
    Ticket.objects.filter(user=user, supporter=None, place=place).delete()
    token = secrets.token_urlsafe(32)
    Ticket.objects.create(
        digest=digest_of(token),
        user=user,
        place=place,
        state=state,
        is_two_factor=is_two_factor,
        expires_at=now + VALID_FOR,
    )
    return token


@transaction.atomic
def issue_for_support(*, user: User, supporter: User, reason: str, place: str, now: datetime) -> str:
    """A ticket by which `supporter` acts as `user` at `place`. An earlier one of theirs there stops working."""
    Ticket.objects.filter(supporter=supporter, place=place).delete()
    token = secrets.token_urlsafe(32)
    Ticket.objects.create(
        digest=digest_of(token),
        user=user,
        supporter=supporter,
        reason=reason,
        place=place,
        expires_at=now + VALID_FOR,
    )
    return token


@transaction.atomic
def redeem(*, request: HttpRequest, token: str, state: str, now: datetime) -> bool:
    """Sign in whom a ticket names, if it is good here; say whether it was.

    Whoever shows a ticket uses it up, good or not: of two at once one wins, and one that strayed opens nothing later.
    """
    ticket = Ticket.objects.select_related("user", "supporter").filter(digest=digest_of(token)).first()
    if ticket is None or not Ticket.objects.filter(pk=ticket.pk).delete()[0]:
        return False
    if ticket.place != place_of(request) or ticket.expires_at <= now or not ticket.user.is_active:
        return False
    if ticket.supporter is not None:
        if not support.may_act(ticket.supporter.pk):
            return False
        support.open_session(request=request, user=ticket.user, supporter=ticket.supporter, now=now)
        return True
    if not constant_time_compare(ticket.state, digest_of(state)):
        return False
    sign_in.open_session(request=request, user=ticket.user, is_two_factor=ticket.is_two_factor, way="ticket")
    return True
