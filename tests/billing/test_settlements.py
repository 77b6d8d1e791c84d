"""What was paid out to the bank: read from the gateway or from its file, matched, booked, and missed when it does not come."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from audit.models import Action, AuditLog
from billing import razorpay
from billing.models import Discrepancy, GatewayAccount, Invoice, Payment, PaymentOrder, SettlementLine
from billing.services import checkout, ledger, refunds, settlement_files, settlements
from billing.services.settlement_files import FaultyFile
from core.errors import Invalid
from core.sealing import seal
from tenants.models import Hospital
from tests.billing.gateway_side import Kind, compare, dashboard, listed, opened, paid_online, refund_there
from tests.billing.money import inside
from tests.conftest import browser
from tests.fakes.razorpay import Gateway

Make = Callable[..., Invoice]
HEADING = (
    "transaction_entity,entity_id,amount,currency,fee (exclusive tax),tax,debit,credit,payment_method,order_id,"
    "order_receipt,settlement_id,settled_at,settlement_utr,settled_by"
)
PAYMENT = {
    "transaction_entity": "payment",
    "amount": "700.00",
    "currency": "INR",
    "fee (exclusive tax)": "14.00",
    "tax": "2.52",
    "debit": "0.00",
    "credit": "683.48",
    "settlement_id": "setl_DGlQ1Rj8os78Ec",
    "settled_at": "19/11/2026 10:42:00",
    "settlement_utr": "HDFC1568176960",
}


@pytest.fixture
def own(in_cedar: Hospital, gateway: Gateway) -> GatewayAccount:
    """The hospital has keys of its own."""
    return GatewayAccount.objects.create(
        key_id=gateway.keys.key_id, key_secret=seal(gateway.keys.key_secret), webhook_secret=seal("x")
    )


@pytest.fixture
def payment(in_cedar: Hospital, bill: Make, gateway: Gateway) -> Payment:
    """₹700 that came with the platform's keys."""
    return paid_online(in_cedar, gateway, bill())


