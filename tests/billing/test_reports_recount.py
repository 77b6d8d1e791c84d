"""Reports agree with a count of the papers, over days that begin at the hospital's midnight and a financial year's end."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import product
from random import Random
from typing import Any

import pytest

from accounts.models import User
from billing.models import Account, CashDay, Method, Payment, Posting, Refund, Report
from billing.services import figures, reporting
from billing.services.figures import Span
from billing.services.periods import Parts, Period
from billing.services.tables import Row
from hospitals.models import Department
from tenants.models import Hospital
from tests import factories
from tests.billing import random_run
from tests.billing.random_run import FIRST, LAST, ZONE, Run
from tests.hospitals.doctors import cardiology

YEARS_END = date(2026, 3, 31)
DAYS = [(FIRST, LAST), (YEARS_END, YEARS_END), (date(2026, 4, 1), LAST + timedelta(days=30))]


@pytest.fixture
def run(in_cedar: Hospital, asha: User, hari: User, meena: User, cash_day: CashDay) -> Run:
    """Thirty bills, and what becomes of each."""
    heart: Department = cardiology(in_cedar, hari)
    rao = factories.bookable_doctor(in_cedar, hari, department=heart)
    namesake = factories.bookable_doctor(in_cedar, hari, "vikram@cedar.example")
    made = Run(in_cedar, factories.patient(asha), meena, [rao, namesake], Random(5))
    made.bills(30)
    return made


def lines(kind: str, first: date, last: date, title: str = "") -> list[Row]:
    """All lines of a report's table, read in parts as for a file."""
    period = Period(first, last, ZONE)
    for table in reporting.tables_of(kind):
        if table.title.startswith(title):
            return list(table.rows(period.parts(table.parts)))
    raise AssertionError(title)


def numbers(rows: list[Row]) -> dict[Any, list[Decimal]]:
    return {row.labels[0]: [Decimal(number) for number in row.numbers] for row in rows}


def test_revenue_by_day_is_that_of_the_bills(run: Run) -> None:
    for first, last in DAYS:
        assert numbers(lines("revenue", first, last)) == random_run.revenue(first, last, lambda _invoice, day: day)


def test_revenue_by_doctor_keeps_namesakes_apart(run: Run) -> None:
    for first, last in DAYS:
        by_doctor = random_run.revenue(first, last, lambda invoice, _day: (invoice.doctor_id, _name(invoice.doctor)))
        found = [(row.labels[0], [Decimal(number) for number in row.numbers]) for row in lines("doctors", first, last)]
        assert sorted(found) == sorted((name, sums) for (_pk, name), sums in by_doctor.items())


def _name(doctor: Any) -> str:
    return doctor.name if doctor else "Without a doctor"


def test_revenue_by_department_is_that_of_the_bills(run: Run) -> None:
    for first, last in DAYS:

        def key(invoice: Any, _day: date) -> str:
            return invoice.department.name if invoice.department else "Without a department"

        assert numbers(lines("departments", first, last)) == random_run.revenue(first, last, key)


def test_payments_by_method_are_those_that_arrived(run: Run) -> None:
    for first, last in DAYS:
        assert numbers(lines("methods", first, last)) == random_run.methods(run, first, last)


def test_refunds_are_listed_on_the_day_they_were_paid(run: Run) -> None:
    for first, last in DAYS:
        paid = list(Refund.objects.filter(status="processed").order_by("processed_at", "pk"))
        wanted = [(random_run.day_of(refund.processed_at), refund.invoice.reference, refund.amount) for refund in paid]
        found = [
            (row.labels[0], row.labels[1], row.numbers[0]) for row in lines("refunds", first, last, "Refunds paid")
        ]
        assert found == [one for one in wanted if first <= one[0] <= last]


def test_the_tax_summary_is_that_of_the_lines(run: Run) -> None:
    for first, last in DAYS:
        for title, wanted in zip(("Bills by HSN", "Credit notes by HSN"), random_run.taxed(first, last), strict=True):
            rows = lines("tax", first, last, title)
            found = {(row.key[0], row.key[1], row.labels[2] == "Business"): list(row.numbers) for row in rows}
            assert found == wanted


