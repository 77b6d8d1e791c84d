"""How the hospital's money stands: what came in, was billed and went back, what is owed, and what waits for somebody.

Amounts come from the books, in a fixed number of queries however much there is.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, CharField, Count, F, Q, QuerySet, Sum, Value, When
from django.db.models.functions import TruncDate

from billing.models import (
    Account,
    CashDay,
    Discrepancy,
    Invoice,
    Kind,
    Method,
    Payment,
    Posting,
    Refund,
)
from billing.services.periods import DAY, midnight
from billing.services.tables import insurers_money
from tenants.models import Hospital

NOTHING = Decimal()
CHART_DAYS = 14
_ACCOUNTS = {method.account: method for method in Method}
# A bill on which something may be owed; one that was paid in part and refunded in part may be, too.
_MAY_BE_OWED = [
    Invoice.Status.UNPAID,
    Invoice.Status.PARTIALLY_PAID,
    Invoice.Status.PARTIALLY_REFUNDED,
    Invoice.Status.REFUNDED,
]


class Span(StrEnum):
    """How far back to look, today included."""

    TODAY = "today"
    WEEK = "7"
    DAYS_30 = "30"
    MONTH = "month"


@dataclass(frozen=True)
class Window:
    """From a moment up to another one."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Flow:
    """What moved in a window: received by method, billed and credited, and refunds paid."""

    received: dict[Method, Decimal]
    billed: Decimal
    credited: Decimal
    refunded: Decimal

    @property
    def total(self) -> Decimal:
        """Everything that was received."""
        return sum(self.received.values(), NOTHING)


@dataclass(frozen=True)
class Counted:
    """So many, and what they come to."""

    number: int
    amount: Decimal

    def __add__(self, other: "Counted") -> "Counted":
        return Counted(self.number + other.number, self.amount + other.amount)


@dataclass(frozen=True)
class Owed:
    """What patients owe, by how long ago they were billed."""

    week: Counted  # up to 7 days
    month: Counted  # 8 to 30 days
    older: Counted

    @property
    def everything(self) -> Counted:
        """All bills on which something is owed."""
        return self.week + self.month + self.older


@dataclass(frozen=True)
class Tries:
    """How patients fared who paid online: tries that are over, and how many of them brought the money."""

    over: int
    succeeded: int

    @property
    def percent(self) -> int | None:
        """In percent; None where nobody tried."""
        return round(100 * self.succeeded / self.over) if self.over else None


@dataclass(frozen=True)
class Day:
    """One day of the chart."""

    date: date
    desk: Decimal
    online: Decimal
    insurers: Decimal
    billed: Decimal
    refunded: Decimal

    @property
    def received(self) -> Decimal:
        """What came in, whichever way."""
        return self.desk + self.online + self.insurers


@dataclass(frozen=True)
class Waiting:
    """What waits for somebody."""

    discounts: int
    to_approve: Counted  # refunds, as the next three
    to_pay_out: Counted
    on_their_way: Counted
    failed: Counted
    discrepancies: Counted
    cash_days: int

    @property
    def refunds(self) -> Counted:
        """All refunds that somebody still has to do something about, or wait for."""
        return self.to_approve + self.to_pay_out + self.on_their_way + self.failed

    @property
    def is_nothing(self) -> bool:
        """Whether nobody has to do anything."""
        mine = (self.to_approve, self.to_pay_out, self.failed, self.discrepancies)
        return not any((self.discounts, self.cash_days, *(one.number for one in mine)))


@dataclass(frozen=True)
class Figures:
    """The whole picture at a moment. `before` is as long a time earlier, up to the same time of day."""

    span: Span
    now: Flow
    before: Flow
    tries: Tries
    tries_before: Tries
    owed: Owed
    unsettled: Decimal
    days: list[Day]
    waiting: Waiting


def of(*, hospital: Hospital, span: Span, now: datetime) -> Figures:
    """The hospital's figures as they stand now."""
    zone = ZoneInfo(hospital.time_zone)
    local = now.astimezone(zone)
    present, before = windows(span, local, zone)
    flows = _flows(present, before)
    tries = _tries(present, before)
    return Figures(
        span=span,
        now=flows[True],
        before=flows[False],
        tries=tries[True],
        tries_before=tries[False],
        owed=_owed(local.date()),
        unsettled=Posting.objects.on(Account.GATEWAY).balance(),
        days=_days(local, zone),
        waiting=_waiting(midnight(local.date(), zone)),
    )


def windows(span: Span, now: datetime, zone: ZoneInfo) -> tuple[Window, Window]:
    """The time asked for up to now, and what it is compared with, up to the same time of day. `now` is local."""
    today = now.date()
    if span == Span.MONTH:
        first = today.replace(day=1)
        past = first - DAY
        same_day = past.replace(day=min(today.day, monthrange(past.year, past.month)[1]))
        earlier = Window(midnight(past.replace(day=1), zone), _at(same_day, now))
        return Window(midnight(first, zone), now), earlier
    days = timedelta(days=1 if span == Span.TODAY else int(span))
    first = today - days + DAY
    return Window(midnight(first, zone), now), Window(midnight(first - days, zone), _at(today - days, now))


def _at(day: date, now: datetime) -> datetime:
    """The same time of day, another day."""
    return datetime.combine(day, now.timetz())


# --- What moved ------------------------------------------------------------------------------------------------------


