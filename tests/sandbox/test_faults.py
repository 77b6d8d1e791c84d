"""What goes wrong on purpose: calls whose answer is lost, and events that are late, doubled, shuffled or lost."""

from typing import Any

import pytest
import requests
from razorpay.errors import BadRequestError, ServerError

from tests.fakes.razorpay import Gateway, SandboxError, until
from tests.sandbox.receiver import Receiver

ORDER = {"amount": 70_000, "currency": "INR"}


def orders(client: Any) -> int:
    return int(client.order.all()["count"])


def test_a_call_breaks_before_or_after_it_was_done(client: Any, gateway: Gateway) -> None:
    gateway.break_call("orders.create", "close", "before")
    with pytest.raises(requests.ConnectionError):
        client.order.create(dict(ORDER))
    assert orders(client) == 0
    gateway.break_call("orders.create", "close", "after")
    with pytest.raises(requests.ConnectionError):
        client.order.create(dict(ORDER))
    assert orders(client) == 1


def test_a_call_is_answered_with_an_error_as_often_as_told(client: Any, gateway: Gateway) -> None:
    gateway.break_call("*", "500", "before", times=2)
    for _ in range(2):
        with pytest.raises(ServerError):
            client.order.create(dict(ORDER))
    assert client.order.create(dict(ORDER))["status"] == "created"
    gateway.break_call("orders.create", "429", "before")
    with pytest.raises(BadRequestError, match="Please try after sometime"):
        client.order.create(dict(ORDER))


def test_a_call_is_never_answered(client: Any, gateway: Gateway) -> None:
    gateway.break_call("orders.create", "timeout", "after")
    with pytest.raises(requests.ReadTimeout):
        client.order.create(dict(ORDER), timeout=0.2)
    assert orders(client) == 1


def test_only_the_named_call_breaks_and_only_this_accounts(client: Any, gateway: Gateway) -> None:
    gateway.sandbox.account().break_call("*", "500", "before")
    gateway.break_call("payments.refund", "500", "before")
    assert client.order.create(dict(ORDER))["status"] == "created"


def test_an_unknown_switch_is_refused(gateway: Gateway) -> None:
    with pytest.raises(SandboxError, match="There is no switch dealy"):
        gateway.faults(dealy=1)
    with pytest.raises(SandboxError, match="A call has a name"):
        gateway.break_call("orders.create", "explode")


def test_lost_events_are_never_sent_until_they_are_replayed(
    gateway: Gateway, order: dict[str, Any], receiver: Receiver
) -> None:
    gateway.faults(drop=["payment.captured"])
    gateway.pay(order["id"])
    until(lambda: len(receiver.received) == 2, "two events")
    [lost] = gateway.events("payment.captured")
    assert lost.state == "dropped"
    gateway.replay(lost.id)
    until(lambda: "payment.captured" in receiver.names(), "the lost event")
    assert receiver.received[-1].headers["x-razorpay-event-id"] == lost.id


def test_events_are_repeated_under_the_same_id(gateway: Gateway, order: dict[str, Any], receiver: Receiver) -> None:
    gateway.faults(repeat=2)
    gateway.pay(order["id"], "fails")
    until(lambda: len(receiver.received) == 3, "the event and its two repeats")
    assert len({(received.body, received.headers["x-razorpay-event-id"]) for received in receiver.received}) == 1


def test_a_burst_is_sent_in_reverse(gateway: Gateway, order: dict[str, Any], receiver: Receiver) -> None:
    gateway.faults(reorder=True)
    gateway.pay(order["id"])
    until(lambda: len(receiver.received) == 3, "three events")
    assert receiver.names() == ["order.paid", "payment.captured", "payment.authorized"]


def test_held_events_are_released_in_the_order_that_is_asked_for(
    gateway: Gateway, order: dict[str, Any], receiver: Receiver
) -> None:
    gateway.faults(hold=True)
    gateway.pay(order["id"])
    authorized, captured, paid = gateway.events()
    assert {event.state for event in (authorized, captured, paid)} == {"held"}
    gateway.release(captured.id, paid.id, authorized.id)
    until(lambda: len(receiver.received) == 3, "three events")
    assert receiver.names() == ["payment.captured", "order.paid", "payment.authorized"]


def test_a_delayed_event_waits(gateway: Gateway, order: dict[str, Any], receiver: Receiver) -> None:
    gateway.faults(delay=3600)
    gateway.pay(order["id"], "fails")
    assert [(event.state, event.attempts) for event in gateway.events()] == [("waiting", 0)]
    assert receiver.received == []


def test_a_refund_fails_later(client: Any, gateway: Gateway, order: dict[str, Any]) -> None:
    gateway.faults(refunds="failed")
    payment = gateway.pay(order["id"])["payment"]
    refund = client.payment.refund(payment["id"], {"amount": 10_000})
    assert refund["status"] == "pending"
    until(lambda: client.refund.fetch(refund["id"])["status"] == "failed", "the refund to fail")
    assert client.payment.fetch(payment["id"])["amount_refunded"] == 0
