"""Months of money at Cedar, made up by chance: what reports are compared with is counted from the papers, not the books."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import User
from billing import razorpay
from billing.models import CreditNote, Invoice, InvoiceLine, Method, Payment, Refund
from billing.services import crediting, insurance, invoices, ledger, payments, refunds
from billing.services.invoices import Charge, Draft
from billing.services.payments import Taking
from hospitals.models import Doctor
from patients.models import Patient
from tenants.models import Hospital
from tests.billing.money import order

ZONE = ZoneInfo("Asia/Kolkata")
FIRST, LAST = date(2026, 3, 20), date(2026, 4, 12)  # a financial year ends within
GSTIN = "27AABCC1234D1ZB"
CHARGES = [
    Charge("Consultation", Decimal(700)),
    Charge("Paracetamol", Decimal("33.33"), category="medicine", quantity=Decimal(3)),
    Charge("Insulin", Decimal("1234.56"), category="medicine"),
    Charge("Copy of the records", Decimal(100), category="other"),
    Charge("Surgery", Decimal(90_000), category="other"),
    Charge("Blood count", Decimal("280.50"), category="laboratory", discount=Decimal("28.05")),
]


@dataclass
class Run:
    """Bills of one patient, and what becomes of each."""

    hospital: Hospital
    patient: Patient
    clerk: User
    doctors: list[Doctor]
    dice: Random
    settled: list[tuple[datetime, Decimal]] = field(default_factory=list)  # insurers' money

    def bills(self, number: int) -> None:
        """So many, each with its fate."""
        for index in range(number):
            moment = self._moment()
            invoice = self._bill(moment)
            self.dice.choice(self._fates())(invoice, moment + self._while(), f"{index}")

    def _moment(self) -> datetime:
        """Some time; often just before or after a midnight of the hospital's."""
        day = FIRST + timedelta(days=self.dice.randrange((LAST - FIRST).days + 1))
        if self.dice.random() < 0.4:
            day = self.dice.choice([date(2026, 3, 31), date(2026, 4, 1), day])
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZONE)
        if self.dice.random() < 0.5:
            return midnight + timedelta(seconds=self.dice.choice([-1, 0, 1]))
        return midnight + timedelta(minutes=self.dice.randrange(24 * 60))

    def _while(self) -> timedelta:
        return timedelta(minutes=self.dice.choice([0, 5, 300, 3000]))

    def _bill(self, moment: datetime) -> Invoice:
        doctor = self.dice.choice([*self.doctors, None])
        gstin, place = self.dice.choice([("", ""), ("", ""), (GSTIN, ""), ("", "KA"), (GSTIN, "KA")])
        asked = Draft(
            patient=self.patient,
            charges=self.dice.choices(CHARGES, k=self.dice.randrange(1, 4)),
            doctor=doctor,
            department=doctor.department if doctor else None,
            bill_to_gstin=gstin,
            place_of_supply=place,
        )
        invoice = invoices.draft(hospital=self.hospital, draft=asked, by=self.clerk, now=moment)
        invoices.issue(hospital=self.hospital, invoice=invoice, by=self.clerk, now=moment)
        return invoice

    def _fates(self) -> list[Callable[[Invoice, datetime, str], Any]]:
        return [self._waits, self._is_paid, self._is_paid, self._is_paid_online, self._goes_back, self._goes_back,
                self._is_corrected, self._is_cancelled, self._is_insured]  # fmt: skip

    def _waits(self, invoice: Invoice, moment: datetime, name: str) -> None:
        """Nothing comes of it."""

    def _is_paid(self, invoice: Invoice, moment: datetime, name: str) -> Payment:
        method = self.dice.choice([Method.CASH, Method.CARD, Method.UPI, Method.INSURANCE])
        part = self.dice.choice([None, (invoice.total / 2).quantize(Decimal("0.01"))])
        taking = Taking(method, part, "" if method == Method.CASH else "S1")
        return payments.take(hospital=self.hospital, invoice=invoice, taking=taking, by=self.clerk, now=moment)

    def _is_paid_online(self, invoice: Invoice, moment: datetime, name: str) -> Payment:
        wished = order(invoice, name)
        found = razorpay.Payment(
            id=f"pay_{name}", order_id=f"order_{name}", status="captured", amount=wished.amount,
            amount_refunded=Decimal(), captured=True, method="upi", fee=Decimal(), tax=Decimal(), error_code="",
            error_description="", notes={}, created_at=moment,
        )  # fmt: skip
        payment = payments.seen(hospital=self.hospital, order=wished, found=found, now=moment)
        payments.fulfil(payment=payment, now=moment)
        return payment

    def _goes_back(self, invoice: Invoice, moment: datetime, name: str) -> None:
        payment = self._is_paid(invoice, moment, name)
        amount = self.dice.choice([payment.amount, Decimal(10)])
        moment += self._while()
        refund = refunds.ask(
            hospital=self.hospital, payment=payment, amount=amount, reason="Too much", by=self.clerk,
            may_approve=True, now=moment,
        )  # fmt: skip
        if self.dice.random() < 0.8:
            act: dict[str, Any] = {"by": self.clerk, "now": moment + self._while()}
            refunds.pay_out(refund=refund, method=Method(payment.method), reference="S2", **act)

    def _is_corrected(self, invoice: Invoice, moment: datetime, name: str) -> None:
        act: dict[str, Any] = {"by": self.clerk, "reason": "Wrong price", "now": moment}
        crediting.correct(hospital=self.hospital, invoice=invoice, amount=Decimal("33.34"), **act)

    def _is_cancelled(self, invoice: Invoice, moment: datetime, name: str) -> None:
        crediting.cancel(hospital=self.hospital, invoice=invoice, by=self.clerk, reason="Twice", now=moment)

    def _is_insured(self, invoice: Invoice, moment: datetime, name: str) -> None:
        amount = min(invoice.total, Decimal(50))
        cover = insurance.Cover(payer="Star", policy_number="P1", amount=amount)
        claim = insurance.note(invoice=invoice, cover=cover, by=self.clerk, now=moment)
        insurance.submit(claim=claim, claim_number="C1", by=self.clerk)
        insurance.approve(claim=claim, amount=amount, by=self.clerk, now=moment)
        if self.dice.random() < 0.7:
            moment += self._while()
            insurance.settle(claim=claim, reference="UTR", by=self.clerk, now=moment)
            self.settled.append((moment, amount))


