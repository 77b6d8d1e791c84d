"""Choosing, changing and resetting passwords."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.encoding import force_bytes, force_str
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import letters, people, sessions, sign_in
from accounts.services.sign_in import Step
from audit import services as audit
from audit.models import Action
from core import throttle
from core.errors import Gone

Link = Callable[[str, str], str]


@transaction.atomic
def choose(*, user: User, password: str, now: datetime, but: UUID | None = None) -> None:
    """Set a password; every sign-in made with the old one ends, except the one with the code `but`."""
    people.check_password(user=user, password=password)
    user.set_password(password)
    user.save(update_fields=["password", "updated_at"])
    note_changed(user=user, by=user, now=now, but=but)


@transaction.atomic
def note_changed(*, user: User, by: User, now: datetime, but: UUID | None = None) -> None:
    """Record that a password was set by `by`, and end what was opened with the old one."""
    sessions.end_all(user=user, now=now, but=but)
    audit.record(action=Action.USER_PASSWORD_CHANGED, target=user, by=by)


def change(*, request: HttpRequest, user: User, present: str, password: str, now: datetime) -> None:
    """Change one's own password, proved by the present one. Only this session goes on."""
    sign_in.prove(request=request, user=user, password=present, field="present")
    with transaction.atomic():
        choose(user=user, password=password, now=now, but=sessions.present(request))
        if getattr(request, "token_family", None) is None:
            update_session_auth_hash(request, user)
        letters.send(
            request=request,
            to_address=user.email,
            to_name=user.get_full_name(),
            template="account_changed",
            subject=_("Your password was changed"),
            context={"what": _("Your password was changed."), "link": request.build_absolute_uri("/")},
        )


@transaction.atomic
def ask_for_reset(*, request: HttpRequest, email: str, link: Link, join_link: str) -> None:
    """Send a link by which the person can set a new password. The page says nothing about who has an account.

    `link` makes the absolute address from the two parts of the token. An address without an account is sent a letter,
    too, with `join_link`: so both take the same time, and who mistook their address learns it.
    """
    email = email.strip().lower()
    throttle.hit("password reset address", "10/hour", getattr(request, "address", ""))
    throttle.hit("password reset account", "3/hour", email)
    user = User.objects.filter(email=email, is_active=True).first()
    people.note(Action.USER_PASSWORD_RESET_ASKED, user)
    somebody = user or User(email=email)  # a link is made for nobody, too: the time must not tell
    key, token = urlsafe_base64_encode(force_bytes(str(somebody.code))), default_token_generator.make_token(somebody)
    reset_link = link(key, token)
    if user is None:
        people.tell_nobody(request=request, email=email, join_link=join_link)
        return
    letters.send(
        request=request,
        to_address=user.email,
        to_name=user.get_full_name(),
        template="password_reset",
        subject=_("Set a new password"),
        context={"link": reset_link},
        is_secret=True,
    )


def person_behind(*, key: str, token: str) -> User:
    """The person a reset link was made for. Raises Gone when it was used, is too old, or is not ours."""
    try:
        user = User.objects.filter(code=force_str(urlsafe_base64_decode(key)), is_active=True).first()
    except (ValueError, ValidationError):
        user = None
    if user is None or not default_token_generator.check_token(user, token):
        raise Gone(_("This link was used already or is too old. Ask for a new one."))
    return user


def set_by_link(*, key: str, token: str, password: str, now: datetime) -> User:
    """Set a new password by a reset link, which works once and proves the address."""
    user = person_behind(key=key, token=token)
    with transaction.atomic():
        choose(user=user, password=password, now=now)
        people.confirm_email(user=user, now=now)
        sign_in.forgive(email=user.email)
    return user


def reset(*, request: HttpRequest, key: str, token: str, password: str) -> Step:
    """Set a new password by a reset link, then sign in, as far as that goes.

    A second factor is still asked for: whoever reads the mail has only the first.
    """
    user = set_by_link(key=key, token=token, password=password, now=timezone.now())
    return sign_in.go_on(request=request, user=user)
