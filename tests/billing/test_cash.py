"""The cash desk: a clerk's day from the float to the count."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from audit.models import Action, AuditLog
from billing.models import CashDay, Invoice, Method, Payment
from billing.services import cash, ledger, payments, refunds
from billing.services.payments import Taking
from core.errors import Conflict, Invalid, NotAllowedNow
from core.schemas import enter_public
from tenants.models import Hospital
from tests.billing.money import at, inside
from tests.conftest import browser

DESK = "/office/cash/"
DAYS = "/office/cash/days/"
Make = Callable[..., Invoice]
Pay = Callable[..., Payment]


def test_a_clerk_has_one_open_day(cash_day: CashDay, meena: User) -> None:
    with pytest.raises(NotAllowedNow, match="open already"):
        cash.open_day(clerk=meena, opening_float=Decimal(100), now=now())


def test_the_drawer_holds_the_float_and_what_came_less_what_went(cash_day: CashDay, paid: Pay, bina: User) -> None:
    paid(Method.CASH)
    payment = paid(Method.CASH, Decimal(200))
    paid(Method.UPI, Decimal(300))
    give_back(payment, Decimal(50))

    assert cash.expected_in(cash_day) == 500 + 700 + 200 - 50
    [drawer, upi] = cash.sums_of(cash_day)
    assert (drawer.method, upi.method) == (Method.CASH, Method.UPI)
    assert (drawer.payments, upi.payments, drawer.refunds, upi.refunds) == (2, 1, 1, 0)
    assert [drawer.taken, drawer.paid_out, upi.taken, upi.left] == [900, 50, 300, 300]


def test_cash_paid_out_for_an_insurers_money_leaves_the_drawer(cash_day: CashDay, paid: Pay) -> None:
    give_back(paid(Method.INSURANCE), Decimal(700), Method.CASH)

    assert cash.expected_in(cash_day) == -200


def give_back(payment: Payment, amount: Decimal, method: Method | None = None) -> None:
    """Refund a payment and pay it out at once, as the clerk who took it."""
    clerk, hospital = payment.received_by, Hospital.objects.get(slug="cedar")
    assert clerk
    refund = refunds.ask(
        hospital=hospital, payment=payment, amount=amount, reason="x", by=clerk, may_approve=True, now=now()
    )
    how = method or Method(payment.method)
    refunds.pay_out(refund=refund, method=how, reference="R1", by=clerk, now=now())


def test_a_difference_needs_a_word_and_is_booked(cash_day: CashDay, meena: User) -> None:
    with pytest.raises(Invalid, match="why the count differs"):
        cash.close_day(day=cash_day, counted=Decimal(480), note="", by=meena, now=now())

    cash.close_day(day=cash_day, counted=Decimal(480), note="Wrong change", by=meena, now=now())

    assert cash_day.difference == -20
    assert ledger.balances() == {"cash": -20, "cash_difference": 20}
    row = AuditLog.objects.about(cash_day).newest_first()[0]
    assert (row.action, row.reason) == (Action.CASH_DAY_CLOSED, "Wrong change")


def test_a_closed_day_stays_as_it_is(cash_day: CashDay, meena: User) -> None:
    cash.close_day(day=cash_day, counted=Decimal(500), note="", by=meena, now=now())

    with pytest.raises(NotAllowedNow, match="closed"):
        cash.close_day(day=cash_day, counted=Decimal(400), note="", by=meena, now=now())


def test_money_that_came_while_somebody_counted_is_told(cash_day: CashDay, meena: User, paid: Pay) -> None:
    seen = cash.expected_in(cash_day)
    paid(Method.CASH, Decimal(300))

    with pytest.raises(Conflict, match="₹800 are expected now"):
        cash.close_day(day=cash_day, counted=Decimal(500), note="", by=meena, now=now(), seen=seen)


def test_cash_is_not_taken_after_the_day_is_closed(
    cash_day: CashDay, meena: User, bill: Make, in_cedar: Hospital
) -> None:
    invoice = bill()
    cash.close_day(day=cash_day, counted=Decimal(500), note="", by=meena, now=now())

    with pytest.raises(NotAllowedNow, match="Open your cash day"):
        payments.take(hospital=in_cedar, invoice=invoice, taking=Taking(Method.CASH, None), by=meena, now=now())


# --- The pages -------------------------------------------------------------------------------------------------------


def test_a_day_is_opened_with_what_is_in_the_drawer(cedar: Hospital, meena: User) -> None:
    enter_public()
    client = browser("cedar.localhost", meena)
    assert "Open your cash day" in client.get(DESK).content.decode()

    assert client.post(f"{DESK}open/", {"opening_float": "500"})["Location"] == DESK

    page = client.get(DESK).content.decode()
    assert "Last at your desk" in page
    assert "₹500" in page
    with inside(cedar):
        assert CashDay.objects.get().clerk == meena


@pytest.mark.parametrize("typed", ["", "-5", "much"])
def test_a_day_is_not_opened_with_nonsense_and_what_was_typed_stays(cedar: Hospital, meena: User, typed: str) -> None:
    enter_public()
    response = browser("cedar.localhost", meena).post(f"{DESK}open/", {"opening_float": typed})

    assert response.status_code == 422
    assert f'value="{typed}"' in response.content.decode() or not typed
    with inside(cedar):
        assert not CashDay.objects.exists()


def test_the_desk_finds_bills_to_pay(cedar: Hospital, meena: User, bill: Make, draft: Make, paid: Pay) -> None:
    owed, begun, done = bill(), draft(), paid(Method.UPI).invoice
    enter_public()
    client = browser("cedar.localhost", meena)

    rows = client.get(DESK, {"q": "asha"}).context["rows"]
    assert {row.code for row in rows} == {owed.code, begun.code}
    assert done.code not in {row.code for row in rows}
    assert "Nothing to pay" in client.get(DESK, {"q": "nobody"}).content.decode()


def test_a_scanned_code_or_a_whole_number_opens_the_bill(meena: User, bill: Make) -> None:
    invoice = bill()
    enter_public()
    client = browser("cedar.localhost", meena)

    for words in (invoice.reference.lower(), f"https://cedar.example/bills/{invoice.code}/"):
        assert client.get(DESK, {"q": words})["Location"] == f"/office/bills/{invoice.code}/take/"
    rows = client.get(DESK, {"q": invoice.reference}, headers={"HX-Request": "true"}).context["rows"]
    assert [row.code for row in rows] == [invoice.code]


def test_the_desk_asks_the_same_number_of_questions_however_many_bills(
    meena: User, bill: Make, django_assert_num_queries: Any
) -> None:
    for _number in range(12):
        bill()
    enter_public()
    client = browser("cedar.localhost", meena)
    assert len(client.get(DESK, {"q": "asha"}).context["rows"]) == 10
    with django_assert_num_queries(9):
        client.get(DESK, {"q": "asha"})


def test_notes_and_coins_are_added_up_without_keeping_anything(meena: User, cash_day: CashDay) -> None:
    enter_public()
    client = browser("cedar.localhost", meena)

    page = client.post(close_of(cash_day), {"act": "add", "n500": "1", "n20": "3", "n1": "4"})

    assert page.status_code == 200
    assert page.context["form"]["counted"].value() == "564"
    assert page.context["form"]["n20"].value() == "3"


def test_a_slip_in_the_notes_is_shown(meena: User, cash_day: CashDay) -> None:
    enter_public()
    page = browser("cedar.localhost", meena).post(close_of(cash_day), {"act": "add", "n500": "many"})

    assert page.status_code == 422
    assert "Enter a number." in page.content.decode()


def test_the_difference_is_shown_before_the_day_is_closed(cedar: Hospital, meena: User, cash_day: CashDay) -> None:
    enter_public()
    client = browser("cedar.localhost", meena)

    page = client.post(close_of(cash_day), {"act": "compare", "counted": "480"})
    assert "₹20 too little" in page.content.decode()
    sent = {"act": "close", "counted": "480", "seen": "500.00", "told": "480"}
    assert client.post(close_of(cash_day), sent).status_code == 422  # without a word about it
    assert client.post(close_of(cash_day), {**sent, "note": "Wrong change"})["Location"] == day_of(cash_day)

    with inside(cedar):
        assert CashDay.objects.get().difference == -20
    sheet = client.get(day_of(cash_day)).content.decode()
    assert "₹20 too little" in sheet
    assert "Wrong change" in sheet


def test_another_count_than_the_one_agreed_to_is_compared_again(
    cedar: Hospital, meena: User, cash_day: CashDay
) -> None:
    enter_public()
    sent = {"act": "close", "counted": "400", "seen": "500", "told": "480", "note": "x"}

    page = browser("cedar.localhost", meena).post(close_of(cash_day), sent)

    assert "₹100 too little" in page.content.decode()
    with inside(cedar):
        assert CashDay.objects.get().status == "open"


def close_of(day: CashDay) -> str:
    """The address where it is closed."""
    return f"{DAYS}{day.code}/close/"


def day_of(day: CashDay) -> str:
    """The address of its sheet."""
    return f"{DAYS}{day.code}/"


def test_the_sheet_shows_every_payment_and_refund(meena: User, cash_day: CashDay, paid: Pay) -> None:
    taken = paid(Method.CASH)
    paid(Method.UPI, Decimal(300))
    give_back(taken, Decimal(100))
    enter_public()

    sheet = browser("cedar.localhost", meena).get(day_of(cash_day))

    assert [movement.amount for movement in sheet.context["movements"]] == [700, 300, -100]
    assert "₹1,100" in sheet.content.decode()  # the cash that is expected


def test_a_clerk_sees_only_their_own_days(
    cash_day: CashDay, bina: User, hari: User, meena: User, join_cedar: Any
) -> None:
    enter_public()
    other = at("nila@cedar.example", "front_desk", join_cedar)

    assert browser("cedar.localhost", other).get(day_of(cash_day)).status_code == 404
    assert browser("cedar.localhost", other).get(close_of(cash_day)).status_code == 404
    assert browser("cedar.localhost", meena).get(DAYS).status_code == 403
    for user in (bina, hari):
        assert browser("cedar.localhost", user).get(day_of(cash_day)).status_code == 200
        assert "Meena Iyer" in browser("cedar.localhost", user).get(DAYS).content.decode()


def test_who_approves_money_closes_the_day_of_somebody_who_went(
    cedar: Hospital, cash_day: CashDay, bina: User, hari: User
) -> None:
    enter_public()
    sent = {"act": "close", "counted": "500", "seen": "500", "told": "500"}

    assert browser("cedar.localhost", bina).post(close_of(cash_day), sent)["Location"] == day_of(cash_day)
    with inside(cedar):
        assert CashDay.objects.get().status == "open"
    browser("cedar.localhost", hari).post(close_of(cash_day), sent)
    with inside(cedar):
        assert CashDay.objects.get().status == "closed"


@pytest.mark.parametrize(
    ("query", "found"),
    [("", 2), ("status=open", 1), ("differs=on", 1), ("first=2020-01-01&last=2020-01-02", 0), ("status=nonsense", 2)],
)
def test_the_days_are_narrowed(cash_day: CashDay, bina: User, hari: User, query: str, found: int) -> None:
    other = cash.open_day(clerk=bina, opening_float=Decimal(0), now=now())
    cash.close_day(day=other, counted=Decimal(5), note="Found", by=bina, now=now())
    enter_public()

    page = browser("cedar.localhost", hari).get(f"{DAYS}?{query}")

    assert len(page.context["rows"]) == found
    if not found:
        assert "No cash day matches" in page.content.decode()


def test_the_list_of_days_asks_the_same_number_of_questions(
    bina: User, hari: User, django_assert_num_queries: Any
) -> None:
    for _number in range(12):
        day = cash.open_day(clerk=bina, opening_float=Decimal(0), now=now())
        cash.close_day(day=day, counted=Decimal(0), note="", by=bina, now=now())
    enter_public()
    client = browser("cedar.localhost", hari)
    assert len(client.get(DAYS).context["rows"]) == 10
    with django_assert_num_queries(6):
        client.get(DAYS)


@pytest.mark.parametrize("path", [DESK, DAYS])
def test_the_cash_desk_is_no_place_for_others(
    cedar_site: Client, cedar_kiran: Client, asha: User, usha: User, path: str
) -> None:
    assert cedar_site.get(path).status_code == 302
    assert cedar_kiran.get(path).status_code == 403
    for user in (asha, usha):
        assert browser("cedar.localhost", user).get(path).status_code == 403


def test_the_stranger_finds_no_day_of_another_hospital(cash_day: CashDay, kiran: User) -> None:
    enter_public()
    client = browser("lotus.localhost", kiran)
    for path in (day_of(cash_day), close_of(cash_day)):
        assert client.get(path).status_code == 404
