"""Everybody pays at the same moment, or one person many times: numbers without a gap, one order, one payment, one refund."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from billing import razorpay
from billing.models import Account, Invoice, JournalEntry, Payment, PaymentOrder, Refund, WebhookEvent
from billing.services import checkout, invoices, ledger, refunds, sweeping, webhooks
from billing.services.invoices import Charge, Draft
from core import schemas
from core.schemas import schema_context
from notifications.models import Notification
from tenants import rounds
from tenants.models import Hospital
from tests import factories
from tests.billing.news import knock
from tests.fakes.razorpay import Gateway
from tests.races.crowd import crowd, deadlocks

CHECKOUTS = 50
AGAIN = 20


@pytest.fixture
def cedar(committed: None, gateway: Gateway) -> Hospital:
    """Cedar, where the platform's keys are used."""
    return Hospital.objects.get(slug="cedar")


def begun(hospital: Hospital, user: User) -> Invoice:
    """A bill of ₹700 that is not issued."""
    draft = Draft(patient=factories.patient(user), charges=[Charge("Consultation", Decimal(700))])
    return invoices.draft(hospital=hospital, draft=draft, by=user, now=now())


def opened(hospital: Hospital, bill: Invoice, user: User) -> PaymentOrder:
    """Somebody opens the checkout."""
    return checkout.begin(hospital=hospital, invoice=bill, by=user, now=now())


def comes_back(hospital: Hospital, order: PaymentOrder, told: dict[str, str]) -> Payment | None:
    """The payer's browser."""
    return checkout.returned(
        hospital=hospital,
        order=order,
        payment_id=told["razorpay_payment_id"],
        signature=told["razorpay_signature"],
        now=now(),
    )


def test_fifty_checkouts_at_once_have_fifty_numbers_in_a_row(cedar: Hospital, gateway: Gateway) -> None:
    asha = User.objects.get(email="asha@example.com")
    with schema_context(cedar.schema_name):
        bills = [begun(cedar, asha) for _number in range(CHECKOUTS)]

    def pay(bill: Invoice) -> Payment | None:
        order = opened(cedar, bill, asha)
        return comes_back(cedar, order, gateway.pay(order.gateway_id or "")["callback"])

    paid = crowd(*[(cedar, partial(pay, bill)) for bill in bills])

    with schema_context(cedar.schema_name):
        assert all(isinstance(payment, Payment) for payment in paid), paid
        for model in (Invoice, Payment):
            numbers = model.objects.order_by("number").values_list("number", flat=True)
            assert list(numbers) == list(range(1, CHECKOUTS + 1))
        assert Invoice.objects.filter(status=Invoice.Status.PAID).count() == CHECKOUTS
        assert ledger.balances()[Account.GATEWAY] == 700 * CHECKOUTS
        assert ledger.balances()[Account.ADVANCES] == 0
    assert deadlocks() == 0


def test_the_same_checkout_sent_twenty_times_is_one_order_and_one_payment(cedar: Hospital, gateway: Gateway) -> None:
    """Twenty taps, then the browser, the messages and the clock, all at once and again and again."""
    asha = User.objects.get(email="asha@example.com")
    with schema_context(cedar.schema_name):
        bill = begun(cedar, asha)
    orders = crowd(*[(cedar, partial(opened, cedar, bill, asha))] * AGAIN)
    assert len({order.gateway_id for order in orders}) == 1, orders
    order = orders[0]
    told = gateway.pay(order.gateway_id)["callback"]
    with razorpay._client(gateway.keys) as client:
        assert len(client.order.all()["items"]) == 1
    for event in gateway.events():
        message = webhooks.Message(event.body, event.signature, event.id)
        assert webhooks.receive(hospital=None, message=message, now=now())

    heard: list[Callable[[], Any]] = [partial(comes_back, cedar, order, told)] * AGAIN
    heard += [partial(checkout.ask, hospital=cedar, order=order, now=now())] * AGAIN
    heard += [partial(webhooks.take_in, event_id=event.id, now=now()) for event in gateway.events()] * 3
    crowd(*[(cedar, act) for act in heard])

    with schema_context(cedar.schema_name):
        payment = Payment.objects.get()
        assert (payment.status, payment.number, payment.amount) == (Payment.Status.CAPTURED, 1, Decimal(700))
        kinds = JournalEntry.objects.order_by("kind").values_list("kind", flat=True)
        assert list(kinds) == ["applied", "invoiced", "received"]
        assert Notification.objects.filter(template="bill_receipt").count() == 1
        assert not WebhookEvent.objects.exclude(state=WebhookEvent.State.DONE).exists()
    assert deadlocks() == 0


