"""Coming in and going out, passwords, and new people."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import authenticate, login, logout, password_validation
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.encoding import force_bytes, force_str
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext as _

from accounts import tokens
from accounts.models import User
from audit import services as audit
from audit.models import Action
from core import throttle
from core.errors import Gone, Invalid
from notifications import services as notifications

_PER_ADDRESS = "60/5minutes"  # a hospital's front desk shares one address
_PER_ACCOUNT = "10/5minutes"


@dataclass(frozen=True)
class Sender:
    """In whose name a message about an account goes out: the host the person was on."""

    name: str
    accent: str


def person_for(*, email: str, name: str, phone: str = "", by: User | None = None) -> User:
    """The person with this e-mail address, made without a password if there is none yet.

    Somebody who already has an account keeps it as it is: a hospital cannot rename them.
    """
    email = email.strip().lower()
    known = User.objects.filter(email=email).first()
    if known:
        return known
    first, _space, last = name.strip().partition(" ")
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, first_name=first[:150], last_name=last[:150], phone=phone)
            audit.record(action=Action.USER_ADDED, target=user, by=by)
    except IntegrityError:  # made by somebody else a moment ago
        return User.objects.get(email=email)
    return user


class WrongCredentials(Invalid):
    """The same sentence whether the address or the password was wrong."""

    status = 401

    def __init__(self) -> None:
        super().__init__(_("This e-mail address and password do not belong together. Check both and try again."))


def check_credentials(*, request: HttpRequest, email: str, password: str) -> User:
    """The person these belong to; throttled by visitor's address and by account. Raises WrongCredentials, TooMany."""
    email = email.strip().lower()
    address = getattr(request, "address", "")
    throttle.hit("sign-in address", _PER_ADDRESS, address)
    throttle.hit("sign-in account", _PER_ACCOUNT, email)
    user = authenticate(request, username=email, password=password)
    if user is None:
        with transaction.atomic():
            known = User.objects.filter(email=email).first()
            if known:  # addresses of strangers are not collected
                audit.record(action=Action.USER_SIGN_IN_REFUSED, target=known, by=None, actor=_("A visitor"))
        raise WrongCredentials
    # Counted before the password was looked at, so that a thousand tries at once are no way round; a right one is free.
    throttle.forget("sign-in account", _PER_ACCOUNT, email)
    assert isinstance(user, User)  # noqa: S101  (our only user model)
    return user


def sign_in(*, request: HttpRequest, email: str, password: str) -> User:
    """Open a session for the person these belong to."""
    user = check_credentials(request=request, email=email, password=password)
    open_session(request=request, user=user)
    return user


@transaction.atomic
def open_session(*, request: HttpRequest, user: User) -> None:
    """Sign somebody in whose identity is already proved. The session gets a new key."""
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    audit.record(action=Action.USER_SIGNED_IN, target=user, by=user)


@transaction.atomic
def sign_out(*, request: HttpRequest) -> None:
    """End this session."""
    if isinstance(request.user, User):
        audit.record(action=Action.USER_SIGNED_OUT, target=request.user, by=request.user)
    logout(request)


@transaction.atomic
def ask_for_reset(*, request: HttpRequest, email: str, link: Callable[[str, str], str], sender: Sender) -> None:
    """Send a link by which the person can set a new password. Says nothing about who has an account.

    `link` makes the absolute address from the two parts of the token.
    """
    email = email.strip().lower()
    throttle.hit("password reset address", "10/hour", getattr(request, "address", ""))
    throttle.hit("password reset account", "3/hour", email)
    user = User.objects.filter(email=email, is_active=True).first()
    if user is None:
        return
    audit.record(action=Action.USER_PASSWORD_RESET_ASKED, target=user, by=None, actor=_("A visitor"))
    notifications.notify(
        to_address=user.email,
        to_name=user.get_full_name(),
        template="password_reset",
        subject=_("Set a new password"),
        brand_name=sender.name,
        accent=sender.accent,
        context={
            "link": link(urlsafe_base64_encode(force_bytes(str(user.code))), default_token_generator.make_token(user))
        },
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


def check_password(*, user: User, password: str) -> None:
    """Raise Invalid, naming every fault, when the password is too weak for this person."""
    try:
        password_validation.validate_password(password, user)
    except ValidationError as faults:
        raise Invalid(" ".join(faults.messages), field="password") from None


@transaction.atomic
def set_password(*, user: User, password: str) -> None:
    """Set a password; every session and token made with the old one ends."""
    check_password(user=user, password=password)
    user.set_password(password)
    user.save(update_fields=["password", "updated_at"])
    audit.record(action=Action.USER_PASSWORD_CHANGED, target=user, by=user)


def reset_password(*, request: HttpRequest, key: str, token: str, password: str) -> None:
    """Set a new password by a reset link and sign in. The link works once."""
    user = person_behind(key=key, token=token)
    with transaction.atomic():
        set_password(user=user, password=password)
        open_session(request=request, user=user)


def sign_in_for_tokens(*, request: HttpRequest, email: str, password: str) -> User:
    """The person these belong to, for whom the door then issues tokens. `email` may be a username."""
    known_as = User.objects.filter(username=email).values_list("email", flat=True).first()
    user = check_credentials(request=request, email=known_as or email, password=password)
    with transaction.atomic():
        audit.record(action=Action.USER_SIGNED_IN, target=user, by=user, data={"by": "token"})
    return user


@transaction.atomic
def sign_out_of_tokens(*, request: HttpRequest, user: User, token: str) -> None:
    """End a refresh token. Raises WrongToken when it is not this person's or not valid here."""
    refresh = tokens.refresh_token(request=request, token=token)
    if refresh["sub"] != str(user.code):
        raise tokens.WrongToken
    refresh.blacklist()
    audit.record(action=Action.USER_SIGNED_OUT, target=user, by=user, data={"by": "token"})
