"""The door for the gateway's messages: what it takes, and what becomes of it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from celery.signals import before_task_publish
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.models import User
from billing import razorpay
from billing.models import Discrepancy, GatewayAccount, Invoice, Payment, PaymentOrder, WebhookEvent
from billing.services import checkout, webhooks
from core.schemas import schema_context
from core.sealing import seal
from tenants.models import Hospital
from tests.billing.news import Books, about, books, hear, knock, order_of, signed, states, tell, work_off
from tests.fakes.razorpay import Gateway

Make = Callable[..., Invoice]
State = WebhookEvent.State


@pytest.fixture
def order(in_cedar: Hospital, gateway: Gateway, draft: Make, asha: User) -> PaymentOrder:
    """Asha is about to pay ₹700, with the platform's keys."""
    return checkout.begin(hospital=in_cedar, invoice=draft(), by=asha, now=now())


@pytest.fixture
def own(in_cedar: Hospital, gateway: Gateway) -> Gateway:
    """Cedar's own account at the gateway."""
    mine = gateway.sandbox.account()
    GatewayAccount.objects.create(
        key_id=mine.keys.key_id, key_secret=seal(mine.keys.key_secret), webhook_secret=seal(mine.webhook_secret)
    )
    return mine


# --- What is taken ---------------------------------------------------------------------------------------------------


