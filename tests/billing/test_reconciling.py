"""Comparing the gateway with the books: lost messages repair themselves, and what does not fit is on the list (BP-20)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from audit.models import Action, AuditLog
from billing import tasks
from billing.models import (
    Account,
    Discrepancy,
    GatewayAccount,
    Invoice,
    Payment,
    PaymentOrder,
    Reconciliation,
    Refund,
)
from billing.models import Kind as Entry
from billing.services import checkout, discrepancies, ledger, reconciling, refunds
from billing.services.invoices import Charge
from core.errors import NotAllowedNow
from core.sealing import seal
from tenants.models import Hospital
from tests.billing.gateway_side import Kind, compare, dashboard, listed, opened, paid_online, refund_there
from tests.billing.money import inside
from tests.billing.news import books, hear
from tests.fakes.razorpay import Gateway, Sandbox

Make = Callable[..., Invoice]
A_MOMENT = timedelta(seconds=1)


def own_keys(gateway: Gateway) -> GatewayAccount:
    """The hospital has keys of its own at the gateway."""
    return GatewayAccount.objects.create(
        key_id=gateway.keys.key_id, key_secret=seal(gateway.keys.key_secret), webhook_secret=seal("x")
    )


def grant(hospital: Hospital, payment: Payment, amount: int, by: User) -> Refund:
    """Somebody grants a refund; it is not sent yet."""
    asked: dict[str, Any] = {"amount": Decimal(amount), "reason": "Billed twice", "may_approve": True}
    return refunds.ask(hospital=hospital, payment=payment, by=by, now=now(), **asked)


@contextmanager
def undone() -> Iterator[None]:
    """What happens here has not happened afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# --- Lost messages ---------------------------------------------------------------------------------------------------


def test_bp20_a_payment_whose_message_was_lost_is_found(in_cedar: Hospital, bill: Make, gateway: Gateway) -> None:
    invoice = bill()
    gateway.faults(drop=["*"])
    gateway.pay(opened(in_cedar, invoice).gateway_id or "")

    row = compare(in_cedar)

    invoice.refresh_from_db()
    assert invoice.status == Invoice.Status.PAID
    assert (row.orders, row.repaired, row.found, row.error) == (1, 1, 0, "")


def test_payments_without_any_message_end_in_the_same_books(
    in_cedar: Hospital, bill: Make, gateway: Gateway, portal: Client
) -> None:
    gateway.faults(late_seconds=0)
    for outcomes in (["succeeds"], ["fails", "succeeds"], ["authorized"], ["fails"], ["late"]):
        order = opened(in_cedar, bill())
        tries = [gateway.pay(order.gateway_id or "", outcome)["payment"]["id"] for outcome in outcomes]
    gateway.authorize_late(tries[-1])

    with undone():
        hear(portal, in_cedar, gateway.events())
        told = books(in_cedar)
    with inside(in_cedar):
        compare(in_cedar)

    assert books(in_cedar) == told
    assert told.balances["gateway"] == 4 * 700


def test_refunds_without_any_message_end_in_the_same_books(
    in_cedar: Hospital, bill: Make, gateway: Gateway, portal: Client, bina: User
) -> None:
    gateway.faults(refunds="pending")
    arrives, fails = (grant(in_cedar, paid_online(in_cedar, gateway, bill()), part, bina) for part in (200, 300))
    for refund in (arrives, fails):
        refunds.send(refund=refund, now=now())
    gateway.finish_refund(arrives.gateway_id or "")
    gateway.finish_refund(fails.gateway_id or "", "fail")

    with undone():
        hear(portal, in_cedar, gateway.events())
        told = books(in_cedar)
    with inside(in_cedar):
        compare(in_cedar)

    assert books(in_cedar) == told
    with inside(in_cedar):
        assert listed() == [(Kind.REFUND_STUCK, Decimal(300))]


def test_a_late_payment_for_a_closed_order_is_found_for_days(
    in_cedar: Hospital, bill: Make, gateway: Gateway, asha: User
) -> None:
    gateway.faults(late_seconds=0)
    order = opened(in_cedar, bill())
    tried = gateway.pay(order.gateway_id or "", "late")["payment"]["id"]
    checkout.close(invoice=order.invoice, by=asha)
    compare(in_cedar)
    gateway.authorize_late(tried)

    compare(in_cedar, now() + timedelta(days=3))

    order.refresh_from_db()
    assert order.status == PaymentOrder.Status.PAID


def test_a_refund_whose_answer_was_lost_is_made_once(
    in_cedar: Hospital, bill: Make, gateway: Gateway, bina: User
) -> None:
    payment = paid_online(in_cedar, gateway, bill())
    refund = grant(in_cedar, payment, 200, bina)
    gateway.break_call("payments.refund")
    with pytest.raises(Exception, match="Connection"):
        refunds.send(refund=refund, now=now())

    row = compare(in_cedar, now() + timedelta(minutes=6))

    refund.refresh_from_db()
    assert refund.status == Refund.Status.PROCESSED
    assert row.repaired == 1
    with dashboard(gateway) as desk:
        assert desk.payment.fetch(payment.gateway_id)["amount_refunded"] == 20_000


