"""`python -m bench.webhooks`: how fast the door for the gateway's messages answers, beside /healthz, and whether any is lost.

As production serves: gunicorn with two workers and four threads each, and a Celery worker, on servers that write to disk,
in a temporary folder that forgets everything at the end. Two hundred messages a second come for ten seconds, at fixed
moments whether or not the earlier ones were answered. What is compared is /healthz in the same seconds, of the same
processes; how long it takes when nothing else happens is printed, too.
"""

import hashlib
import hmac
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from statistics import median, quantiles
from typing import Any
from uuid import uuid4

import django

from bench.approve import servers, write
from bench.booking import await_answer

A_SECOND, SECONDS = 200, 10
BILLS = 500  # of each bill come three messages, and one of them twice
MOST_TIMES = 5.0
PATIENCE = 300.0  # seconds until everything must be taken in
HEADERS = {"Host": "rhms.example", "X-Forwarded-Proto": "https"}
SECRET = "for-this-measurement-only"
KEYS = {
    "RAZORPAY_KEY_ID": "rzp_test_measurement",
    "RAZORPAY_KEY_SECRET": "nobody-is-asked",
    "RAZORPAY_WEBHOOK_SECRET": SECRET,
}


def main() -> int:
    """Measure and print; 1 when a target is missed."""
    with servers() as environment:
        os.environ |= environment | KEYS | {"TRUSTED_PROXIES": "1"}
        django.setup()
        return measure()


@dataclass(frozen=True)
class Asked:
    """One request, and when it is to be made, in seconds from the beginning."""

    at: float
    method: str
    path: str
    body: bytes | None
    headers: dict[str, str]


def measure() -> int:
    """Everything, on a hospital with nothing but bills that are about to be paid."""
    hospital, messages = prepare()
    probes = [Asked(number / A_SECOND, "GET", "/healthz", None, HEADERS) for number in range(A_SECOND * SECONDS)]
    told = [
        Asked(number / A_SECOND, "POST", "/webhooks/razorpay/", *message) for number, message in enumerate(messages)
    ]
    with serving() as port:
        send(port, probes[:200])
        send(port, [Asked(one.at, "POST", one.path, *signed({"event": "of nobody"})) for one in told[:200]])
        alone = send(port, probes)
        meanwhile = [Asked(number / 20, "GET", "/healthz", None, HEADERS) for number in range(20 * SECONDS)]
        both = send(port, [*told, *meanwhile])
        taken = [both[number] for number in range(len(told))]
        beside = [both[number] for number in range(len(told), len(both))]
        began = time.monotonic()
        await_end(hospital)
        waited = time.monotonic() - began
    write(f"{'milliseconds, over HTTP':<44}{'p50':>8}{'p95':>8}{'max':>8}   n")
    for name, times in (
        ("/healthz, alone", alone),
        ("/webhooks/razorpay/", taken),
        ("/healthz, meanwhile", beside),
    ):
        figures = "".join(f"{1000 * each:>8.1f}" for each in (median(times), p95(times), max(times)))
        write(f"{name:<44}{figures}   {len(times)}")
    ratio = p95(taken) / p95(beside)
    write(
        f"\nThe door takes {ratio:.1f} times as long as /healthz meanwhile, {p95(taken) / p95(alone):.1f} times /healthz alone."
    )
    write(f"The last of {len(told)} messages was taken in {waited:.0f} s after the last one came.")
    missed = lost(hospital)
    if ratio > MOST_TIMES:
        missed.append(f"The door takes more than {MOST_TIMES:.0f} times as long as /healthz.")
    for sentence in missed:
        write(sentence)
    return 1 if missed else 0


def p95(times: list[float]) -> float:
    """What 95 of 100 stay below."""
    return quantiles(times, n=20, method="inclusive")[-1]


# --- The hospital ----------------------------------------------------------------------------------------------------


