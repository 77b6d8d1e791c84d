"""Reports: looked at, and asked for as a file."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_django
from django.test import Client
from django.utils.timezone import localdate, now

from accounts.models import User
from audit.models import Action, AuditLog
from billing import tasks
from billing.models import Invoice, Payment, Report
from billing.services import reporting
from billing.services.invoices import Charge
from core.errors import Invalid
from core.schemas import schema_context
from tenants.models import Hospital
from tests.accounts import supporting
from tests.appointments.today import staff
from tests.billing.random_run import GSTIN
from tests.billing.reports import API, FILES, NEW, PAGE, asked, knocked, made, wanted
from tests.conftest import browser

Make = Callable[..., Invoice]
Paid = Callable[..., Payment]


@pytest.fixture(autouse=True)
def media(settings: pytest_django.Settings, tmp_path: Any) -> Any:
    """Files go where they are thrown away."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


# --- Who is let in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "status"),
    [("hospital_admin", 200), ("billing_clerk", 200), ("front_desk", 403), ("doctor", 403), ("pharmacist", 403)],
)
def test_who_answers_for_the_money_sees_reports(in_cedar: Hospital, hari: User, role: str, status: int) -> None:
    report = made(in_cedar, hari)
    client = staff(in_cedar, role)
    for address in (
        PAGE,
        FILES,
        f"{PAGE}{report.code}/file/",
        API,
        f"{API}{report.code}/",
        f"{API}{report.code}/file/",
    ):
        assert knocked(client, address) == status


def test_strangers_and_patients_get_no_report(cedar_kiran: Client, in_cedar: Hospital, hari: User, asha: User) -> None:
    report = made(in_cedar, hari)
    for client in (cedar_kiran, browser("cedar.localhost", asha)):
        assert client.get(f"{PAGE}{report.code}/file/").status_code == 403
        assert client.post(NEW, wanted()).status_code == 403


def test_another_hospitals_report_is_not_there(in_cedar: Hospital, hari: User, kiran: User) -> None:
    report = made(in_cedar, hari)
    client = browser("lotus.localhost", kiran)
    assert client.get(f"{PAGE}{report.code}/file/").status_code == 404
    assert client.get(f"{API}{report.code}/").status_code == 404


def test_support_gets_no_report(in_cedar: Hospital, hari: User, portal_usha: Client) -> None:
    report = made(in_cedar, hari)
    acting = supporting.arrived(supporting.ask(portal_usha, in_cedar, hari))
    assert acting.get(f"{PAGE}{report.code}/file/").status_code == 403
    assert acting.get(API).status_code == 403


# --- On a page -------------------------------------------------------------------------------------------------------


def test_a_report_is_looked_at_first(cedar_hari: Client, bill: Make) -> None:
    bill()
    page = cedar_hari.get(PAGE, wanted())
    [shown] = page.context["shown"]
    assert [cell.text for cell in shown["total"]] == ["Total", "1", "₹700", "₹0", "₹700", "₹0", "₹700"]


def test_without_a_question_it_is_the_revenue_of_this_month(cedar_hari: Client) -> None:
    page = cedar_hari.get(PAGE)
    assert page.context["title"] == "Revenue by day"
    assert "Nothing in these days" in page.content.decode()


@pytest.mark.parametrize("kind", Report.Kind.values)
def test_every_report_can_be_looked_at(cedar_hari: Client, bill: Make, kind: str) -> None:
    bill()
    assert cedar_hari.get(PAGE, wanted(kind=kind)).status_code == 200


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"first": "2026-04-02", "last": "2026-04-01"}, "The last day is before the first."),
        ({"first": "2024-01-01", "last": "2026-04-01"}, "A report covers at most a year."),
        ({"first": "yesterday"}, "Choose the first day."),
    ],
)
def test_days_that_cannot_be_are_refused(cedar_hari: Client, fields: dict[str, str], words: str) -> None:
    for answer in (cedar_hari.get(PAGE, wanted(**fields)), cedar_hari.post(NEW, wanted(**fields))):
        assert answer.status_code == 422
        assert words in answer.content.decode()


def test_of_a_long_list_a_page_shows_the_beginning(
    cedar_hari: Client, in_cedar: Hospital, bill: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "MOST_SHOWN", 2)
    for _number in range(3):
        bill(Charge("Paracetamol", Decimal(100), category="medicine"), bill_to_gstin=GSTIN)
    with schema_context(in_cedar.schema_name):
        shown = reporting.preview(hospital=in_cedar, kind="tax", first=localdate(), last=localdate())
    [one] = [one for one in shown if one.table.title.startswith("Taxed bills to businesses")]
    assert (len(one.rows), one.is_cut, one.total) == (2, True, ())


def test_a_hospital_without_gstin_is_told_so(cedar_hari: Client, bill: Make) -> None:
    bill()
    assert "The hospital has no GSTIN" in cedar_hari.get(PAGE, wanted(kind="tax")).content.decode()


