"""A hospital's own keys to Razorpay: checked, sealed, replaced, taken out of use. What was typed is never shown again.

Each step asks who sits there once more: with these keys somebody else could have the hospital's money.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import second_step
from audit import services as audit
from audit.models import Action
from billing import razorpay
from billing.models import GatewayAccount
from billing.services import gateway
from core.errors import Conflict, DomainError, Invalid, NotAllowedNow
from core.sealing import seal, unseal

# Razorpay repeats a message for a day, signed with the secret of its first try.
GRACE = timedelta(days=3)
SHORTEST_SECRET = 12
# What Razorpay is to tell of, in its own words.
EVENTS = [
    "payment.authorized",
    "payment.captured",
    "payment.failed",
    "order.paid",
    "refund.created",
    "refund.processed",
    "refund.failed",
    "settlement.processed",
]


class NotChecked(DomainError):
    """Razorpay does not answer, so nobody knows whether the keys are right."""

    status = 503

    def __init__(self) -> None:
        super().__init__(
            _(
                "Razorpay does not answer at this moment, so your keys could not be checked. Nothing was kept. Try again."
            )
        )


def use(
    *,
    request: HttpRequest,
    key_id: str,
    key_secret: str,
    webhook_secret: str,
    by: User,
    now: datetime,
    password: str = "",
    code: str = "",
) -> GatewayAccount:
    """Ask for payments with these keys from now on, once Razorpay has said that it knows them.

    Keys used before stay for what was paid with them. Raises Invalid for keys that cannot be used, and NotChecked.
    """
    second_step.prove_again(request=request, user=by, now=now, password=password, code=code)
    if gateway.is_test(key_id) and not settings.DEBUG:
        raise Invalid(
            _("With test keys no money moves. Enter your live keys: they begin with rzp_live_."), field="key_id"
        )
    _require_strong(webhook_secret)
    _check(razorpay.Keys(key_id, key_secret))
    try:
        with transaction.atomic():
            GatewayAccount.objects.filter(is_active=True).exclude(key_id=key_id).update(is_active=False)
            account = _kept(key_id, key_secret, webhook_secret, by=by, now=now)
            audit.record(action=Action.GATEWAY_KEYS_SET, target=account, by=by)
    except IntegrityError:
        raise Conflict(_("Somebody else has set keys at this moment. Look at them first.")) from None
    return account


def _kept(key_id: str, key_secret: str, webhook_secret: str, *, by: User, now: datetime) -> GatewayAccount:
    """The row of these keys: a new one, or the one from when they were used before."""
    known = GatewayAccount.objects.filter(key_id=key_id).first()
    if known is None:
        return GatewayAccount.objects.create(
            key_id=key_id,
            key_secret=seal(key_secret),
            webhook_secret=seal(webhook_secret),
            created_at=now,
            created_by=by,
        )
    columns = {"key_secret": seal(key_secret), "is_active": True, **_turned(known, webhook_secret, now)}
    GatewayAccount.objects.filter(pk=known.pk).update(**columns)
    known.refresh_from_db()
    return known


def replace_webhook_secret(
    *, request: HttpRequest, webhook_secret: str, by: User, now: datetime, password: str = "", code: str = ""
) -> None:
    """Believe messages signed with another secret. The one before counts for three more days, for repeats."""
    second_step.prove_again(request=request, user=by, now=now, password=password, code=code)
    account = _current()
    _require_strong(webhook_secret)
    columns = _turned(account, webhook_secret, now)
    if not columns:
        raise Invalid(_("This is the secret that is in use. Enter the new one."), field="webhook_secret")
    with transaction.atomic():
        mine = GatewayAccount.objects.filter(pk=account.pk, webhook_secret=account.webhook_secret)
        if not mine.update(**columns):
            raise Conflict(_("Somebody else has set keys at this moment. Look at them first."))
        audit.record(action=Action.GATEWAY_KEYS_ROTATED, target=account, by=by)


def stop(*, request: HttpRequest, by: User, now: datetime, password: str = "", code: str = "") -> None:
    """Ask for no more payments with the hospital's own keys: the platform's are used, where it has any.

    The keys are kept, for refunds and for news of what was paid with them.
    """
    second_step.prove_again(request=request, user=by, now=now, password=password, code=code)
    account = _current()
    with transaction.atomic():
        if not GatewayAccount.objects.filter(pk=account.pk, is_active=True).update(is_active=False):
            raise Conflict(_("Somebody else has set keys at this moment. Look at them first."))
        audit.record(action=Action.GATEWAY_KEYS_REMOVED, target=account, by=by)


def _current() -> GatewayAccount:
    account = GatewayAccount.objects.current()
    if account is None:
        raise NotAllowedNow(_("Your hospital uses no keys of its own."))
    return account


def _turned(account: GatewayAccount, webhook_secret: str, now: datetime) -> dict[str, object]:
    """The columns that change with another webhook secret; none when it is the same."""
    if unseal(account.webhook_secret) == webhook_secret:
        return {}
    return {
        "webhook_secret": seal(webhook_secret),
        "previous_webhook_secret": account.webhook_secret,
        "previous_until": now + GRACE,
    }


def _require_strong(webhook_secret: str) -> None:
    if len(webhook_secret) < SHORTEST_SECRET:
        sentence = _(
            "Choose a secret of at least %(n)d characters: who guesses it could tell you of money that never came."
        )
        raise Invalid(sentence % {"n": SHORTEST_SECRET}, field="webhook_secret")


def _check(keys: razorpay.Keys) -> None:
    """Ask Razorpay whether it knows them. Never inside a transaction: it may take long."""
    try:
        razorpay.check_keys(keys)
    except razorpay.Unreachable:
        raise NotChecked from None
    except razorpay.WrongKeys:
        raise Invalid(_("Razorpay does not know these keys. Check both, then try again."), field="key_secret") from None
    except razorpay.Refused:
        raise Invalid(
            _("Razorpay knows these keys and takes no payments with them yet. Look into your account there."),
            field="key_id",
        ) from None
