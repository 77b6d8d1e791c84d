"""Files of reports: what stands in them, how they are made in the background, taken, repeated and forgotten."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
import pytest_django
from django.core.files.storage import default_storage
from django.test import Client
from django.utils.timezone import localdate, now
from pypdf import PdfReader

from accounts.models import User
from audit.models import Action, AuditLog
from billing import tasks
from billing.models import Invoice, Method, Payment, Report
from billing.services import refunds, report_files, reporting
from billing.services.invoices import Charge
from billing.services.periods import Parts
from billing.services.tables import Row, Table
from core.errors import NotAllowedNow
from core.schemas import schema_context
from tenants.models import Hospital
from tests.billing.random_run import GSTIN
from tests.billing.reports import API, FILES, PAGE, asked, made, table

Make = Callable[..., Invoice]
Paid = Callable[..., Payment]


@pytest.fixture(autouse=True)
def media(settings: pytest_django.Settings, tmp_path: Any) -> Any:
    """Files go where they are thrown away."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The reports whose making was asked for."""
    sent: list[int] = []
    monkeypatch.setattr(reporting, "after_commit", lambda _task, *, report_id: sent.append(report_id))
    return sent


# --- The file --------------------------------------------------------------------------------------------------------


def test_the_table_has_a_total(in_cedar: Hospital, hari: User, bill: Make) -> None:
    bill()
    bill(Charge("Paracetamol", Decimal(100), category="medicine"))
    assert table(made(in_cedar, hari)) == [
        ["Day", "Bills", "Billed", "Taken back", "Before tax", "GST", "Revenue with GST"],
        [f"{localdate()}", "2", "805.00", "0.00", "800.00", "5.00", "805.00"],
        ["Total", "2", "805.00", "0.00", "800.00", "5.00", "805.00"],
    ]


def test_a_return_has_one_table_after_the_other(in_cedar: Hospital, hari: User, bill: Make) -> None:
    bill(Charge("Paracetamol", Decimal(100), category="medicine"), bill_to_gstin=GSTIN, bill_to="Acme")
    lines = table(made(in_cedar, hari, kind="tax"))
    start = lines.index(["Taxed bills to businesses with a GSTIN (4)"])
    row = lines[start + 2]
    assert row[:2] == [GSTIN, "Acme"]
    assert row[4:] == ["Maharashtra", "105.00", "5 %", "100.00", "2.50", "2.50", "0.00"]
    assert ["Documents issued (13)"] in lines


def test_a_large_bill_to_another_state_is_listed_by_itself(in_cedar: Hospital, hari: User, bill: Make) -> None:
    large = Charge("Surgery", Decimal(100_001), category="other")
    bill(large, place_of_supply="KA")
    lines = table(made(in_cedar, hari, kind="tax"))
    start = lines.index(["Taxed bills above ₹1,00,000 to patients of other states (5)"])
    assert lines[start + 2][3:] == ["Karnataka", "118001.18", "18 %", "100001.00", "0.00", "0.00", "18000.18"]


def test_no_text_becomes_a_formula(in_cedar: Hospital, hari: User, meena: User, paid: Paid) -> None:
    refund = refunds.ask(
        hospital=in_cedar, payment=paid(Method.CARD), amount=Decimal(5), reason="=1+1", by=meena, may_approve=True,
        now=now(),
    )  # fmt: skip
    refunds.pay_out(refund=refund, method=Method.CARD, reference="@x", by=meena, now=now())
    lines = table(made(in_cedar, hari, kind="refunds"))
    assert lines[-2][4:] == ["'@x", "'=1+1", "5.00"]


def test_the_document_can_be_read_aloud(in_cedar: Hospital, hari: User, bill: Make) -> None:
    bill()
    report = made(in_cedar, hari, kind="tax", file_format="pdf")
    with default_storage.open(report.path) as file:
        reader = PdfReader(BytesIO(file.read()))
    words = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in reader.pages))
    assert "Tax summary for the GST return" in words
    assert "999312" in words
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]  # type: ignore[index]


def test_of_a_very_long_list_the_document_prints_the_beginning(
    in_cedar: Hospital, hari: User, bill: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_files, "MOST_PRINTED", 1)
    for _number in range(2):
        bill(Charge("Paracetamol", Decimal(100), category="medicine"), bill_to_gstin=GSTIN)
    report = made(in_cedar, hari, kind="tax", file_format="pdf")
    with default_storage.open(report.path) as file:
        words = " ".join(page.extract_text() for page in PdfReader(BytesIO(file.read())).pages)
    assert "Here are the first 1 of 2 lines." in re.sub(r"\s+", " ", words)


def test_a_list_is_written_without_being_held_in_memory(in_cedar: Hospital, hari: User) -> None:
    """A day is the most that is read at once, and a line is written before the next day is read."""
    read: list[date] = []

    def rows(part: Any, _most: int | None) -> Any:
        read.append(part.first)
        yield Row((part.first,), (1,))

    days = reporting.period_of(in_cedar, date(2026, 1, 1), date(2026, 1, 5))
    lists = Table("List", ["Day"], ["Number"], rows, Parts.DAYS, is_list=True)
    lines = lists.rows(days.parts(lists.parts))
    next(lines)
    assert read == [date(2026, 1, 1)]
    next(lines)
    assert read == [date(2026, 1, 1), date(2026, 1, 2)]


