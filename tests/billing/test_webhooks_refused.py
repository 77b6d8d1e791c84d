"""What the door for the gateway's messages refuses: forged, cut, changed, somebody else's. It is noted, and nothing changes."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from billing.models import Discrepancy, GatewayAccount, Invoice, PaymentOrder, WebhookEvent
from billing.services import checkout, webhooks
from core.schemas import schema_context
from core.sealing import seal
from tenants.models import Hospital
from tests.billing.news import about, books, knock, refusals, signed, states, tell, work_off
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


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda body, signature: (body, ""), id="unsigned"),
        pytest.param(lambda body, signature: (body, "0" * 64), id="forged"),
        pytest.param(lambda body, signature: (body, "é"), id="signed with what is no signature"),
        pytest.param(lambda body, signature: (body[:-2], signature), id="truncated"),
        pytest.param(lambda body, signature: (body.replace(b"70000", b"700"), signature), id="changed"),
        pytest.param(lambda body, signature: (body + b" ", signature), id="made longer"),
        pytest.param(lambda body, signature: (b"\xff" + body, signature), id="no text"),
        pytest.param(lambda body, signature: (b"", signature), id="empty"),
    ],
)
def test_what_the_gateway_has_not_signed_is_refused_and_written_down(
    order: PaymentOrder,
    gateway: Gateway,
    portal: Client,
    cedar: Hospital,
    spoil: Callable[[bytes, str], tuple[bytes, str]],
) -> None:
    gateway.pay(order.gateway_id or "")
    [event] = gateway.events("order.paid")
    body, signature = spoil(event.body, event.signature)
    before = books(cedar)

    answer = knock(portal, body, {"X-Razorpay-Signature": signature, "X-Razorpay-Event-Id": event.id})

    assert answer.status_code == 400
    assert refusals() == ["signature"]
    assert states(cedar) == []
    assert books(cedar) == before


def test_a_message_that_is_too_large_is_refused(gateway: Gateway, portal: Client) -> None:
    body, headers = signed(gateway, b" " * (webhooks.LARGEST + 1))

    assert knock(portal, body, headers).status_code == 400
    assert refusals() == ["too large"]


def test_only_what_is_posted_is_heard(gateway: Gateway, portal: Client) -> None:
    assert portal.get("/webhooks/razorpay/").status_code == 405


def test_nobody_needs_a_session_or_a_form_token_to_tell(order: PaymentOrder, gateway: Gateway, cedar: Hospital) -> None:
    gateway.pay(order.gateway_id or "")
    strict = Client(enforce_csrf_checks=True, HTTP_HOST="localhost")

    assert tell(strict, gateway.events()[0]).status_code == 200
    assert not strict.cookies


def test_the_log_is_not_filled_by_a_flood(gateway: Gateway, portal: Client) -> None:
    for number in range(30):
        assert knock(portal, b"%d" % number, {"X-Razorpay-Signature": "0" * 64}).status_code == 400

    assert len(refusals()) == 20


def test_another_hospitals_message_is_refused(
    in_cedar: Hospital, own: Gateway, draft: Make, asha: User, lotus: Hospital
) -> None:
    """Signed for Cedar's keys, it counts at Cedar's door alone: not at Lotus', and not at the portal's."""
    order = checkout.begin(hospital=in_cedar, invoice=draft(), by=asha, now=now())
    own.pay(order.gateway_id or "")
    [event] = own.events("order.paid")
    with schema_context(lotus.schema_name):
        theirs = own.sandbox.account()
        GatewayAccount.objects.create(
            key_id=theirs.keys.key_id, key_secret=seal("x"), webhook_secret=seal(theirs.webhook_secret)
        )

    assert tell(Client(HTTP_HOST="lotus.localhost"), event).status_code == 400
    assert tell(Client(HTTP_HOST="localhost"), event).status_code == 400

    assert refusals(lotus) == refusals() == ["signature"]
    assert refusals(in_cedar) == states(in_cedar) == states(lotus) == []


def test_the_platforms_secret_opens_no_hospitals_own_door(
    order: PaymentOrder, gateway: Gateway, cedar_site: Client, cedar: Hospital
) -> None:
    gateway.pay(order.gateway_id or "")

    assert tell(cedar_site, gateway.events()[0]).status_code == 400
    assert refusals(cedar) == ["signature"]


def test_a_hospital_cannot_sign_for_payments_to_the_platform(
    order: PaymentOrder, own: Gateway, cedar_site: Client, cedar: Hospital
) -> None:
    """Whoever holds a hospital's own secret must not declare paid what was asked for with the platform's keys."""
    before = books(cedar)

    assert knock(cedar_site, *signed(own, about(order, cedar))).status_code == 200
    work_off(cedar)

    assert books(cedar) == before
    with schema_context(cedar.schema_name):
        assert Discrepancy.objects.get().kind == Discrepancy.Kind.UNKNOWN_PAYMENT


def test_without_keys_of_its_own_a_hospital_believes_nobody(in_cedar: Hospital, cedar_site: Client) -> None:
    assert knock(cedar_site, b"{}", {"X-Razorpay-Signature": "0" * 64}).status_code == 400


def test_without_keys_the_platform_believes_nobody(portal: Client, settings: Any) -> None:
    settings.RAZORPAY_WEBHOOK_SECRET = ""
    signature = hmac.new(b"", b"{}", hashlib.sha256).hexdigest()

    assert knock(portal, b"{}", {"X-Razorpay-Signature": signature}).status_code == 400


def test_a_message_for_a_hospital_that_is_not_there_is_refused(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital
) -> None:
    said = about(order, cedar, notes={"hospital": str(uuid4())})

    assert knock(portal, *signed(gateway, said)).status_code == 400
    assert refusals() == ["unknown hospital"]


@pytest.mark.parametrize("body", [b"not json", b"[]", b'"text"', b"1"])
def test_the_portal_refuses_what_cannot_be_read(gateway: Gateway, portal: Client, body: bytes) -> None:
    assert knock(portal, *signed(gateway, body)).status_code == 400
    assert refusals() == ["unreadable"]


@pytest.mark.parametrize(
    "payload",
    [
        [],
        "text",
        {"payment": []},
        {"payment": {"entity": 1}},
        {"payment": {"entity": {"notes": []}}},
        {"payment": {"entity": {"notes": {"hospital": 7}}}},
    ],
)
def test_what_names_no_hospital_is_none_of_ours(
    gateway: Gateway, portal: Client, cedar: Hospital, lotus: Hospital, payload: Any
) -> None:
    """The platform's account may be used for other things; a refusal would be repeated for a day."""
    assert knock(portal, *signed(gateway, {"event": "payment.captured", "payload": payload})).status_code == 200
    assert states(cedar) == states(lotus) == []


def test_the_order_says_which_hospital_it_is_whatever_the_payer_wrote(
    order: PaymentOrder, gateway: Gateway, portal: Client, cedar: Hospital, lotus: Hospital
) -> None:
    """The notes of a payment come through the payer's browser."""
    said = about(order, lotus, "order.paid")
    entity = {"id": order.gateway_id, "notes": {"hospital": str(cedar.code)}}
    said["payload"]["order"] = {"entity": entity}
    only_payment = about(order, lotus)

    assert knock(portal, *signed(gateway, said)).status_code == 200
    assert knock(portal, *signed(gateway, only_payment)).status_code == 200
    work_off(lotus)

    assert states(cedar) == [State.RECEIVED]
    assert states(lotus) == [State.DONE]
    with schema_context(lotus.schema_name):
        assert not Discrepancy.objects.exists()