def test_a_refund_sent_twenty_times_is_one(cedar: Hospital, gateway: Gateway) -> None:
    asha, hari = (User.objects.get(email=email) for email in ("asha@example.com", "hari@cedar.example"))
    with schema_context(cedar.schema_name):
        order = opened(cedar, begun(cedar, asha), asha)
        gateway.pay(order.gateway_id or "")
        checkout.ask(hospital=cedar, order=order, now=now())
        payment = Payment.objects.get()
        asked: dict[str, Any] = {"amount": Decimal(300), "reason": "Went home", "by": hari, "may_approve": True}
        refund = refunds.ask(hospital=cedar, payment=payment, now=now(), **asked)

    def send() -> None:
        mine = Refund.objects.select_related("payment__order__account", "invoice").get(pk=refund.pk)
        refunds.send(refund=mine, now=now())

    crowd(*[(cedar, send)] * AGAIN)

    assert len(razorpay.refunds_of(gateway.keys, payment.gateway_id or "")) == 1
    with schema_context(cedar.schema_name):
        refund.refresh_from_db()
        assert refund.status == Refund.Status.PROCESSED
        assert ledger.balances()[Account.GATEWAY] == 400
        assert Notification.objects.filter(template="bill_refunded").count() == 1


def test_a_message_that_comes_twenty_times_at_once_is_kept_once(cedar: Hospital, gateway: Gateway) -> None:
    asha = User.objects.get(email="asha@example.com")
    with schema_context(cedar.schema_name):
        order = opened(cedar, begun(cedar, asha), asha)
    gateway.pay(order.gateway_id or "")
    [event] = gateway.events("order.paid")

    def tell() -> Any:
        schemas.enter_public()
        door = Client(HTTP_HOST="localhost")
        return knock(door, event.body, event.headers).status_code

    assert crowd(*[(cedar, tell)] * AGAIN) == [200] * AGAIN
    with schema_context(cedar.schema_name):
        assert WebhookEvent.objects.count() == 1


def test_sweeps_at_the_same_moment_do_everything_once(cedar: Hospital, gateway: Gateway) -> None:
    asha = User.objects.get(email="asha@example.com")
    with schema_context(cedar.schema_name):
        for _number in range(5):
            gateway.pay(opened(cedar, begun(cedar, asha), asha).gateway_id or "")
        PaymentOrder.objects.update(created_at=now() - checkout.ASK_AFTER)

    crowd(*[(cedar, partial(sweeping.sweep, hospital=cedar, now=now()))] * 4)

    with schema_context(cedar.schema_name):
        assert list(Payment.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3, 4, 5]
        assert ledger.balances()[Account.GATEWAY] == 3500
    assert deadlocks() == 0


def test_a_round_does_not_begin_beside_one_of_its_name(committed: None) -> None:
    visited: list[str] = []

    def visit(hospital: Hospital) -> None:
        visited.append(hospital.slug)
        rounds.everywhere(lambda other: visited.append(f"again {other.slug}"), alone="money")

    rounds.everywhere(visit, alone="money")
    rounds.everywhere(visit, alone="money")

    assert visited == ["cedar", "lotus"] * 2
