"""What the clock brings to money: whatever was left lying because somebody died or was not told is taken up again."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from billing import razorpay
from billing.models import Payment, PaymentOrder, Refund, WebhookEvent
from billing.services import checkout, payments, refunds, webhooks
from tenants.models import Hospital

logger = logging.getLogger(__name__)

# Who was just told is given this long before somebody else does the same.
A_MOMENT = timedelta(minutes=1)
SEND_AGAIN_AFTER = timedelta(minutes=5)
AT_ONCE = 200

Thing = TypeVar("Thing")


def sweep(*, hospital: Hospital, now: datetime) -> None:
    """Take in messages, pass on payments, send refunds, and ask about orders, of which nothing has come of itself.

    Nothing keeps anything else waiting, except that a gateway which does not answer is not asked again in this round.
    """
    _take_in_messages(now)
    _pass_on_payments(now)
    _tell_of_refunds(now)
    if _send_refunds(now):
        _ask_about_orders(hospital, now)


def _take_in_messages(now: datetime) -> None:
    due = WebhookEvent.objects.due(now - A_MOMENT).order_by("next_attempt_at", "pk")
    for event_id in due.values_list("event_id", flat=True)[:AT_ONCE]:
        webhooks.take_in(event_id=event_id, now=now)


def _pass_on_payments(now: datetime) -> None:
    waiting = Payment.objects.unfulfilled().filter(captured_at__lte=now - A_MOMENT).order_by("captured_at", "pk")
    _each(waiting[:AT_ONCE], lambda payment: payments.fulfil(payment=payment, now=now))


def _tell_of_refunds(now: datetime) -> None:
    waiting = Refund.objects.untold().filter(processed_at__lte=now - A_MOMENT).order_by("processed_at", "pk")
    _each(waiting[:AT_ONCE], lambda refund: refunds.tell(refund=refund, now=now))


def _send_refunds(now: datetime) -> bool:
    waiting = Refund.objects.to_send(not_since=now - SEND_AGAIN_AFTER).oldest_first()
    rows = waiting.select_related("payment__order__account", "invoice")
    return _each(rows[:AT_ONCE], lambda refund: refunds.send(refund=refund, now=now))


def _ask_about_orders(hospital: Hospital, now: datetime) -> None:
    waiting = PaymentOrder.objects.to_ask_about(now, after=checkout.ASK_AFTER).order_by("created_at", "pk")
    for order in waiting.select_related("invoice", "account")[:AT_ONCE]:
        PaymentOrder.objects.filter(pk=order.pk).update(asked_at=now)  # also if it fails: others have their turn first
        if not _each([order], lambda order: _heard(hospital, order, now)):
            return


def _heard(hospital: Hospital, order: PaymentOrder, now: datetime) -> None:
    if not checkout.ask(hospital=hospital, order=order, now=now):
        raise razorpay.Unreachable(order.receipt)


def _each(things: Iterable[Thing], act: Callable[[Thing], object]) -> bool:
    """Do it for each; what fails for one is logged and keeps no other waiting. False as soon as the gateway is away."""
    for thing in things:
        try:
            act(thing)
        except razorpay.Unreachable as silence:
            logger.warning("The gateway does not answer about %s: %s", thing, silence)
            return False
        except Exception:  # whatever it is, the next patient's money must not wait for it
            logger.exception("%s could not be passed on.", thing)
    return True
