"""Bills, payments and refunds on the scene, and the pages that show them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.timezone import now
from playwright.sync_api import Page

from accounts.models import User
from billing.models import CashDay, Discrepancy, Invoice, Method, Payment, PromoCode, Refund
from billing.services import cash, invoices, payments, refunds
from billing.services.invoices import Charge, Draft
from billing.services.payments import Taking
from core.hosts import hospital_url
from patients.models import Patient
from tenants.models import Hospital
from tests.journeys.stops import Stop, pressed


@dataclass
class Money:
    """What was made, for the addresses of its pages."""

    patient: Patient
    paid: Invoice
    owed: Invoice
    waiting: Invoice
    payment: Payment
    refund: Refund
    day: CashDay
    discrepancy: Discrepancy
    promo: PromoCode


def build(cedar: Hospital, hari: User, patient: Patient) -> Money:
    """Asha's bills in every state, and Hari's cash day. Works in Cedar's schema."""
    act: dict[str, Any] = {"by": hari, "now": now()}

    def bill(*charges: Charge, **fields: Any) -> Invoice:
        return invoices.draft(hospital=cedar, draft=Draft(patient=patient, charges=charges, **fields), **act)

    day = cash.open_day(clerk=hari, opening_float=Decimal(500), now=now())
    paid = bill(
        Charge("Consultation", Decimal(700)),
        Charge("Paracetamol 500 mg, 10 tablets", Decimal("32.50"), category="medicine", quantity=Decimal(2)),
    )
    taking = Taking(Method.CASH, paid.total)
    payment = payments.take(hospital=cedar, invoice=paid, taking=taking, **act)
    refund = refunds.ask(
        hospital=cedar, payment=payment, amount=Decimal(100), reason="Doctor was late", may_approve=True, **act
    )
    owed = bill(Charge("X-ray of the chest", Decimal(450), category="laboratory"))
    invoices.issue(hospital=cedar, invoice=owed, **act)
    waiting = bill(
        Charge("Physiotherapy, ten sessions", Decimal(6000), category="treatment", discount=Decimal(1500)),
        discount_reason="Pensioner",
    )
    discrepancy = Discrepancy.objects.create(
        kind=Discrepancy.Kind.UNKNOWN_PAYMENT, key="pay_00000000000001", amount=450, details="Seen by the webhook."
    )
    promo = PromoCode.objects.create(word="WELCOME10", percent=10, first_date=date(2026, 1, 1), cap=100)
    return Money(patient, paid, owed, waiting, payment, refund, day, discrepancy, promo)


def without_amount(page: Page) -> None:
    """Take nothing, which is refused at the field."""
    page.get_by_label("Amount").fill("0")
    pressed("Take the money")(page)


def patient(made: Money) -> Iterator[Stop]:
    """What a patient sees of their bills."""
    yield Stop("bills", hospital_url("cedar", "bills"))
    yield Stop("bills, none found", hospital_url("cedar", "bills") + "?q=nothing")
    yield Stop("bill, paid and partly refunded", hospital_url("cedar", "bill", made.paid.code))
    yield Stop("bill to be paid", hospital_url("cedar", "bill", made.owed.code))


def office(made: Money) -> Iterator[Stop]:
    """The desk's money, and what is done about bills."""
    yield Stop("bills of the hospital", hospital_url("cedar", "invoices"))
    yield Stop("bills of the hospital, none found", hospital_url("cedar", "invoices") + "?q=nothing")
    yield Stop("a bill", hospital_url("cedar", "invoice", made.paid.code))
    yield Stop("a bill whose discount waits", hospital_url("cedar", "invoice", made.waiting.code))
    yield Stop("a bill by hand", f"{hospital_url('cedar', 'invoice_new')}?patient={made.patient.code}")
    yield Stop("crediting", hospital_url("cedar", "invoice_credit", made.owed.code))
    yield Stop("insurers' claims", hospital_url("cedar", "claims"))
    yield Stop("insurance of a bill", hospital_url("cedar", "cover", made.owed.code))
    yield Stop("cash desk", hospital_url("cedar", "cash_desk"))
    yield Stop("cash days", hospital_url("cedar", "cash_days"))
    yield Stop("cash day", hospital_url("cedar", "cash_day", made.day.code))
    yield Stop("closing the cash day", hospital_url("cedar", "cash_close", made.day.code))
    yield Stop("taking money", hospital_url("cedar", "take_money", made.owed.code))
    yield Stop(
        "taking money without an amount",
        hospital_url("cedar", "take_money", made.owed.code),
        act=without_amount,
        acted_status=422,
    )
    yield Stop("payments", hospital_url("cedar", "payments"))
    yield Stop("a payment", hospital_url("cedar", "payment", made.payment.code))
    yield Stop("asking for a refund", hospital_url("cedar", "ask_refund", made.payment.code))
    yield Stop("refunds", hospital_url("cedar", "refunds"))
    yield Stop("a refund", hospital_url("cedar", "refund", made.refund.code))


def owner(made: Money) -> Iterator[Stop]:
    """How the hospital stands, and its rules of money."""
    yield Stop("money", hospital_url("cedar", "money"))
    yield Stop("reports", hospital_url("cedar", "reports"))
    yield Stop("discrepancies", hospital_url("cedar", "discrepancies"))
    yield Stop("a discrepancy", hospital_url("cedar", "discrepancy", made.discrepancy.code))
    yield Stop("comparisons with the gateway", hospital_url("cedar", "reconciliations"))
    yield Stop("billing settings", hospital_url("cedar", "settings_billing"))
    yield Stop("taxes", hospital_url("cedar", "settings_taxes"))
    yield Stop("promo codes", hospital_url("cedar", "settings_promos"))
    yield Stop("a promo code", hospital_url("cedar", "promo", made.promo.code))
    yield Stop(
        "a promo code that is none",
        hospital_url("cedar", "promo_add"),
        act=pressed("Add promo code"),
        acted_status=422,
    )
    yield Stop("payment keys", hospital_url("cedar", "settings_keys"))
