"""Webhooks arrive signed, and again until they are taken."""

import hashlib
import hmac
from typing import Any

from tests.fakes.razorpay import Gateway, until
from tests.sandbox.receiver import Receiver


def signature(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def delivered(gateway: Gateway) -> bool:
    return all(event.state == "delivered" for event in gateway.events())


def test_an_event_arrives_signed_over_its_raw_body(gateway: Gateway, order: dict[str, Any], receiver: Receiver) -> None:
    gateway.pay(order["id"])
    until(lambda: delivered(gateway), "the events to be taken")
    assert receiver.names() == ["payment.authorized", "payment.captured", "order.paid"]
    for received in receiver.received:
        assert received.headers["x-razorpay-signature"] == signature(received.body, gateway.webhook_secret)
        assert received.headers["content-type"] == "application/json"


def test_what_is_not_taken_is_sent_again_the_same(gateway: Gateway, order: dict[str, Any], receiver: Receiver) -> None:
    receiver.answers = [500, 302]
    gateway.pay(order["id"], "fails")
    until(lambda: delivered(gateway), "the event to be taken")
    [event] = gateway.events()
    assert (event.attempts, event.last_answer) == (3, "200")
    assert len({received.body for received in receiver.received}) == 1
    assert len({received.headers["x-razorpay-event-id"] for received in receiver.received}) == 1


def test_repeats_keep_the_secret_of_their_time(gateway: Gateway, order: dict[str, Any], receiver: Receiver) -> None:
    receiver.answers = [500]
    gateway.faults(retry_seconds=3600)
    gateway.pay(order["id"], "fails")
    until(lambda: gateway.events()[0].attempts == 1, "the first try")
    gateway.change(webhook_secret="the next secret")
    [event] = gateway.events()
    gateway.replay(event.id)
    until(lambda: len(receiver.received) == 2, "the second try")
    assert receiver.received[1].headers["x-razorpay-signature"] == signature(event.body, gateway.webhook_secret)


def test_what_waits_is_sent_after_a_kill(gateway: Gateway, order: dict[str, Any], receiver: Receiver) -> None:
    gateway.faults(hold=True)
    gateway.pay(order["id"], "fails")
    gateway.sandbox.kill()
    gateway.sandbox.start()
    gateway.release()
    until(lambda: delivered(gateway), "the event to be taken")
    assert receiver.names() == ["payment.failed"]


def test_nobody_to_tell_is_no_failure(gateway: Gateway, order: dict[str, Any]) -> None:
    gateway.pay(order["id"], "fails")
    assert [(event.state, event.attempts) for event in gateway.events()] == [("kept", 0)]