def test_comparing_twice_changes_nothing_more(in_cedar: Hospital, bill: Make, gateway: Gateway) -> None:
    payment = paid_online(in_cedar, gateway, bill())
    refund_there(gateway, payment, 100)
    compare(in_cedar)
    before, rows = books(in_cedar), listed()

    row = compare(in_cedar, now() + timedelta(minutes=5))

    assert (books(in_cedar), listed()) == (before, rows)
    assert row.repaired == 0


# --- What does not fit -----------------------------------------------------------------------------------------------


def test_a_refund_made_in_the_gateways_dashboard_is_on_the_list(
    in_cedar: Hospital, bill: Make, gateway: Gateway
) -> None:
    payment = paid_online(in_cedar, gateway, bill())
    made = refund_there(gateway, payment, 250)

    row = compare(in_cedar)

    found = Discrepancy.objects.open().get()
    assert (found.kind, found.key, found.amount, found.payment) == (Kind.UNKNOWN_REFUND, made, Decimal(250), payment)
    assert row.found == 1


def test_a_payment_with_the_hospitals_own_keys_that_we_do_not_know_is_on_the_list(
    in_cedar: Hospital, bill: Make, gateway: Gateway
) -> None:
    own_keys(gateway)
    with dashboard(gateway) as desk:
        foreign = desk.order.create({"amount": 45_000, "currency": "INR"})["id"]
    gateway.pay(foreign)
    paid_online(in_cedar, gateway, bill())

    row = compare(in_cedar)

    assert listed() == [(Kind.UNKNOWN_PAYMENT, Decimal(450))]
    assert row.payments == 1


def test_what_others_are_paid_with_the_platforms_keys_is_not_on_the_list(
    in_cedar: Hospital, bill: Make, gateway: Gateway
) -> None:
    with dashboard(gateway) as desk:
        of_lotus = desk.order.create({"amount": 45_000, "currency": "INR", "receipt": "of-lotus"})["id"]
    gateway.pay(of_lotus)
    paid_online(in_cedar, gateway, bill())
    gateway.settle()

    row = compare(in_cedar)

    assert listed() == []
    assert (row.payments, row.settled) == (1, 1)


def test_a_payment_over_another_amount_is_on_the_list_until_it_fits(
    in_cedar: Hospital, bill: Make, gateway: Gateway
) -> None:
    payment = paid_online(in_cedar, gateway, bill())
    Payment.objects.filter(pk=payment.pk).update(amount=650)

    compare(in_cedar)
    assert listed() == [(Kind.AMOUNT_DIFFERS, Decimal(50)), (Kind.BOOKS_DIFFER, Decimal(-50))]
    Payment.objects.filter(pk=payment.pk).update(amount=700)
    compare(in_cedar, now() + timedelta(minutes=5))

    assert listed() == []
    healed = AuditLog.objects.filter(action=Action.DISCREPANCY_RESOLVED)
    assert {row.actor for row in healed} == {"The platform"}


def test_a_payment_the_gateway_does_not_know_is_on_the_list(in_cedar: Hospital, bill: Make, gateway: Gateway) -> None:
    payment = paid_online(in_cedar, gateway, bill())
    Payment.objects.filter(pk=payment.pk).update(gateway_id="pay_NobodyKnows000")

    compare(in_cedar)

    assert (Kind.NOT_AT_GATEWAY, Decimal(700)) in listed()


def test_a_refund_that_does_not_arrive_in_ten_days_is_on_the_list_and_off_it_when_it_does(
    in_cedar: Hospital, bill: Make, gateway: Gateway, bina: User
) -> None:
    gateway.faults(refunds="pending")
    refund = grant(in_cedar, paid_online(in_cedar, gateway, bill()), 700, bina)
    refunds.send(refund=refund, now=now())

    compare(in_cedar, now() + timedelta(days=9))
    assert (Kind.REFUND_STUCK, Decimal(700)) not in listed()
    compare(in_cedar, now() + timedelta(days=11))
    assert (Kind.REFUND_STUCK, Decimal(700)) in listed()
    gateway.finish_refund(refund.gateway_id or "")
    compare(in_cedar, now() + timedelta(days=12))

    assert (Kind.REFUND_STUCK, Decimal(700)) not in listed()


def test_money_without_an_entry_in_the_books_is_on_the_list(
    in_cedar: Hospital, cash_day: object, paid: Callable[..., Payment], gateway: Gateway
) -> None:
    payment = paid()
    Payment.objects.filter(pk=payment.pk).update(amount=600)

    compare(in_cedar)

    found = Discrepancy.objects.open().get()
    assert (found.kind, found.amount, found.payment) == (Kind.BOOKS_DIFFER, Decimal(-100), payment)
    assert found.details == "Here ₹600, in the books ₹700."


