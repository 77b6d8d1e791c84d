"""Reports: looked at, asked for as a file, and taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.timezone import localdate, now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Permission, requires
from billing.forms.reports import Ask, Choice, this_month
from billing.models import Report
from billing.services import reporting
from billing.services.periods import DAY, financial_year_of
from billing.services.tables import Cell, Table, totals
from core import documents, money
from core.forms import refusals_on
from core.http import HospitalRequest
from core.menus import Item
from core.pages import divide, page

TONES: dict[str, str] = {
    Report.State.WAITING: "",
    Report.State.RUNNING: "info",
    Report.State.DONE: "ok",
    Report.State.FAILED: "bad",
}


@require_safe
@requires(Permission.MONEY_VIEW)
def index(request: HospitalRequest) -> HttpResponse:
    """A report over some days (?kind=, ?first=, ?last=), at a glance. Without any: the revenue of this month."""
    first, last = this_month()
    usual = {"kind": Report.Kind.REVENUE, "first": f"{first}", "last": f"{last}"}
    return _shown(request, Choice({**usual, **{name: value for name, value in request.GET.items() if value}}))


def _shown(request: HospitalRequest, form: Choice) -> HttpResponse:
    shown: list[reporting.Shown] = []
    if form.is_valid():
        wanted: dict[str, Any] = {name: form.cleaned_data[name] for name in ("kind", "first", "last")}
        with refusals_on(form):
            shown = reporting.preview(hospital=request.hospital, **wanted)
    kind = form.data.get("kind", "")
    context = {
        "form": form,
        "shown": [_table(one) for one in shown],
        "empty": [one.table.title for one in shown if not one.rows],
        "days": _days(request, **{name: form.cleaned_data[name] for name in ("first", "last")}) if shown else "",
        "kinds": _kinds(form),
        "periods": _periods(form),
        "formats": Report.Format.choices,
        "lacks_gstin": reporting.lacks_gstin(kind),
        "title": dict(Report.Kind.choices).get(kind, ""),
    }
    return page(request, "reports/report.html", context)


@dataclass(frozen=True)
class _Cell:
    """What stands in a table, under which head."""

    head: str
    text: str
    is_number: bool


def _table(shown: reporting.Shown) -> dict[str, Any]:
    table = shown.table
    return {
        "title": table.title,
        "labels": table.labels,
        "numbers": table.numbers,
        "rows": [_cells(table, [*row.labels, *row.numbers]) for row in shown.rows],
        "total": _cells(table, totals(table, shown.total)),
        "is_cut": shown.is_cut,
    }


def _cells(table: Table, cells: Sequence[Cell]) -> list[_Cell]:
    return [
        _Cell(head, _text(cell), is_number=index >= len(table.labels))
        for index, (head, cell) in enumerate(zip(table.heads, cells, strict=False))
    ]


def _text(cell: Cell) -> str:
    if isinstance(cell, Decimal):
        return money.shown(cell)
    return date_format(cell, "D j M Y") if isinstance(cell, date) else str(cell)


def _kinds(form: Choice) -> list[Item]:
    return [_link(form, str(label), kind=kind) for kind, label in Report.Kind.choices]


def _periods(form: Choice) -> list[Item]:
    """Days that are often asked for."""
    today = localdate()
    first = today.replace(day=1)
    last_month = first - DAY
    year = financial_year_of(today)
    choices: list[tuple[str, date, date]] = [
        (_("Today"), today, today),
        (_("This month"), first, today),
        (_("Last month"), last_month.replace(day=1), last_month),
        (_("This financial year"), year, today),
        (_("Last financial year"), financial_year_of(year - DAY), year - DAY),
    ]
    return [_link(form, label, first=f"{since}", last=f"{until}") for label, since, until in choices]


def _link(form: Choice, label: str, **asked: str) -> Item:
    """The same report but for what is asked."""
    kept = {name: form.data.get(name, "") for name in ("kind", "first", "last")}
    is_current = all(kept[name] == value for name, value in asked.items())
    return Item(label, "?" + urlencode({**kept, **asked}), "", current=is_current)


@require_POST
@requires(Permission.MONEY_VIEW)
def ask(request: HospitalRequest) -> HttpResponse:
    """Have the report made as a file."""
    form = Ask(request.POST)
    if form.is_valid():
        with refusals_on(form):
            reporting.ask(hospital=request.hospital, by=request.user, now=now(), **form.cleaned_data)
            return redirect("report_files")
    return _shown(request, form)


@require_safe
@requires(Permission.MONEY_VIEW)
def files(request: HospitalRequest) -> HttpResponse:
    """The files that were asked for, and how far they are. The list asks again by itself while one is being made."""
    rows = divide(request, Report.objects.select_related("created_by").newest_first())
    listed = [(report, TONES[report.state], _days(request, report.first_date, report.last_date)) for report in rows]
    is_moving = any(report.state in (Report.State.WAITING, Report.State.RUNNING) for report in rows)
    context = {"rows": rows, "listed": listed, "is_moving": is_moving}
    return page(request, "reports/files.html", context, part="files")


def _days(request: HospitalRequest, first: date, last: date) -> str:
    return reporting.period_of(request.hospital, first, last).words


@require_safe
@requires(Permission.MONEY_VIEW)
def take(request: HospitalRequest, code: UUID) -> FileResponse:
    """The file, to keep. That it was taken stands in the log."""
    report = get_object_or_404(Report, code=code, state=Report.State.DONE)
    reporting.opened(report=report, by=request.user)
    return documents.answer(
        path=report.path,
        name=reporting.file_name(request.hospital, report),
        content_type=reporting.content_type(report),
        is_kept=True,
    )


@require_POST
@requires(Permission.MONEY_VIEW)
def again(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Have a report made that failed."""
    report = get_object_or_404(Report, code=code)
    reporting.again(report=report, by=request.user, now=now())
    messages.success(request, _("The report is being made again."))
    return redirect("report_files")
