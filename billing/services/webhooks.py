"""Messages of the gateway: kept as they came, answered at once, and taken in by a task, in whatever order and how often.

What they tell goes where everything goes that the gateway says: `checkout.take_in` and `refunds.seen`.
"""

import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from audit import services as audit
from audit.models import Action
from billing import razorpay
from billing.models import Discrepancy, GatewayAccount, Payment, PaymentOrder, Refund, WebhookEvent
from billing.services import checkout, discrepancies, gateway, refunds
from core import schemas, throttle
from core.errors import TooMany
from core.queue import after_commit
from core.schemas import schema_context
from tenants import hosts, pauses
from tenants.models import Hospital

logger = logging.getLogger(__name__)

LARGEST = 256 * 1024  # bytes; the gateway's own messages have a few thousand
# Waiting times after the 1st, 2nd, ... failed attempt; after the last one a person has to look.
BACKOFF = [timedelta(minutes=m) for m in (1, 5, 15, 60, 240)]
# How long one attempt may take before another worker may take over.
LEASE = timedelta(minutes=5)
# Refusals beyond these are not written down: a flood must not fill the log.
REFUSALS = "20/hour"
_MONEY = ("authorized", "captured")
_hosts: dict[UUID, str] = {}


@dataclass(frozen=True)
class Message:
    """What somebody has sent to the door, to the byte."""

    body: bytes
    signature: str
    event_id: str = ""


# --- At the door -----------------------------------------------------------------------------------------------------


def receive(*, hospital: Hospital | None, message: Message, now: datetime) -> bool:
    """Keep a message that the gateway has signed, to be taken in; tell whether it is one. Told again, it changes nothing.

    A hospital's own door takes what is signed for the hospital's own keys, the portal's door what is signed for the
    platform's: there the message names its hospital. Anything else is noted in the audit log, and that is all.
    """
    if len(message.body) > LARGEST:
        return _refuse(message, "too large")
    secrets = [settings.RAZORPAY_WEBHOOK_SECRET] if hospital is None else gateway.webhook_secrets(now)
    if not any(_is_signed(message, secret) for secret in secrets):
        return _refuse(message, "signature")
    told = _read(message.body)
    if hospital:
        _keep(message, told, is_of_platform=False, now=now)
        return True
    return _pass_to_hospital(message, told, now)


def _pass_to_hospital(message: Message, told: dict[str, Any], now: datetime) -> bool:
    """Keep it where it belongs. What names no hospital is none of ours, except what concerns all of them."""
    if not told:
        return _refuse(message, "unreadable")
    if told.get("event") == "settlement.processed":
        after_commit("billing.reconcile")
    codes = list(filter(None, map(gateway.hospital_in, _notes(told))))
    if not codes:
        return True
    hospital = _hospital_of(codes[0])
    if hospital is None:
        return _refuse(message, "unknown hospital")
    pauses.require_in_service(hospital)  # the gateway tells again what was not taken
    with schema_context(hospital.schema_name):
        _keep(message, told, is_of_platform=True, now=now)
    return True


def _keep(message: Message, told: dict[str, Any], *, is_of_platform: bool, now: datetime) -> None:
    digest = sha256(message.body).hexdigest()
    event_id = message.event_id if 0 < len(message.event_id) <= 80 else digest
    name = str(told.get("event", ""))[:60].encode("ascii", "replace").decode().replace("\0", "")
    is_new = WebhookEvent.objects.keep(
        event_id=event_id, digest=digest, event=name, body=message.body, is_of_platform=is_of_platform, now=now
    )
    if is_new:
        after_commit("billing.take_in_event", event_id=event_id)


def _hospital_of(code: UUID) -> Hospital | None:
    """The hospital with this code, if it has been opened and not closed: by its host, which is known without a query."""
    found = hosts.hospital_at(_hosts[code]) if code in _hosts else None
    if found is None or found.code != code:
        found = Hospital.objects.with_schema().filter(code=code).first()
        if found:
            _hosts[code] = found.host
    return found


def _is_signed(message: Message, secret: str) -> bool:
    return razorpay.webhook_signature_holds(body=message.body, signature=message.signature, secret=secret)


def _read(body: bytes) -> dict[str, Any]:
    """The message, or nothing if it cannot be read: what it says is looked at later."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _notes(told: dict[str, Any]) -> list[dict[str, str]]:
    """The notes of what the message is about. Those of an order come first: a payer cannot write them."""
    found = []
    parts = told.get("payload")
    for kind in ("order", "refund", "payment"):
        part = parts.get(kind) if isinstance(parts, dict) else None
        entity = part.get("entity") if isinstance(part, dict) else None
        notes = entity.get("notes") if isinstance(entity, dict) else None
        if isinstance(notes, dict):  # empty ones are a list
            found.append({str(name): str(value) for name, value in notes.items()})
    return found


def _refuse(message: Message, why: str) -> bool:
    """Write down that somebody knocked with what is not the gateway's, or not for us."""
    try:
        throttle.hit("webhooks refused", REFUSALS, schemas.active())
    except TooMany:
        return False
    digest = sha256(message.body).hexdigest()
    with transaction.atomic():
        audit.record(
            action=Action.WEBHOOK_REFUSED,
            target=WebhookEvent(event=_("Refused"), event_id=digest[:12]),
            by=None,
            actor=_("An unknown sender"),
            data={"why": why, "bytes": len(message.body)},
        )
    return False


