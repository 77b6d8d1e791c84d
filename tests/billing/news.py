"""News of the gateway in the hands of a test: brought to the door one by one, and taken in as the worker would."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.test import Client
from django.utils.timezone import now

from audit.models import AuditLog
from billing import razorpay
from billing.models import Invoice, Payment, PaymentOrder, Posting, Refund, WebhookEvent
from billing.services import ledger, webhooks
from core.schemas import schema_context
from tenants.models import Hospital
from tests.fakes.razorpay import Gateway, Webhook


def tell(door: Client, event: Webhook, **headers: str) -> Any:
    """Bring one event to the door."""
    return knock(door, event.body, {**event.headers, **headers})


def knock(door: Client, body: bytes, headers: dict[str, str]) -> Any:
    """Send whatever to the door."""
    return door.post("/webhooks/razorpay/", data=body, content_type="application/json", headers=headers)


def work_off(hospital: Hospital, moment: datetime | None = None) -> None:
    """Take in what has come, the oldest first."""
    moment = moment or now()
    with schema_context(hospital.schema_name):
        for event_id in WebhookEvent.objects.due(moment).order_by("pk").values_list("event_id", flat=True):
            webhooks.take_in(event_id=event_id, now=moment)


def hear(door: Client, hospital: Hospital, events: Iterable[Webhook]) -> None:
    """Bring events to the door and take each in before the next one comes."""
    for event in events:
        assert tell(door, event).status_code == 200
        work_off(hospital)


@dataclass(frozen=True)
class Books:
    """What the books, bills, payments and refunds of a hospital say, without the names that differ from run to run."""

    entries: list[tuple[str, str, Decimal, Decimal]]
    balances: dict[str, Decimal]
    bills: list[tuple[str, Decimal, Decimal, Decimal]]
    orders: list[tuple[str, Decimal]]
    payments: list[tuple[str | None, str, bool]]
    refunds: list[tuple[str, str, Decimal]]


def books(hospital: Hospital) -> Books:
    """Everything about money in a hospital, now."""
    with schema_context(hospital.schema_name):
        postings = Posting.objects.values_list("entry__kind", "account", "debit", "credit")
        return Books(
            entries=sorted(postings),
            balances=ledger.balances(),
            bills=[
                (bill.status, ledger.owed_on(bill), ledger.paid_on(bill), ledger.refunded_on(bill))
                for bill in Invoice.objects.order_by("pk")
            ],
            orders=list(PaymentOrder.objects.order_by("pk").values_list("status", "amount")),
            payments=sorted(
                (payment.gateway_id, payment.status, payment.fulfilled_at is not None)
                for payment in Payment.objects.all()
            ),
            refunds=sorted(Refund.objects.values_list("receipt", "status", "amount")),
        )


def refusals(hospital: Hospital | None = None) -> list[str]:
    """Why messages were refused, in public or in a hospital."""
    with schema_context(hospital.schema_name if hospital else "public"):
        rows = AuditLog.objects.filter(action="webhookevent.refused").order_by("pk")
        return [row.data["why"] for row in rows]


def states(hospital: Hospital) -> list[str]:
    """What became of the messages of a hospital."""
    with schema_context(hospital.schema_name):
        return list(WebhookEvent.objects.order_by("pk").values_list("state", flat=True))


def about(order: PaymentOrder, hospital: Hospital, event: str = "payment.captured", **fields: Any) -> dict[str, Any]:
    """An event of the test's own writing."""
    payment = {
        "id": "pay_TestsOwn000001",
        "order_id": order.gateway_id,
        "status": "captured",
        "captured": True,
        "amount": 70_000,
        "method": "upi",
        "notes": {"hospital": str(hospital.code)},
        "created_at": 1_700_000_000,
        **fields,
    }
    return {"event": event, "created_at": 1_700_000_000, "payload": {"payment": {"entity": payment}}}


def signed(gateway: Gateway, said: Any) -> tuple[bytes, dict[str, str]]:
    """A body with its signature."""
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return body, {"X-Razorpay-Signature": gateway.sign(body), "X-Razorpay-Event-Id": uuid4().hex}


def order_of(gateway: Gateway, receipt: str) -> str:
    """What the gateway calls the order of this receipt."""
    with razorpay._client(gateway.keys) as client:
        [made] = client.order.all({"receipt": receipt})["items"]
    return str(made["id"])