def report(*rows: dict[str, str], heading: str = HEADING) -> bytes:
    """A file as the dashboard exports it."""
    out = StringIO()
    writer = csv.DictWriter(out, heading.split(","), extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def of(payment: Payment, **fields: str) -> dict[str, str]:
    """The line of a payment."""
    return {**PAYMENT, "entity_id": payment.gateway_id or "", **fields}


def take(hospital: Hospital, by: User, *rows: dict[str, str]) -> settlements.Taken:
    return settlement_files.take_in(hospital=hospital, content=report(*rows), by=by, now=now())


# --- From the gateway ------------------------------------------------------------------------------------------------


def test_what_was_paid_out_is_booked_with_its_fee(in_cedar: Hospital, payment: Payment, gateway: Gateway) -> None:
    gateway.settle()

    row = compare(in_cedar)

    assert row.settled == 1
    line = SettlementLine.objects.get()
    assert (line.payment, line.amount, line.fee) == (payment, Decimal(700), Decimal("16.52"))
    books = ledger.balances()
    assert (books["bank"], books["gateway_fees"], books["gateway"]) == (Decimal("683.48"), Decimal("16.52"), Decimal())


def test_refunds_are_taken_off_what_is_paid_out(
    in_cedar: Hospital, bill: Make, payment: Payment, gateway: Gateway, bina: User
) -> None:
    asked: dict[str, Any] = {"amount": Decimal(200), "reason": "Twice", "by": bina, "may_approve": True, "now": now()}
    refund = refunds.ask(hospital=in_cedar, payment=payment, **asked)
    refunds.send(refund=refund, now=now())
    gateway.settle()

    compare(in_cedar)

    books = ledger.balances()
    assert (books["bank"], books["gateway"]) == (Decimal("483.48"), Decimal())


def test_reading_the_same_settlement_again_books_nothing(
    in_cedar: Hospital, payment: Payment, gateway: Gateway, own: GatewayAccount
) -> None:
    gateway.settle()
    compare(in_cedar)
    before = ledger.balances()

    compare(in_cedar, now() + timedelta(minutes=5))

    assert ledger.balances() == before
    assert SettlementLine.objects.count() == 1


def test_a_payment_that_nobody_heard_of_is_found_when_it_is_paid_out(
    in_cedar: Hospital, bill: Make, gateway: Gateway, payment: Payment
) -> None:
    order = opened(in_cedar, bill())
    gateway.pay(order.gateway_id or "")
    PaymentOrder.objects.filter(pk=order.pk).update(created_at=now() - timedelta(days=20))
    checkout.close(invoice=order.invoice, by=None)
    gateway.settle()

    compare(in_cedar)

    assert Payment.objects.captured().count() == 2
    assert ledger.balances()["gateway"] == 0


def test_what_is_not_paid_out_after_four_working_days_is_on_the_list_until_it_is(
    in_cedar: Hospital, payment: Payment, gateway: Gateway
) -> None:
    Payment.objects.filter(pk=payment.pk).update(captured_at=now() - timedelta(days=9))
    compare(in_cedar)
    assert listed() == [(Kind.NOT_SETTLED, Decimal(700))]
    gateway.settle()

    compare(in_cedar, now() + timedelta(minutes=5))

    assert listed() == []


@pytest.mark.parametrize(("captured", "is_late"), [(12, True), (13, False), (14, False), (15, False), (17, False)])
def test_days_on_which_banks_are_closed_do_not_count(
    in_cedar: Hospital, payment: Payment, captured: int, is_late: bool
) -> None:
    """On Thursday the 19th; the 14th and 15th were a weekend."""
    Payment.objects.filter(pk=payment.pk).update(captured_at=datetime(2026, 11, captured, 12, tzinfo=UTC))
    settlements.note_missing(now=datetime(2026, 11, 19, 12, tzinfo=UTC))
    assert bool(listed()) is is_late


def test_a_payment_that_is_unknown_is_on_the_list_once_also_when_it_is_paid_out(
    in_cedar: Hospital, own: GatewayAccount, gateway: Gateway, bill: Make
) -> None:
    with dashboard(gateway) as desk:
        foreign = desk.order.create({"amount": 45_000, "currency": "INR"})["id"]
    paid = gateway.pay(foreign)["payment"]["id"]
    gateway.settle()

    compare(in_cedar)

    assert listed() == [(Kind.UNKNOWN_PAYMENT, Decimal(450))]
    assert SettlementLine.objects.get().entity_id == paid


def test_a_refund_in_the_dashboard_long_after_is_found_when_it_is_taken_off(
    in_cedar: Hospital, payment: Payment, gateway: Gateway
) -> None:
    Payment.objects.filter(pk=payment.pk).update(captured_at=now() - timedelta(days=25))
    made = refund_there(gateway, payment, 100)
    gateway.settle()

    compare(in_cedar)

    found = Discrepancy.objects.open().get()
    assert (found.kind, found.key, found.payment) == (Kind.UNKNOWN_REFUND, made, payment)


def test_a_settlement_over_another_amount_is_not_booked(in_cedar: Hospital, payment: Payment, bina: User) -> None:
    take(in_cedar, bina, of(payment, amount="800.00", credit="783.48"))

    assert listed() == [(Kind.AMOUNT_DIFFERS, Decimal(100))]
    assert "bank" not in ledger.balances()


# --- From its file ---------------------------------------------------------------------------------------------------


def test_the_file_books_the_same_as_the_gateway(in_cedar: Hospital, payment: Payment, bina: User) -> None:
    assert take(in_cedar, bina, of(payment)) == settlements.Taken(new=1)

    books = ledger.balances()
    assert (books["bank"], books["gateway_fees"], books["gateway"]) == (Decimal("683.48"), Decimal("16.52"), Decimal())
    line = SettlementLine.objects.get()
    assert line.settled_at == datetime(2026, 11, 19, 5, 12, tzinfo=UTC)
    assert line.bank_reference == "HDFC1568176960"
    assert AuditLog.objects.get(action=Action.SETTLEMENT_IMPORTED).data == {"lines": 1, "new": 1, "left_out": 0}


def test_the_same_file_twice_changes_nothing(in_cedar: Hospital, payment: Payment, bina: User) -> None:
    take(in_cedar, bina, of(payment))
    before = ledger.balances()

    assert take(in_cedar, bina, of(payment)) == settlements.Taken(known=1)
    assert ledger.balances() == before


def test_the_file_and_the_gateway_together_book_once(
    in_cedar: Hospital, payment: Payment, gateway: Gateway, bina: User
) -> None:
    gateway.settle()
    [line] = razorpay.settlement_lines(gateway.keys, day=now().astimezone(settlements.INDIA).date())
    take(in_cedar, bina, of(payment, settlement_id=line.settlement_id))

    compare(in_cedar)

    assert ledger.balances()["gateway"] == 0
    assert SettlementLine.objects.count() == 1


def test_with_own_keys_unknown_lines_of_the_file_are_on_the_list(
    in_cedar: Hospital, own: GatewayAccount, bina: User
) -> None:
    fee = {"transaction_entity": "adjustment", "entity_id": "adj_EhcHONhX4ChgNC", "credit": "0", "debit": "59.00"}
    take(in_cedar, bina, {**PAYMENT, **fee, "amount": "59.00"})

    assert listed() == [(Kind.UNKNOWN_SETTLEMENT, Decimal(-59))]


def test_with_the_platforms_keys_lines_of_others_are_left_out(in_cedar: Hospital, payment: Payment, bina: User) -> None:
    other = {**PAYMENT, "entity_id": "pay_OfSomebodyElse"}

    assert take(in_cedar, bina, of(payment), other) == settlements.Taken(new=1, others=1)
    assert listed() == []
    assert SettlementLine.objects.count() == 1


def test_a_line_that_is_unknown_is_booked_as_soon_as_its_payment_is_known(
    in_cedar: Hospital, own: GatewayAccount, bill: Make, gateway: Gateway, bina: User
) -> None:
    order = opened(in_cedar, bill())
    paid = gateway.pay(order.gateway_id or "")["payment"]["id"]
    take(in_cedar, bina, {**PAYMENT, "entity_id": paid})
    assert listed() == [(Kind.UNKNOWN_SETTLEMENT, Decimal(700))]

    compare(in_cedar)

    assert listed() == []
    assert ledger.balances()["gateway"] == 0


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"entity_id": "pay 1"}, "entity_id"),
        ({"entity_id": ""}, "entity_id"),
        ({"settlement_id": "=cmd"}, "settlement_id"),
        ({"amount": "seven"}, "amount"),
        ({"amount": "-700"}, "amount"),
        ({"amount": "1e3000"}, "amount"),
        ({"credit": "683.481"}, "credit"),
        ({"currency": "USD"}, "currency"),
        ({"settled_at": "31/02/2026"}, "settled_at"),
        ({"settled_at": ""}, "settled_at"),
        ({"transaction_entity": ""}, "transaction_entity"),
    ],
)
def test_a_fault_is_said_with_its_row_and_column_and_nothing_is_taken_in(
    in_cedar: Hospital, payment: Payment, bina: User, change: dict[str, str], column: str
) -> None:
    with pytest.raises(FaultyFile) as refused:
        take(in_cedar, bina, of(payment), of(payment) | {"settlement_id": "setl_Another0000000"} | change)

    assert [(fault.row, fault.column) for fault in refused.value.faults] == [(3, column)]
    assert not SettlementLine.objects.exists()


