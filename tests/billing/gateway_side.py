"""What happens at the gateway while nobody here is told, and the comparison that finds out."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal

import razorpay as client
import requests
from django.utils.timezone import now

from accounts.models import User
from billing.models import Discrepancy, Invoice, Payment, PaymentOrder, Reconciliation
from billing.services import checkout, reconciling
from tenants.models import Hospital
from tests.fakes.razorpay import Gateway

Kind = Discrepancy.Kind


def opened(hospital: Hospital, invoice: Invoice) -> PaymentOrder:
    """The patient begins to pay."""
    by: User | None = invoice.patient.user
    return checkout.begin(hospital=hospital, invoice=invoice, by=by, now=now())


def paid_online(hospital: Hospital, gateway: Gateway, invoice: Invoice) -> Payment:
    """The patient pays at the gateway, and we hear of it."""
    order = opened(hospital, invoice)
    gateway.pay(order.gateway_id or "")
    assert checkout.ask(hospital=hospital, order=order, now=now())
    return Payment.objects.captured().get(order=order)


def compare(hospital: Hospital, moment: datetime | None = None) -> Reconciliation:
    """Gateway and books are compared."""
    row = reconciling.run(hospital=hospital, now=moment or now() + timedelta(seconds=1))
    assert row
    row.refresh_from_db()
    return row


def listed() -> list[tuple[str, Decimal | None]]:
    """What is on the list, by kind and amount."""
    return list(Discrepancy.objects.open().order_by("kind", "amount").values_list("kind", "amount"))


@contextmanager
def dashboard(gateway: Gateway) -> Iterator[client.Client]:
    """Somebody at work in the gateway's own dashboard."""
    with requests.Session() as session:
        session.trust_env = False
        yield client.Client(session=session, auth=(gateway.keys.key_id, gateway.keys.key_secret), base_url=gateway.url)


def refund_there(gateway: Gateway, payment: Payment, amount: int) -> str:
    """Give so many rupees back in the dashboard; answer the refund's id."""
    with dashboard(gateway) as desk:
        refund_id: str = desk.payment.refund(payment.gateway_id, {"amount": amount * 100})["id"]
    return refund_id
