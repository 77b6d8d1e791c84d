"""Clerks at the same bill, the same payment and the same drawer at the same moment: every rupee is counted once."""

from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db.models import Sum
from django.utils.timezone import now

from accounts.models import User
from accounts.permissions import Role
from billing.models import Account, CashDay, Invoice, Method, Payment, Posting, Refund
from billing.services import cash, invoices, ledger, payments, refunds
from billing.services.invoices import Charge, Draft
from billing.services.payments import Taking
from core.errors import DomainError
from core.schemas import schema_context
from hospitals.models import Staff
from tenants.models import Hospital
from tests import factories
from tests.races.crowd import crowd, deadlocks

CLERKS = 12


@pytest.fixture
def cedar(committed: None) -> Hospital:
    """The hospital, in a database in which all of this really happens."""
    return Hospital.objects.get(slug="cedar")


def clerks(hospital: Hospital, count: int) -> list[User]:
    """Front desks with an open cash day."""
    people = [factories.person(f"clerk{number}@cedar.example", f"Clerk{number}") for number in range(count)]
    with schema_context(hospital.schema_name):
        for user in people:
            Staff.objects.create(user=user, role=Role.FRONT_DESK, joined_at=now())
            cash.open_day(clerk=user, opening_float=Decimal(500), now=now())
    return people


def bill(hospital: Hospital, by: User, *, is_issued: bool = True) -> Invoice:
    """Asha's bill of ₹700."""
    with schema_context(hospital.schema_name):
        patient = factories.patient(User.objects.get(email="asha@example.com"))
        asked = Draft(patient=patient, charges=[Charge("Consultation", Decimal(700))])
        invoice = invoices.draft(hospital=hospital, draft=asked, by=by, now=now())
        if is_issued:
            invoices.issue(hospital=hospital, invoice=invoice, by=by, now=now())
        return invoice


def take(hospital: Hospital, invoice: Invoice, by: User, amount: int | None = None, key: str = "") -> Payment:
    """Take cash for it, as a request does: everything is read anew."""
    found = Invoice.objects.get(pk=invoice.pk)
    taking = Taking(Method.CASH, None if amount is None else Decimal(amount), idempotency_key=key)
    return payments.take(hospital=hospital, invoice=found, taking=taking, by=by, now=now())


@pytest.mark.parametrize("is_issued", [True, False])
def test_of_many_clerks_who_take_the_same_bill_one_takes_the_money(cedar: Hospital, is_issued: bool) -> None:
    people = clerks(cedar, CLERKS)
    invoice = bill(cedar, people[0], is_issued=is_issued)

    answers = crowd(*[(cedar, partial(take, cedar, invoice, user)) for user in people])

    assert sum(isinstance(answer, Payment) for answer in answers) == 1
    with schema_context(cedar.schema_name):
        assert Payment.objects.sum() == 700
        assert ledger.balances()["cash"] == 700
    assert deadlocks() == 0


def test_the_same_key_twenty_times_is_one_payment(cedar: Hospital) -> None:
    [clerk] = clerks(cedar, 1)
    invoice = bill(cedar, clerk)

    answers = crowd(*[(cedar, partial(take, cedar, invoice, clerk, 300, "k"))] * 20)

    assert len({answer.code for answer in answers}) == 1
    with schema_context(cedar.schema_name):
        assert Payment.objects.get().amount == 300
        assert ledger.owed_on(invoice) == 400


def test_parts_taken_at_once_are_never_more_than_is_owed(cedar: Hospital) -> None:
    people = clerks(cedar, CLERKS)
    invoice = bill(cedar, people[0])

    crowd(*[(cedar, partial(take, cedar, invoice, user, 200)) for user in people])

    with schema_context(cedar.schema_name):
        assert Payment.objects.sum() == 600
        assert ledger.owed_on(invoice) == 100


