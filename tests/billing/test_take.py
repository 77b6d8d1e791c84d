"""Taking money for a bill at the desk, and what is shown of payments."""

import csv
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from audit.models import Action, AuditLog
from billing.models import CashDay, Invoice, Method, Payment
from billing.services import payments
from billing.services.invoices import Charge
from core.schemas import enter_public
from notifications.models import Notification
from tenants.models import Hospital
from tests.billing.money import inside, order, told
from tests.conftest import browser

PAYMENTS = "/office/payments/"
CASH = {"key": "k1", "method": "cash", "amount": "700"}
Make = Callable[..., Invoice]
Pay = Callable[..., Payment]


def take(client: Client, invoice: Invoice, **said: str) -> Any:
    """Send the cashier's form."""
    return client.post(f"/office/bills/{invoice.code}/take/", {**CASH, **said})


@pytest.fixture
def desk(meena: User) -> Client:
    """Meena at her desk."""
    return browser("cedar.localhost", meena)


def test_the_page_offers_all_that_is_owed_in_cash(desk: Client, bill: Make, cash_day: CashDay) -> None:
    invoice = bill()
    enter_public()

    page = desk.get(f"/office/bills/{invoice.code}/take/")

    assert (page.context["form"]["amount"].value(), page.context["form"]["method"].value()) == ("700", "cash")
    assert "owes ₹700." in page.content.decode()


def test_cash_is_taken_and_the_change_is_told(desk: Client, cedar: Hospital, bill: Make, cash_day: CashDay) -> None:
    invoice = bill()
    enter_public()

    answer = take(desk, invoice, received="1000")

    with inside(cedar):
        payment = Payment.objects.get()
        assert payment.amount == 700
        assert (payment.cash_day, payment.reference) == (cash_day, "")
        assert Invoice.objects.get().status == Invoice.Status.PAID
    assert answer["Location"] == f"{PAYMENTS}{payment.code}/taken/?change=300"
    page = desk.get(answer["Location"]).content.decode()
    assert "Give back" in page
    assert "₹300" in page
    assert f"/bills/receipts/{payment.code}.pdf" in page


def test_a_draft_is_issued_when_it_is_paid(desk: Client, cedar: Hospital, draft: Make, cash_day: CashDay) -> None:
    invoice = draft()
    enter_public()

    take(desk, invoice)

    with inside(cedar):
        invoice.refresh_from_db()
        assert invoice.reference
        assert invoice.status == Invoice.Status.PAID


def test_a_part_leaves_the_rest_to_be_taken(desk: Client, bill: Make, cash_day: CashDay) -> None:
    invoice = bill()
    enter_public()

    page = desk.get(take(desk, invoice, amount="200")["Location"]).content.decode()

    assert "Take the rest" in page
    assert "₹500" in page


def test_the_same_form_sent_again_takes_nothing_more(
    desk: Client, cedar: Hospital, bill: Make, cash_day: CashDay
) -> None:
    invoice = bill()
    enter_public()

    answers = [take(desk, invoice, amount="200") for _again in range(3)]

    assert len({answer["Location"] for answer in answers}) == 1
    with inside(cedar):
        assert Payment.objects.count() == 1


def test_the_patient_gets_one_receipt(desk: Client, cedar: Hospital, bill: Make, cash_day: CashDay) -> None:
    invoice = bill()
    enter_public()

    for _again in range(2):
        take(desk, invoice)

    with inside(cedar):
        assert Notification.objects.filter(template="bill_receipt").count() == 1


@pytest.mark.parametrize(
    ("said", "field", "words"),
    [
        ({"amount": "701"}, "amount", "at most ₹700"),
        ({"amount": "0"}, "amount", ""),
        ({"amount": "seven"}, "amount", "Enter an amount"),
        ({"received": "500"}, "received", "That is ₹200 too little."),
        ({"method": "upi"}, "reference", "Type the number on the slip"),
        ({"method": "online"}, "method", "Choose how the patient pays."),
        ({"method": ""}, "method", "Choose how the patient pays."),
    ],
)
def test_a_refusal_stands_at_its_field_and_nothing_is_lost(
    desk: Client, cedar: Hospital, bill: Make, cash_day: CashDay, said: dict[str, str], field: str, words: str
) -> None:
    invoice = bill()
    enter_public()

    page = take(desk, invoice, **said)

    assert page.status_code == 422
    assert words in str(page.context["form"].errors[field])
    assert page.context["form"]["key"].value() == "k1"
    with inside(cedar):
        assert not Payment.objects.exists()


def test_cash_needs_an_open_day_and_cards_do_not(desk: Client, cedar: Hospital, bill: Make) -> None:
    invoice = bill()
    enter_public()

    assert "Open your cash day first" in str(take(desk, invoice).context["form"].errors["method"])
    assert take(desk, invoice, method="card", reference="S1").status_code == 302
    with inside(cedar):
        assert Payment.objects.get().cash_day is None


def test_a_paid_bill_offers_nothing_to_take(desk: Client, paid: Pay) -> None:
    invoice = paid(Method.UPI).invoice
    enter_public()

    page = desk.get(f"/office/bills/{invoice.code}/take/").content.decode()

    assert "Nothing is owed" in page
    assert 'name="amount"' not in page


