"""A clerk's cash day: opened with a counted float, closed with a count, and what is missing or too much is booked."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import models, transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from audit.models import Action
from billing.models import Account, CashDay, Kind, Method, Payment, Refund
from billing.services import ledger
from core.errors import Conflict, Invalid, NotAllowedNow
from core.money import shown


@dataclass(frozen=True)
class Sum:
    """What came and went by one method on a clerk's day."""

    method: Method
    taken: Decimal
    payments: int
    paid_out: Decimal
    refunds: int

    @property
    def left(self) -> Decimal:
        """What came less what went."""
        return self.taken - self.paid_out


@dataclass(frozen=True)
class Movement:
    """Money that came in on a clerk's day, or went out: then `amount` is less than nothing."""

    at: datetime
    amount: Decimal
    method: Method
    thing: Payment | Refund

    @property
    def is_refund(self) -> bool:
        """Whether it went out."""
        return isinstance(self.thing, Refund)


@transaction.atomic
def open_day(*, clerk: User, opening_float: Decimal, now: datetime) -> CashDay:
    """Begin to take cash, with what is in the drawer already. A clerk has one open day at a time."""
    if opening_float < 0:
        raise Invalid(_("The cash at the start cannot be less than nothing."), field="opening_float")
    day = CashDay(clerk=clerk, opening_float=opening_float, opened_at=now)
    [written] = CashDay.objects.bulk_create([day], ignore_conflicts=True)
    found = CashDay.objects.filter(code=written.code).first()
    if found is None:
        raise NotAllowedNow(_("Your cash day is open already. Close it first."))
    data = {"opening_float": str(opening_float)}
    audit.record(action=Action.CASH_DAY_OPENED, target=found, by=clerk, new=found.status, data=data)
    return found


def day_for(*, clerk: User, method: Method) -> CashDay | None:
    """The clerk's open day, kept open until the transaction ends: cash needs one, other money is listed in it.

    Raises NotAllowedNow for cash without one, also when it was closed a moment ago.
    """
    day = CashDay.objects.filter(clerk=clerk, status=CashDay.Status.OPEN).locked().first()
    if day is None and method == Method.CASH:
        raise NotAllowedNow(_("Open your cash day first: count the cash you begin with."), field="method")
    return day


def expected_in(day: CashDay) -> Decimal:
    """What should be in the drawer: the float, and the cash that came and went since."""
    cash = next((one for one in sums_of(day) if one.method == Method.CASH), None)
    return day.opening_float + (cash.left if cash else Decimal())


def sums_of(day: CashDay) -> list[Sum]:
    """What came and went by each method that was used, in the methods' order."""
    came = day.payments.captured().order_by().values_list("method").annotate(sum=models.Sum("amount"), n=Count("pk"))
    went = day.refunds.order_by().values_list("method").annotate(sum=models.Sum("amount"), n=Count("pk"))
    taken, paid_out = ({row[0]: row[1:] for row in rows} for rows in (came, went))
    nothing = (Decimal(), 0)
    return [
        Sum(method, *taken.get(method, nothing), *paid_out.get(method, nothing))
        for method in Method
        if method in taken or method in paid_out
    ]


def movements_of(day: CashDay, last: int | None = None) -> list[Movement]:
    """What came and went on a day, the latest first; all of it, or the last so many."""
    came = day.payments.captured().select_related("invoice__patient").order_by("-captured_at", "-pk")
    went = day.refunds.select_related("invoice__patient", "payment").order_by("-processed_at", "-pk")
    found = [Movement(one.captured_at or day.opened_at, one.amount, Method(one.method), one) for one in came[:last]]
    found += [Movement(one.processed_at or day.opened_at, -one.amount, Method(one.method), one) for one in went[:last]]
    return sorted(found, key=lambda movement: movement.at, reverse=True)[:last]


@transaction.atomic
def close_day(
    *, day: CashDay, counted: Decimal, note: str, by: User, now: datetime, seen: Decimal | None = None
) -> None:
    """Close it with what was counted. A difference is booked, and needs a word of explanation.

    `seen` is what the clerk was told is expected: Conflict if money came or went since they counted.
    """
    if counted < 0:
        raise Invalid(_("The cash you count cannot be less than nothing."), field="counted")
    mine = CashDay.objects.locked().get(pk=day.pk)
    if mine.status != CashDay.Status.OPEN:
        raise NotAllowedNow(audit.already(mine))
    expected = expected_in(mine)
    if seen is not None and seen != expected:
        raise Conflict(
            _("Cash came or went while you counted: %(expected)s are expected now. Count again.")
            % {"expected": shown(expected)},
            field="counted",
        )
    difference = counted - expected
    if difference and not note:
        raise Invalid(_("Say in a word why the count differs."), field="note")
    also = {"expected": expected, "counted": counted, "note": note, "closed_at": now}
    data = {"expected": str(expected), "counted": str(counted)}
    audit.move(mine, CashDay.Status.CLOSED, by=by, also=also, reason=note, data=data)
    if difference:
        over, short = max(difference, Decimal()), max(-difference, Decimal())
        ledger.post(
            kind=Kind.COUNTED,
            source=f"cash_day:{mine.code}",
            at=now,
            by=by,
            invoice=None,
            debit={Account.CASH: over, Account.CASH_DIFFERENCE: short},
            credit={Account.CASH_DIFFERENCE: over, Account.CASH: short},
        )
    day.refresh_from_db()