def test_a_message_is_kept_at_once_and_taken_in_afterwards(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    gateway.pay(order.gateway_id or "")
    [event] = gateway.events("payment.captured")

    answer = tell(portal, event)

    assert (answer.status_code, answer.content) == (200, b"")
    with schema_context(cedar.schema_name):
        kept = WebhookEvent.objects.get()
        assert (kept.event_id, kept.event, bytes(kept.body)) == (event.id, event.name, event.body)
        assert (kept.state, kept.is_of_platform) == (State.RECEIVED, True)
        assert not Payment.objects.exists()
    work_off(cedar)
    with schema_context(cedar.schema_name):
        assert order.invoice.payments.get().status == Payment.Status.CAPTURED
        order.invoice.refresh_from_db()
        assert order.invoice.status == Invoice.Status.PAID
    assert states(cedar) == [State.DONE]


def test_the_door_asks_the_database_little(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar_site: Client, own: Gateway, cedar: Hospital
) -> None:
    """One INSERT; at a hospital's own door also for its keys."""
    gateway.pay(order.gateway_id or "")
    first, *_others, last = gateway.events()
    tell(portal, first)
    cedar_site.get("/")
    for door, account, body, most in ((portal, gateway, last.body, 1), (cedar_site, own, b"{}", 2)):
        with CaptureQueriesContext(connection) as queries:
            assert knock(door, body, {"X-Razorpay-Signature": account.sign(body)}).status_code == 200
        asked = [query["sql"] for query in queries if query["sql"].startswith(("SELECT", "INSERT", "UPDATE"))]
        assert len(asked) == most, asked


@pytest.fixture
def sent() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """What the broker is told, with its arguments."""
    found: list[tuple[str, dict[str, Any]]] = []

    def note(sender: str, body: Any, **_more: Any) -> None:
        found.append((sender, body[1]))

    before_task_publish.connect(note)
    yield found
    before_task_publish.disconnect(note)


def test_a_worker_is_told_once_of_each_message(
    order: PaymentOrder,
    gateway: Gateway,
    portal: Client,
    cedar: Hospital,
    sent: list[tuple[str, dict[str, Any]]],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    gateway.pay(order.gateway_id or "")
    [event] = gateway.events("payment.captured")

    with django_capture_on_commit_callbacks(execute=True):
        for _again in range(3):
            tell(portal, event)

    assert sent == [("billing.take_in_event", {"schema": cedar.schema_name, "event_id": event.id})]


def test_a_settlement_starts_the_comparison(
    order: PaymentOrder,
    own: Gateway,
    gateway: Gateway,
    portal: Client,
    cedar_site: Client,
    cedar: Hospital,
    sent: list[tuple[str, dict[str, Any]]],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    """One of the platform's account concerns all hospitals, one of its own account a hospital alone."""
    said = {"event": "settlement.processed", "created_at": 1, "payload": {"settlement": {"entity": {"id": "setl_1"}}}}

    with django_capture_on_commit_callbacks(execute=True):
        assert knock(portal, *signed(gateway, said)).status_code == 200
    assert sent == [("billing.reconcile", {"schema": "public"})]
    assert knock(cedar_site, *signed(own, said)).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        work_off(cedar)
    assert sent[1:] == [("billing.reconcile", {"schema": cedar.schema_name})]


def test_the_same_message_again_changes_nothing(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    gateway.pay(order.gateway_id or "")
    hear(portal, cedar, gateway.events())
    before = books(cedar)

    for event in gateway.events() * 3:
        assert tell(portal, event).status_code == 200
        work_off(cedar)

    assert books(cedar) == before
    assert len(states(cedar)) == len(gateway.events())


def test_the_same_body_under_another_id_counts_once(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    gateway.pay(order.gateway_id or "")
    [event] = gateway.events("payment.captured")

    for number in range(3):
        assert tell(portal, event, **{"x-razorpay-event-id": f"made up {number}"}).status_code == 200
    assert knock(portal, event.body, {"X-Razorpay-Signature": event.signature}).status_code == 200
    assert tell(portal, event, **{"x-razorpay-event-id": "long " * 50}).status_code == 200

    assert states(cedar) == [State.RECEIVED]


def test_an_event_of_a_kind_we_do_not_know_is_laid_aside(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    said = about(order, cedar, "payment.dispute.created", status="failed", captured=False)
    before = books(cedar)

    assert knock(portal, *signed(gateway, said)).status_code == 200
    assert knock(portal, *signed(gateway, {"event": "payment.downtime.started", "payload": {}})).status_code == 200
    work_off(cedar)

    assert states(cedar) == [State.DONE]
    assert books(cedar).balances == before.balances


def test_a_hospitals_own_keys_speak_at_its_own_door(
    in_cedar: Hospital, own: Gateway, draft: Make, asha: User, cedar_site: Client
) -> None:
    order = checkout.begin(hospital=in_cedar, invoice=draft(), by=asha, now=now())
    own.pay(order.gateway_id or "")

    hear(cedar_site, in_cedar, own.events())

    with schema_context(in_cedar.schema_name):
        order.refresh_from_db()
        assert order.status == PaymentOrder.Status.PAID


def test_while_a_secret_is_replaced_the_previous_one_counts(
    in_cedar: Hospital, own: Gateway, cedar_site: Client
) -> None:
    body, headers = signed(own, {"event": "order.paid", "payload": {}, "created_at": 1})
    replaced = {"webhook_secret": seal("new"), "previous_webhook_secret": seal(own.webhook_secret)}
    GatewayAccount.objects.update(**replaced, previous_until=now() + timedelta(days=3))

    assert knock(cedar_site, body, headers).status_code == 200
    with schema_context(in_cedar.schema_name):
        GatewayAccount.objects.update(previous_until=now() - timedelta(minutes=1))
    assert knock(cedar_site, body, headers).status_code == 400


# --- What becomes of it ----------------------------------------------------------------------------------------------


def test_a_payment_nobody_asked_for_is_put_on_the_list(
    in_cedar: Hospital, own: Gateway, cedar_site: Client, order: PaymentOrder
) -> None:
    said = about(order, in_cedar, order_id="order_Elsewhere00001")

    for _again in range(2):
        assert knock(cedar_site, *signed(own, {**said, "created_at": _again})).status_code == 200
    work_off(in_cedar)

    with schema_context(in_cedar.schema_name):
        [found] = Discrepancy.objects.all()
        assert (found.kind, found.key) == (Discrepancy.Kind.UNKNOWN_PAYMENT, "pay_TestsOwn000001")
        assert found.amount == Decimal(700)


def test_a_failed_payment_nobody_asked_for_is_nothing(
    in_cedar: Hospital, own: Gateway, cedar_site: Client, order: PaymentOrder
) -> None:
    said = about(order, in_cedar, "payment.failed", order_id="order_Elsewhere00001", status="failed", captured=False)

    assert knock(cedar_site, *signed(own, said)).status_code == 200
    work_off(in_cedar)

    with schema_context(in_cedar.schema_name):
        assert not Discrepancy.objects.exists()


def test_a_payment_of_an_order_whose_number_was_lost_finds_it_by_its_receipt(
    in_cedar: Hospital, gateway: Gateway, draft: Make, asha: User, portal: Client
) -> None:
    gateway.break_call("orders.create", "close", "after")
    invoice = draft()
    with pytest.raises(checkout.GatewayDown):
        checkout.begin(hospital=in_cedar, invoice=invoice, by=asha, now=now())
    order = PaymentOrder.objects.get()
    made = order_of(gateway, order.receipt)
    gateway.pay(made)

    hear(portal, in_cedar, gateway.events("payment.captured"))

    with schema_context(in_cedar.schema_name):
        order.refresh_from_db()
        assert (order.status, order.gateway_id) == (PaymentOrder.Status.PAID, made)


def test_a_message_is_tried_again_later_while_the_gateway_is_away(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    """What is only authorised has to be captured, and that needs the gateway."""
    gateway.pay(order.gateway_id or "", "authorized")
    gateway.break_call("payments.capture", "502", "before")
    [event] = gateway.events("payment.authorized")
    tell(portal, event)
    began = now()

    work_off(cedar, began)
    with schema_context(cedar.schema_name):
        kept = WebhookEvent.objects.get()
        assert (kept.state, kept.attempts) == (State.RECEIVED, 1)
        assert kept.next_attempt_at == began + timedelta(minutes=1)
    work_off(cedar, began + timedelta(seconds=59))
    work_off(cedar, began + timedelta(minutes=2))

    assert states(cedar) == [State.DONE]
    assert books(cedar).bills == [(str(Invoice.Status.PAID), Decimal(), Decimal(700), Decimal())]


def test_what_is_never_understood_is_given_up_and_shown_to_somebody(
    in_cedar: Hospital, own: Gateway, cedar_site: Client
) -> None:
    body, headers = signed(own, b'{"event": "payment.captured"}')
    assert knock(cedar_site, body, headers).status_code == 200
    moment = now()

    for _try in range(len(webhooks.BACKOFF) + 1):
        work_off(in_cedar, moment)
        moment += timedelta(hours=5)
    work_off(in_cedar, moment)

    with schema_context(in_cedar.schema_name):
        kept = WebhookEvent.objects.get()
        assert (kept.state, kept.attempts) == (State.FAILED, len(webhooks.BACKOFF) + 1)
        found = Discrepancy.objects.get()
        assert (found.kind, found.key) == (Discrepancy.Kind.UNREADABLE_EVENT, headers["X-Razorpay-Event-Id"])


def test_two_workers_do_not_take_in_the_same_message(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    gateway.pay(order.gateway_id or "")
    [event] = gateway.events("payment.captured")
    tell(portal, event)
    began = now()
    with schema_context(cedar.schema_name):
        WebhookEvent.objects.update(next_attempt_at=began + webhooks.LEASE)  # the other has just begun
        webhooks.take_in(event_id=event.id, now=began)
        assert not Payment.objects.exists()
        webhooks.take_in(event_id=event.id, now=began + webhooks.LEASE)  # and has died
        assert Payment.objects.get().status == Payment.Status.CAPTURED


def test_a_refund_made_at_the_gateway_is_put_on_the_list(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    paid = gateway.pay(order.gateway_id or "")["payment"]["id"]
    hear(portal, cedar, gateway.events())
    notes = {"hospital": str(cedar.code)}
    razorpay.refund(gateway.keys, paid, amount=Decimal(100), receipt="by hand", notes=notes)

    hear(portal, cedar, gateway.events("refund.processed", "refund.created"))

    with schema_context(cedar.schema_name):
        found = Discrepancy.objects.get()
        assert (found.kind, found.amount) == (Discrepancy.Kind.UNKNOWN_REFUND, Decimal(100))


def test_nothing_of_one_hospitals_messages_is_in_another(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital, lotus: Hospital
) -> None:
    before: Books = books(lotus)
    gateway.pay(order.gateway_id or "")

    hear(portal, cedar, gateway.events())

    assert books(lotus) == before
    assert states(lotus) == []
