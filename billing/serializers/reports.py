"""What the API tells of figures and reports."""

from decimal import Decimal
from typing import Any

from django.urls import reverse
from rest_framework import serializers

from billing.models import Report
from billing.services.figures import Span


def _money(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=14, decimal_places=2, **options)


class FiguresIn(serializers.Serializer[Any]):
    """How far back to look."""

    period = serializers.ChoiceField(choices=[(one.value, one.value) for one in Span], default=Span.TODAY)


class FlowOut(serializers.Serializer[Any]):
    """What moved in a time; `received_by_method` has the methods that were used."""

    received = _money(source="total")
    received_by_method = serializers.DictField(source="received", child=_money())
    billed = _money()
    credited = _money()
    refunded = _money()


class CountedOut(serializers.Serializer[Any]):
    """So many, and what they come to."""

    number = serializers.IntegerField()
    amount = _money()


class TriesOut(serializers.Serializer[Any]):
    """Tries to pay online that are over, and how many brought the money."""

    over = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    percent = serializers.IntegerField(allow_null=True)


class OwedOut(serializers.Serializer[Any]):
    """What patients owe: billed up to 7 days ago, 8 to 30 days ago, and longer ago."""

    total = _money(source="everything.amount")
    up_to_7_days = CountedOut(source="week")
    up_to_30_days = CountedOut(source="month")
    older = CountedOut()


class WaitingOut(serializers.Serializer[Any]):
    """What waits for somebody."""

    discounts_to_approve = serializers.IntegerField(source="discounts")
    refunds_open = CountedOut(source="refunds")
    refunds_to_approve = CountedOut(source="to_approve")
    refunds_to_pay_out = CountedOut(source="to_pay_out")
    refunds_on_their_way = CountedOut(source="on_their_way")
    refunds_failed = CountedOut(source="failed")
    discrepancies = CountedOut()
    cash_days_not_closed = serializers.IntegerField(source="cash_days")


class DayOut(serializers.Serializer[Any]):
    """One of the last 14 days."""

    date = serializers.DateField()
    desk = _money()
    online = _money()
    insurers = _money()
    billed = _money()
    refunded = _money()


class FiguresOut(serializers.Serializer[Any]):
    """How the hospital's money stands; `before` is as long a time earlier, up to the same time of day."""

    period = serializers.CharField(source="span")
    now = FlowOut()
    before = FlowOut()
    tries = TriesOut()
    tries_before = TriesOut()
    owed = OwedOut()
    awaiting_settlement = _money(source="unsettled")
    waiting = WaitingOut()
    days = DayOut(many=True)


class ReportChoice(serializers.Serializer[Any]):
    """Which report, over which days, both included: at most a year."""

    kind = serializers.ChoiceField(choices=Report.Kind.choices)
    first = serializers.DateField()
    last = serializers.DateField()


class ReportIn(ReportChoice):
    """The same as a file."""

    format = serializers.ChoiceField(choices=Report.Format.choices)


class TableOut(serializers.Serializer[Any]):
    """A table of a report: the first lines of it. Amounts are text with two decimals, days are ISO 8601.

    `total` stands under the last columns; it is empty where the lines are only the first ones of a list.
    """

    title = serializers.CharField(source="table.title")
    columns = serializers.ListField(source="table.heads", child=serializers.CharField())
    rows = serializers.SerializerMethodField()
    total = serializers.SerializerMethodField()
    is_cut = serializers.BooleanField()

    def get_rows(self, shown: Any) -> list[list[str | int]]:
        """Line by line."""
        return [_plain([*row.labels, *row.numbers]) for row in shown.rows]

    def get_total(self, shown: Any) -> list[str | int]:
        """What the numbers come to."""
        return _plain(shown.total) if shown.table.has_total else []


def _plain(cells: Any) -> list[str | int]:
    return [
        cell if isinstance(cell, int) else f"{cell:.2f}" if isinstance(cell, Decimal) else str(cell) for cell in cells
    ]


class ReportOut(serializers.ModelSerializer[Report]):
    """A report that was asked for, how far it is, and, as soon as it is ready, where its file is."""

    id = serializers.UUIDField(source="code")
    kind_display = serializers.CharField(source="get_kind_display")
    first = serializers.DateField(source="first_date")
    last = serializers.DateField(source="last_date")
    asked_by: serializers.StringRelatedField[Any] = serializers.StringRelatedField(source="created_by")
    file = serializers.SerializerMethodField()
    may = serializers.SerializerMethodField()

    class Meta:
        model = Report
        fields = [
            "id", "kind", "kind_display", "format", "first", "last", "state", "percent", "error", "asked_by",
            "created_at", "ended_at", "file", "may",
        ]  # fmt: skip

    def get_file(self, report: Report) -> str | None:
        """The address of the file; null until it is ready."""
        if report.state != Report.State.DONE:
            return None
        request = self.context["request"]
        address = reverse("api_report_file", args=[report.code], urlconf=getattr(request, "urlconf", None))
        return str(request.build_absolute_uri(address))

    def get_may(self, report: Report) -> list[str]:
        """What the caller may do with it now."""
        possible = {Report.State.DONE: ["take"], Report.State.FAILED: ["again"]}
        return possible.get(Report.State(report.state), [])
