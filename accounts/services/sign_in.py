"""Coming in, by password or by a code from the mail, and going out.

A sign-in takes up to three steps: the password or the code; confirming the address, once; the second factor, if the
person has one. What was proved so far stands in the session for ten minutes and opens nothing by itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import tokens
from accounts.models import OneTimeCode, TokenFamily, User
from accounts.places import place_of
from accounts.services import codes, people, support, two_factor
from accounts.sessions import SECOND_FACTOR, SUPPORT
from audit import services as audit
from audit.models import Action
from core import throttle
from core.errors import Invalid

_PER_ADDRESS = "60/5minutes"  # a hospital's front desk shares one address
_PER_ACCOUNT = "10/5minutes"
_HALF_WAY = "half_way"
_HALF_WAY_FOR = timedelta(minutes=10)


class Step(Enum):
    """What comes next."""

    IN = auto()  # signed in
    CODE = auto()  # a code was asked for, to sign in with
    CONFIRM_EMAIL = auto()
    SECOND_FACTOR = auto()


class WrongCredentials(Invalid):
    """The same sentence whether the address or the password was wrong."""

    status = 401

    def __init__(self, field: str = "") -> None:
        super().__init__(
            _("This e-mail address and password do not belong together. Check both and try again."), field=field
        )


class StartAgain(Invalid):
    """What was proved in an earlier step no longer counts."""

    status = 401

    def __init__(self) -> None:
        super().__init__(_("This sign-in took too long. Start again."))


@dataclass(frozen=True)
class HalfWay:
    """Somebody between two steps. `user` is None for an address without an account that is being confirmed."""

    step: Step
    email: str
    user: User | None


def check_credentials(*, request: HttpRequest, email: str, password: str) -> User:
    """The person these belong to; throttled by visitor's address and by account. Raises WrongCredentials, TooMany."""
    email = email.strip().lower()
    throttle.hit("sign-in address", _PER_ADDRESS, getattr(request, "address", ""))
    throttle.hit("sign-in account", _PER_ACCOUNT, email)
    user = authenticate(request, username=email, password=password)
    if not isinstance(user, User):
        with transaction.atomic():  # known address or not, the same work: the time must not tell
            people.note(Action.USER_SIGN_IN_REFUSED, User.objects.filter(email=email).first())
        raise WrongCredentials
    # Counted before the password was looked at, so that a thousand tries at once are no way round; a right one is free.
    forgive(email=email)
    return user


def forgive(*, email: str) -> None:
    """Forget the tries at an account, whose owner has shown who they are."""
    throttle.forget("sign-in account", _PER_ACCOUNT, email)


def prove(*, request: HttpRequest, user: User, password: str, field: str) -> None:
    """Make sure that it is still the person who sits there. Raises WrongPassword at `field`, TooMany."""
    throttle.hit("sign-in address", _PER_ADDRESS, getattr(request, "address", ""))
    throttle.hit("sign-in account", _PER_ACCOUNT, user.email)
    if not user.check_password(password):
        with transaction.atomic():
            people.note(Action.USER_SIGN_IN_REFUSED, user)
        raise Invalid(_("This is not your password."), field=field)
    forgive(email=user.email)


def with_password(*, request: HttpRequest, email: str, password: str) -> Step:
    """Begin a sign-in by password."""
    user = check_credentials(request=request, email=email, password=password)
    if user.email_verified_at is None:
        _send_confirmation(request, user)
    return go_on(request=request, user=user)


def _send_confirmation(request: HttpRequest, user: User) -> None:
    """A code to confirm the address with, unless one that still counts was sent before."""
    now, purpose = timezone.now(), OneTimeCode.Purpose.CONFIRM_EMAIL
    if not codes.is_waiting(user=user, purpose=purpose, now=now):
        codes.allow_asking(address=getattr(request, "address", ""), email=user.email)
        people.send_code(request=request, user=user, purpose=purpose, email=user.email, now=now)


def sign_up(*, request: HttpRequest, email: str, now: datetime, **fields: Any) -> Step:
    """Ask for an account (see `people.register`); the next step is to confirm the address with the code from the mail.

    Whether the address has an account already does not show.
    """
    user = people.register(request=request, email=email, now=now, **fields)
    _remember(request, Step.CONFIRM_EMAIL, email.strip().lower(), user)
    return Step.CONFIRM_EMAIL


def ask_for_code(
    *,
    request: HttpRequest,
    email: str,
    join_link: str,
    now: datetime,
    first: Callable[[str], None] | None = None,
) -> None:
    """Send a code to sign in with. Says nothing about who has an account; an address without one is told by mail.

    `first` is done with the address once the asker has been counted.
    """
    email = email.strip().lower()
    codes.allow_asking(address=getattr(request, "address", ""), email=email)
    if first:
        first(email)
    user = User.objects.filter(email=email, is_active=True).first()
    purpose = OneTimeCode.Purpose.SIGN_IN
    if user:
        people.send_code(request=request, user=user, purpose=purpose, email=email, now=now)
        return
    with transaction.atomic():  # the same work as above: the time must not tell
        codes.make(user=None, purpose=purpose, email=email, now=now, place=place_of(request))
        people.note(Action.USER_CODE_SENT, None)
        people.tell_nobody(request=request, email=email, join_link=join_link)