# --- Counted once more, from the papers ------------------------------------------------------------------------------


def day_of(moment: datetime | None) -> date:
    """The day on the hospital's calendar."""
    assert moment
    return moment.astimezone(ZONE).date()


def issued(first: date, last: date) -> Iterator[Invoice]:
    """Bills of these days."""
    for invoice in Invoice.objects.issued().select_related("doctor__user", "department").order_by("pk"):
        if first <= day_of(invoice.issued_at) <= last:
            yield invoice


def credited(first: date, last: date) -> Iterator[CreditNote]:
    """Credit notes of these days."""
    for note in CreditNote.objects.select_related("invoice__doctor__user", "invoice__department").order_by("pk"):
        if first <= day_of(note.issued_at) <= last:
            yield note


def revenue(first: date, last: date, key: Callable[[Invoice, date], Any]) -> dict[Any, list[Decimal]]:
    """Bills, billed, taken back, before tax, GST and revenue, by whatever names the line."""
    found: dict[Any, list[Decimal]] = defaultdict(lambda: [Decimal()] * 6)
    for invoice in issued(first, last):
        before, tax = invoice.amounts.taxable, invoice.amounts.tax
        _add(found[key(invoice, day_of(invoice.issued_at))], [1, invoice.total, 0, before, tax, invoice.total])
    for note in credited(first, last):
        tax = note.cgst + note.sgst + note.igst
        _add(found[key(note.invoice, day_of(note.issued_at))], [0, 0, note.total, -note.taxable, -tax, -note.total])
    return dict(found)


def methods(run: Run, first: date, last: date) -> dict[str, list[Decimal]]:
    """Payments, received, refunds, paid back and what is left, by method."""
    found: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal()] * 5)
    for payment in Payment.objects.captured():
        if first <= day_of(payment.captured_at) <= last:
            _add(found[payment.get_method_display()], [1, payment.amount, 0, 0, payment.amount])
    for refund in Refund.objects.filter(status="processed"):
        if first <= day_of(refund.processed_at) <= last:
            _add(found[refund.get_method_display()], [0, 0, 1, refund.amount, -refund.amount])
    for moment, amount in run.settled:
        if first <= day_of(moment) <= last:
            _add(found["Insurance"], [1, amount, 0, 0, amount])
    return dict(found)


def taxed(first: date, last: date) -> tuple[dict[Any, list[Decimal]], dict[Any, list[Decimal]]]:
    """Before tax, CGST, SGST, IGST and total by code, rate and whether a business pays: of bills, and of credit notes."""
    of_bills: dict[Any, list[Decimal]] = defaultdict(lambda: [Decimal()] * 5)
    of_notes: dict[Any, list[Decimal]] = defaultdict(lambda: [Decimal()] * 5)
    for invoice in issued(first, last):
        for line in invoice.lines.all():
            taxable = line.gross - line.own_discount - line.promo_discount
            _add(of_bills[_kind(invoice, line)], [taxable, line.cgst, line.sgst, line.igst, line.total])
    for note in credited(first, last):
        for one in note.lines.select_related("line"):
            _add(of_notes[_kind(note.invoice, one.line)], [one.taxable, one.cgst, one.sgst, one.igst, one.total])
    return dict(of_bills), dict(of_notes)


def _kind(invoice: Invoice, line: InvoiceLine) -> tuple[str, Decimal, bool]:
    return line.hsn_sac, line.tax_percent, bool(invoice.bill_to_gstin)


def owed(today: date) -> dict[str, Decimal]:
    """What is owed, by age."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for invoice in Invoice.objects.issued():
        left = ledger.owed_on(invoice)
        age = (today - day_of(invoice.issued_at)).days
        if left > 0:
            found["week" if age <= 7 else "month" if age <= 30 else "older"] += left
    return dict(found)


def _add(sums: list[Decimal], numbers: list[Any]) -> None:
    sums[:] = [before + Decimal(number) for before, number in zip(sums, numbers, strict=True)]
