"""Reports: looked at on a page, or made as a file in the background. They tell what the books and the papers say."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from tempfile import TemporaryFile
from time import monotonic
from typing import IO
from zoneinfo import ZoneInfo

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from audit.models import Action
from billing.models import BillingRules, Report
from billing.models.reports import Reports
from billing.services import tables, tax_tables
from billing.services.periods import Period
from billing.services.report_files import WRITERS
from billing.services.tables import Row, Table, plus
from core import documents
from core.errors import Invalid, NotAllowedNow
from core.queue import after_commit
from tenants.models import Hospital

logger = logging.getLogger(__name__)

MOST_DAYS = 366
MOST_SHOWN = 31  # lines of a table on a page; the file has all
_MOST_TRIES = 3
_A_MOMENT = timedelta(minutes=1)
_BEAT = 0.5  # seconds between two words about how far it is
_TYPES = {Report.Format.CSV: "text/csv; charset=utf-8", Report.Format.PDF: "application/pdf"}
_TABLES: dict[str, Callable[[], list[Table]]] = {
    Report.Kind.REVENUE: tables.revenue_by_day,
    Report.Kind.DOCTORS: tables.revenue_by_doctor,
    Report.Kind.DEPARTMENTS: tables.revenue_by_department,
    Report.Kind.METHODS: tables.payments_by_method,
    Report.Kind.REFUNDS: tables.refunds,
    Report.Kind.TAX: tax_tables.for_the_return,
}


def period_of(hospital: Hospital, first: date, last: date) -> Period:
    """These days on the hospital's calendar. Raises Invalid for days that are no period, or more than a year."""
    if last < first:
        raise Invalid(_("The last day is before the first."), field="last")
    period = Period(first, last, ZoneInfo(hospital.time_zone))
    if period.days > MOST_DAYS:
        raise Invalid(_("A report covers at most a year. Choose fewer days."), field="last")
    return period


def tables_of(kind: str) -> list[Table]:
    """The tables a report is made of."""
    return _TABLES[kind]()


# --- On a page -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """A table as a page shows it: its first lines, and what all lines come to, if that is known."""

    table: Table
    rows: list[Row]
    total: Sequence[Decimal | int]
    is_cut: bool


def preview(*, hospital: Hospital, kind: str, first: date, last: date) -> list[Shown]:
    """A report's tables at a glance. Raises Invalid for days that are no period, or more than a year."""
    period = period_of(hospital, first, last)
    return [_at_a_glance(table, period) for table in tables_of(kind)]


def _at_a_glance(table: Table, period: Period) -> Shown:
    rows = list(table.rows([period], MOST_SHOWN + 1))
    is_cut = len(rows) > MOST_SHOWN
    total: Sequence[Decimal | int] = ()
    if not (is_cut and table.is_list):
        for row in rows:
            total = plus(total, row.numbers) if total else row.numbers
    return Shown(table, rows[:MOST_SHOWN], total, is_cut)


def lacks_gstin(kind: str) -> bool:
    """Whether the report is for a return that the hospital, without a GSTIN, cannot file."""
    return kind == Report.Kind.TAX and not BillingRules.objects.get().gstin


# --- Asking for a file -----------------------------------------------------------------------------------------------


@transaction.atomic
def ask(*, hospital: Hospital, kind: str, file_format: str, first: date, last: date, by: User, now: datetime) -> Report:
    """Have a report made. While the same one is being made, whoever asks waits for that."""
    period_of(hospital, first, last)
    wanted = {"kind": kind, "format": file_format, "first_date": first, "last_date": last}
    [written] = Report.objects.bulk_create(
        [Report(**wanted, created_at=now, created_by=by)], ignore_conflicts=True
    )  # the database lets one of the same through
    report = Report.objects.filter(code=written.code).first()
    if report is None:
        return Report.objects.filter(**wanted).newest_first()[0]
    _record(Action.REPORT_ASKED, report, by)
    after_commit("billing.make_report", report_id=report.pk)
    return report


@transaction.atomic
def again(*, report: Report, by: User, now: datetime) -> None:
    """Have a report made that failed. Raises NotAllowedNow for any other, and while the same one is being made."""
    failed = Report.objects.filter(pk=report.pk, state=Report.State.FAILED)
    begun = {"state": Report.State.WAITING, "percent": 0, "error": "", "attempts": 0, "created_at": now}
    try:
        with transaction.atomic():
            is_mine = failed.update(**begun)
    except IntegrityError:  # the same one is being made already
        is_mine = 0
    if not is_mine:
        raise NotAllowedNow(_("This report is being made, or is ready. Look at the list again."))
    _record(Action.REPORT_ASKED, report, by)
    after_commit("billing.make_report", report_id=report.pk)
    report.refresh_from_db()


