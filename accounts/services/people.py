"""New people, and what they say of themselves."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib.auth import password_validation
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import OneTimeCode, User
from accounts.places import place_of
from accounts.services import codes, letters, sessions
from audit import services as audit
from audit.models import Action
from core import throttle
from core.errors import Conflict, Invalid
from core.text import one_line


def note(action: Action, user: User | None) -> None:
    """Record what a visitor did about an account. What they typed in place of a known address is not collected."""
    audit.record(action=action, target=user or User(email=_("an unknown address")), by=None, actor=_("A visitor"))


@transaction.atomic
def person_for(*, email: str, name: str, phone: str = "", by: User | None = None) -> User:
    """The person with this e-mail address, made without a password if there is none yet.

    Somebody who already has an account keeps it as it is: a hospital cannot rename them.
    """
    email = email.strip().lower()
    known = User.objects.filter(email=email).first()
    if known:
        return known
    first, _space, last = one_line(name).partition(" ")
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, first_name=first[:150], last_name=last[:150], phone=phone)
            audit.record(action=Action.USER_ADDED, target=user, by=by)
    except IntegrityError:  # made by somebody else a moment ago
        return User.objects.get(email=email)
    return user


def check_password(*, user: User, password: str) -> None:
    """Raise Invalid, naming every fault, when the password is too weak for this person."""
    try:
        password_validation.validate_password(password, user)
    except ValidationError as faults:
        raise Invalid(" ".join(faults.messages), field="password") from None


def register(
    *,
    request: HttpRequest,
    email: str,
    first_name: str,
    last_name: str,
    password: str,
    now: datetime,
    phone: str = "",
    username: str = "",
    sign_in_link: str,
    also: Callable[[User], None] | None = None,
) -> User | None:
    """Ask for an account: a code goes to the address, and confirming it opens the account.

    For an address that has an account already, its owner is told so by mail and the answer is None; the page shows the
    same as for a new one, after the same work. `also` makes what comes into being with the person, in the same
    transaction. Raises Invalid for a weak password, Conflict for a taken username.
    """
    email = email.strip().lower()
    fields: dict[str, Any] = {
        "first_name": one_line(first_name)[:150],
        "last_name": one_line(last_name)[:150],
        "phone": phone,
        "username": username or None,
    }
    if "@" in username:  # it would stand in the way of somebody's address
        raise Invalid(_("Choose a username without an @, or leave it out."), field="username")
    check_password(user=User(email=email, **fields), password=password)
    throttle.hit("registration of a person", "20/hour", getattr(request, "address", ""))
    codes.allow_asking(address=getattr(request, "address", ""), email=email)
    fields["password"] = make_password(password)
    try:
        with transaction.atomic():
            user = User.objects.filter(email=email).first()
            if user is None:
                user = User.objects.create(email=email, **fields)
                audit.record(action=Action.USER_ADDED, target=user, by=user)
            elif user.email_verified_at is None and user.is_active:
                # Nobody has confirmed the address: what was said before is nobody's word.
                User.objects.filter(pk=user.pk, email_verified_at__isnull=True).update(**fields)
                user.refresh_from_db()
            else:
                if username and User.objects.filter(username=username).exists():
                    raise _username_taken()
                tell_owner(request=request, owner=user, sign_in_link=sign_in_link)
                return None
            if also:
                also(user)
            send_code(request=request, user=user, purpose=OneTimeCode.Purpose.CONFIRM_EMAIL, email=email, now=now)
    except IntegrityError:
        if username and User.objects.filter(username=username).exists():
            raise _username_taken() from None
        raise Conflict(_("Somebody is registering this address at this moment. Try again.")) from None
    return user


def _username_taken() -> Conflict:
    return Conflict(_("This username is taken. Choose another one, or leave it out."), field="username")


def send_code(*, request: HttpRequest, user: User, purpose: OneTimeCode.Purpose, email: str, now: datetime) -> None:
    """Make new digits and mail them to `email`. The asker was counted before (`codes.allow_asking`)."""
    with transaction.atomic():
        code = codes.make(user=user, purpose=purpose, email=email, now=now, place=place_of(request))
        note(Action.USER_CODE_SENT, user)
        letters.send(
            request=request,
            to_address=email,
            to_name=user.get_full_name(),
            template="code",
            # Without the digits: whoever looks after the outbox reads subjects.
            subject=_("Your code"),
            context={"code": code, "purpose": purpose.value, "minutes": int(codes.VALID_FOR.total_seconds() // 60)},
            is_secret=True,
        )


def tell_owner(*, request: HttpRequest, owner: User, sign_in_link: str) -> None:
    """Tell somebody that their address, which has an account already, was entered for another one."""
    note(Action.USER_CODE_SENT, owner)
    letters.send(
        request=request,
        to_address=owner.email,
        to_name=owner.get_full_name(),
        template="already_registered",
        subject=_("You already have an account"),
        context={"link": sign_in_link},
    )


def tell_nobody(*, request: HttpRequest, email: str, join_link: str) -> None:
    """Tell an address without an account that somebody, most likely its owner, tried to come in with it."""
    letters.send(
        request=request,
        to_address=email,
        to_name="",
        template="no_account",
        subject=_("There is no account with this address"),
        context={"email": email, "link": join_link},
    )


@transaction.atomic
def confirm_email(*, user: User, now: datetime) -> None:
    """Note that the person reads the mail at their address. Doing it twice changes nothing."""
    if User.objects.filter(pk=user.pk, email_verified_at__isnull=True).update(email_verified_at=now):
        user.email_verified_at = now
        OneTimeCode.objects.filter(user=user, purpose=OneTimeCode.Purpose.CONFIRM_EMAIL).delete()
        audit.record(action=Action.USER_EMAIL_CONFIRMED, target=user, by=user)


def change_profile(*, user: User, first_name: str, last_name: str, phone: str, by: User) -> None:
    """Change what a person is called and their telephone number."""
    new = {"first_name": one_line(first_name), "last_name": one_line(last_name), "phone": phone}
    changes = audit.changes(user, new)
    if not changes:
        return
    with transaction.atomic():
        for field, value in new.items():
            setattr(user, field, value)
        user.save(update_fields=[*new, "updated_at"])
        # The log outlives the person's data: it says which fields, not what they hold.
        audit.record(action=Action.USER_CHANGED, target=user, by=by, data={"fields": ", ".join(changes)})


@transaction.atomic
def deactivate(*, user: User, by: User, now: datetime) -> None:
    """Let somebody in nowhere any more; every sign-in of theirs ends at once."""
    if User.objects.filter(pk=user.pk, is_active=True).update(is_active=False, updated_at=now):
        user.is_active = False
        sessions.end_all(user=user, now=now)
        OneTimeCode.objects.filter(user=user).delete()
        audit.record(action=Action.USER_DEACTIVATED, target=user, by=by)
