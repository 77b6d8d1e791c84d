"""Where somebody is signed in, and ending it: browsers' sessions and API clients' token families alike."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import logout
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import OneTimeCode, Session, Ticket, TokenFamily, User
from audit import services as audit
from audit.models import Action
from core.errors import Missing


def present(request: Any) -> UUID | None:
    """The code of the sign-in that the request came with."""
    here = getattr(request, "token_family", None) or getattr(request.session, "row", None)
    return here.code if here else None


def end_all(*, user: User, now: datetime, place: str | None = None, but: UUID | None = None) -> int:
    """End every sign-in of a person, only in `place` if one is given; return how many.

    `but` is the code of a sign-in that goes on. What they do as support for others ends, too, unless a place is given.
    """
    with transaction.atomic():
        sessions = Session.objects.filter(user=user, place=place) if place is not None else Session.objects.of(user)
        families = TokenFamily.objects.open(now).filter(user=user)
        tickets = Ticket.objects.filter(Q(user=user) | Q(supporter=user))
        if place is not None:
            families, tickets = families.filter(place=place), tickets.filter(place=place)
        if but is not None:
            sessions, families = sessions.exclude(code=but), families.exclude(code=but)
        ended, _by_model = sessions.delete()
        tickets.delete()
        return ended + families.update(ended_at=now)


def sign_out_everywhere(*, request: HttpRequest, user: User, now: datetime) -> int:
    """End every sign-in of one's own, this one included; return how many there were."""
    with transaction.atomic():
        ended = end_all(user=user, now=now)
        audit.record(action=Action.USER_SIGNED_OUT_EVERYWHERE, target=user, by=user, data={"ended": ended})
    logout(request)
    return ended


@transaction.atomic
def end_one(*, user: User, code: UUID, now: datetime) -> None:
    """End one sign-in of one's own, or one as support in one's name. Raises Missing for any other, and one that is over."""
    ended, _by_model = Session.objects.of(user).filter(code=code).delete()
    if not ended:
        ended = TokenFamily.objects.open(now).filter(user=user, code=code).update(ended_at=now)
    if not ended:
        raise Missing(_("This sign-in has ended already."))
    audit.record(action=Action.USER_SIGNED_OUT, target=user, by=user, data={"sign_in": str(code)})


def forget_expired(*, now: datetime) -> int:
    """Delete what can open nothing any more; return how many rows. The audit log keeps who signed in when."""
    over = [
        Session.objects.filter(expire_date__lt=now),
        TokenFamily.objects.filter(expires_at__lt=now),
        OneTimeCode.objects.filter(expires_at__lt=now),
        Ticket.objects.filter(expires_at__lt=now),
    ]
    return sum(rows.delete()[0] for rows in over)
