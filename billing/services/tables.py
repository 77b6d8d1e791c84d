"""The tables that reports are made of: revenue, payments by method, and refunds. They are read from the books."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncDate
from django.utils.translation import gettext as _

from billing.models import Account, Kind, Method, Posting, Refund
from billing.services.periods import Parts, Period
from hospitals.models import Department, Doctor

Cell = str | date | Decimal | int
NOTHING = Decimal()
TAXES = [Account.CGST, Account.SGST, Account.IGST]


class Row(NamedTuple):
    """A line of a table: what it is about, and numbers that can be added up.

    Lines with the same `key` are one, and stand in its order; without one the labels are it.
    """

    labels: tuple[Cell, ...]
    numbers: tuple[Decimal | int, ...]
    key: Any = None


@dataclass(frozen=True)
class Table:
    """A table of a report: `labels` stand over what a line is about, `numbers` over its numbers.

    `read` gives the lines of a part of the period, at most so many if it is told. A table that `is_list` has a line for
    each thing, as many as there are; in others the lines of all parts that have the same key are added up.
    """

    title: str
    labels: Sequence[str]
    numbers: Sequence[str]
    read: Callable[[Period, int | None], Iterable[Row]]
    parts: Parts = Parts.MONTHS
    is_list: bool = False
    has_total: bool = True

    @property
    def heads(self) -> list[str]:
        """What stands over the columns."""
        return [*self.labels, *self.numbers]

    def rows(self, parts: Iterable[Period], most: int | None = None) -> Iterator[Row]:
        """Its lines over these parts of a period. Of a list only the line at hand is kept in memory."""
        if self.is_list:
            for part in parts:
                yield from self.read(part, most)
        else:
            yield from _added_up(row for part in parts for row in self.read(part, None))


def _added_up(rows: Iterable[Row]) -> list[Row]:
    """Lines with the same key as one, in the order of the keys."""
    found: dict[Any, Row] = {}
    for row in rows:
        key = row.labels if row.key is None else row.key
        before = found.get(key)
        found[key] = row if before is None else Row(row.labels, plus(before.numbers, row.numbers), key)
    return [found[key] for key in sorted(found)]


def plus(one: Sequence[Decimal | int], other: Sequence[Decimal | int]) -> tuple[Decimal | int, ...]:
    """Numbers added up one by one."""
    return tuple(a + b for a, b in zip(one, other, strict=True))


def totals(table: Table, numbers: Sequence[Decimal | int]) -> list[Cell]:
    """The last line of a table, with what its numbers come to; nothing where they are not known or say nothing."""
    if not numbers or not table.has_total:
        return []
    return [_("Total"), *[""] * (len(table.labels) - 1), *numbers]


# --- Revenue ---------------------------------------------------------------------------------------------------------


def _revenue_heads() -> list[str]:
    return [_("Bills"), _("Billed"), _("Taken back"), _("Before tax"), _("GST"), _("Revenue with GST")]


def revenue_by_day() -> list[Table]:
    """What was billed and taken back on each day."""
    return [Table(_("Revenue by day"), [_("Day")], _revenue_heads(), _each_day)]


def revenue_by_doctor() -> list[Table]:
    """The same by whose visit or treatment it was."""
    return [Table(_("Revenue by doctor"), [_("Doctor")], _revenue_heads(), _each_doctor)]


def revenue_by_department() -> list[Table]:
    """The same by department."""
    return [Table(_("Revenue by department"), [_("Department")], _revenue_heads(), _each_department)]


def _each_day(part: Period, _most: int | None) -> Iterator[Row]:
    days = _billed(part).annotate(day=TruncDate("entry__happened_at", tzinfo=part.zone)).values("day")
    for found in _revenue(days):
        yield Row((found["day"],), _numbers(found))


def _each_doctor(part: Period, _most: int | None) -> Iterator[Row]:
    rows = list(_revenue(_billed(part).values(key=F("entry__invoice__doctor"))))
    doctors = Doctor.objects.select_related("user").in_bulk([row["key"] for row in rows if row["key"]])
    for row in rows:
        yield _about(doctors.get(row["key"]), _("Without a doctor"), row)


def _each_department(part: Period, _most: int | None) -> Iterator[Row]:
    rows = list(_revenue(_billed(part).values(key=F("entry__invoice__department"))))
    departments = Department.objects.in_bulk([row["key"] for row in rows if row["key"]])
    for row in rows:
        yield _about(departments.get(row["key"]), _("Without a department"), row)


def _about(whose: Doctor | Department | None, without: str, found: dict[str, Any]) -> Row:
    """A line by name; namesakes have one each, and what belongs to nobody stands last."""
    name = whose.name if whose else without
    return Row((name,), _numbers(found), (whose is None, name, whose.pk if whose else 0))


def _billed(part: Period) -> "QuerySet[Posting]":
    """What bills and credit notes of these days have done to the books."""
    kinds = [Kind.INVOICED, Kind.CREDITED]
    return during(part).filter(entry__kind__in=kinds).order_by()


def _revenue(rows: Any) -> Any:
    owed = Q(account=Account.RECEIVABLE)
    return rows.annotate(
        bills=Count("pk", filter=owed & Q(entry__kind=Kind.INVOICED)),
        billed=_sum("debit", owed),
        credited=_sum("credit", owed),
        before_tax=_sum(F("credit") - F("debit"), Q(account=Account.REVENUE)),
        tax=_sum(F("credit") - F("debit"), Q(account__in=TAXES)),
    )


def _numbers(found: dict[str, Any]) -> tuple[Decimal | int, ...]:
    before_tax, tax = found["before_tax"], found["tax"]
    return found["bills"], found["billed"], found["credited"], before_tax, tax, before_tax + tax


# --- Money that came and went ----------------------------------------------------------------------------------------


def payments_by_method() -> list[Table]:
    """What came in and went out by each method."""
    heads = [_("Payments"), _("Received"), _("Refunds"), _("Paid back"), _("Left")]
    return [Table(_("Payments by method"), [_("Method")], heads, _each_method)]


def _each_method(part: Period, _most: int | None) -> Iterator[Row]:
    for method, kind, times, amount in came_and_went(part):
        is_refund = kind == Kind.REFUND_PAID
        came, went = (NOTHING, amount) if is_refund else (amount, NOTHING)
        numbers = (0 if is_refund else times, came, times if is_refund else 0, went, came - went)
        yield Row((str(method.label),), numbers, list(Method).index(method))


def came_and_went(part: Period) -> list[tuple[Method, str, int, Decimal]]:
    """What was received and paid back by each method: how often, and how much. Insurers pay into the bank."""
    accounts = {method.account: method for method in Method}
    back = Q(entry__kind=Kind.REFUND_PAID, credit__gt=0)
    received = Q(entry__kind=Kind.RECEIVED, debit__gt=0)
    rows = during(part).filter((back | received) & Q(account__in=accounts) | insurers_money())
    sums = (
        rows.order_by().values_list("account", "entry__kind").annotate(n=Count("pk"), sum=Sum(F("debit") + F("credit")))
    )
    return [(accounts.get(account, Method.INSURANCE), kind, times, amount) for account, kind, times, amount in sums]


def insurers_money() -> Q:
    """Postings by which an insurer's money came in."""
    return Q(entry__kind=Kind.INSURER_PAID, account=Account.BANK)


