"""The dashboard of payments: what it shows, to whom, compared with what, and in how many questions to the database."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from billing.models import CashDay, Discrepancy, Invoice, Method, Payment
from billing.services import figures, payments, refunds
from billing.services.figures import CHART_DAYS, Span
from billing.services.invoices import Charge
from billing.services.payments import Taking
from billing.views.charts import bars
from core.schemas import schema_context
from tenants.models import Hospital
from tests.accounts import supporting
from tests.appointments.today import staff
from tests.billing import money
from tests.conftest import browser

PAGE = "/office/money/"
API = "/api/billing/figures/"
ZONE = ZoneInfo("Asia/Kolkata")
Make = Callable[..., Invoice]
Paid = Callable[..., Payment]


def take(hospital: Hospital, invoice: Invoice, by: User, at: datetime, amount: int = 700) -> Payment:
    taking = Taking(Method.UPI, Decimal(amount), "UPI 1")
    return payments.take(hospital=hospital, invoice=invoice, taking=taking, by=by, now=at)


# --- Who is let in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "status"),
    [("hospital_admin", 200), ("billing_clerk", 200), ("front_desk", 403), ("doctor", 403), ("nurse", 403)],
)
def test_who_answers_for_the_money_sees_the_dashboard(in_cedar: Hospital, role: str, status: int) -> None:
    client = staff(in_cedar, role)
    assert [client.get(address).status_code for address in (PAGE, API)] == [status, status]


def test_strangers_and_patients_do_not_see_it(cedar_kiran: Client, cedar: Hospital, asha: User) -> None:
    for client in (cedar_kiran, browser("cedar.localhost", asha)):
        assert [client.get(address).status_code for address in (PAGE, API)] == [403, 403]


def test_a_visitor_signs_in_first(cedar_site: Client) -> None:
    assert cedar_site.get(PAGE).url.startswith("/sign-in/")  # type: ignore[attr-defined]


def test_support_never_sees_money(cedar: Hospital, hari: User, portal_usha: Client) -> None:
    acting = supporting.arrived(supporting.ask(portal_usha, cedar, hari))
    assert [acting.get(address).status_code for address in (PAGE, API)] == [403, 403]


# --- What it shows ---------------------------------------------------------------------------------------------------


def test_a_hospital_without_money_says_so(cedar_hari: Client) -> None:
    page = cedar_hari.get(PAGE).content.decode()
    assert "Nothing received yet" in page
    assert "Nothing waits for you" in page


def test_it_shows_what_came_in_by_method(cedar_hari: Client, paid: Paid, cash_day: CashDay) -> None:
    paid(Method.CASH)
    paid(Method.CARD, None, Charge("Treatment", Decimal(2100), category="treatment"))
    page = cedar_hari.get(PAGE)

    assert page.context["figures"].now.total == 2800
    assert [(one["label"], one["percent"]) for one in page.context["methods"]] == [("Card", 75), ("Cash", 25)]


def test_a_refund_is_paid_money_that_went(cedar_hari: Client, paid: Paid, in_cedar: Hospital, meena: User) -> None:
    payment = paid(Method.CARD)
    refund = refunds.ask(
        hospital=in_cedar, payment=payment, amount=Decimal(200), reason="Late", by=meena, may_approve=False, now=now()
    )
    refunds.pay_out(refund=refund, method=Method.CARD, reference="S2", by=meena, now=now())

    found = cedar_hari.get(PAGE).context["figures"]
    assert (found.now.total, found.now.refunded, found.now.credited) == (700, 200, 200)


@pytest.mark.parametrize(
    ("span", "start", "before"),
    [
        (Span.TODAY, "2026-03-31 00:00", ("2026-03-30 00:00", "2026-03-30 10:30")),
        (Span.WEEK, "2026-03-25 00:00", ("2026-03-18 00:00", "2026-03-24 10:30")),
        (Span.DAYS_30, "2026-03-02 00:00", ("2026-01-31 00:00", "2026-03-01 10:30")),
        (Span.MONTH, "2026-03-01 00:00", ("2026-02-01 00:00", "2026-02-28 10:30")),
    ],
)
def test_each_time_is_compared_with_as_long_a_time_before(span: Span, start: str, before: tuple[str, str]) -> None:
    window, earlier = figures.windows(span, datetime(2026, 3, 31, 10, 30, tzinfo=ZONE), ZONE)
    found = [f"{moment:%Y-%m-%d %H:%M}" for moment in (window.start, earlier.start, earlier.end)]
    assert found == [start, *before]


def test_the_comparison_is_said_in_words(cedar_hari: Client, in_cedar: Hospital, bill: Make, meena: User) -> None:
    take(in_cedar, bill(), meena, now() - timedelta(days=8), 500)
    take(in_cedar, bill(), meena, now(), 700)

    page = cedar_hari.get(PAGE, {"period": "7"}).content.decode()
    assert "₹200 more than in the 7 days before" in page


def test_a_day_ends_at_the_hospitals_midnight(in_cedar: Hospital, bill: Make, meena: User) -> None:
    midnight = datetime.now(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    take(in_cedar, bill(), meena, midnight - timedelta(seconds=1), 300)
    take(in_cedar, bill(), meena, midnight, 400)

    found = figures.of(hospital=in_cedar, span=Span.TODAY, now=midnight + timedelta(hours=1))
    assert found.now.total == 400
    assert [day.received for day in found.days[-2:]] == [300, 400]


def test_what_is_owed_is_sorted_by_age(cedar_hari: Client, in_cedar: Hospital, bill: Make, meena: User) -> None:
    take(in_cedar, bill(), meena, now(), 200)
    for later, amounts in ((7, (500, 0, 0)), (8, (0, 500, 0)), (30, (0, 500, 0)), (31, (0, 0, 500))):
        owed = figures.of(hospital=in_cedar, span=Span.TODAY, now=now() + timedelta(days=later)).owed
        assert [owed.week.amount, owed.month.amount, owed.older.amount] == list(amounts)


def test_what_is_owed_leads_to_those_bills(cedar_hari: Client, bill: Make) -> None:
    bill()
    assert cedar_hari.get(PAGE).content.decode().count('href="/office/bills/?show=owed"') == 2


def test_what_was_partly_refunded_may_still_be_owed(in_cedar: Hospital, bill: Make, meena: User) -> None:
    payment = take(in_cedar, bill(), meena, now(), 300)
    refunds.ask(
        hospital=in_cedar, payment=payment, amount=Decimal(100), reason="Late", by=meena, may_approve=False, now=now()
    )
    owed = figures.of(hospital=in_cedar, span=Span.TODAY, now=now()).owed
    assert owed.everything == figures.Counted(1, Decimal(400))


def test_online_tries_are_told_by_their_success(cedar_hari: Client, bill: Make) -> None:
    wished = money.order(bill())
    money.told(wished, "failed", "1")
    money.told(wished, "captured", "2")
    money.told(money.order(bill(), "2"), "created", "3")

    found = cedar_hari.get(PAGE).context["figures"]
    assert (found.tries.succeeded, found.tries.over, found.tries.percent) == (1, 2, 50)
    assert found.unsettled == 700


def test_what_waits_links_to_where_it_is_done(
    cedar_hari: Client, in_cedar: Hospital, draft: Make, paid: Paid, meena: User, cash_day: CashDay
) -> None:
    draft(Charge("Treatment", Decimal(1000), category="treatment", discount=Decimal(500)))
    payment = paid(Method.CARD, None, Charge("Treatment", Decimal(9000), category="treatment"))
    act: dict[str, Any] = {"hospital": in_cedar, "reason": "Late", "by": meena, "now": now()}
    refunds.ask(payment=payment, amount=Decimal(8000), may_approve=False, **act)
    refunds.ask(payment=payment, amount=Decimal(500), may_approve=True, **act)
    Discrepancy.objects.create(kind=Discrepancy.Kind.UNKNOWN_PAYMENT, key="pay_x", amount=450)
    CashDay.objects.filter(pk=cash_day.pk).update(opened_at=now() - timedelta(days=2))

    page = cedar_hari.get(PAGE).content.decode()
    assert "₹8,500 not paid yet" in page
    for words, link in (
        ("1 discount to approve", "/office/bills/?show=to-approve"),
        ("1 refund to approve", "/office/refunds/?show=to-approve"),
        ("1 refund to hand out at the desk", "/office/refunds/?show=to-pay"),
        ("1 discrepancy to explain", "/office/discrepancies/"),
        ("1 cash day not closed", "/office/cash/days/?status=open"),
    ):
        assert words in page
        assert f'href="{link}"' in page


def test_a_refund_that_failed_asks_for_attention(
    cedar_hari: Client, in_cedar: Hospital, paid: Paid, meena: User
) -> None:
    refund = refunds.ask(
        hospital=in_cedar, payment=paid(Method.CARD), amount=Decimal(200), reason="Late", by=meena,
        may_approve=False, now=now(),
    )  # fmt: skip
    refunds.fail(refund=refund, failure="The bank says no", now=now())
    assert "1 refund failed" in cedar_hari.get(PAGE).content.decode()


def test_the_bars_can_be_read_as_a_table(cedar_hari: Client, paid: Paid, bill: Make) -> None:
    paid(Method.CARD)
    money.online(bill())
    page = cedar_hari.get(PAGE)
    assert "Show as a table" in page.content.decode()
    today = page.context["chart"].bars[-1]
    assert (len(page.context["chart"].bars), today.day.desk, today.day.online) == (CHART_DAYS, 700, 700)


def test_bars_stand_on_each_other_and_end_at_the_top() -> None:
    day = figures.Day(now().date(), Decimal(2000), Decimal(1500), Decimal(500), Decimal(), Decimal())
    chart = bars([day])
    assert chart.scale == [4000, 3000, 2000, 1000, 0]
    assert [(piece.tone, piece.top, piece.height) for piece in chart.bars[0].pieces] == [
        ("desk", "50.00", "50.00"), ("online", "12.50", "37.50"), ("insurers", "0.00", "12.50"),
    ]  # fmt: skip


def test_it_asks_the_database_as_often_with_much_money_as_with_little(
    cedar_hari: Client,
    in_cedar: Hospital,
    paid: Paid,
    bill: Make,
    cash_day: CashDay,
    django_assert_num_queries: Callable[..., Any],
) -> None:
    for number in range(4):
        paid(Method.CASH)
        money.online(bill(), f"{number}")
        bill()
    # session, person, staff row; flows, tries, owed, unsettled, days; and four questions what waits
    with django_assert_num_queries(13):
        cedar_hari.get(PAGE)


def test_the_api_says_the_same(cedar_hari: Client, paid: Paid, in_cedar: Hospital) -> None:
    paid(Method.CARD)
    found = cedar_hari.get(API, {"period": "month"}).json()

    assert found["now"] == {
        "received": "700.00", "received_by_method": {"card": "700.00"}, "billed": "700.00", "credited": "0.00",
        "refunded": "0.00",
    }  # fmt: skip
    assert found["owed"]["total"] == "0.00"
    assert found["waiting"]["refunds_failed"] == {"number": 0, "amount": "0.00"}
    assert len(found["days"]) == CHART_DAYS


def test_the_api_refuses_a_time_it_does_not_know(cedar_hari: Client) -> None:
    assert cedar_hari.get(API, {"period": "forever"}).status_code == 400


def test_another_hospitals_money_is_not_counted(cedar_hari: Client, lotus: Hospital, kiran: User, paid: Paid) -> None:
    paid(Method.CARD)
    with schema_context(lotus.schema_name):
        assert figures.of(hospital=lotus, span=Span.TODAY, now=now()).now.total == 0
