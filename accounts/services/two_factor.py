"""The second factor: an authenticator app's codes, recovery codes for the day the telephone is lost, passkeys."""

import secrets
from datetime import datetime

import pyotp
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from accounts.models import Passkey, RecoveryCode, Session, Ticket, TokenFamily, Totp, User
from accounts.permissions import has_second_factor
from accounts.services import letters
from accounts.services.codes import WrongCode
from accounts.sessions import SECOND_FACTOR
from audit import services as audit
from audit.models import Action
from core import throttle
from core.errors import Invalid, NotAllowedNow
from core.sealing import seal, unseal

RECOVERY_CODES = 10
_STEP_SECONDS = 30  # RFC 6238
_PER_PERSON = "10/15minutes"
_PER_ADDRESS = "60/15minutes"
# Without letters and digits that are mistaken for one another on paper.
_LETTERS = "23456789abcdefghjkmnpqrstvwxyz"


def is_on(user: User) -> bool:
    """Whether a password or a code by mail is not enough for this person."""
    return has_app(user) or Passkey.objects.filter(user=user).exists()


def has_app(user: User) -> bool:
    """Whether they have an authenticator app in use."""
    return Totp.objects.filter(user=user, confirmed_at__isnull=False).exists()


@transaction.atomic
def begin(*, user: User) -> str:
    """A new secret for an authenticator app, in base 32. It counts once a code of it was typed (`turn_on`).

    Never an older one: somebody else may have seen it on this screen. Raises NotAllowedNow when an app is in use.
    """
    secret = pyotp.random_base32()
    totp, made = Totp.objects.get_or_create(user=user, defaults={"sealed_secret": seal(secret)})
    waiting = Totp.objects.filter(pk=totp.pk, confirmed_at__isnull=True)
    if not made and not waiting.update(sealed_secret=seal(secret)):
        raise NotAllowedNow(_("You use an authenticator app already. Turn it off first to set up another one."))
    return secret


def pending(user: User) -> str:
    """The secret of an app that is being set up, or ""."""
    totp = Totp.objects.filter(user=user, confirmed_at__isnull=True).first()
    return unseal(totp.sealed_secret) if totp else ""


def address_of(*, user: User, secret: str, issuer: str) -> str:
    """The `otpauth://` address that an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=issuer)


def turn_on(*, request: HttpRequest, user: User, code: str, now: datetime) -> list[str]:
    """Take the app into use, proved by its first code; return the recovery codes, which are shown this once.

    The session that asks counts as two-factor from now on, under a new key. Tokens do not: they were issued without.
    """
    must_have_been_proved(request=request, user=user)
    _count(request, user)
    totp = Totp.objects.filter(user=user, confirmed_at__isnull=True).first()
    if totp is None:
        raise _nothing_to_set_up()
    step = _step(totp, code, now)
    if step is None:
        raise Invalid(_("This is not the code your app shows now. Type the six digits it shows."), field="code")
    with transaction.atomic():
        waiting = Totp.objects.filter(pk=totp.pk, sealed_secret=totp.sealed_secret, confirmed_at__isnull=True)
        if not waiting.update(confirmed_at=now, last_step=step):
            raise _nothing_to_set_up()
        audit.record(action=Action.USER_TWO_FACTOR_ON, target=user, by=user)
        tell(request=request, user=user, what=_("Two-factor sign-in was turned on."))
        mark_session(request)
        return new_recovery_codes(user)


def must_have_been_proved(*, request: HttpRequest, user: User) -> None:
    """Raise NotAllowedNow when the person has a second factor, and this sign-in was made without it.

    Otherwise whoever has only the password could add a factor of their own.
    """
    if is_on(user) and not has_second_factor(request):
        raise NotAllowedNow(_("This sign-in was made without your second factor. Sign in again with it first."))


def _nothing_to_set_up() -> NotAllowedNow:
    return NotAllowedNow(_("There is no authenticator app to set up. Begin again."))


def mark_session(request: HttpRequest) -> None:
    """Let the signed-in session count as two-factor, under a new key. A token stays what it was issued as."""
    if getattr(request, "token_family", None) is None and SESSION_KEY in request.session:
        request.session.cycle_key()
        request.session[SECOND_FACTOR] = True


@transaction.atomic
def turn_off(*, request: HttpRequest, user: User, by: User) -> None:
    """Forget everything but the password: app, recovery codes, passkeys. The door has made sure of who asks.

    No sign-in of theirs counts as two-factor any more.
    """
    Passkey.objects.filter(user=user).delete()
    Totp.objects.filter(user=user).delete()
    clear(request=request, user=user)
    audit.record(action=Action.USER_TWO_FACTOR_OFF, target=user, by=by)
    tell(request=request, user=user, what=_("Two-factor sign-in was turned off."))


def clear(*, request: HttpRequest, user: User) -> None:
    """What is left to do once the last second factor is gone, in the caller's transaction.

    Recovery codes stand in for nothing; tokens and this session lose what the factor gave them; other sessions end.
    """
    RecoveryCode.objects.filter(user=user).delete()
    TokenFamily.objects.filter(user=user).update(is_two_factor=False)
    Ticket.objects.filter(user=user).delete()
    Session.objects.filter(user=user).exclude(session_key=request.session.session_key or "").delete()
    if request.session.get(SESSION_KEY) == str(user.pk):
        request.session[SECOND_FACTOR] = False


def codes_left(user: User) -> int:
    """How many recovery codes still count."""
    return RecoveryCode.objects.unused().filter(user=user).count()


@transaction.atomic
def make_recovery_codes(*, user: User) -> list[str]:
    """New recovery codes; the old ones stop counting. The door has made sure of who asks."""
    if not is_on(user):
        raise NotAllowedNow(_("Recovery codes stand in for an app or a passkey. Set one up first."))
    audit.record(action=Action.USER_RECOVERY_CODES_MADE, target=user, by=user)
    return new_recovery_codes(user)


def new_recovery_codes(user: User) -> list[str]:
    """Ten codes in place of all earlier ones, as the person writes them down; called in the caller's transaction."""
    RecoveryCode.objects.filter(user=user).delete()
    made = ["".join(secrets.choice(_LETTERS) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=_digests(user, code)[0]) for code in made)
    return [f"{code[:5]}-{code[5:]}" for code in made]


