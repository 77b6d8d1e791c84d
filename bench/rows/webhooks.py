"""What the payment gateway tells the platform, when it tells much of it: two hundred messages a second.

They come at fixed moments whether or not the earlier ones were answered, as production serves: web with two workers, and a
worker. What is compared is /healthz in the same seconds, of the same processes.
"""

import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils.timezone import now

from accounts.models import User
from audit import services as audit
from audit.models import Action
from bench import world
from bench.frame import Figure, Size, figure, p95
from bench.web import Visitor, gunicorn
from billing.models import Account, Discrepancy, Invoice, Payment, PaymentOrder, WebhookEvent
from billing.services import invoices, ledger
from billing.services.invoices import Charge, Draft
from core.codes import new_code
from core.schemas import schema_context
from patients.services import register
from tenants.models import Hospital

A_SECOND, SECONDS = 200, 10
MOST_TIMES = 5.0  # times /healthz
PATIENCE = 300.0  # seconds until everything must be taken in
SECRET = "for-this-measurement-only"
KEYS: dict[str, str] = {
    "RAZORPAY_KEY_ID": "rzp_test_measurement",
    "RAZORPAY_KEY_SECRET": "nobody-is-asked",
    "RAZORPAY_WEBHOOK_SECRET": SECRET,
}


@dataclass(frozen=True)
class Asked:
    """One request, and when it is to be made, in seconds from the beginning."""

    at: float
    method: str = "GET"
    path: str = "/healthz"
    body: bytes | None = None
    headers: dict[str, str] | None = None


def measure(size: Size) -> Iterator[Figure]:
    """Everything, on a hospital with nothing but bills that are about to be paid: three messages of each, one of them twice."""
    seconds = size.seconds(SECONDS)
    bills = round(A_SECOND * seconds / 4)
    hospital = world.opened()
    with schema_context(hospital.schema_name):
        waiting = [at_checkout(hospital, world.usha(), number) for number in range(bills)]
    told = [telling(number / A_SECOND, said) for number, said in enumerate(messages(hospital, waiting))]
    probes = [Asked(number / A_SECOND) for number in range(len(told))]
    with gunicorn(KEYS, workers=2) as (port, _workers), worker():
        send(port, probes[:200])
        send(port, [telling(one.at, {"event": "of nobody"}) for one in told[:200]])
        alone = send(port, probes)
        both = send(port, [*told, *(Asked(number / 20) for number in range(max(round(20 * seconds), 2)))])
        began = time.monotonic()
        await_end(hospital)
        waited = time.monotonic() - began
    taken, meanwhile = both[: len(told)], both[len(told) :]
    yield figure("/healthz, when nothing else happens", alone)
    yield figure("/healthz, meanwhile", meanwhile)
    yield figure("a message", taken, of=meanwhile, by=p95, most=MOST_TIMES)
    yield Figure(f"until the last of {len(told)} was taken in", waited, unit="s")
    yield Figure("what is not as it must be", len(lost(hospital, bills)), unit="", most=0)


def messages(hospital: Hospital, waiting: list[PaymentOrder]) -> list[dict[str, Any]]:
    """First all that fails, then all that succeeds, then that the orders are paid; some come twice."""
    tries = [list(about(hospital, order, number)) for number, order in enumerate(waiting)]
    return [*(one[nth] for nth in range(3) for one in tries), *(one[1] for one in tries)]


def at_checkout(hospital: Hospital, by: User, number: int) -> PaymentOrder:
    """A bill of ₹700, and its order, which the gateway knows."""
    patient = register.for_person(user=by, member=None, by=by)
    charges = [Charge("Consultation", Decimal(700))]
    invoice = invoices.draft(hospital=hospital, draft=Draft(patient=patient, charges=charges), by=by, now=now())
    code = new_code()
    with transaction.atomic():
        order = PaymentOrder.objects.create(
            code=code, invoice=invoice, receipt=code.hex, amount=700, gateway_id=f"order_{number:014d}", status="new"
        )
        audit.record(action=Action.PAYMENT_ORDER_NEW, target=order, by=by, new="new")
        audit.move(order, PaymentOrder.Status.OPEN, by=None)
    return order


