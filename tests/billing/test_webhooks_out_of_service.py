"""Messages of the gateway for a hospital that is out of service for a moment are not lost: the gateway tells them again."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from audit.models import AuditLog
from billing.models import Invoice, PaymentOrder, WebhookEvent
from billing.services import checkout
from core.schemas import schema_context
from tenants import services as tenants
from tenants.models import Hospital
from tests.billing.news import tell, work_off
from tests.conftest import browser
from tests.fakes.razorpay import Gateway

Make = Callable[..., Invoice]
OnCommit = Callable[..., Any]


@pytest.fixture
def order(in_cedar: Hospital, gateway: Gateway, draft: Make, asha: User) -> PaymentOrder:
    """Asha is about to pay, with the platform's keys."""
    return checkout.begin(hospital=in_cedar, invoice=draft(), by=asha, now=now())


@pytest.fixture
def paused(cedar: Hospital, order: PaymentOrder, django_capture_on_commit_callbacks: OnCommit) -> Hospital:
    """Cedar, out of service with a payment under way."""
    with django_capture_on_commit_callbacks(execute=True):
        tenants.pause(hospital=cedar, why=Hospital.Pause.MOVE, now=now())
    return cedar


def kept(hospital: Hospital) -> int:
    with schema_context(hospital.schema_name):
        return WebhookEvent.objects.count()


def test_the_portals_door_asks_the_gateway_to_tell_it_again(
    paused: Hospital,
    order: PaymentOrder,
    gateway: Gateway,
    portal: Client,
    django_capture_on_commit_callbacks: OnCommit,
) -> None:
    gateway.pay(order.gateway_id or "")
    [event] = gateway.events("payment.captured")
    answer = tell(portal, event)
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert kept(paused) == 0
    assert not AuditLog.objects.filter(action="webhook.refused").exists()

    with django_capture_on_commit_callbacks(execute=True):
        tenants.unpause(hospital=paused, why=Hospital.Pause.MOVE)
    assert tell(portal, event).status_code == 200
    work_off(paused)
    with schema_context(paused.schema_name):
        order.invoice.refresh_from_db()
        assert order.invoice.status == Invoice.Status.PAID


def test_its_own_door_does_too(paused: Hospital, order: PaymentOrder, gateway: Gateway) -> None:
    gateway.pay(order.gateway_id or "")
    [event] = gateway.events("payment.captured")
    answer = tell(browser("cedar.localhost"), event)
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert kept(paused) == 0