# --- Taking it in ----------------------------------------------------------------------------------------------------


def take_in(*, event_id: str, now: datetime) -> None:
    """Do what a kept message says, if that is due; safe to call twice, or from two workers at once.

    What cannot be done now is tried again later. What never can lands on the list of what does not match.
    """
    won = WebhookEvent.objects.due(now).filter(event_id=event_id).update(next_attempt_at=now + LEASE)
    if not won:
        return
    event = WebhookEvent.objects.get(event_id=event_id)
    mine = WebhookEvent.objects.filter(pk=event.pk, state=WebhookEvent.State.RECEIVED)
    attempts = event.attempts + 1
    try:
        _do(event, now)
    except Exception as error:  # whatever it is: the message is kept, tried again, and then shown to somebody
        logger.warning("Message %s of the gateway was not taken in, try %d.", event.event_id, attempts, exc_info=True)
        is_given_up = attempts > len(BACKOFF)
        mine.update(
            state=WebhookEvent.State.FAILED if is_given_up else WebhookEvent.State.RECEIVED,
            attempts=attempts,
            last_error=repr(error)[:2000],
            next_attempt_at=now + BACKOFF[min(attempts, len(BACKOFF)) - 1],
        )
        if is_given_up:
            kind = Discrepancy.Kind.UNREADABLE_EVENT
            discrepancies.note(kind=kind, key=event.event_id, details=f"{event.event}: {error!r}", now=now)
        return
    mine.update(state=WebhookEvent.State.DONE, attempts=attempts, last_error="")


def _do(event: WebhookEvent, now: datetime) -> None:
    told = razorpay.Event.from_payload(json.loads(bytes(event.body)))
    hospital = Hospital.objects.get(schema_name=schemas.active())
    if told.payment:
        _take_in_payment(hospital, event, told.payment, now)
    if told.refund:
        _take_in_refund(event, told.refund, now)
    if told.name == "settlement.processed":
        after_commit("billing.reconcile")


def _take_in_payment(hospital: Hospital, event: WebhookEvent, found: razorpay.Payment, now: datetime) -> None:
    orders = PaymentOrder.objects.filter(account__isnull=event.is_of_platform).select_related("account", "invoice")
    order = orders.filter(gateway_id=found.order_id).first()
    if order is None and found.order_id:
        asked = _asked(event, found.order_id)
        if asked and gateway.hospital_in(asked.notes) not in (None, hospital.code):
            return  # a payer has written our name onto another hospital's payment
        order = orders.filter(receipt=asked.receipt).first() if asked else None
    if order:
        checkout.take_in(hospital=hospital, order=order, found=found, now=now)
    elif found.status in _MONEY:
        discrepancies.note(
            kind=Discrepancy.Kind.UNKNOWN_PAYMENT, key=found.id, amount=found.amount, details=event.event, now=now
        )


def _asked(event: WebhookEvent, order_id: str) -> razorpay.Order | None:
    """What the gateway says of an order whose number we never heard: our own, if its answer was lost."""
    account = None if event.is_of_platform else GatewayAccount.objects.current()
    if account is None and not event.is_of_platform:
        return None
    try:
        return razorpay.fetch_order(gateway.keys(account), order_id)
    except razorpay.Refused:
        return None


def _take_in_refund(event: WebhookEvent, found: razorpay.Refund, now: datetime) -> None:
    mine = PaymentOrder.objects.filter(account__isnull=event.is_of_platform)
    ours = Refund.objects.filter(payment__order__in=mine).select_related("payment__order__account", "invoice")
    refund = ours.filter(receipt=found.receipt).first() if found.receipt else None
    refund = refund or ours.filter(gateway_id=found.id).first()
    if refund:
        refunds.seen(refund=refund, found=found, now=now)
        return
    payments = Payment.objects.captured().filter(order__in=mine).select_related("order__account")
    payment = payments.filter(gateway_id=found.payment_id).first()
    if payment is None:  # of what never was ours
        return
    # Not ours, or ours of an earlier try: only one that still counts is somebody else's.
    stands = razorpay.fetch_refund(gateway.keys_of(payment.order), found.payment_id, found.id)
    if stands.status != "failed":
        discrepancies.note(
            kind=Discrepancy.Kind.UNKNOWN_REFUND, key=found.id, amount=found.amount, payment=payment, now=now
        )