def begin_with_code(
    *,
    request: HttpRequest,
    email: str,
    join_link: str,
    now: datetime,
    first: Callable[[str], None] | None = None,
) -> Step:
    """Send a code to sign in with, to be typed in this browser (see `ask_for_code`)."""
    ask_for_code(request=request, email=email, join_link=join_link, now=now, first=first)
    _remember(request, Step.CODE, email.strip().lower(), None)
    return Step.CODE


def with_code(*, request: HttpRequest, code: str, now: datetime) -> Step:
    """Begin a sign-in by the code from the mail. Raises WrongCode, StartAgain, TooMany."""
    user, sent = _check_code(request, half_way(request, Step.CODE).email, code, now)
    _take_code(user, sent, now)
    return go_on(request=request, user=user)


def _check_code(request: HttpRequest, email: str, code: str, now: datetime) -> tuple[User, OneTimeCode]:
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    sent = codes.check(
        user=user,
        purpose=OneTimeCode.Purpose.SIGN_IN,
        code=code,
        address=getattr(request, "address", ""),
        now=now,
        place=place_of(request),
    )
    assert user is not None  # noqa: S101  (for nobody every code is wrong)
    return user, sent


@transaction.atomic
def _take_code(user: User, sent: OneTimeCode, now: datetime) -> None:
    codes.take(sent)
    if user.email_verified_at is None:
        # The code proves the address, not that the password was chosen by who reads the mail there.
        user.set_unusable_password()
        user.save(update_fields=["password", "updated_at"])
        people.confirm_email(user=user, now=now)


def go_on(*, request: HttpRequest, user: User) -> Step:
    """The next step for somebody who has proved the first factor: in, or what is still missing."""
    if user.email_verified_at is None:
        step = Step.CONFIRM_EMAIL
    elif two_factor.is_on(user):
        step = Step.SECOND_FACTOR
    else:
        open_session(request=request, user=user)
        return Step.IN
    _remember(request, step, user.email, user)
    return step


def _remember(request: HttpRequest, step: Step, email: str, user: User | None) -> None:
    request.session[_HALF_WAY] = {
        "step": step.name,
        "email": email,
        "user": str(user.code) if user else "",
        "hash": user.get_session_auth_hash() if user else "",
        "until": (timezone.now() + _HALF_WAY_FOR).timestamp(),
    }


def half_way(request: HttpRequest, step: Step) -> HalfWay:
    """Who is between two steps in this session. Raises StartAgain: too late, the password has changed, or nobody."""
    known: dict[str, Any] = request.session.get(_HALF_WAY) or {}
    if known.get("step") != step.name or known["until"] < timezone.now().timestamp():
        raise StartAgain
    if not known["user"]:
        return HalfWay(step=step, email=known["email"], user=None)
    user = User.objects.filter(code=known["user"], is_active=True).first()
    if user is None or user.get_session_auth_hash() != known["hash"]:
        raise StartAgain
    return HalfWay(step=step, email=known["email"], user=user)


def send_confirmation_again(*, request: HttpRequest, now: datetime) -> None:
    """Another code to confirm the address with. For an address that has an account nothing more is sent."""
    waiting = half_way(request, Step.CONFIRM_EMAIL)
    codes.allow_asking(address=getattr(request, "address", ""), email=waiting.email)
    if waiting.user and waiting.user.email_verified_at is None:
        purpose = OneTimeCode.Purpose.CONFIRM_EMAIL
        people.send_code(request=request, user=waiting.user, purpose=purpose, email=waiting.email, now=now)


def confirm(*, request: HttpRequest, code: str, now: datetime) -> Step:
    """Confirm the address by the code, and go on. Raises WrongCode, StartAgain, TooMany."""
    waiting = half_way(request, Step.CONFIRM_EMAIL)
    address = getattr(request, "address", "")
    codes.use(user=waiting.user, purpose=OneTimeCode.Purpose.CONFIRM_EMAIL, code=code, address=address, now=now)
    assert waiting.user is not None  # noqa: S101  (for nobody every code is wrong)
    with transaction.atomic():
        people.confirm_email(user=waiting.user, now=now)
        return go_on(request=request, user=waiting.user)