def prepare() -> tuple[Any, list[tuple[bytes, dict[str, str]]]]:
    """An open hospital with bills whose patients are at the checkout, and what the gateway is about to tell of them."""
    from django.core.management import call_command
    from django.utils.timezone import now
    from django_tenants.utils import schema_context

    from accounts.models import User
    from core import schemas
    from hospitals.services import joining

    call_command("prepare", verbosity=0)
    usha = User.objects.create_superuser("usha@rhms.example", "correct-horse-7", first_name="Usha")
    hospital = joining.register(
        registration=joining.Registration(
            name="Cedar Hospital",
            registration_number="MH/00001",
            email="hari@cedar.example",
            phone_number="+919845012345",
            address="12 Lake Road",
            city="Pune",
            state="MH",
            contact_person="Hari Rao",
            slug="cedar",
        ),
        logo=None,
        address="visitor",
    )
    joining.approve(hospital=hospital, by=usha, now=now())
    with schema_context(hospital.schema_name):
        waiting = [at_checkout(hospital, usha, number) for number in range(BILLS)]
    schemas.enter_public()
    tries = [[signed(said) for said in about(hospital, order, number)] for number, order in enumerate(waiting)]
    messages = [message for nth in range(3) for one in tries for message in one[nth : nth + 1]]
    return hospital, [*messages, *[one[1] for one in tries]]


def at_checkout(hospital: Any, by: Any, number: int) -> Any:
    """A bill of ₹700, and its order, which the gateway knows."""
    from django.db import transaction
    from django.utils.timezone import now

    from audit import services as audit
    from audit.models import Action
    from billing.models import PaymentOrder
    from billing.services import invoices
    from billing.services.invoices import Charge, Draft
    from core.codes import new_code
    from patients.services import register

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


def about(hospital: Any, order: Any, number: int) -> Iterator[dict[str, Any]]:
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


def signed(said: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """As the gateway sends it."""
    body = json.dumps(said).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    ours = {"X-Razorpay-Signature": signature, "x-razorpay-event-id": uuid4().hex, "Content-Type": "application/json"}
    return body, HEADERS | ours


def await_end(hospital: Any) -> None:
    """Wait until the worker has nothing left to do."""
    from django_tenants.utils import schema_context

    from billing.models import Payment, WebhookEvent

    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with schema_context(hospital.schema_name):
            waits = WebhookEvent.objects.exclude(state="done").exists() or Payment.objects.unfulfilled().exists()
        if not waits:
            return
        time.sleep(0.2)


def lost(hospital: Any) -> list[str]:
    """What is not as it must be: every message kept once, every bill paid once, and the books in balance."""
    from django_tenants.utils import schema_context

    from billing.models import Account, Discrepancy, Invoice, Payment, WebhookEvent
    from billing.services import ledger

    with schema_context(hospital.schema_name):
        found = {
            "messages kept": (WebhookEvent.objects.filter(state="done").count(), 3 * BILLS),
            "bills paid": (Invoice.objects.filter(status="paid").count(), BILLS),
            "payments": (Payment.objects.captured().exclude(fulfilled_at=None).count(), BILLS),
            "rupees at the gateway": (ledger.balances().get(Account.GATEWAY, 0), 700 * BILLS),
            "rupees in advance": (ledger.balances().get(Account.ADVANCES, 0), 0),
            "discrepancies": (Discrepancy.objects.count(), 0),
        }
    return [f"{what}: {is_there}, not {wanted}." for what, (is_there, wanted) in found.items() if is_there != wanted]


# --- Over HTTP -------------------------------------------------------------------------------------------------------


def send(port: int, requests: list[Asked]) -> list[float]:
    """How long each takes from the moment it was to be made; another answer than the wanted one ends the measurement."""
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
            link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            link.request(one.method, one.path, one.body, one.headers)
            answer = link.getresponse()
            answer.read()
            took[number] = time.perf_counter() - due
            link.close()
            if answer.status != 200:
                raise SystemExit(f"{one.method} {one.path} answered {answer.status}.")

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(go_on, range(32)))
    return took


@contextmanager
def serving() -> Iterator[int]:
    """Web and worker, as production runs them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--config", "python:rhms.serving", "--workers", "2", "--threads", "4", "--bind", f"127.0.0.1:{port}"]
    tasks = ["--pool", "threads", "--concurrency", "4", "--loglevel", "error"]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [
        subprocess.Popen([sys.executable, "-m", "gunicorn", "rhms.wsgi", *options], **quiet),
        subprocess.Popen([sys.executable, "-m", "celery", "-A", "rhms", "worker", *tasks], **quiet),
    ]
    try:
        await_answer(port)
        time.sleep(5)  # the worker comes, too
        yield port
    finally:
        for process in processes:
            process.terminate()
            process.wait(60)


if __name__ == "__main__":
    sys.exit(main())
