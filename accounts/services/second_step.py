"""Proving the second factor: at the end of a sign-in, later in a session, and again before a factor is given up."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import Passkey, Totp, User
from accounts.models.proofs import Passkeys
from accounts.permissions import has_second_factor, needs_second_factor
from accounts.services import passkeys, sign_in, two_factor
from accounts.services.sign_in import StartAgain, Step
from audit import services as audit
from audit.models import Action
from core.errors import Invalid, NotAllowedNow


def waiting(request: HttpRequest) -> User | None:
    """Who has proved the first factor in this session and is asked for the second; None if that no longer counts."""
    try:
        return sign_in.half_way(request, Step.SECOND_FACTOR).user
    except StartAgain:
        return None


def _must_wait(request: HttpRequest) -> User:
    user = sign_in.half_way(request, Step.SECOND_FACTOR).user
    if user is None:
        raise StartAgain
    return user


def finish(*, request: HttpRequest, code: str, now: datetime) -> None:
    """Come in by the app's code or a recovery code. Raises WrongCode, StartAgain, TooMany."""
    user = _must_wait(request)
    two_factor.check(request=request, user=user, code=code, now=now)
    sign_in.open_session(request=request, user=user, is_two_factor=True)


def finish_by_passkey(*, request: HttpRequest, credential: str, now: datetime) -> None:
    """Come in by a passkey of the person who proved the first factor. Raises WrongPasskey, StartAgain, TooMany."""
    user = _must_wait(request)
    passkeys.check(request=request, credential=credential, now=now, user=user)
    sign_in.open_session(request=request, user=user, is_two_factor=True)


def sign_in_by_passkey(*, request: HttpRequest, credential: str, now: datetime) -> None:
    """Come in by a passkey alone: the device has made sure of the person, which is the second factor."""
    user = passkeys.check(request=request, credential=credential, now=now)
    sign_in.open_session(request=request, user=user, is_two_factor=True)


def catch_up(*, request: HttpRequest, user: User, code: str, now: datetime) -> None:
    """Prove the second factor in a session that was opened without it. Raises WrongCode, TooMany."""
    two_factor.check(request=request, user=user, code=code, now=now)
    _mark(request, user)


def catch_up_by_passkey(*, request: HttpRequest, user: User, credential: str, now: datetime) -> None:
    """The same by a passkey. Raises WrongPasskey, TooMany."""
    passkeys.check(request=request, credential=credential, now=now, user=user)
    _mark(request, user)


def _mark(request: HttpRequest, user: User) -> None:
    with transaction.atomic():
        two_factor.mark_session(request)
        audit.record(action=Action.USER_SIGNED_IN, target=user, by=user, data={"second_factor": True})


def prove_again(*, request: HttpRequest, user: User, now: datetime, password: str = "", code: str = "") -> None:
    """Make sure that it is still the person who sits there: by password, or by a code of a second factor.

    With a second factor the password is enough only where that factor was proved. Who has neither proves nothing.
    """
    is_on = two_factor.is_on(user)
    if code and is_on:
        two_factor.check(request=request, user=user, code=code, now=now)
    elif is_on and not has_second_factor(request):
        raise Invalid(_("Type the code your app shows, or a recovery code."), field="code")
    elif user.has_own_password:
        sign_in.prove(request=request, user=user, password=password, field="password")
    elif is_on:
        raise Invalid(_("Type the code your app shows, or a recovery code."), field="code")


def remove_app(*, request: HttpRequest, user: User, now: datetime, password: str = "", code: str = "") -> None:
    """Give up the authenticator app. Raises NotAllowedNow where its loss would leave the person without their role."""
    _must_keep_another(request, user, Passkey.objects.filter(user=user))
    if not two_factor.has_app(user):
        raise NotAllowedNow(_("You use no authenticator app."))
    prove_again(request=request, user=user, now=now, password=password, code=code)
    with transaction.atomic():
        Totp.objects.filter(user=user).delete()
        _clear_if_last(request, user)
        audit.record(action=Action.USER_TWO_FACTOR_OFF, target=user, by=user)
        two_factor.tell(request=request, user=user, what=_("Your authenticator app was removed from your account."))


def begin_passkey(
    *, request: HttpRequest, user: User, name: str, now: datetime, password: str = "", code: str = ""
) -> dict[str, Any]:
    """What the browser needs to make a passkey, which by itself will open the account: so it is asked who sits there."""
    two_factor.must_have_been_proved(request=request, user=user)
    prove_again(request=request, user=user, now=now, password=password, code=code)
    return passkeys.begin(request=request, user=user, name=name)


def remove_passkey(
    *, request: HttpRequest, user: User, passkey: Passkey, now: datetime, password: str = "", code: str = ""
) -> None:
    """Give up a passkey of one's own. Raises NotAllowedNow where its loss would leave the person without their role."""
    if not two_factor.has_app(user):
        _must_keep_another(request, user, Passkey.objects.filter(user=user).exclude(pk=passkey.pk))
    prove_again(request=request, user=user, now=now, password=password, code=code)
    with transaction.atomic():
        Passkey.objects.filter(pk=passkey.pk, user=user).delete()
        _clear_if_last(request, user)
        audit.record(action=Action.USER_PASSKEY_REMOVED, target=user, by=user, data={"name": passkey.name})
        what = _("The passkey “%(name)s” was removed from your account.") % {"name": passkey.name}
        two_factor.tell(request=request, user=user, what=what)


def renew_recovery_codes(
    *, request: HttpRequest, user: User, now: datetime, password: str = "", code: str = ""
) -> list[str]:
    """New recovery codes, shown this once; the old ones stop counting."""
    prove_again(request=request, user=user, now=now, password=password, code=code)
    with transaction.atomic():
        made = two_factor.make_recovery_codes(user=user)
        two_factor.tell(request=request, user=user, what=_("New recovery codes were made for your account."))
        return made


def _must_keep_another(request: HttpRequest, user: User, others: Passkeys) -> None:
    if needs_second_factor(request, user) and not others.usable_at(passkeys.relying_party(request)).exists():
        raise NotAllowedNow(
            _("Your role here needs two-factor. Set up another way of it first, then give up this one.")
        )


def _clear_if_last(request: HttpRequest, user: User) -> None:
    if not two_factor.is_on(user):
        two_factor.clear(request=request, user=user)
