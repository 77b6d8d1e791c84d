"""Bills: their numbers, their lines, and that nothing on an issued one ever changes."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import InternalError
from django.utils.timezone import now

from accounts.models import User
from audit.models import AuditLog
from billing.models import Account, CashDay, Invoice, JournalEntry, Method, Payment, Posting
from billing.services import invoices, ledger, payments, refunds
from billing.services.invoices import Charge
from billing.services.payments import Taking
from core.errors import Conflict, Invalid, NotAllowedNow
from tenants.models import Hospital

Make = Callable[..., Invoice]


def test_a_bill_is_issued_with_the_next_number_of_the_financial_year(bill: Make) -> None:
    first, second = bill(), bill()

    assert second.number == (first.number or 0) + 1
    assert first.reference.startswith("INV/")
    assert first.status == Invoice.Status.UNPAID
    assert ledger.owed_on(first) == 700


def test_a_draft_takes_no_number(draft: Make) -> None:
    assert draft().number is None


def test_medicines_carry_their_tax_half_to_each_government(bill: Make) -> None:
    invoice = bill(Charge("Paracetamol", Decimal("33.33"), category="medicine", quantity=Decimal(3)))

    assert (invoice.gross, invoice.cgst, invoice.sgst, invoice.igst) == (
        Decimal("99.99"), Decimal("2.50"), Decimal("2.50"), Decimal(),
    )  # fmt: skip
    assert invoice.total == Decimal("104.99")


def test_another_state_pays_integrated_tax(bill: Make) -> None:
    invoice = bill(Charge("Paracetamol", Decimal(100), category="medicine"), place_of_supply="KA")

    assert (invoice.cgst, invoice.sgst, invoice.igst) == (Decimal(), Decimal(), Decimal(5))


@pytest.mark.parametrize("change", [{"total": 1, "gross": 1}, {"bill_to": "Somebody else"}, {"number": 99}])
def test_postgres_keeps_an_issued_bill_as_it_is(bill: Make, change: dict[str, object]) -> None:
    invoice = bill()

    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(**change)


def test_postgres_keeps_the_lines_of_an_issued_bill(bill: Make) -> None:
    invoice = bill()

    with pytest.raises(IntegrityError), transaction.atomic():
        invoice.lines.update(description="Something else")


def test_postgres_refuses_an_entry_that_does_not_balance(bill: Make) -> None:
    invoice = bill()
    with pytest.raises(IntegrityError), transaction.atomic():
        entry = JournalEntry.objects.create(kind="counted", source="x", happened_at=now(), invoice=invoice)
        Posting.objects.create(entry=entry, account=Account.CASH, debit=5)
        with transaction.get_connection().cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_postgres_lets_nobody_rewrite_the_books(bill: Make) -> None:
    bill()

    with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
        Posting.objects.update(debit=1, credit=0)


def test_a_small_discount_needs_nobody(bill: Make) -> None:
    assert bill(Charge("Consultation", Decimal(700), discount=Decimal(70))).total == 630


def test_a_larger_discount_waits_for_approval(in_cedar: Hospital, draft: Make, meena: User) -> None:
    invoice = draft(Charge("Consultation", Decimal(700), discount=Decimal(71)))

    assert list(Invoice.objects.awaiting_approval()) == [invoice]
    with pytest.raises(NotAllowedNow):
        invoices.issue(hospital=in_cedar, invoice=invoice, by=meena, now=now())


def test_nobody_gives_a_discount_above_the_cap(draft: Make) -> None:
    with pytest.raises(Invalid, match="at most ₹560"):
        draft(Charge("Consultation", Decimal(700), discount=Decimal("560.01")))


def test_cash_pays_a_bill(in_cedar: Hospital, bill: Make, cash_day: CashDay, meena: User) -> None:
    invoice = bill()

    payment = payments.take(
        hospital=in_cedar, invoice=invoice, taking=Taking(Method.CASH, Decimal(700)), by=meena, now=now()
    )

    assert invoice.status == Invoice.Status.PAID
    assert payment.receipt_number.startswith("RCT/")
    assert ledger.balances()["cash"] == 700
    assert AuditLog.objects.about(payment).get().action == "payment.captured"


def test_a_part_leaves_the_rest_owed(in_cedar: Hospital, bill: Make, meena: User) -> None:
    invoice = bill()

    payments.take(
        hospital=in_cedar, invoice=invoice, taking=Taking(Method.UPI, Decimal(300), "UPI1"), by=meena, now=now()
    )

    assert invoice.status == Invoice.Status.PARTIALLY_PAID
    assert ledger.owed_on(invoice) == 400


def test_a_bill_is_not_paid_twice(in_cedar: Hospital, bill: Make, meena: User) -> None:
    invoice = bill()
    taking = Taking(Method.UPI, Decimal(700), "UPI1")
    payments.take(hospital=in_cedar, invoice=invoice, taking=taking, by=meena, now=now())

    with pytest.raises(Conflict):
        payments.take(hospital=in_cedar, invoice=invoice, taking=taking, by=meena, now=now())


def test_the_same_key_answers_the_same_payment(in_cedar: Hospital, bill: Make, meena: User) -> None:
    invoice = bill()
    taking = Taking(Method.UPI, Decimal(300), "UPI1", idempotency_key="k")

    first, second = (
        payments.take(hospital=in_cedar, invoice=invoice, taking=taking, by=meena, now=now()) for _ in range(2)
    )

    assert first == second
    assert Payment.objects.count() == 1


def test_a_refund_takes_the_bill_back_and_the_money_out(
    in_cedar: Hospital, bill: Make, cash_day: CashDay, meena: User
) -> None:
    invoice = bill()
    payment = payments.take(
        hospital=in_cedar, invoice=invoice, taking=Taking(Method.CASH, Decimal(700)), by=meena, now=now()
    )

    refund = refunds.ask(
        hospital=in_cedar, payment=payment, amount=Decimal(700), reason="Doctor ill", by=meena, may_approve=False,
        now=now(),
    )  # fmt: skip
    refunds.pay_out(refund=refund, method=Method.CASH, reference="", by=meena, now=now())

    invoice.refresh_from_db()
    assert invoice.status == Invoice.Status.REFUNDED
    assert {account: left for account, left in ledger.balances().items() if left} == {}
    assert invoice.credit_notes.get().total == 700


def test_a_large_refund_waits_for_approval(in_cedar: Hospital, bill: Make, meena: User, hari: User) -> None:
    invoice = bill(Charge("Treatment", Decimal(5000), category="treatment"))
    payment = payments.take(
        hospital=in_cedar, invoice=invoice, taking=Taking(Method.CARD, Decimal(5000), "S1"), by=meena, now=now()
    )

    refund = refunds.ask(
        hospital=in_cedar, payment=payment, amount=Decimal(2001), reason="Too long a wait", by=meena,
        may_approve=False, now=now(),
    )  # fmt: skip

    assert refund.status == "requested"
    refunds.approve(hospital=in_cedar, refund=refund, by=hari, now=now())
    assert refund.status == "approved"
    invoice.refresh_from_db()
    assert invoice.status == Invoice.Status.PARTIALLY_REFUNDED
