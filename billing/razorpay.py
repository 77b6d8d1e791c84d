"""The one file that talks to Razorpay.

It knows no bills: rupees and receipts go in, what Razorpay knows comes out. Every call that changes something can be
repeated with the same receipt and is done once. Of a payment nothing is kept that could name a card or an account.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, Self

import requests
from django.conf import settings
from razorpay import Client
from razorpay.errors import SignatureVerificationError

Payload = Mapping[str, Any]

TIMEOUT = (3.0, 10.0)  # seconds to connect, and to wait for the answer
PAGE = 100  # the most that Razorpay lists at once
NOBODY_KNOWS = {408, 409, 425, 429}  # with every 5xx: try again later (409: the first try is still at work)


class Unreachable(Exception):
    """No answer, or none that counts: nobody knows whether it was done. Ask again, with the same receipt."""


class Refused(Exception):
    """Razorpay said no, and asking again will not help."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description


class WrongKeys(Refused):
    """Razorpay does not know these keys."""


@dataclass(frozen=True)
class Keys:
    """With whose account to talk."""

    key_id: str
    key_secret: str

    def __repr__(self) -> str:
        return f"Keys({self.key_id!r}, …)"


@dataclass(frozen=True)
class Order:
    """What somebody is asked to pay. Payments are tries to pay it; at most one of them succeeds."""

    id: str
    amount: Decimal
    amount_paid: Decimal
    status: str  # created, attempted, paid
    receipt: str
    notes: dict[str, str]
    created_at: datetime

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """As it stands in an answer or in an event."""
        return cls(
            id=payload["id"],
            amount=_rupees(payload["amount"]),
            amount_paid=_rupees(payload.get("amount_paid")),
            status=payload["status"],
            receipt=payload.get("receipt") or "",
            notes=_notes(payload),
            created_at=_time(payload["created_at"]),
        )


@dataclass(frozen=True)
class Payment:
    """One try to pay an order."""

    id: str
    order_id: str
    status: str  # created, authorized, captured, refunded, failed
    amount: Decimal
    amount_refunded: Decimal
    captured: bool
    method: str
    fee: Decimal  # Razorpay's, the tax on it included; known once captured
    tax: Decimal
    error_code: str
    error_description: str
    notes: dict[str, str]
    created_at: datetime

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """As it stands in an answer or in an event."""
        return cls(
            id=payload["id"],
            order_id=payload.get("order_id") or "",
            status=payload["status"],
            amount=_rupees(payload["amount"]),
            amount_refunded=_rupees(payload.get("amount_refunded")),
            captured=bool(payload.get("captured")),
            method=payload.get("method") or "",
            fee=_rupees(payload.get("fee")),
            tax=_rupees(payload.get("tax")),
            error_code=payload.get("error_code") or "",
            error_description=payload.get("error_description") or "",
            notes=_notes(payload),
            created_at=_time(payload["created_at"]),
        )


@dataclass(frozen=True)
class Refund:
    """Money on its way back to who paid."""

    id: str
    payment_id: str
    amount: Decimal
    status: str  # pending, processed, failed
    receipt: str
    notes: dict[str, str]
    created_at: datetime

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """As it stands in an answer or in an event."""
        return cls(
            id=payload["id"],
            payment_id=payload["payment_id"],
            amount=_rupees(payload["amount"]),
            status=payload.get("status") or "pending",
            receipt=payload.get("receipt") or "",
            notes=_notes(payload),
            created_at=_time(payload["created_at"]),
        )


@dataclass(frozen=True)
class SettlementLine:
    """One payment or refund in what Razorpay paid out to the hospital's bank."""

    entity_id: str
    type: str  # payment, refund, adjustment, transfer
    debit: Decimal
    credit: Decimal
    amount: Decimal
    fee: Decimal
    tax: Decimal
    payment_id: str
    order_id: str
    order_receipt: str
    settlement_id: str
    utr: str  # what the bank statement says
    settled_at: datetime | None

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """As it stands in the report of a day."""
        return cls(
            entity_id=payload["entity_id"],
            type=payload["type"],
            debit=_rupees(payload.get("debit")),
            credit=_rupees(payload.get("credit")),
            amount=_rupees(payload["amount"]),
            fee=_rupees(payload.get("fee")),
            tax=_rupees(payload.get("tax")),
            payment_id=payload.get("payment_id") or (payload["entity_id"] if payload["type"] == "payment" else ""),
            order_id=payload.get("order_id") or "",
            order_receipt=payload.get("order_receipt") or "",
            settlement_id=payload.get("settlement_id") or "",
            utr=payload.get("settlement_utr") or "",
            settled_at=_time(payload["settled_at"]) if payload.get("settled_at") else None,
        )


