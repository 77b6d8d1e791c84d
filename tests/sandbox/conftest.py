"""The gateway's own Python client, as it comes, pointed at the sandbox."""

from collections.abc import Iterator
from typing import Any

import pytest
import razorpay

from tests.fakes.razorpay import Gateway
from tests.sandbox.receiver import Receiver, receiving


@pytest.fixture
def client(gateway: Gateway) -> Iterator[Any]:
    """With the test's own account."""
    made = razorpay.Client(auth=(gateway.keys.key_id, gateway.keys.key_secret), base_url=gateway.url)
    made.session.trust_env = False
    with made.session:
        yield made


@pytest.fixture
def order(client: Any) -> dict[str, Any]:
    """An order of ₹700."""
    made: dict[str, Any] = client.order.create({"amount": 70_000, "currency": "INR", "receipt": "bill-1"})
    return made


@pytest.fixture
def receiver(gateway: Gateway) -> Iterator[Receiver]:
    """Who the account's webhooks go to; failures are repeated almost at once."""
    with receiving() as receiver:
        gateway.change(webhook_url=receiver.url)
        gateway.faults(retry_seconds=0.05)
        yield receiver
