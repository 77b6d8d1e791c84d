"""Discounts by hand, their limits and approval, and promo codes. No door gets past the cap."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from audit.models import Action
from billing.maths import spread
from billing.models import BillingRules, Invoice, InvoiceLine, PromoCode
from core.errors import Invalid, NotAllowedNow
from core.money import percent_of, shown


def judge(*, gross: Decimal, discount: Decimal, rules: BillingRules, what: str) -> bool:
    """Whether a discount by hand on a line needs approval. Raises Invalid, naming the line, for one above the cap."""
    most = percent_of(gross, rules.discount_cap_percent)
    if not 0 <= discount <= most:
        sentence = _("The discount on “%(what)s” can be at most %(most)s.")
        raise Invalid(sentence % {"what": what, "most": shown(most)}, field="discount")
    return discount > percent_of(gross, rules.discount_limit_percent)


def apply_promo(
    invoice: Invoice, lines: Sequence[InvoiceLine], word: str, *, rules: BillingRules, today: date
) -> PromoCode:
    """Take what the code gives off the lines, spread over them; together with discounts by hand never above the cap.

    Whoever uses a code waits for who uses it at this moment, so that it is never used too often.
    Raises Invalid with a sentence that says why the code does not count.
    """
    promo = PromoCode.objects.valid_on(today).filter(word=word.strip().upper()).locked().first()
    if promo is None:
        raise Invalid(_("This code does not exist, or does not count today."), field="promo_code")
    gross = sum((line.gross for line in lines), Decimal())
    _require_usable(promo, invoice, gross)
    # A draft may carry a discount from before the cap was lowered: on such a line there is no room at all.
    room = [max(percent_of(line.gross, rules.discount_cap_percent) - line.own_discount, Decimal()) for line in lines]
    worth = promo.amount if promo.amount is not None else percent_of(gross, promo.percent or 0)
    if promo.cap is not None:
        worth = min(worth, promo.cap)
    for line, part in zip(lines, spread(min(worth, sum(room, Decimal())), room), strict=True):
        line.promo_discount = part
    return promo


def _require_usable(promo: PromoCode, invoice: Invoice, gross: Decimal) -> None:
    if gross < promo.minimum:
        raise Invalid(
            _("This code counts on bills from %(minimum)s.") % {"minimum": shown(promo.minimum)}, field="promo_code"
        )
    uses = promo.invoices.exclude(status=Invoice.Status.CANCELLED).exclude(pk=invoice.pk)
    if promo.most_uses is not None and uses.count() >= promo.most_uses:
        raise Invalid(_("This code has been used up."), field="promo_code")
    if promo.most_uses_each is not None and uses.filter(patient=invoice.patient_id).count() >= promo.most_uses_each:
        raise Invalid(_("This patient has used this code already."), field="promo_code")


@transaction.atomic
def approve(*, invoice: Invoice, by: User, now: datetime) -> None:
    """Let a discount above the limit pass."""
    mine = _waiting(invoice)
    Invoice.objects.filter(pk=mine.pk).update(discount_approved_at=now, discount_approved_by=by)
    audit.record(action=Action.DISCOUNT_APPROVED, target=mine, by=by, data={"discount": str(mine.discount)})
    invoice.refresh_from_db()


@transaction.atomic
def decline(*, invoice: Invoice, by: User, reason: str) -> None:
    """Refuse it: the draft is dropped, and whoever wrote it reads why."""
    mine = _waiting(invoice)
    audit.record(action=Action.DISCOUNT_DECLINED, target=mine, by=by, reason=reason)
    audit.move(mine, Invoice.Status.CANCELLED, by=by, reason=reason)
    invoice.refresh_from_db()


def _waiting(invoice: Invoice) -> Invoice:
    mine = Invoice.objects.locked().get(pk=invoice.pk)
    if not Invoice.objects.awaiting_approval().filter(pk=mine.pk).exists():
        raise NotAllowedNow(_("This discount does not wait for approval any more."))
    return mine
