"""Acting in somebody's name: a superadmin helps the admin of a hospital, for half an hour and in everybody's sight.

Who may begin it, and for whom, is decided in the room `hospitals`; here is what the session is, and its end.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, logout
from django.db import transaction
from django.http import HttpRequest
from django.middleware.csrf import rotate_token
from django.utils.translation import gettext as _

from accounts.models import Session, Ticket, User
from accounts.sessions import SECOND_FACTOR, SUPPORT
from audit import services as audit
from audit.models import Action
from core.errors import NotAllowedNow
from core.logs import stop_acting
from core.schemas import PUBLIC, schema_context

LASTS = timedelta(minutes=30)
# Stays in the browser when the session is over, and opens nothing: it is why we can say that the time is up.
COOKIE = "support"
COOKIE_LASTS = timedelta(hours=12)


def open_session(*, request: HttpRequest, user: User, supporter: User, now: datetime) -> None:
    """Let `supporter` act as `user` here, for half an hour that nothing prolongs.

    It is not a sign-in of the person whose name it is: when they were last here stays as it was.
    """
    request.session.flush()
    request.session[SESSION_KEY] = str(user.pk)
    request.session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    request.session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    request.session[SECOND_FACTOR] = False
    request.session[SUPPORT] = {"by": supporter.pk, "name": str(supporter)}
    request.session.set_expiry(now + LASTS)
    request.user = user
    rotate_token(request)


def may_act(supporter_id: int) -> bool:
    """Whether this person still is a superadmin: asked at every request, so that losing it ends the support at once."""
    return User.objects.filter(pk=supporter_id, is_active=True, is_superuser=True).exists()


@transaction.atomic
def end(*, request: HttpRequest, reason: str = "") -> None:
    """End the support of this session: both logs say so, and nobody is signed in here any more."""
    if SUPPORT not in request.session:
        raise NotAllowedNow(_("Nobody acts as support here. It has ended already."))
    user = User.objects.get(pk=request.session[SESSION_KEY])
    audit.record(action=Action.SUPPORT_ENDED, target=user, by=user, reason=reason)
    with schema_context(PUBLIC):
        hospital = request.hospital  # type: ignore[attr-defined]  # see tenants.middleware
        audit.record(action=Action.SUPPORT_ENDED, target=hospital, by=user, reason=reason)
    logout(request)
    stop_acting()


@transaction.atomic
def end_all(*, place: str) -> list[tuple[User, User]]:
    """End every support in a place, and what would begin one; return for whom by whom, for the log."""
    sessions = Session.objects.filter(place=place, supporter__isnull=False).select_related("user", "supporter")
    ended = [(each.user, each.supporter) for each in sessions.order_by("pk") if each.user and each.supporter]
    sessions.delete()
    Ticket.objects.filter(place=place, supporter__isnull=False).delete()
    return ended
