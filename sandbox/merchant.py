"""What an account can do, by the gateway's rules: orders, payments, captures, refunds, settlements."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox import faults, shapes
from sandbox.shapes import Refusal
from sandbox.store import Store, Thing
from sandbox.webhooks import tell

MISSING = "The id provided does not exist"
FEE, TAX_ON_FEE = 0.02, 0.18
OUTCOMES = ("succeeds", "fails", "late", "authorized")
FAILURE = {
    "fails": ("Your payment has been declined by your bank. Try another method.", "payment_declined"),
    "late": ("Your bank has not answered in time. If money was taken, it is returned.", "payment_timed_out"),
}


@dataclass(frozen=True)
class Merchant:
    """One account and its things. Work inside a transaction of the store."""

    store: Store
    account: Thing

    @property
    def key_id(self) -> str:
        """Whose things these are."""
        return str(self.account["key_id"])

    def find(self, kind: str, thing_id: str) -> Thing:
        """One of its things."""
        thing = self.store.find(kind, thing_id, account=self.key_id)
        if thing is None:
            raise Refusal(MISSING)
        return thing

    def every(self, kind: str, *, parent: str = "") -> list[Thing]:
        """All of its things of a kind, the newest first."""
        return self.store.every(kind, account=self.key_id, parent=parent)

    # Orders

    def create_order(self, asked: Thing) -> Thing:
        """A new order, or with `unique_receipt` the one that has the receipt already."""
        check_order(asked)
        if asked.get("unique_receipt") and asked.get("receipt"):
            for order in self.every("order"):
                if order["receipt"] == asked["receipt"]:
                    if order["amount"] != asked["amount"]:
                        raise Refusal("Order receipt should be unique.", field="receipt")
                    return order
        mode = (asked.get("payment") or {}).get("capture") or self.account["capture"]
        if "payment_capture" in asked:
            mode = "automatic" if str(asked["payment_capture"]).lower() in ("1", "true") else "manual"
        order = shapes.order(asked, is_automatic=mode == "automatic")
        return self.store.add(order, account=self.key_id)

    def edit_notes(self, kind: str, thing_id: str, asked: Thing) -> Thing:
        """Other notes, and nothing else."""
        thing = self.find(kind, thing_id)
        if asked.keys() != {"notes"}:
            raise Refusal(
                f"{', '.join(sorted(asked.keys() - {'notes'})) or 'notes'} is/are not required", field="notes"
            )
        check_notes(asked)
        thing["notes"] = asked["notes"] or []
        self.store.write(thing)
        return thing

    # Payments

    def pay(
        self,
        order_id: str,
        *,
        outcome: str,
        method: str = "upi",
        amount: int | None = None,
        payer: Mapping[str, str] = {},
    ) -> Thing:
        """Somebody tries to pay an order; the outcome is one of OUTCOMES."""
        order = self.find("order", order_id)
        if outcome not in OUTCOMES or method not in shapes.METHODS:
            raise Refusal("Choose a method and what happens.")
        tries = self.every("payment", parent=order_id)
        if order["status"] == "paid" or any(payment["status"] == "authorized" for payment in tries):
            raise Refusal("Payment already done for this order.", reason="order_already_paid")
        wanted = amount if amount is not None and order["_is_partial"] else order["amount_due"]
        if not 0 < wanted <= order["amount_due"]:
            raise Refusal("Payment amount is greater than the amount due for the order.", field="amount")
        payment = shapes.payment(order, amount=wanted, method=method, payer=payer)
        self.store.add(payment, account=self.key_id, parent=order_id)
        order.update(status="attempted", attempts=order["attempts"] + 1)
        self.store.write(order)
        if outcome in FAILURE:
            self._fail(payment, outcome)
        else:
            self._authorize(payment, captures=outcome == "succeeds" and order["_is_automatic"])
        return self.find("payment", payment["id"])

    def authorize_late(self, payment_id: str) -> Thing:
        """The bank says yes after all. Captured only if nobody has paid the order meanwhile."""
        payment = self.find("payment", payment_id)
        if payment["status"] != "failed":
            raise Refusal("Only a failed payment can be authorized late.")
        order = self.find("order", payment["order_id"])
        self._authorize(payment, captures=order["_is_automatic"] and order["status"] != "paid")
        return self.find("payment", payment_id)

    def capture(self, payment_id: str, asked: Thing) -> Thing:
        """Take an authorized payment."""
        payment = self.find("payment", payment_id)
        if payment["captured"]:
            raise Refusal("This payment has already been captured")
        if payment["status"] != "authorized":
            raise Refusal("Only payments which have been authorized and not yet captured can be captured")
        if whole(asked) != payment["amount"]:
            raise Refusal("Capture amount must be equal to the amount authorized", field="amount")
        if self.find("order", payment["order_id"])["amount_due"] < payment["amount"]:
            raise Refusal("Payment already done for this order.", reason="order_already_paid")
        self._capture(payment)
        return self.find("payment", payment_id)

    def expire(self, payment_id: str) -> Thing:
        """Nobody captured an authorized payment in time: it goes back by itself."""
        payment = self.find("payment", payment_id)
        if payment["status"] != "authorized":
            raise Refusal("Only an authorized payment expires.")
        refund = shapes.refund(payment, amount=payment["amount"], asked={}, status="processed")
        payment.update(status="refunded", refund_status="full", amount_refunded=payment["amount"])
        self.store.write(payment)
        self.store.add({**refund, "_was_captured": False}, account=self.key_id, parent=payment_id)
        self._tell("refund.created", refund=refund, payment=payment)
        self._tell("refund.processed", refund=refund, payment=payment)
        return payment

    def _fail(self, payment: Thing, outcome: str) -> None:
        description, reason = FAILURE[outcome]
        payment.update(
            status="failed",
            error_code="BAD_REQUEST_ERROR",
            error_description=description,
            error_source="bank",
            error_step="payment_authorization",
            error_reason=reason,
        )
        self.store.write(payment)
        self._tell("payment.failed", payment=payment)
        late = faults.of(self.account)["late_seconds"]
        if outcome == "late" and late:
            self.store.set_timer(time.time() + late, "authorize_late", payment["id"])

    def _authorize(self, payment: Thing, *, captures: bool) -> None:
        cleared = dict.fromkeys([name for name in payment if name.startswith("error_")])
        reference = {"rrn": str(time.time_ns())[-12:]} if payment["method"] == "upi" else {"auth_code": "000000"}
        payment.update(cleared, status="authorized", acquirer_data=reference)
        self.store.write(payment)
        self._tell("payment.authorized", payment=payment)
        if captures:
            self._capture(payment)

    def _capture(self, payment: Thing) -> None:
        charge = round(payment["amount"] * FEE)
        tax = round(charge * TAX_ON_FEE)
        payment.update(status="captured", captured=True, fee=charge + tax, tax=tax)
        self.store.write(payment)
        order = self.find("order", payment["order_id"])
        order["amount_paid"] += payment["amount"]
        order["amount_due"] -= payment["amount"]
        order["status"] = "attempted" if order["amount_due"] else "paid"
        self.store.write(order)
        self._tell("payment.captured", payment=payment)
        if order["status"] == "paid":
            self._tell("order.paid", payment=payment, order=order)

    # Refunds

    def refund(self, payment_id: str, asked: Thing, *, once: str = "") -> Thing:
        """Send money back. The same key in `once` is the same refund."""
        payment = self.find("payment", payment_id)
        if once and (made := self._made_with(once, asked)):
            return made
        if not payment["captured"]:
            raise Refusal("The payment status should be captured for action to be taken")
        left = payment["amount"] - payment["amount_refunded"]
        if not left:
            raise Refusal("The payment has been fully refunded already")
        amount = whole(asked) if asked.get("amount") is not None else left
        if amount > left:
            raise Refusal("The total refund amount is greater than the refund payment amount", field="amount")
        if amount < 100:
            raise Refusal("The amount must be atleast INR 1.00", field="amount")
        check_notes(asked)
        fate = faults.of(self.account)["refunds"]
        refund = shapes.refund(payment, amount=amount, asked=asked, status="pending")
        refund |= {"_key": once, "_asked": asked}
        self.store.add(refund, account=self.key_id, parent=payment_id)
        self._book_refund(payment, amount)
        self._tell("refund.created", refund=refund, payment=payment)
        if fate == "processed":
            return self.finish_refund(refund["id"], "processed")
        if fate == "failed":
            self.store.set_timer(time.time() + 1, "fail_refund", refund["id"])
        return refund

    def finish_refund(self, refund_id: str, status: str) -> Thing:
        """A pending refund has arrived, or could not be delivered."""
        refund = self.find("refund", refund_id)
        if refund["status"] != "pending":
            raise Refusal("Only a pending refund can be processed or fail.")
        payment = self.find("payment", refund["payment_id"])
        refund["status"] = status
        if status == "processed":
            refund["acquirer_data"] = {"arn": str(time.time_ns())[-14:]}
        else:
            self._book_refund(payment, -refund["amount"])
        self.store.write(refund)
        self._tell(f"refund.{status}", refund=refund, payment=payment)
        return refund

    def _made_with(self, once: str, asked: Thing) -> Thing | None:
        if len(once) < 10:
            raise Refusal("The idempotency key must be at least 10 characters.")
        made = next((refund for refund in self.every("refund") if refund.get("_key") == once), None)
        if made and made["_asked"] != asked:
            raise Refusal("Different request with the same idempotency key has already been processed.", reason="NA")
        return made

    def _book_refund(self, payment: Thing, amount: int) -> None:
        payment["amount_refunded"] += amount
        is_full = payment["amount_refunded"] == payment["amount"]
        payment["refund_status"] = "full" if is_full else "partial" if payment["amount_refunded"] else None
        payment["status"] = "refunded" if is_full else "captured"
        self.store.write(payment)

    # Settlements

    def settle(self) -> Thing:
        """Pay out what was captured, less fees and refunds, all of it at once."""
        payments = [thing for thing in self.every("payment") if thing["captured"] and not thing.get("_settled")]
        refunds = [
            thing
            for thing in self.every("refund")
            if thing["status"] == "processed" and not thing.get("_settled") and thing.get("_was_captured", True)
        ]
        fees, tax = sum(thing["fee"] for thing in payments), sum(thing["tax"] for thing in payments)
        amount = sum(thing["amount"] for thing in payments) - fees - sum(thing["amount"] for thing in refunds)
        if amount <= 0:
            raise Refusal("There is nothing to settle.")
        settlement = self.store.add(shapes.settlement(amount=amount, fees=fees, tax=tax), account=self.key_id)
        for thing in [*payments, *refunds]:
            payment = thing if thing["entity"] == "payment" else self.find("payment", thing["payment_id"])
            order = self.find("order", payment["order_id"])
            line = shapes.settled_line(thing, payment=payment, order=order, settlement=settlement)
            kept = {"id": f"line_{thing['id']}", "entity": "line", "_line": line}
            self.store.add(kept, account=self.key_id, parent=settlement["id"])
            self.store.write({**self.find(thing["entity"], thing["id"]), "_settled": True})
        self._tell("settlement.processed", settlement=settlement)
        return settlement

    def settled_lines(self, *, year: int, month: int, day: int | None) -> list[Thing]:
        """The lines of all settlements of a day or a month, the oldest first."""
        lines = [kept["_line"] for kept in reversed(self.every("line"))]
        wanted = (year, month, day)[: 3 if day else 2]
        return [line for line in lines if shapes.day_of(line["settled_at"])[: len(wanted)] == wanted]

    def _tell(self, name: str, **entities: Thing) -> None:
        tell(self.store, self.account, name, **entities)


def whole(asked: Mapping[str, Any]) -> int:
    """The amount that was asked for: paise, whole ones."""
    amount = asked.get("amount")
    if amount is None:
        raise Refusal("amount: is required.", field="amount")
    if isinstance(amount, bool) or not str(amount).lstrip("-").isdecimal():
        raise Refusal("The amount must be an integer.", field="amount")
    return int(amount)


def check_order(asked: Thing) -> None:
    """Refuse an order that cannot be."""
    asked["amount"] = whole(asked)
    if asked["amount"] < 100:
        raise Refusal(
            "Order amount less than minimum amount allowed", field="amount", reason="amount_less_than_minimum_amount"
        )
    if asked.get("currency") != "INR":
        raise Refusal(
            "Currency is not supported" if asked.get("currency") else "currency: is required.", field="currency"
        )
    if len(str(asked.get("receipt") or "")) > 40:
        raise Refusal("The receipt may not be greater than 40 characters.", field="receipt")
    check_notes(asked)


def check_notes(asked: Thing) -> None:
    """Refuse notes that are too many or too long."""
    notes = asked.get("notes") or {}
    if not isinstance(notes, dict) or len(notes) > 15 or any(len(str(text)) > 256 for text in notes.values()):
        raise Refusal("notes: at most 15 pairs of at most 256 characters.", field="notes")