def _moved() -> "QuerySet[Posting]":
    """Postings that tell of money received, billed, credited or given back: one of each such entry."""
    is_ours = (
        Q(entry__kind=Kind.RECEIVED, account__in=_ACCOUNTS, debit__gt=0)
        | insurers_money()
        | Q(entry__kind=Kind.REFUND_PAID, account__in=_ACCOUNTS, credit__gt=0)
        | Q(entry__kind__in=[Kind.INVOICED, Kind.CREDITED], account=Account.RECEIVABLE)
    )
    return Posting.objects.filter(is_ours).order_by()


def _flows(present: Window, before: Window) -> dict[bool, Flow]:
    rows = _moved().filter(_in(present, "entry__happened_at") | _in(before, "entry__happened_at"))
    sums = rows.values_list(_is_present(present, "entry__happened_at"), "entry__kind", "account")
    found: dict[bool, list[tuple[str, str, Decimal]]] = defaultdict(list)
    for is_present, kind, account, amount in sums.annotate(sum=Sum(F("debit") + F("credit"))):
        found[is_present].append((kind, account, amount))
    return {is_present: _flow(found[is_present]) for is_present in (True, False)}


def _flow(rows: Iterable[tuple[str, str, Decimal]]) -> Flow:
    received: dict[Method, Decimal] = dict.fromkeys(Method, NOTHING)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for kind, account, amount in rows:
        if kind in (Kind.RECEIVED, Kind.INSURER_PAID):
            received[_ACCOUNTS.get(Account(account), Method.INSURANCE)] += amount
        else:
            sums[kind] += amount
    return Flow(
        received={method: amount for method, amount in received.items() if amount},
        billed=sums[Kind.INVOICED],
        credited=sums[Kind.CREDITED],
        refunded=sums[Kind.REFUND_PAID],
    )


def _days(now: datetime, zone: ZoneInfo) -> list[Day]:
    first = now.date() - (CHART_DAYS - 1) * DAY
    rows = _moved().filter(entry__happened_at__gte=midnight(first, zone), entry__happened_at__lte=now)
    days: dict[date, list[tuple[str, str, Decimal]]] = defaultdict(list)
    sums = rows.values_list(TruncDate("entry__happened_at", tzinfo=zone), "entry__kind", "account")
    for day, kind, account, amount in sums.annotate(sum=Sum(F("debit") + F("credit"))):
        days[day].append((kind, account, amount))
    return [_day(day, _flow(days[day])) for day in (first + number * DAY for number in range(CHART_DAYS))]


def _day(day: date, flow: Flow) -> Day:
    online, insurers = (flow.received.get(method, NOTHING) for method in (Method.ONLINE, Method.INSURANCE))
    return Day(day, flow.total - online - insurers, online, insurers, flow.billed, flow.refunded)


def _tries(present: Window, before: Window) -> dict[bool, Tries]:
    """Tries that were begun in the windows, as far as they are over."""
    begun = Payment.objects.filter(_in(present, "created_at") | _in(before, "created_at"), method=Method.ONLINE)
    over = begun.exclude(status__in=[Payment.Status.CREATED, Payment.Status.AUTHORIZED])
    succeeded = Count("pk", filter=Q(status=Payment.Status.CAPTURED))
    rows = over.order_by().values_list(_is_present(present, "created_at")).annotate(n=Count("pk"), succeeded=succeeded)
    found = {is_present: Tries(number, paid) for is_present, number, paid in rows}
    return {is_present: found.get(is_present, Tries(0, 0)) for is_present in (True, False)}


def _in(window: Window, column: str) -> Q:
    return Q(**{f"{column}__gte": window.start, f"{column}__lte": window.end})


def _is_present(present: Window, column: str) -> Case:
    return Case(When(**{f"{column}__gte": present.start}, then=True), default=False)


# --- What stands open ------------------------------------------------------------------------------------------------


def _owed(today: date) -> Owed:
    age = Case(
        When(issue_date__gte=today - 7 * DAY, then=Value("week")),
        When(issue_date__gte=today - 30 * DAY, then=Value("month")),
        default=Value("older"),
        output_field=CharField(),
    )
    bills: Any = Invoice.objects.filter(status__in=_MAY_BE_OWED).with_owed()
    rows = (
        bills.filter(owed__gt=0)
        .annotate(age=age)
        .order_by()
        .values_list("age")
        .annotate(n=Count("pk"), sum=Sum("owed"))
    )
    found = {name: Counted(number, amount) for name, number, amount in rows}
    return Owed(**{name: found.get(name, Counted(0, NOTHING)) for name in ("week", "month", "older")})


def _waiting(midnight_today: datetime) -> Waiting:
    discrepancies: dict[str, Any] = Discrepancy.objects.open().aggregate(n=Count("pk"), sum=Sum("amount"))
    return Waiting(
        discounts=Invoice.objects.awaiting_approval().count(),
        **_open_refunds(),
        discrepancies=Counted(discrepancies["n"], discrepancies["sum"] or NOTHING),
        cash_days=CashDay.objects.filter(status=CashDay.Status.OPEN, opened_at__lt=midnight_today).count(),
    )


def _open_refunds() -> dict[str, Counted]:
    found = dict.fromkeys(("to_approve", "to_pay_out", "on_their_way", "failed"), Counted(0, NOTHING))
    rows = Refund.objects.open().order_by().values_list("status", "method").annotate(n=Count("pk"), sum=Sum("amount"))
    for status, method, number, amount in rows:
        found[_standing(status, method)] += Counted(number, amount)
    return found


def _standing(status: str, method: str) -> str:
    if status == Refund.Status.REQUESTED:
        return "to_approve"
    if status == Refund.Status.APPROVED and method != Method.ONLINE:
        return "to_pay_out"
    return "failed" if status == Refund.Status.FAILED else "on_their_way"