def test_a_bill_whose_discount_waits_is_not_paid(desk: Client, draft: Make, cash_day: CashDay) -> None:
    invoice = draft(Charge("Consultation", Decimal(700), discount=Decimal(300)))
    enter_public()

    page = desk.get(f"/office/bills/{invoice.code}/take/").content.decode()

    assert "The discount waits for approval" in page
    assert 'name="amount"' not in page
    assert "above the limit" in take(desk, invoice, amount="400").content.decode()


def test_the_cashier_is_told_of_an_online_payment_that_has_begun(desk: Client, bill: Make, cash_day: CashDay) -> None:
    invoice = bill()
    order(invoice)
    enter_public()

    assert (
        "An online payment of this bill has begun" in desk.get(f"/office/bills/{invoice.code}/take/").content.decode()
    )


# --- One payment, and all of them ------------------------------------------------------------------------------------


def test_a_payment_shows_what_the_gateway_calls_it_and_the_other_tries(meena: User, bill: Make) -> None:
    invoice = bill()
    made = order(invoice)
    failed = told(made, "failed", "1", "The bank said no.")
    payment = told(made, "captured", "2")
    enter_public()

    page = browser("cedar.localhost", meena).get(f"{PAYMENTS}{payment.code}/").content.decode()

    for words in ("pay_2", "order_1", "pay_1", "The bank said no.", payment.receipt_number, "₹16.52", "Received"):
        assert words in page
    assert f"{PAYMENTS}{failed.code}/" in page


def test_a_payment_offers_a_refund_to_who_may_give_one(meena: User, paid: Pay) -> None:
    payment = paid(Method.UPI)
    enter_public()

    assert f"{PAYMENTS}{payment.code}/refund/" in page_of(meena, payment)


def page_of(user: User, payment: Payment) -> str:
    """A payment's page."""
    return browser("cedar.localhost", user).get(f"{PAYMENTS}{payment.code}/").content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 2),
        ("method=upi", 1),
        ("status=failed", 0),
        ("q=asha", 2),
        ("q=S1", 1),
        ("q=nobody", 0),
        ("last=2020-01-01", 0),
        ("first=2020-01-01", 2),
        ("method=nonsense", 2),
    ],
)
def test_the_payments_are_narrowed(bina: User, cash_day: CashDay, paid: Pay, query: str, found: int) -> None:
    paid(Method.CASH)
    paid(Method.UPI)
    enter_public()

    page = browser("cedar.localhost", bina).get(f"{PAYMENTS}?{query}")

    assert len(page.context["rows"]) == found
    assert page.context["received"] == 700 * found
    if not found:
        assert "No payment matches" in page.content.decode()


def test_a_receipt_number_finds_its_payment(bina: User, paid: Pay) -> None:
    payment = paid(Method.UPI)
    paid(Method.UPI)
    enter_public()

    rows = browser("cedar.localhost", bina).get(PAYMENTS, {"q": payment.receipt_number}).context["rows"]

    assert list(rows) == [payment]


def test_the_list_of_payments_asks_the_same_number_of_questions(
    bina: User, paid: Pay, django_assert_num_queries: Any
) -> None:
    for _number in range(12):
        paid(Method.UPI)
    enter_public()
    client = browser("cedar.localhost", bina)
    assert len(client.get(PAYMENTS).context["rows"]) == 10
    with django_assert_num_queries(6):
        client.get(PAYMENTS)


def test_the_file_of_payments_holds_what_the_list_shows_and_is_audited(
    cedar: Hospital, bina: User, cash_day: CashDay, paid: Pay
) -> None:
    cash, card = paid(Method.CASH), paid(Method.CARD)
    enter_public()

    answer = browser("cedar.localhost", bina).post(f"{PAYMENTS}csv/?method=card")

    text = b"".join(answer.streaming_content).decode().removeprefix("\ufeff")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(StringIO(text)))
    assert [(row["Receipt"], row["Amount"], row["Method"]) for row in rows] == [(card.receipt_number, "700.00", "Card")]
    assert cash.receipt_number not in text
    with inside(cedar):
        row = AuditLog.objects.get(action=Action.PAYMENTS_EXPORTED)
        assert row.data == {"payments": 1, "narrowed_by": "method"}


def test_a_formula_in_the_file_is_no_formula(cedar: Hospital, bina: User, bill: Make, meena: User) -> None:
    taking = payments.Taking(Method.UPI, None, "=1+1")
    payments.take(hospital=cedar, invoice=bill(), taking=taking, by=meena, now=now())
    enter_public()

    answer = browser("cedar.localhost", bina).post(f"{PAYMENTS}csv/")

    assert b"'=1+1" in b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_the_doors_are_for_who_works_with_money(
    cedar_site: Client, cedar_kiran: Client, kiran: User, asha: User, usha: User, meena: User, paid: Pay
) -> None:
    payment = paid(Method.UPI)
    enter_public()
    paths = [
        f"/office/bills/{payment.invoice.code}/take/", PAYMENTS, f"{PAYMENTS}{payment.code}/",
        f"{PAYMENTS}{payment.code}/taken/",
    ]  # fmt: skip
    for path in paths:
        assert cedar_site.get(path).status_code == 302
        assert cedar_kiran.get(path).status_code == 403
        for user in (asha, usha):
            assert browser("cedar.localhost", user).get(path).status_code == 403
        expected = 200 if path == PAYMENTS else 404
        assert browser("lotus.localhost", kiran).get(path).status_code == expected
    assert browser("cedar.localhost", meena).get(PAYMENTS).status_code == 403
