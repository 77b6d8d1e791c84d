"""Reports as files: tables for spreadsheets, and documents to print."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import IO, Any, Protocol

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from billing.models import BillingRules, Report
from billing.services.periods import Period
from billing.services.tables import Cell, Row, Table, plus, totals
from core import spreadsheets
from core.colour import accent_tokens
from core.money import exact, rupees
from core.typesetting import pdf
from tenants.models import Hospital

MOST_PRINTED = 1000  # lines of a table on paper
Filled = Sequence[tuple[Table, Iterator[Row]]]


class Writer(Protocol):
    """Puts tables into a file."""

    def __call__(self, *, hospital: Hospital, report: Report, period: Period, tables: Filled, file: IO[bytes]) -> None:
        """Write them."""


def write_csv(*, hospital: Hospital, report: Report, period: Period, tables: Filled, file: IO[bytes]) -> None:
    """One table after the other, each line written as soon as it is read."""
    for line in _lines(tables):
        file.write(line.encode())


def _lines(tables: Filled) -> Iterator[str]:
    yield spreadsheets.MARK
    for index, (table, rows) in enumerate(tables):
        if len(tables) > 1:
            yield ("\r\n" if index else "") + spreadsheets.line([table.title])
        yield spreadsheets.line(table.heads)
        sums = _Sums(table)
        for row in sums.over(rows):
            yield spreadsheets.line(map(_plain, [*row.labels, *row.numbers]))
        if sums.line:
            yield spreadsheets.line(map(_plain, sums.line))


def _plain(cell: Cell) -> Cell:
    if isinstance(cell, Decimal):
        return rupees(cell)
    return cell.isoformat() if isinstance(cell, date) else cell


def write_pdf(*, hospital: Hospital, report: Report, period: Period, tables: Filled, file: IO[bytes]) -> None:
    """A document on wide paper. Of a very long list only the beginning is printed, and it says so."""
    made_at = timezone.localtime(timezone.now(), period.zone)
    rules = BillingRules.objects.get()
    title = report.get_kind_display()
    data = {
        "language": (get_language() or "en").partition("-")[0],
        "accent": accent_tokens(hospital.accent, "light")["accent-text"],
        "soft": accent_tokens(hospital.accent, "light")["accent-soft"],
        "seller": rules.legal_name or hospital.name,
        "gstin": _("GSTIN %(number)s") % {"number": rules.gstin} if rules.gstin else "",
        "name": f"{title}, {period.words}",
        "title": title,
        "period": period.words,
        "made": _("Made on %(day)s at %(time)s.")
        % {"day": date_format(made_at, "j F Y"), "time": date_format(made_at, "H:i")},
        "tables": [_printed(table, rows) for table, rows in tables],
        "said": {"page": _("Page"), "of": _("of"), "rupees": _("Amounts are in rupees.")},
    }
    file.write(pdf("report", data, at=made_at))


def _printed(table: Table, rows: Iterator[Row]) -> dict[str, Any]:
    sums = _Sums(table)
    kept: list[list[str]] = []
    for row in sums.over(rows):
        if len(kept) < MOST_PRINTED:
            kept.append([*map(_printable, row.labels), *map(_printable, row.numbers)])
    remark = _("Nothing in these days.") if not kept else ""
    if sums.rows > len(kept):
        remark = _("Here are the first %(most)s of %(all)s lines. The table (CSV) has all of them.") % {
            "most": len(kept),
            "all": sums.rows,
        }
    return {
        "title": table.title,
        "heads": table.heads,
        "labels": len(table.labels),
        "rows": kept,
        "total": [*map(_printable, sums.line)],
        "remark": remark,
    }


def _printable(cell: Cell) -> str:
    if isinstance(cell, Decimal):
        return exact(cell)
    return date_format(cell, "j M Y") if isinstance(cell, date) else str(cell)


class _Sums:
    """Adds the numbers of lines up while they pass."""

    def __init__(self, table: Table) -> None:
        self.table, self.rows = table, 0
        self.numbers: Sequence[Decimal | int] = ()

    def over(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The lines, one by one."""
        for row in rows:
            self.rows += 1
            self.numbers = plus(self.numbers, row.numbers) if self.numbers else row.numbers
            yield row

    @property
    def line(self) -> list[Cell]:
        """The last line of the table; none under an empty one."""
        return totals(self.table, self.numbers)


WRITERS: dict[str, Writer] = {Report.Format.CSV: write_csv, Report.Format.PDF: write_pdf}