@dataclass(frozen=True)
class Event:
    """What a webhook tells: a snapshot of its moment, possibly an old one."""

    name: str
    created_at: datetime
    order: Order | None
    payment: Payment | None
    refund: Refund | None

    @classmethod
    def from_payload(cls, payload: Payload) -> Self:
        """The whole body of a webhook."""
        entities = {name: part["entity"] for name, part in payload["payload"].items()}
        return cls(
            name=payload["event"],
            created_at=_time(payload["created_at"]),
            order=Order.from_payload(entities["order"]) if "order" in entities else None,
            payment=Payment.from_payload(entities["payment"]) if "payment" in entities else None,
            refund=Refund.from_payload(entities["refund"]) if "refund" in entities else None,
        )


def create_order(keys: Keys, *, amount: Decimal, receipt: str, notes: Mapping[str, str]) -> Order:
    """The order of this receipt: made now, or the one an earlier try made. Its payments are captured at once."""
    asked = {"amount": paise(amount), "currency": "INR", "receipt": receipt, "notes": dict(notes)}
    asked |= {"payment_capture": True, "unique_receipt": True}
    with _client(keys) as client:
        try:
            order = Order.from_payload(client.order.create(asked))
        except Refused as refusal:
            if "receipt" not in refusal.description.lower():
                raise
            # Accounts that insist on unique receipts refuse the second try where others answer with the first order.
            made = client.order.all({"receipt": receipt})["items"]
            if not made:
                raise
            order = Order.from_payload(made[0])
    if order.amount != amount:
        raise Refused("BAD_REQUEST_ERROR", f"Receipt {receipt} belongs to an order of another amount.")
    return order


def fetch_order(keys: Keys, order_id: str) -> Order:
    """The order as it is now."""
    with _client(keys) as client:
        return Order.from_payload(client.order.fetch(_known("order", order_id)))


def payments_of(keys: Keys, order_id: str) -> list[Payment]:
    """Every try to pay this order."""
    with _client(keys) as client:
        return list(map(Payment.from_payload, client.order.payments(_known("order", order_id))["items"]))


def fetch_payment(keys: Keys, payment_id: str) -> Payment:
    """The payment as it is now."""
    with _client(keys) as client:
        return Payment.from_payload(client.payment.fetch(_known("pay", payment_id)))


def payments_between(keys: Keys, first: datetime, last: datetime) -> list[Payment]:
    """Every try to pay anything that was made in this time."""
    asked = {"from": int(first.timestamp()), "to": int(last.timestamp())}
    with _client(keys) as client:
        return list(map(Payment.from_payload, _pages(lambda page: client.payment.all({**asked, **page}))))


def capture(keys: Keys, payment_id: str, *, amount: Decimal) -> Payment:
    """Take an authorized payment; one that is taken already stays as it is."""
    with _client(keys) as client:
        try:
            return Payment.from_payload(client.payment.capture(_known("pay", payment_id), paise(amount), {}))
        except Refused:
            payment = Payment.from_payload(client.payment.fetch(payment_id))
            if not (payment.captured and payment.amount == amount):
                raise
            return payment


def refund(keys: Keys, payment_id: str, *, amount: Decimal, receipt: str, notes: Mapping[str, str]) -> Refund:
    """The refund of this receipt: made now, or the one an earlier try made, even if that has failed since."""
    asked = {"amount": paise(amount), "receipt": receipt, "notes": dict(notes), "speed": "normal"}
    # The header covers two tries at the same moment; the look before covers a try that is older than the header's memory.
    once = {"X-Refund-Idempotency": sha256(receipt.encode()).hexdigest()}
    with _client(keys) as client:
        made = next((made for made in _refunds(client, payment_id) if made.receipt == receipt), None)
        if made is None:
            made = Refund.from_payload(client.payment.refund(_known("pay", payment_id), asked, headers=once))
    if made.amount != amount:
        raise Refused("BAD_REQUEST_ERROR", f"Receipt {receipt} belongs to a refund of another amount.")
    return made