def about(hospital: Hospital, order: PaymentOrder, number: int) -> Iterator[dict[str, Any]]:
    """What comes of an order: a try that fails, one that succeeds, and that the order is paid by it."""
    notes = {"hospital": str(hospital.code), "invoice": str(order.invoice.code)}
    moment = int(time.time())
    payment = {
        "id": f"pay_{number:014d}",
        "entity": "payment",
        "order_id": order.gateway_id,
        "amount": 70_000,
        "currency": "INR",
        "status": "captured",
        "captured": True,
        "method": "upi",
        "fee": 1652,
        "tax": 252,
        "notes": notes,
        "created_at": moment,
    }
    failed = {**payment, "id": f"pay_f{number:013d}", "status": "failed", "captured": False, "fee": None, "tax": None}
    paid = {
        "id": order.gateway_id,
        "entity": "order",
        "amount": 70_000,
        "amount_paid": 70_000,
        "status": "paid",
        "receipt": order.receipt,
        "notes": notes,
        "created_at": moment,
    }
    for name, entities in (
        ("payment.failed", {"payment": failed}),
        ("payment.captured", {"payment": payment}),
        ("order.paid", {"payment": payment, "order": paid}),
    ):
        payload = {kind: {"entity": entity} for kind, entity in entities.items()}
        yield {"entity": "event", "event": name, "contains": list(payload), "payload": payload, "created_at": moment}


def await_end(hospital: Hospital) -> None:
    """Wait until the worker has nothing left to do."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with schema_context(hospital.schema_name):
            waits = WebhookEvent.objects.exclude(state="done").exists() or Payment.objects.unfulfilled().exists()
        if not waits:
            return
        time.sleep(0.2)


def lost(hospital: Hospital, bills: int) -> list[str]:
    """What is not as it must be: every message kept once, every bill paid once, and the books in balance."""
    with schema_context(hospital.schema_name):
        found = {
            "messages kept": (WebhookEvent.objects.filter(state="done").count(), 3 * bills),
            "bills paid": (Invoice.objects.filter(status="paid").count(), bills),
            "payments": (Payment.objects.captured().exclude(fulfilled_at=None).count(), bills),
            "rupees at the gateway": (ledger.balances().get(Account.GATEWAY, 0), 700 * bills),
            "rupees in advance": (ledger.balances().get(Account.ADVANCES, 0), 0),
            "discrepancies": (Discrepancy.objects.count(), 0),
        }
    return [f"{what}: {is_there}, not {wanted}." for what, (is_there, wanted) in found.items() if is_there != wanted]


def telling(at: float, said: dict[str, Any]) -> Asked:
    """A message as the gateway sends it."""
    body = json.dumps(said).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "X-Razorpay-Signature": signature,
        "x-razorpay-event-id": uuid4().hex,
        "Content-Type": "application/json",
    }
    return Asked(at, "POST", "/webhooks/razorpay/", body, headers)


def send(port: int, requests: list[Asked]) -> list[float]:
    """How many milliseconds each takes from the moment it was to be made."""
    took = [0.0] * len(requests)
    order = sorted(range(len(requests)), key=lambda number: requests[number].at)
    turns: Iterator[int] = count()
    began = time.perf_counter() + 0.2

    def go_on(_client: int) -> None:
        while (turn := next(turns)) < len(order):
            number = order[turn]
            one = requests[number]
            due = began + one.at
            time.sleep(max(due - time.perf_counter(), 0))
            visitor = Visitor(port)
            visitor.ask(one.path, method=one.method, body=one.body, headers=one.headers)
            took[number] = 1000 * (time.perf_counter() - due)
            visitor.leave()

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(go_on, range(32)))
    return took


@contextmanager
def worker() -> Iterator[None]:
    """Who does what the messages lead to."""
    how = ["--pool", "threads", "--concurrency", "4", "--loglevel", "error"]
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "rhms", "worker", *how],
        env=os.environ | KEYS,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(5)  # until it is there
        yield
    finally:
        process.terminate()
        process.wait(60)