def test_progress_is_told_while_it_is_made(in_cedar: Hospital, hari: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "_BEAT", -1)
    seen: list[int] = []
    write = report_files.WRITERS["csv"]

    def watch(**arguments: Any) -> None:
        [(one, rows)] = arguments["tables"][1:]
        arguments["tables"] = [arguments["tables"][0], (one, _watched(rows))]
        write(**arguments)
        seen.append(Report.objects.get().percent)

    def _watched(rows: Any) -> Any:
        seen.append(Report.objects.get().percent)
        yield from rows

    monkeypatch.setitem(report_files.WRITERS, "csv", watch)
    made(in_cedar, hari, kind="refunds", first=date(2026, 1, 1), last=date(2026, 1, 31))
    assert seen == [3, 99]


# --- Taking it -------------------------------------------------------------------------------------------------------


def test_the_file_is_served_to_be_kept_and_not_by_others(cedar_hari: Client, in_cedar: Hospital, hari: User) -> None:
    report = made(in_cedar, hari, kind="methods")
    for address in (f"{PAGE}{report.code}/file/", f"{API}{report.code}/file/"):
        answer = cedar_hari.get(address)
        assert b"".join(answer.streaming_content).startswith(b"\xef\xbb\xbfMethod")  # type: ignore[attr-defined]
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["Content-Disposition"].startswith('attachment; filename="cedar-methods-')
    with schema_context(in_cedar.schema_name):
        assert AuditLog.objects.filter(action=Action.REPORT_OPENED, user_id=hari.pk).count() == 2


def test_a_file_lies_below_its_hospital(in_cedar: Hospital, hari: User) -> None:
    assert made(in_cedar, hari).path.startswith(f"{in_cedar.code}/reports/")


def test_what_is_not_ready_cannot_be_taken(cedar_hari: Client, in_cedar: Hospital, hari: User) -> None:
    report = asked(in_cedar, hari)
    assert cedar_hari.get(f"{PAGE}{report.code}/file/").status_code == 404


# --- What goes wrong -------------------------------------------------------------------------------------------------


def test_a_report_that_cannot_be_stored_says_so_and_is_made_again(
    cedar_hari: Client, in_cedar: Hospital, hari: User, media: Any
) -> None:
    (media / str(in_cedar.code)).write_text("A file where a folder should be")
    report = made(in_cedar, hari)
    assert (report.state, report.error) == (
        "failed", "The file could not be stored. Ask for it again in a few minutes.",
    )  # fmt: skip
    assert "could not be stored" in cedar_hari.get(FILES).content.decode()

    (media / str(in_cedar.code)).unlink()
    assert cedar_hari.post(f"{PAGE}{report.code}/again/").status_code == 302
    with schema_context(in_cedar.schema_name):
        tasks.make_report(schema=in_cedar.schema_name, report_id=report.pk)
        assert Report.objects.get().state == "done"


def test_only_what_failed_is_made_again(in_cedar: Hospital, hari: User) -> None:
    with pytest.raises(NotAllowedNow):
        reporting.again(report=made(in_cedar, hari), by=hari, now=now())


def test_what_failed_is_not_made_beside_the_same(in_cedar: Hospital, hari: User) -> None:
    failed = asked(in_cedar, hari)
    Report.objects.update(state="failed", error="x")
    asked(in_cedar, hari)
    with pytest.raises(NotAllowedNow):
        reporting.again(report=failed, by=hari, now=now())


def test_what_is_being_made_is_left_alone(in_cedar: Hospital, hari: User) -> None:
    report = asked(in_cedar, hari)
    Report.objects.update(state="running", touched_at=now(), attempts=1)
    reporting.make(hospital=in_cedar, report=report, now=now())
    report.refresh_from_db()
    assert (report.state, report.attempts) == ("running", 1)


def test_a_report_whose_worker_died_is_made_by_another(in_cedar: Hospital, hari: User, queued: list[int]) -> None:
    report = asked(in_cedar, hari)
    Report.objects.update(
        state="running", touched_at=now() - timedelta(minutes=6), attempts=1, created_at=now() - timedelta(minutes=9)
    )
    queued.clear()
    reporting.sweep(now=now())
    assert queued == [report.pk]
    reporting.make(hospital=in_cedar, report=report, now=now())
    report.refresh_from_db()
    assert (report.state, report.attempts) == ("done", 2)


def test_a_worker_that_was_given_up_leaves_nothing_behind(
    in_cedar: Hospital, hari: User, media: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = report_files.WRITERS["csv"]

    def slow(**arguments: Any) -> None:
        write(**arguments)
        Report.objects.update(attempts=2)  # another one has begun meanwhile

    monkeypatch.setitem(report_files.WRITERS, "csv", slow)
    report = made(in_cedar, hari)
    assert report.state == "running"
    assert not [path for path in media.rglob("*") if path.is_file()]


def test_one_that_ends_every_worker_is_given_up(in_cedar: Hospital, hari: User, queued: list[int]) -> None:
    asked(in_cedar, hari)
    Report.objects.update(
        state="running", touched_at=now() - timedelta(minutes=6), attempts=3, created_at=now() - timedelta(hours=1)
    )
    queued.clear()
    reporting.sweep(now=now())
    assert queued == []
    assert Report.objects.get().state == "failed"


def test_one_that_nobody_heard_of_is_swept_up(in_cedar: Hospital, hari: User, queued: list[int]) -> None:
    report = asked(in_cedar, hari)
    queued.clear()
    reporting.sweep(now=now() + timedelta(seconds=30))
    assert queued == []
    reporting.sweep(now=now() + timedelta(minutes=2))
    assert queued == [report.pk]


def test_reports_are_forgotten_after_a_month(in_cedar: Hospital, hari: User) -> None:
    old, young = made(in_cedar, hari), made(in_cedar, hari, kind="tax")
    Report.objects.filter(pk=old.pk).update(created_at=now() - timedelta(days=30))
    reporting.drop_old(now=now())
    assert list(Report.objects.all()) == [young]
    assert (default_storage.exists(old.path), default_storage.exists(young.path)) == (False, True)