def fetch_refund(keys: Keys, payment_id: str, refund_id: str) -> Refund:
    """The refund as it is now."""
    with _client(keys) as client:
        answer = client.payment.fetch_refund_id(_known("pay", payment_id), _known("rfnd", refund_id))
    return Refund.from_payload(answer)


def refunds_of(keys: Keys, payment_id: str) -> list[Refund]:
    """Every refund of this payment."""
    with _client(keys) as client:
        return list(_refunds(client, payment_id))


def _refunds(client: Any, payment_id: str) -> Iterator[Refund]:
    known = _known("pay", payment_id)
    return map(Refund.from_payload, _pages(lambda page: client.payment.fetch_multiple_refund(known, page)))


def settlement_lines(keys: Keys, *, day: date) -> list[SettlementLine]:
    """What Razorpay paid out on this day (of India's calendar), line by line."""
    asked = {"year": f"{day:%Y}", "month": f"{day:%m}", "day": f"{day:%d}"}
    with _client(keys) as client:
        lines = _pages(lambda page: client.settlement.report({**asked, **page}))
        return [SettlementLine.from_payload(line) for line in lines]


def check_keys(keys: Keys) -> None:
    """Raise WrongKeys unless Razorpay knows these keys."""
    with _client(keys) as client:
        client.order.all({"count": 1})


def checkout_signature_holds(keys: Keys, *, order_id: str, payment_id: str, signature: str) -> bool:
    """Whether Razorpay itself sent the payer back with this payment of this order."""
    told = {"razorpay_order_id": order_id, "razorpay_payment_id": payment_id, "razorpay_signature": signature}
    utility = Client(auth=(keys.key_id, keys.key_secret)).utility
    return _holds(signature, keys.key_secret, lambda: utility.verify_payment_signature(told))


def webhook_signature_holds(*, body: bytes, signature: str, secret: str) -> bool:
    """Whether Razorpay itself sent this body, to the byte."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    utility = Client().utility
    return _holds(signature, secret, lambda: utility.verify_webhook_signature(text, signature, secret))


def _holds(signature: str, secret: str, verify: Callable[[], bool]) -> bool:
    if not secret or not signature.isascii():  # comparing in constant time knows ASCII only
        return False
    try:
        return verify()
    except SignatureVerificationError:
        return False


class _Session(requests.Session):
    """Waits only so long, and tells what was refused from what nobody knows; the library tells by the words alone."""

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", TIMEOUT)
        kwargs.setdefault("allow_redirects", False)
        try:
            answer = super().request(*args, **kwargs)
            said = answer.json()
        except requests.RequestException as fault:
            raise Unreachable(type(fault).__name__) from fault
        if answer.status_code >= 500 or answer.status_code in NOBODY_KNOWS:
            raise Unreachable(f"HTTP {answer.status_code}")
        if answer.status_code >= 300:
            error = said.get("error") or {}
            kind = WrongKeys if answer.status_code == 401 else Refused
            raise kind(str(error.get("code") or answer.status_code), str(error.get("description") or ""))
        return answer


@contextmanager
def _client(keys: Keys) -> Iterator[Any]:
    with _Session() as session:
        session.trust_env = settings.RAZORPAY_API_URL.startswith("https:")  # no proxy stands before loopback
        yield Client(session=session, auth=(keys.key_id, keys.key_secret), base_url=settings.RAZORPAY_API_URL)


def _pages(ask: Callable[[dict[str, int]], Any]) -> Iterator[Payload]:
    """Everything in a list, however long."""
    skip = 0
    while True:
        items = ask({"count": PAGE, "skip": skip})["items"]
        yield from items
        if len(items) < PAGE:
            return
        skip += PAGE


def _known(kind: str, thing_id: str) -> str:
    """An id that may stand in an address; browsers bring ids too."""
    if not re.fullmatch(rf"{kind}_[A-Za-z0-9]{{1,40}}", thing_id):
        raise Refused("BAD_REQUEST_ERROR", f"{thing_id!r} is no id of Razorpay's.")
    return thing_id


def paise(amount: Decimal) -> int:
    """An amount as Razorpay writes it."""
    found = amount * 100
    if found != int(found):
        raise ValueError(f"{amount} rupees are no whole number of paise.")
    return int(found)


def _rupees(paise: int | None) -> Decimal:
    return Decimal(paise or 0).scaleb(-2)


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _notes(payload: Payload) -> dict[str, str]:
    """Their empty notes are a list."""
    notes = payload.get("notes")
    return {str(name): str(value) for name, value in notes.items()} if isinstance(notes, dict) else {}