@transaction.atomic
def open_session(*, request: HttpRequest, user: User, is_two_factor: bool = False, way: str = "") -> None:
    """Sign somebody in whose identity is already proved. The session gets a new key.

    `way` says in the log how they came, if not by this host's own sign-in.
    """
    if SUPPORT in request.session:
        support.end(request=request)
    request.session.pop(_HALF_WAY, None)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    request.session[SECOND_FACTOR] = is_two_factor
    data = {"second_factor": is_two_factor} | ({"by": way} if way else {})
    audit.record(action=Action.USER_SIGNED_IN, target=user, by=user, data=data)


@transaction.atomic
def sign_out(*, request: HttpRequest) -> None:
    """End this session."""
    if SUPPORT in request.session:
        support.end(request=request)
        return
    if isinstance(request.user, User):
        audit.record(action=Action.USER_SIGNED_OUT, target=request.user, by=request.user)
    logout(request)


class ConfirmFirst(Invalid):
    """The password is right, but the address was never confirmed."""

    status = 403

    def __init__(self) -> None:
        super().__init__(_("Confirm your e-mail address first: send the code from our message."), field="email")


class SecondFactorMissing(Invalid):
    """The password is right, but the account asks for more."""

    status = 401

    def __init__(self) -> None:
        super().__init__(
            _("Send the six digits of your authenticator app, or a recovery code, as `second_factor`."),
            field="second_factor",
        )


def for_tokens(*, request: HttpRequest, email: str, password: str, second_factor: str = "") -> dict[str, str]:
    """A pair of tokens for these. `email` may be a username.

    Raises WrongCredentials, ConfirmFirst, SecondFactorMissing, WrongCode, TooMany.
    """
    # A username never holds an @ (see people.register): nobody gets between an address and its owner.
    usernames = User.objects.filter(username=email).values_list("email", flat=True)
    known_as = usernames.first() if "@" not in email else None
    user = check_credentials(request=request, email=known_as or email, password=password)
    if user.email_verified_at is None:
        _send_confirmation(request, user)
        raise ConfirmFirst
    is_two_factor = two_factor.is_on(user)
    if is_two_factor and not second_factor:
        raise SecondFactorMissing
    if is_two_factor:
        two_factor.check(request=request, user=user, code=second_factor, now=timezone.now())
    return open_tokens(request=request, user=user, is_two_factor=is_two_factor)


def code_for_tokens(
    *, request: HttpRequest, email: str, code: str, second_factor: str = "", now: datetime
) -> dict[str, str]:
    """A pair of tokens for a code from the mail. Raises WrongCode, SecondFactorMissing (the code then still counts)."""
    user, sent = _check_code(request, email, code, now)
    is_two_factor = two_factor.is_on(user)
    if is_two_factor and not second_factor:
        raise SecondFactorMissing
    if is_two_factor:
        two_factor.check(request=request, user=user, code=second_factor, now=now)
    _take_code(user, sent, now)
    return open_tokens(request=request, user=user, is_two_factor=is_two_factor)


def confirm_for_tokens(*, request: HttpRequest, email: str, password: str, code: str, now: datetime) -> dict[str, str]:
    """Confirm an address by the code, together with the password chosen at registration; a pair of tokens."""
    user = check_credentials(request=request, email=email, password=password)
    if user.email_verified_at is not None:
        raise codes.WrongCode
    address = getattr(request, "address", "")
    codes.use(user=user, purpose=OneTimeCode.Purpose.CONFIRM_EMAIL, code=code, address=address, now=now)
    with transaction.atomic():
        people.confirm_email(user=user, now=now)
        return open_tokens(request=request, user=user, is_two_factor=False)


def open_tokens(*, request: HttpRequest, user: User, is_two_factor: bool) -> dict[str, str]:
    """A pair of tokens for somebody who has just proved who they are.

    Raises WrongCredentials when their password was changed, or they were made inactive, since they were looked up.
    """
    with transaction.atomic():
        # Changes nothing, and takes the row's lock: a new password either ends these tokens, too, or was seen here.
        if not User.objects.filter(pk=user.pk, password=user.password, is_active=True).update(is_active=True):
            raise WrongCredentials
        audit.record(
            action=Action.USER_SIGNED_IN,
            target=user,
            by=user,
            data={"by": "token", "second_factor": is_two_factor},
        )
        return tokens.issue(request=request, user=user, is_two_factor=is_two_factor)


@transaction.atomic
def end(*, request: HttpRequest, user: User, token: str = "") -> None:
    """End the sign-in of a refresh token, or without one the sign-in that the request came with.

    Raises WrongToken for a refresh token that is not this person's or not valid here.
    """
    family: TokenFamily | None = getattr(request, "token_family", None)
    if token:
        family, _token_id = tokens.family_of(request=request, token=token)
    if family is None:
        sign_out(request=request)
        return
    if family.user_id != user.pk:
        raise tokens.WrongToken
    TokenFamily.objects.filter(pk=family.pk).update(ended_at=timezone.now())
    audit.record(action=Action.USER_SIGNED_OUT, target=user, by=user, data={"by": "token"})
