"""What does not match: on a list with an owner, until it repairs itself or somebody explains it."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import ROLES, Permission, Role
from audit import services as audit
from audit.models import Action
from billing import razorpay
from billing.models import Discrepancy, Payment, PaymentOrder, Refund
from billing.services import gateway, refunds
from core.errors import Invalid, NotAllowedNow
from hospitals.models import Staff
from tenants.models import Hospital

Kind = Discrepancy.Kind


# --- By the comparison -----------------------------------------------------------------------------------------------


def note(
    *,
    kind: Discrepancy.Kind,
    key: str,
    now: datetime,
    amount: Decimal | None = None,
    details: str = "",
    order: PaymentOrder | None = None,
    payment: Payment | None = None,
    refund: Refund | None = None,
) -> None:
    """Put something that does not match on the list. What is on it already only tells its news.

    What somebody has explained stays off the list as long as the amount is the one that was explained.
    """
    about = Discrepancy.objects.filter(kind=kind, key=key[:120])
    if about.open().update(amount=amount, details=details[:300]):
        return
    if about.explained().filter(resolved_by__isnull=False, amount=amount).exists():
        return
    row = Discrepancy(
        kind=kind,
        key=key[:120],
        amount=amount,
        details=details[:300],
        order=order,
        payment=payment,
        refund=refund,
        found_at=now,
    )
    Discrepancy.objects.bulk_create([row], ignore_conflicts=True)


def heal(*, kind: Discrepancy.Kind, key: str, now: datetime) -> bool:
    """Take off the list what matches by now; tell whether it was on it."""
    return _heal_all(Q(kind=kind, key=key[:120]), now) > 0


def heal_others(*, kind: Discrepancy.Kind, still: Collection[str], now: datetime) -> int:
    """Take off the list whatever of this kind was not found again; return how many. For a look at everything there is."""
    return _heal_all(Q(kind=kind) & ~Q(key__in=[key[:120] for key in still]), now)


@transaction.atomic
def _heal_all(which: Q, now: datetime) -> int:
    healed = 0
    for row in Discrepancy.objects.open().filter(which).order_by("pk"):
        healed += _resolve(row, by=None, explanation=_("It matches by now."), now=now)
    return healed


# --- By people -------------------------------------------------------------------------------------------------------


def keepers() -> list[Staff]:
    """Who can look after what does not match: those who see all money."""
    roles = [role for role in Role if Permission.MONEY_VIEW in ROLES[role]]
    return list(Staff.objects.working().filter(role__in=roles).by_name())


@transaction.atomic
def take(*, discrepancy: Discrepancy, owner: User, by: User) -> None:
    """Look after it, or have a colleague do so who sees all money, too."""
    if owner.pk not in [staff.user_id for staff in keepers()]:
        raise Invalid(_("Choose a colleague who sees all money."), field="owner")
    if not Discrepancy.objects.open().filter(pk=discrepancy.pk).update(owner=owner):
        raise _over(discrepancy)
    data = {"owner": owner.pk}
    audit.record(action=Action.DISCREPANCY_TAKEN, target=discrepancy, by=by, data=data)
    discrepancy.owner = owner


@transaction.atomic
def resolve(*, discrepancy: Discrepancy, by: User, explanation: str, now: datetime) -> None:
    """Take it off the list with a word of explanation, which is kept."""
    if not explanation.strip():
        raise Invalid(_("Say in a sentence how it came about."), field="explanation")
    if not _resolve(discrepancy, by=by, explanation=explanation.strip(), now=now):
        raise _over(discrepancy)


def book_refund(*, hospital: Hospital, discrepancy: Discrepancy, by: User, explanation: str, now: datetime) -> None:
    """Take a refund that was made in the gateway's dashboard into the books, and off the list.

    The gateway is asked what it has refunded; raises NotAllowedNow while it does not answer.
    """
    payment = discrepancy.payment
    if discrepancy.kind != Kind.UNKNOWN_REFUND or payment is None or not discrepancy.is_open:
        raise _over(discrepancy)
    try:
        keys = gateway.keys_of(payment.order)
        found = razorpay.fetch_refund(keys, payment.gateway_id or "", discrepancy.key)
    except (razorpay.Unreachable, razorpay.Refused) as fault:
        raise NotAllowedNow(_("Razorpay does not answer about this refund now. Try again in a minute.")) from fault
    with transaction.atomic():
        refund = refunds.adopt(hospital=hospital, payment=payment, found=found, reason=explanation, by=by, now=now)
        Discrepancy.objects.filter(pk=discrepancy.pk).update(refund=refund)
        resolve(discrepancy=discrepancy, by=by, explanation=explanation, now=now)


def _resolve(row: Discrepancy, *, by: User | None, explanation: str, now: datetime) -> bool:
    mine = Discrepancy.objects.open().filter(pk=row.pk)
    if not mine.update(resolved_at=now, resolved_by=by, resolution=explanation[:300]):
        return False
    data = {"kind": row.kind, "amount": str(row.amount or "")}
    audit.record(action=Action.DISCREPANCY_RESOLVED, target=row, by=by, reason=explanation, data=data)
    row.refresh_from_db()
    return True


def _over(discrepancy: Discrepancy) -> NotAllowedNow:
    return NotAllowedNow(audit.already(discrepancy) or _("This is explained already. Look at it again."))