def check(*, request: HttpRequest, user: User, code: str, now: datetime) -> None:
    """Take the app's six digits, or a recovery code. Each counts once. Raises WrongCode, TooMany."""
    _count(request, user)
    with transaction.atomic():
        typed = "".join(code.split()).replace("-", "").lower()
        if typed.isdigit() and len(typed) == 6:
            if _take_app_code(user, typed, now):
                return
        elif RecoveryCode.objects.unused().filter(user=user, digest__in=_digests(user, typed)).update(used_at=now):
            audit.record(action=Action.USER_RECOVERY_CODE_USED, target=user, by=user)
            tell(request=request, user=user, what=_("A recovery code of yours was used."))
            return
        audit.record(action=Action.USER_SIGN_IN_REFUSED, target=user, by=None, actor=_("A visitor"))
    raise WrongCode(_("This code is not right, or was used already. Type the one your app shows now."))


def _take_app_code(user: User, code: str, now: datetime) -> bool:
    totp = Totp.objects.filter(user=user, confirmed_at__isnull=False).first()
    step = _step(totp, code, now) if totp else None
    if totp is None or step is None:
        return False
    return bool(Totp.objects.filter(pk=totp.pk, last_step__lt=step).update(last_step=step))


def _step(totp: Totp, code: str, now: datetime) -> int | None:
    """The 30-second step these digits belong to: the present one or a neighbour, for clocks that are a little off."""
    app, present = pyotp.TOTP(unseal(totp.sealed_secret)), int(now.timestamp()) // _STEP_SECONDS
    for step in (present, present - 1, present + 1):
        if constant_time_compare(app.generate_otp(step), code.strip().replace(" ", "")):
            return step
    return None


def _count(request: HttpRequest, user: User) -> None:
    throttle.hit("second factor person", _PER_PERSON, str(user.code))
    throttle.hit("second factor address", _PER_ADDRESS, getattr(request, "address", ""))


def _digests(user: User, code: str) -> list[str]:
    """By the present key, and by each that is being replaced: codes on paper outlive a key."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    text = f"{user.code}:{code}"
    return [salted_hmac("accounts.recovery", text, secret=key, algorithm="sha256").hexdigest() for key in keys]


def tell(*, request: HttpRequest, user: User, what: str) -> None:
    """Write to the person that their sign-in has changed, in case it was not them."""
    letters.send(
        request=request,
        to_address=user.email,
        to_name=user.get_full_name(),
        template="account_changed",
        subject=what.rstrip("."),
        context={"what": what, "link": request.build_absolute_uri("/")},
    )