# --- Asking ----------------------------------------------------------------------------------------------------------


def test_a_file_is_asked_for_and_its_progress_is_shown(cedar_hari: Client, cedar: Hospital) -> None:
    answer = cedar_hari.post(NEW, wanted(), follow=True)
    assert answer.redirect_chain == [(FILES, 302)]
    assert 'hx-trigger="every 2s"' in answer.content.decode()
    with schema_context(cedar.schema_name):
        report = Report.objects.get()
        Report.objects.update(state="running", percent=42)
        assert AuditLog.objects.get(action=Action.REPORT_ASKED).entity_id == str(report.pk)

    part = cedar_hari.get(FILES, headers={"HX-Request": "true"}).content.decode()
    assert 'value="42"' in part
    assert "<html" not in part


def test_a_list_in_which_nothing_moves_does_not_ask_again(cedar_hari: Client, in_cedar: Hospital, hari: User) -> None:
    made(in_cedar, hari)
    assert "hx-trigger" not in cedar_hari.get(FILES).content.decode().partition('id="files"')[2]


def test_the_same_report_is_made_once_at_a_time(in_cedar: Hospital, hari: User, bina: User) -> None:
    first = asked(in_cedar, hari)
    assert asked(in_cedar, bina) == first
    assert asked(in_cedar, bina, file_format="pdf") != first
    reporting.make(hospital=in_cedar, report=first, now=now())
    assert asked(in_cedar, bina) != first


def test_the_task_makes_it(in_cedar: Hospital, hari: User, django_capture_on_commit_callbacks: Any) -> None:
    report = asked(in_cedar, hari)
    tasks.make_report(schema=in_cedar.schema_name, report_id=report.pk)
    report.refresh_from_db()
    assert (report.state, report.percent) == ("done", 100)


# --- Lists and the API -----------------------------------------------------------------------------------------------


def test_the_list_of_files_asks_the_database_as_often_for_ten_as_for_one(
    cedar_hari: Client, in_cedar: Hospital, hari: User, django_assert_num_queries: Callable[..., Any]
) -> None:
    for number in range(12):
        asked(in_cedar, hari, last=localdate() + timedelta(days=number))
    with django_assert_num_queries(6):  # session, person, staff row; count, rows with who asked
        assert len(cedar_hari.get(FILES).context["listed"]) == 10


def test_the_api_asks_for_a_report_and_tells_where_it_is(cedar_hari: Client, in_cedar: Hospital) -> None:
    said = {"kind": "doctors", "format": "csv", "first": "2026-04-01", "last": "2026-04-30"}
    answer = cedar_hari.post(API, said, content_type="application/json")
    assert answer.status_code == 202
    found = answer.json()
    assert (found["state"], found["file"], found["may"]) == ("waiting", None, [])

    with schema_context(in_cedar.schema_name):
        reporting.make(hospital=in_cedar, report=Report.objects.get(code=found["id"]), now=now())
    found = cedar_hari.get(f"{API}{found['id']}/").json()
    assert (found["state"], found["percent"], found["may"]) == ("done", 100, ["take"])
    assert knocked(cedar_hari, found["file"]) == 200
    assert cedar_hari.get(API).json()["count"] == 1


def test_the_api_makes_one_again_that_failed(cedar_hari: Client, in_cedar: Hospital, hari: User) -> None:
    report = asked(in_cedar, hari)
    assert cedar_hari.post(f"{API}{report.code}/again/").status_code == 409
    with schema_context(in_cedar.schema_name):
        Report.objects.update(state="failed", error="x")
    assert cedar_hari.get(f"{API}{report.code}/").json()["may"] == ["again"]
    assert cedar_hari.post(f"{API}{report.code}/again/").json()["state"] == "waiting"


def test_the_api_shows_a_report_at_a_glance(cedar_hari: Client, bill: Make) -> None:
    bill()
    today = f"{localdate()}"
    [found] = cedar_hari.get(f"{API}preview/", {"kind": "revenue", "first": today, "last": today}).json()
    assert found["rows"] == [[today, 1, "700.00", "0.00", "700.00", "0.00", "700.00"]]
    assert found["total"] == [1, "700.00", "0.00", "700.00", "0.00", "700.00"]


def test_the_api_refuses_days_that_cannot_be(cedar_hari: Client) -> None:
    said = {"kind": "revenue", "format": "csv", "first": "2026-04-02", "last": "2026-04-01"}
    answer = cedar_hari.post(API, said, content_type="application/json")
    assert (answer.status_code, answer.json()["field"]) == (422, "last")


def test_a_service_refuses_more_than_a_year(in_cedar: Hospital, hari: User) -> None:
    with pytest.raises(Invalid):
        asked(in_cedar, hari, first=date(2024, 1, 1), last=date(2026, 1, 1))
