"""The gateway's things as it shows them: orders, payments, refunds, settlements. Amounts are in paise."""

import secrets
import string
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from sandbox.store import Thing

LETTERS = string.ascii_letters + string.digits
INDIA = timezone(timedelta(hours=5, minutes=30))
METHODS = {
    "upi": {"vpa": "success@sandbox"},
    "card": {"card_id": "card_SandboxTest000"},
    "netbanking": {"bank": "SANDBOX"},
}


class Refusal(Exception):
    """An answer of the gateway that is a no."""

    def __init__(
        self, description: str, *, field: str = "", reason: str = "input_validation_failed", status: int = 400
    ):
        super().__init__(description)
        self.status = status
        self.error = {
            "code": "BAD_REQUEST_ERROR",
            "description": description,
            "source": "business",
            "step": "payment_initiation",
            "reason": reason,
            "metadata": {},
            **({"field": field} if field else {}),
        }


def new_id(kind: str = "") -> str:
    """An id of the gateway's form."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(14))
    return f"{kind}_{letters}" if kind else letters


def public(thing: Mapping[str, Any]) -> Thing:
    """What others may see of it."""
    return {name: value for name, value in thing.items() if not name.startswith("_")}


def collection(things: Iterable[Thing]) -> Thing:
    """A list as the gateway answers it."""
    items = [public(thing) for thing in things]
    return {"entity": "collection", "count": len(items), "items": items}


def now() -> int:
    """The gateway counts seconds."""
    return int(time.time())


def order(asked: Thing, *, is_automatic: bool) -> Thing:
    """A new order."""
    return {
        "id": new_id("order"),
        "entity": "order",
        "amount": asked["amount"],
        "amount_paid": 0,
        "amount_due": asked["amount"],
        "currency": "INR",
        "receipt": asked.get("receipt"),
        "offer_id": None,
        "status": "created",
        "attempts": 0,
        "notes": asked.get("notes") or [],
        "created_at": now(),
        "_is_automatic": is_automatic,
        "_is_partial": bool(asked.get("partial_payment")),
    }


def payment(order: Thing, *, amount: int, method: str, payer: Mapping[str, str]) -> Thing:
    """A new try to pay an order."""
    return {
        "id": new_id("pay"),
        "entity": "payment",
        "amount": amount,
        "currency": "INR",
        "status": "created",
        "order_id": order["id"],
        "invoice_id": None,
        "international": False,
        "method": method,
        "amount_refunded": 0,
        "refund_status": None,
        "captured": False,
        "description": payer.get("description") or None,
        "card_id": None,
        "bank": None,
        "wallet": None,
        "vpa": None,
        **METHODS[method],
        "email": payer.get("email") or "void@razorpay.com",
        "contact": payer.get("contact") or "",
        "notes": order["notes"],
        "fee": None,
        "tax": None,
        "error_code": None,
        "error_description": None,
        "error_source": None,
        "error_step": None,
        "error_reason": None,
        "acquirer_data": {},
        "created_at": now(),
    }


def refund(payment: Thing, *, amount: int, asked: Thing, status: str) -> Thing:
    """Money that goes back."""
    speed = asked.get("speed") or "normal"
    return {
        "id": new_id("rfnd"),
        "entity": "refund",
        "amount": amount,
        "currency": "INR",
        "payment_id": payment["id"],
        "notes": asked.get("notes") or [],
        "receipt": asked.get("receipt"),
        "acquirer_data": {"arn": None},
        "created_at": now(),
        "batch_id": None,
        "status": status,
        "speed_processed": "instant" if speed == "optimum" else "normal",
        "speed_requested": speed,
    }


def settlement(*, amount: int, fees: int, tax: int) -> Thing:
    """What is paid out to a bank account."""
    return {
        "id": new_id("setl"),
        "entity": "settlement",
        "amount": amount,
        "status": "processed",
        "fees": fees,
        "tax": tax,
        "utr": f"{now()}{new_id()[:6].lower()}",
        "created_at": now(),
    }


def settled_line(thing: Thing, *, payment: Thing, order: Thing, settlement: Thing) -> Thing:
    """A payment or refund in the report of what was settled."""
    is_payment = thing["entity"] == "payment"
    fee = thing["fee"] if is_payment else 0
    return {
        "entity_id": thing["id"],
        "type": thing["entity"],
        "debit": 0 if is_payment else thing["amount"],
        "credit": thing["amount"] - fee if is_payment else 0,
        "amount": thing["amount"],
        "currency": "INR",
        "fee": fee,
        "tax": thing["tax"] if is_payment else 0,
        "on_hold": False,
        "settled": True,
        "created_at": thing["created_at"],
        "settled_at": settlement["created_at"],
        "settlement_id": settlement["id"],
        "posted_at": None,
        "credit_type": "default",
        "description": payment["description"],
        "notes": thing["notes"],
        "payment_id": None if is_payment else payment["id"],
        "settlement_utr": settlement["utr"],
        "order_id": order["id"],
        "order_receipt": order["receipt"],
        "method": payment["method"],
        "card_network": None,
        "card_issuer": None,
        "card_type": None,
        "dispute_id": None,
    }


def day_of(seconds: int) -> tuple[int, int, int]:
    """Year, month and day in India."""
    moment = datetime.fromtimestamp(seconds, INDIA)
    return moment.year, moment.month, moment.day
