"""Promo codes as the hospital keeps them. What they take off a bill is reckoned in `discounts`."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from audit.models import Action
from billing.models import PromoCode
from core.errors import Conflict, Invalid, NotAllowedNow
from core.text import one_line


def add(*, word: str, by: User, percent: int | None, amount: Decimal | None, **terms: Any) -> PromoCode:
    """Add a code that takes so many percent off, or so many rupees. Raises Conflict at the word when it was used before."""
    if (percent is None) == (amount is None):
        raise Invalid(_("Enter either a percentage or an amount."), field="percent")
    terms = _judged(terms, is_amount=amount is not None)
    try:
        with transaction.atomic():
            promo = PromoCode.objects.create(word=word.strip().upper(), percent=percent, amount=amount, **terms)
            off = {"percent": percent} if amount is None else {"amount": str(amount)}
            audit.record(action=Action.PROMO_CODE_ADDED, target=promo, by=by, data=off)
    except IntegrityError:
        raise Conflict(_("There is a code of this name already, perhaps a stopped one."), field="word") from None
    return promo


def change(*, promo: PromoCode, by: User, **terms: Any) -> None:
    """Change when and how often a code counts. What it takes off stays: bills carry it, and people were told."""
    terms = _judged(terms, is_amount=promo.amount is not None)
    changes = audit.changes(promo, terms)
    if not changes:
        return
    with transaction.atomic():
        PromoCode.objects.filter(pk=promo.pk).update(**terms)
        audit.record(action=Action.PROMO_CODE_CHANGED, target=promo, by=by, data=changes)


def stop(*, promo: PromoCode, by: User) -> None:
    """Let a code count no more. Bills that carry it keep their discount."""
    _switch(promo, by, is_active=False)


def resume(*, promo: PromoCode, by: User) -> None:
    """Let a stopped code count again."""
    _switch(promo, by, is_active=True)


@transaction.atomic
def _switch(promo: PromoCode, by: User, *, is_active: bool) -> None:
    won = PromoCode.objects.filter(pk=promo.pk, is_active=not is_active).update(is_active=is_active)
    if not won:
        raise NotAllowedNow(_("This code counts already.") if is_active else _("This code is stopped already."))
    data = {"is_active": [str(not is_active), str(is_active)]}
    audit.record(action=Action.PROMO_CODE_CHANGED, target=promo, by=by, data=data)
    promo.is_active = is_active


def _judged(terms: dict[str, Any], *, is_amount: bool) -> dict[str, Any]:
    """The terms as they are kept."""
    first: date = terms["first_date"]
    last: date | None = terms.get("last_date")
    if last and last < first:
        raise Invalid(_("The last day is before the first one."), field="last_date")
    if is_amount and terms.get("cap") is not None:
        raise Invalid(_("Only a percentage needs a largest discount."), field="cap")
    return terms | {"description": one_line(terms.get("description", ""))}