def test_rows_that_contradict_each_other_are_a_fault(in_cedar: Hospital, payment: Payment, bina: User) -> None:
    with pytest.raises(FaultyFile):
        take(in_cedar, bina, of(payment), of(payment, credit="600.00"))


def test_the_same_row_twice_counts_once(in_cedar: Hospital, payment: Payment, bina: User) -> None:
    assert take(in_cedar, bina, of(payment), of(payment)).new == 1
    assert ledger.balances()["gateway"] == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"PK\x03\x04\x00\x00",
        b"a,b\r\n1,2\r\n",
        report(),
        report({"settlement_id": "", "settled_at": "", "entity_id": "pay_29QQoUBi66xm2f"}),
        b"x" * (settlement_files.MAX_BYTES + 1),
        report(*[{**PAYMENT, "entity_id": "pay_29QQoUBi66xm2f"}] * (settlement_files.MAX_ROWS + 1)),
    ],
    ids=["nothing", "no text", "a spreadsheet", "other columns", "only a heading", "not settled", "too large", "too long"],
)  # fmt: skip
def test_what_is_no_settlement_file_is_refused(in_cedar: Hospital, bina: User, content: bytes) -> None:
    with pytest.raises(Invalid):
        settlement_files.take_in(hospital=in_cedar, content=content, by=bina, now=now())


def test_the_page_takes_the_file_in(in_cedar: Hospital, payment: Payment, bina: User) -> None:
    page = browser("cedar.localhost", bina)
    sent = {"file": SimpleUploadedFile("recon.csv", report(of(payment)))}
    answer = page.post("/office/discrepancies/comparisons/file/", sent, follow=True)
    assert "1 line is taken in." in answer.content.decode()
    with inside(in_cedar):
        assert ledger.balances()["gateway"] == 0


def test_the_page_says_what_is_wrong_in_which_row(in_cedar: Hospital, payment: Payment, bina: User) -> None:
    page = browser("cedar.localhost", bina)
    sent = {"file": SimpleUploadedFile("recon.csv", report(of(payment, amount="seven")))}
    answer = page.post("/office/discrepancies/comparisons/file/", sent)
    words = answer.content.decode()
    assert answer.status_code == 422
    for said in ("1 fault in the file", "Row 2", "amount", "Enter an amount in rupees, like 1500.00."):
        assert said in words


def test_without_a_file_the_page_says_so(in_cedar: Hospital, bina: User) -> None:
    page = browser("cedar.localhost", bina)
    answer = page.post("/office/discrepancies/comparisons/file/", {})
    assert answer.status_code == 422
    assert "Choose the settlement report that you exported." in answer.content.decode()


def test_the_api_takes_the_file_in(in_cedar: Hospital, payment: Payment, bina: User) -> None:
    client: Client = browser("cedar.localhost", bina)
    taken = client.post("/api/billing/settlements/", {"file": SimpleUploadedFile("recon.csv", report(of(payment)))})
    assert taken.json() == {"new": 1, "known": 0, "others": 0}
    faulty = SimpleUploadedFile("recon.csv", report(of(payment, amount="seven")))
    refused = client.post("/api/billing/settlements/", {"file": faulty})
    assert refused.status_code == 422
    assert refused.json()["faults"][0]["row"] == 2