def ask(hospital: Hospital, payment: Payment, by: User, amount: int, key: str = "") -> Refund:
    """Ask for a part of it back."""
    return refunds.ask(
        hospital=hospital, payment=Payment.objects.get(pk=payment.pk), amount=Decimal(amount), reason="x", by=by,
        may_approve=False, now=now(), idempotency_key=key,
    )  # fmt: skip


def paid(hospital: Hospital, by: User) -> Payment:
    """A bill that is paid."""
    invoice = bill(hospital, by)
    with schema_context(hospital.schema_name):
        return take(hospital, invoice, by)


def test_however_many_ask_at_once_no_more_goes_back_than_was_paid(cedar: Hospital) -> None:
    people = clerks(cedar, CLERKS)
    payment = paid(cedar, people[0])

    crowd(*[(cedar, partial(ask, cedar, payment, user, 300)) for user in people])

    with schema_context(cedar.schema_name):
        assert Refund.objects.counting().aggregate(sum=Sum("amount"))["sum"] == 600
    assert deadlocks() == 0


def test_the_same_key_asks_for_one_refund(cedar: Hospital) -> None:
    [clerk] = clerks(cedar, 1)
    payment = paid(cedar, clerk)

    crowd(*[(cedar, partial(ask, cedar, payment, clerk, 100, "k"))] * 20)

    with schema_context(cedar.schema_name):
        assert Refund.objects.get().amount == 100


def test_a_refund_is_paid_out_once(cedar: Hospital) -> None:
    people = clerks(cedar, CLERKS)
    payment = paid(cedar, people[0])
    with schema_context(cedar.schema_name):
        refund = ask(cedar, payment, people[0], 700)

    def pay(by: User) -> bool:
        found = Refund.objects.get(pk=refund.pk)
        refunds.pay_out(refund=found, method=Method.CASH, reference="", by=by, now=now())
        return True

    answers = crowd(*[(cedar, partial(pay, user)) for user in people])

    assert answers.count(True) == 1
    with schema_context(cedar.schema_name):
        assert ledger.balances()["cash"] == 0


def test_a_day_that_is_closed_while_money_comes_and_goes_adds_up(cedar: Hospital) -> None:
    [clerk] = clerks(cedar, 1)
    bills = [bill(cedar, clerk) for _number in range(8)]
    with schema_context(cedar.schema_name):
        granted = [ask(cedar, take(cedar, one, clerk), clerk, 100) for one in bills[:3]]
        day = CashDay.objects.get()

    def close() -> bool:
        expected = cash.expected_in(day)
        cash.close_day(day=day, counted=expected + 7, note="Found", by=clerk, now=now())
        return True

    def pay(refund: Refund) -> None:
        found = Refund.objects.get(pk=refund.pk)
        refunds.pay_out(refund=found, method=Method.CASH, reference="", by=clerk, now=now())

    acts: list[tuple[Hospital, Any]] = [(cedar, partial(take, cedar, one, clerk)) for one in bills[3:]]
    acts[2:2] = [(cedar, close), *((cedar, partial(pay, refund)) for refund in granted)]
    answers = crowd(*acts)

    with schema_context(cedar.schema_name):
        day.refresh_from_db()
        assert day.status == "closed"
        listed = sum((movement.amount for movement in cash.movements_of(day)), Decimal())
        assert day.expected == 500 + listed == cash.expected_in(day)
        # Whoever came too late was refused, and the books hold what the sheet says, with what was counted too much.
        assert Posting.objects.on(Account.CASH).balance() == listed + (day.difference or 0)
        taken = sum(isinstance(answer, Payment) for answer in answers)
        assert Payment.objects.count() == 3 + taken
        assert all(answer is None or answer is True or isinstance(answer, Payment | DomainError) for answer in answers)
    assert deadlocks() == 0


def test_a_clerk_opens_one_day_however_often_they_press(cedar: Hospital) -> None:
    user = factories.person("clerk@cedar.example", "Clerk")

    answers = crowd(*[(cedar, partial(cash.open_day, clerk=user, opening_float=Decimal(500), now=now()))] * 10)

    assert sum(isinstance(answer, CashDay) for answer in answers) == 1
