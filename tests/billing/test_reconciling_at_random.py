"""Whatever happens, in whatever order: each rupee at the gateway is in the books, or on the list of what does not match."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from django.utils.timezone import now

from accounts.models import User
from billing import razorpay
from billing.models import Discrepancy, GatewayAccount, Invoice, Payment, Posting, Refund
from billing.services import checkout, ledger, refunds
from billing.services.checkout import GatewayDown
from billing.services.invoices import Charge
from core.sealing import seal
from tenants.models import Hospital
from tests.billing.gateway_side import Kind, compare, dashboard
from tests.fakes.razorpay import Gateway, SandboxError

Make = Callable[..., Invoice]
STEPS = 25
CALLS = ("orders.create", "orders.payments", "payments.refund", "payments.refunds", "payments.capture")


class Story:
    """A run of things that happen, most of which nobody tells us."""

    def __init__(self, hospital: Hospital, gateway: Gateway, bill: Make, by: User, dice: Random) -> None:
        self.hospital, self.gateway, self.bill, self.by, self.dice = hospital, gateway, bill, by, dice

    def go_on(self) -> None:
        """One thing happens; a call in four is lost on its way."""
        if self.dice.random() < 0.25:
            self.gateway.break_call(self.dice.choice(CALLS), self.dice.choice(["close", "500"]), self.dice.choice(["before", "after"]))  # fmt: skip
        there = [self.refund_there, self.pay_there, self.bank_answers]
        step = self.dice.choice([self.pay, self.pay, self.pay, self.refund, self.refund, *there])
        if step in there:
            self.gateway.faults(calls=[])
        with suppress(GatewayDown, razorpay.Unreachable, razorpay.Refused, SandboxError):
            step()

    def pay(self) -> None:
        """A patient tries to pay once or twice; sometimes we hear of it."""
        price = Decimal(self.dice.randint(100, 500_000)) / 100
        invoice = self.bill(Charge("Paracetamol", price, category="medicine"))
        order = checkout.begin(hospital=self.hospital, invoice=invoice, by=invoice.patient.user, now=now())
        for _try in range(self.dice.randint(1, 2)):
            outcome = self.dice.choice(["succeeds", "succeeds", "authorized", "fails", "late"])
            self.gateway.pay(order.gateway_id or "", outcome)
        if self.dice.random() < 0.4:
            checkout.ask(hospital=self.hospital, order=order, now=now())

    def refund(self) -> None:
        """Somebody gives a part back; it is sent, or its task was lost."""
        payment = self._payment()
        left = refunds.left_of(payment) if payment else Decimal()
        if payment and left >= 2:
            amount = Decimal(self.dice.randint(100, int(left * 100))) / 100
            made = refunds.ask(
                hospital=self.hospital, payment=payment, amount=amount, reason="x", by=self.by, may_approve=True,
                now=now() - timedelta(minutes=10),
            )  # fmt: skip
            if self.dice.random() < 0.6:
                refunds.send(refund=made, now=now() - timedelta(minutes=9))

    def refund_there(self) -> None:
        """Somebody gives a rupee back in the dashboard."""
        payment = self._payment()
        if payment and refunds.left_of(payment) > 2:
            with suppress(razorpay.Refused), dashboard(self.gateway) as desk:
                theirs = desk.payment.fetch(payment.gateway_id)
                if theirs["amount"] - theirs["amount_refunded"] > 200:
                    desk.payment.refund(payment.gateway_id, {"amount": 100})

    def pay_there(self) -> None:
        """Somebody pays a link that was made in the dashboard."""
        with dashboard(self.gateway) as desk:
            order = desk.order.create({"amount": 4_500, "currency": "INR"})
        self.gateway.pay(order["id"])

    def bank_answers(self) -> None:
        """A bank says yes after all."""
        with dashboard(self.gateway) as desk:
            failed = [one["id"] for one in desk.payment.all({"count": 100})["items"] if one["status"] == "failed"]
        if failed:
            self.gateway.authorize_late(self.dice.choice(failed))

    def _payment(self) -> Payment | None:
        choices: list[Payment | None] = [None, *Payment.objects.captured().order_by("pk")]
        return self.dice.choice(choices)


@pytest.mark.parametrize("seed", range(2))
def test_every_rupee_is_matched_or_on_the_list(
    in_cedar: Hospital, bill: Make, gateway: Gateway, bina: User, seed: int
) -> None:
    GatewayAccount.objects.create(
        key_id=gateway.keys.key_id, key_secret=seal(gateway.keys.key_secret), webhook_secret=seal("x")
    )
    gateway.faults(drop=["*"], late_seconds=0)
    story = Story(in_cedar, gateway, bill, bina, Random(seed))
    for _step in range(STEPS):
        story.go_on()
    gateway.faults(calls=[])

    compare(in_cedar, now() + timedelta(minutes=1))
    gateway.settle()
    row = compare(in_cedar, now() + timedelta(minutes=2))

    assert row.error == ""
    with dashboard(gateway) as desk:
        payments = [one for one in desk.payment.all({"count": 100})["items"] if one["captured"]]
        given_back = [one for one in desk.refund.all({"count": 100})["items"] if one["status"] != "failed"]
    on_the_list = set(Discrepancy.objects.open().values_list("kind", "key"))
    for one in payments:
        ours = Payment.objects.captured().filter(gateway_id=one["id"], amount=Decimal(one["amount"]) / 100)
        assert ours.exists() != ((Kind.UNKNOWN_PAYMENT, one["id"]) in on_the_list)
    for one in given_back:
        ours_back = Refund.objects.filter(gateway_id=one["id"], amount=Decimal(one["amount"]) / 100)
        assert ours_back.exists() != ((Kind.UNKNOWN_REFUND, one["id"]) in on_the_list)
    assert {kind for kind, _key in on_the_list} <= {Kind.UNKNOWN_PAYMENT, Kind.UNKNOWN_REFUND, Kind.REFUND_STUCK}
    assert len(payments) > 5

    books = ledger.balances()
    assert Posting.objects.balance() == 0
    unsettled = Refund.objects.filter(status=Refund.Status.PROCESSED, settlement_lines=None)
    assert books["gateway"] == -sum((refund.amount for refund in unsettled), Decimal())
    assert not unsettled.exists()
    assert books["advances"] == 0
    for invoice in Invoice.objects.all():
        assert ledger.owed_on(invoice) <= invoice.total
        assert (invoice.status == Invoice.Status.PAID) == (
            ledger.owed_on(invoice) <= 0 and not ledger.refunded_on(invoice)
        )