@transaction.atomic
def opened(*, report: Report, by: User) -> None:
    """Note that somebody takes the file."""
    _record(Action.REPORT_OPENED, report, by)


def file_name(hospital: Hospital, report: Report) -> str:
    """What the file is called on somebody's computer."""
    words = slugify(f"{hospital.slug} {report.kind} {report.first_date} {report.last_date}")
    return f"{words}.{report.format}"


def content_type(report: Report) -> str:
    """What the file is."""
    return _TYPES[Report.Format(report.format)]


def _record(action: Action, report: Report, by: User) -> None:
    days = {"first": str(report.first_date), "last": str(report.last_date)}
    audit.record(action=action, target=report, by=by, data={"format": report.format, **days})


# --- Making it -------------------------------------------------------------------------------------------------------


def make(*, hospital: Hospital, report: Report, now: datetime) -> None:
    """Make the file, unless somebody else does. What goes wrong stands in the list, where it can be asked for again."""
    free = Report.objects.free(now).filter(pk=report.pk)
    begun = {"state": Report.State.RUNNING, "began_at": now, "touched_at": timezone.now(), "percent": 0}
    if not free.update(attempts=F("attempts") + 1, **begun):
        return
    report.refresh_from_db()
    failure = _("The figures could not be put together. Ask for it again; if that fails too, tell your administrator.")
    try:
        with TemporaryFile() as file:
            _write(hospital, report, file)
            failure = _("The file could not be stored. Ask for it again in a few minutes.")
            path = default_storage.save(_path(hospital, report), File(file))
    except Exception:  # whatever it is, the person who waits is told
        logger.exception("Report %s could not be made.", report.code)
        _mine(report).update(state=Report.State.FAILED, error=failure, ended_at=timezone.now())
        return
    done = {"state": Report.State.DONE, "percent": 100, "path": path, "ended_at": timezone.now()}
    if not _mine(report).update(**done):  # it was given up, and somebody else has made it meanwhile
        documents.delete(path)


def _mine(report: Report) -> Reports:
    """The row, as long as nobody else has begun anew."""
    return Report.objects.filter(pk=report.pk, state=Report.State.RUNNING, attempts=report.attempts)


def _path(hospital: Hospital, report: Report) -> str:
    return f"{hospital.code}/reports/{report.code}-{report.attempts}.{report.format}"


def _write(hospital: Hospital, report: Report, file: IO[bytes]) -> None:
    """Write the file part by part, and tell how far it is."""
    period = period_of(hospital, report.first_date, report.last_date)
    wanted = tables_of(report.kind)
    cut = [list(period.parts(table.parts)) for table in wanted]
    progress = _Progress(report, parts=sum(map(len, cut)))
    filled = [(table, table.rows(progress.over(parts))) for table, parts in zip(wanted, cut, strict=True)]
    WRITERS[report.format](hospital=hospital, report=report, period=period, tables=filled, file=file)
    file.flush()
    file.seek(0)


class _Progress:
    """Says how far a report is, and that its worker lives."""

    def __init__(self, report: Report, *, parts: int) -> None:
        self.report, self.parts, self.done, self.told_at = report, parts, 0, monotonic()

    def over(self, parts: Sequence[Period]) -> Iterator[Period]:
        """Hand out the parts one by one, and note each that is done."""
        for part in parts:
            yield part
            self.done += 1
            if monotonic() - self.told_at > _BEAT:
                self.told_at = monotonic()
                percent = min(99, 100 * self.done // self.parts)
                _mine(self.report).update(percent=percent, touched_at=timezone.now())


# --- The clock -------------------------------------------------------------------------------------------------------


def sweep(*, now: datetime) -> None:
    """Have those made whose worker died or never heard of them. One that has ended three workers is given up."""
    free = Report.objects.free(now).filter(created_at__lte=now - _A_MOMENT)
    free.filter(attempts__gte=_MOST_TRIES).update(
        state=Report.State.FAILED,
        error=_("It was begun three times and never finished. Choose fewer days."),
        ended_at=now,
    )
    for pk in free.order_by("pk").values_list("pk", flat=True):
        after_commit("billing.make_report", report_id=pk)


def drop_old(*, now: datetime) -> None:
    """Forget reports after a month, with their files. They can be made anew at any time."""
    for report in Report.objects.too_old(now).order_by("pk")[:500]:
        if report.path:
            documents.delete(report.path)
        report.delete()