def test_the_tables_of_the_return_share_out_the_summary(run: Run) -> None:
    for first, last in DAYS:
        of_bills, of_notes = random_run.taxed(first, last)
        for wanted, tables in (
            (of_bills, ["Taxed bills to businesses", "Taxed bills above", "Other taxed bills", "Exempt: bills"]),
            (
                of_notes,
                ["Credit notes to businesses", "Credit notes over bills", "Credit notes over those", "Exempt: cred"],
            ),
        ):
            before_tax = sum(
                (row.numbers[0] for title in tables for row in lines("tax", first, last, title)), Decimal()
            )
            assert before_tax == sum((sums[0] for sums in wanted.values()), Decimal())


def test_the_taxes_of_the_return_are_those_in_the_books(run: Run) -> None:
    rows = lines("tax", FIRST, LAST + timedelta(days=30), "Bills by HSN")
    notes = lines("tax", FIRST, LAST + timedelta(days=30), "Credit notes by HSN")
    for column, account in ((1, Account.CGST), (2, Account.SGST), (3, Account.IGST)):
        billed, back = (sum((row.numbers[column] for row in some), Decimal()) for some in (rows, notes))
        assert billed - back == -Posting.objects.on(account).balance()


def test_documents_are_numbered_without_a_gap(run: Run) -> None:
    rows = lines("tax", FIRST, LAST + timedelta(days=30), "Documents issued")
    assert [row.labels[0] for row in rows] == [
        "Bills, INV/25-26", "Bills, INV/26-27", "Credit notes, CN/25-26", "Credit notes, CN/26-27",
    ]  # fmt: skip
    for row in rows:
        first, last = (int(str(label)[-6:]) for label in row.labels[1:])
        assert (first, last) == (1, row.numbers[0])


def test_a_page_says_the_same_as_the_file(run: Run) -> None:
    for kind in Report.Kind.values:
        for one in reporting.preview(hospital=run.hospital, kind=kind, first=FIRST, last=LAST):
            assert one.rows == lines(kind, FIRST, LAST, one.table.title)[: reporting.MOST_SHOWN]


def test_a_period_is_the_sum_of_its_parts() -> None:
    period = Period(date(2026, 1, 1), date(2026, 12, 31), ZONE)
    for size in Parts:
        days = [day for part in period.parts(size) for day in (part.first, part.last)]
        assert (days[0], days[-1]) == (period.first, period.last)
        assert sum(part.days for part in period.parts(size)) == 365


def test_the_dashboard_says_the_same_as_the_papers(run: Run) -> None:
    moments = [(1, 0), (1, 18), (12, 9)]
    for span, (day, hour) in product(Span, moments):
        now = datetime(2026, 4, day, hour, 0, 1, tzinfo=ZONE)
        found = figures.of(hospital=run.hospital, span=span, now=now)
        window, _before = figures.windows(span, now, ZONE)
        is_in = partial(_is_between, window.start, now)
        taken = [one for one in Payment.objects.captured() if is_in(one.captured_at)]
        insured = [amount for moment, amount in run.settled if is_in(moment)]
        assert found.now.total == sum((one.amount for one in taken), Decimal()) + sum(insured, Decimal())
        cash = sum((one.amount for one in taken if one.method == Method.CASH), Decimal())
        assert found.now.received.get(Method.CASH, Decimal()) == cash
        billed = [one for one in random_run.issued(date.min, date.max) if is_in(one.issued_at)]
        assert found.now.billed == sum((one.total for one in billed), Decimal())
        back = [one for one in Refund.objects.filter(status="processed") if is_in(one.processed_at)]
        assert found.now.refunded == sum((one.amount for one in back), Decimal())


def _is_between(start: datetime, end: datetime, moment: datetime | None) -> bool:
    return moment is not None and start <= moment <= end


def test_what_is_owed_is_told_by_age(run: Run) -> None:
    found = figures.of(hospital=run.hospital, span=Span.TODAY, now=datetime(2026, 4, 26, 12, tzinfo=ZONE)).owed
    ages = {"week": found.week.amount, "month": found.month.amount, "older": found.older.amount}
    assert {age: amount for age, amount in ages.items() if amount} == random_run.owed(date(2026, 4, 26))