def refunds() -> list[Table]:
    """How refunds stand, and each one that was paid."""
    labels = [_("Paid back"), _("Bill"), _("Receipt"), _("How"), _("Reference"), _("Reason")]
    return [
        Table(_("Refunds asked for in these days"), [_("Status")], [_("Refunds"), _("Amount")], _by_status),
        Table(
            _("Refunds paid in these days"),
            labels,
            [_("Amount")],
            _paid_refunds,
            Parts.DAYS,
            is_list=True,
        ),
    ]


def _by_status(part: Period, _most: int | None) -> Iterator[Row]:
    asked = Refund.objects.filter(created_at__gte=part.start, created_at__lt=part.end).order_by()
    words = dict(Refund.Status.choices)
    for status, times, amount in asked.values_list("status").annotate(n=Count("pk"), sum=Sum("amount")):
        yield Row((str(words[status]),), (times, amount), Refund.Status.values.index(status))


def _paid_refunds(part: Period, most: int | None) -> Iterator[Row]:
    paid = Refund.objects.filter(processed_at__gte=part.start, processed_at__lt=part.end)
    for refund in paid.select_related("invoice", "payment").order_by("processed_at", "pk")[:most]:
        paid_at = refund.processed_at or refund.created_at
        labels = (
            paid_at.astimezone(part.zone).date(),
            refund.invoice.reference,
            refund.payment.receipt_number,
            refund.get_method_display(),
            refund.reference or refund.gateway_id or "",
            refund.reason,
        )
        yield Row(labels, (refund.amount,))


# --- The parts -------------------------------------------------------------------------------------------------------


def during(part: Period) -> "QuerySet[Posting]":
    """What was written into the books in these days."""
    return Posting.objects.filter(entry__happened_at__gte=part.start, entry__happened_at__lt=part.end)


def _sum(what: Any, only: Q) -> Coalesce:
    return Coalesce(Sum(what, filter=only), NOTHING)
