"""Six digits by mail: five minutes, five tries, kept as a digest."""

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from accounts.models import OneTimeCode, User
from audit import services as audit
from audit.models import Action
from core import throttle
from core.errors import Invalid

VALID_FOR = timedelta(minutes=5)
TRIES = 5
# Twenty guesses an hour at a million codes, however many addresses they come from.
_SENT_TO_ONE_PERSON = "4/hour"
_ASKED_BY_ONE_ADDRESS = "30/hour"
_TRIED_BY_ONE_ADDRESS = "60/5minutes"

Purpose = OneTimeCode.Purpose


class WrongCode(Invalid):
    """Not the digits that were sent, or they no longer count."""

    status = 401

    def __init__(self, sentence: str = "") -> None:
        # The same for an address without an account, for the first try and the last: it must not tell who has one.
        usual = _("This code is not right, or no longer counts. After 5 wrong tries only a new one does.")
        super().__init__(sentence or usual, field="code")


def allow_asking(*, address: str, email: str) -> None:
    """Count that somebody asks for a code to be sent. Raises TooMany. Does not tell whether there is such an account."""
    throttle.hit("code address", _ASKED_BY_ONE_ADDRESS, address)
    throttle.hit("code person", _SENT_TO_ONE_PERSON, email)


def make(*, user: User | None, purpose: Purpose, email: str, now: datetime, place: str = "") -> str:
    """New digits for this purpose, to be sent to `email`; earlier ones stop counting.

    Digits to sign in with count only in `place`, where they were asked for. Those of nobody never count: they are made
    for an address without an account, so that it takes the same time.
    """
    code = f"{secrets.randbelow(1_000_000):06d}"
    sent = OneTimeCode(
        user=user,
        purpose=purpose,
        email=email,
        digest=_digest(user or User(), purpose, code, place),
        expires_at=now + VALID_FOR,
    )
    # Without looking first, which would take a time by which an address with an account shows: add, then replace what
    # was there before. Of two at once the later one counts.
    OneTimeCode.objects.bulk_create([sent], ignore_conflicts=True)
    OneTimeCode.objects.filter(user_id=user.pk if user else 0, purpose=purpose).update(
        email=sent.email, digest=sent.digest, tries=sent.tries, expires_at=sent.expires_at
    )
    return code


def is_waiting(*, user: User, purpose: Purpose, now: datetime) -> bool:
    """Whether digits were sent that still count."""
    return OneTimeCode.objects.filter(user=user, purpose=purpose, expires_at__gt=now, tries__lt=TRIES).exists()


def check(
    *, user: User | None, purpose: Purpose, code: str, address: str, now: datetime, place: str = ""
) -> OneTimeCode:
    """Find what was sent, by the digits, which go on counting until they are taken. Raises WrongCode, TooMany.

    A try is counted before the digits are compared. For nobody (`user` is None) every code is wrong, after the same
    work: the time must not tell.
    """
    throttle.hit("code try address", _TRIED_BY_ONE_ADDRESS, address)
    somebody = user or User(email=_("an unknown address"))
    digest = _digest(somebody, purpose, "".join(code.split()), place)
    mine = OneTimeCode.objects.filter(user_id=user.pk if user else 0, purpose=purpose, expires_at__gt=now)
    with transaction.atomic():
        counted = mine.filter(tries__lt=TRIES).update(tries=F("tries") + 1)
        sent = mine.first()
        is_right = sent is not None and bool(counted) and constant_time_compare(sent.digest, digest)
        if not is_right:
            action, data = Action.USER_SIGN_IN_REFUSED, {"code": purpose.value}
            audit.record(action=action, target=somebody, by=None, actor=_("A visitor"), data=data)
    if sent is None or not is_right:
        raise WrongCode
    return sent


def take(sent: OneTimeCode) -> str:
    """Make right digits stop counting, and return the address they were sent to.

    Of two requests with the same digits at once one is told that they no longer count (WrongCode).
    """
    deleted, _by_model = OneTimeCode.objects.filter(pk=sent.pk, digest=sent.digest).delete()
    if not deleted:
        raise WrongCode
    return sent.email


def use(*, user: User | None, purpose: Purpose, code: str, address: str, now: datetime) -> str:
    """Check the digits, take them and return the address they were sent to. Raises WrongCode, TooMany."""
    return take(check(user=user, purpose=purpose, code=code, address=address, now=now))


def _digest(user: User, purpose: str, code: str, place: str) -> str:
    # A new address may be confirmed wherever its owner signs in next.
    where = place if purpose == Purpose.SIGN_IN else ""
    return salted_hmac("accounts.codes", f"{user.code}:{purpose}:{where}:{code}", algorithm="sha256").hexdigest()