def test_an_entry_without_a_payment_is_on_the_list(in_cedar: Hospital, bill: Make, gateway: Gateway) -> None:
    invoice = bill()
    source = "payment:00000000-0000-7000-8000-000000000000"
    ledger.post(
        kind=Entry.RECEIVED, source=source, at=now(), by=None, invoice=invoice,
        debit={Account.CASH: Decimal(5)}, credit={Account.RECEIVABLE: Decimal(5)},
    )  # fmt: skip

    compare(in_cedar)

    assert listed() == [(Kind.BOOKS_DIFFER, Decimal(-5))]


def test_ordinary_days_leave_nothing_on_the_list(
    in_cedar: Hospital, bill: Make, paid: Callable[..., Payment], cash_day: object, gateway: Gateway, bina: User
) -> None:
    paid()
    payment = paid_online(in_cedar, gateway, bill(Charge("Paracetamol", Decimal("33.33"), category="medicine")))
    refunds.send(refund=grant(in_cedar, payment, 10, bina), now=now())
    bill()

    row = compare(in_cedar, now() + timedelta(hours=2))

    assert (listed(), row.found, row.payments, row.refunds) == ([], 0, 1, 1)


def test_what_was_explained_stays_off_the_list(in_cedar: Hospital, bill: Make, gateway: Gateway, bina: User) -> None:
    refund_there(gateway, paid_online(in_cedar, gateway, bill()), 250)
    compare(in_cedar)
    known = Discrepancy.objects.get()
    discrepancies.resolve(discrepancy=known, by=bina, explanation="Refunded by telephone", now=now())

    compare(in_cedar, now() + timedelta(minutes=5))

    assert listed() == []


# --- The gateway is away ---------------------------------------------------------------------------------------------


def test_a_gateway_that_is_away_is_noted_and_asked_again_next_time(
    in_cedar: Hospital, bill: Make, gateway: Gateway
) -> None:
    invoice = bill()
    gateway.pay(opened(in_cedar, invoice).gateway_id or "")
    gateway.break_call("orders.payments")

    row = compare(in_cedar)
    assert row.error == "Razorpay did not answer. What is left is compared next time."
    assert row.repaired == 0
    row = compare(in_cedar, now() + timedelta(minutes=5))

    assert (row.error, row.repaired) == ("", 1)


def test_keys_that_the_gateway_refuses_are_noted(in_cedar: Hospital, bill: Make, gateway: Gateway) -> None:
    opened(in_cedar, bill())
    gateway.change(key_secret="another")

    row = compare(in_cedar)

    assert row.error == "Razorpay does not accept the keys, or refused to answer."
    assert listed() == []


def test_keys_that_are_refused_do_not_keep_others_from_being_compared(
    in_cedar: Hospital, bill: Make, gateway: Gateway, sandbox: Sandbox
) -> None:
    mine = sandbox.account()
    account = own_keys(mine)
    opened(in_cedar, bill())
    mine.change(key_secret="another")
    GatewayAccount.objects.filter(pk=account.pk).update(is_active=False)
    invoice = bill()
    gateway.pay(opened(in_cedar, invoice).gateway_id or "")

    row = compare(in_cedar)

    invoice.refresh_from_db()
    assert invoice.status == Invoice.Status.PAID
    assert row.error


def test_only_one_comparison_goes_on_at_a_time(in_cedar: Hospital, gateway: Gateway) -> None:
    reconciling.ask(now=now())

    with pytest.raises(NotAllowedNow):
        reconciling.ask(now=now())
    assert reconciling.run(hospital=in_cedar, now=now()) is None


def test_a_comparison_whose_worker_died_is_ended_by_the_next_one(in_cedar: Hospital, gateway: Gateway) -> None:
    dead = reconciling.ask(now=now() - timedelta(hours=1))

    compare(in_cedar)

    dead.refresh_from_db()
    assert dead.error == "It was interrupted."


def test_the_task_does_what_was_asked_for(cedar: Hospital, in_cedar: Hospital, gateway: Gateway) -> None:
    row = reconciling.ask(now=now())

    tasks.reconcile(schema=cedar.schema_name, begun_id=row.pk)
    tasks.reconcile(schema=cedar.schema_name, begun_id=row.pk)

    row.refresh_from_db()
    assert row.ended_at
    assert Reconciliation.objects.count() == 1


def test_the_clock_compares_every_hospital(cedar: Hospital, lotus: Hospital, gateway: Gateway) -> None:
    tasks.reconcile(schema="public")

    for hospital in (cedar, lotus):
        with inside(hospital):
            assert Reconciliation.objects.complete().count() == 1
