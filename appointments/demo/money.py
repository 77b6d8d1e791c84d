"""Taking the demo's money through the same services as real money: two weeks at the desk, and some of it online.

Online payments are made at the payment sandbox, where one runs beside the demo; without it there are none.
"""

import json
import urllib.request
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.timezone import now

from accounts.models import User
from accounts.permissions import Role
from appointments.services import times
from billing.models import About, BillingRules, CashDay, Discrepancy, Invoice, Method, PaymentOrder, PromoCode
from billing.services import cash, checkout, gateway, invoices, payments, refunds
from billing.services.invoices import Charge, Draft
from billing.services.payments import Taking
from core.schemas import schema_context
from hospitals.models import Doctor, Staff
from patients.models import Patient
from tenants.models import Hospital

GSTIN = {"cedar": "27AABCC1234D1ZB", "lotus": "29AABCL5678E1Z8"}
CHARGES = [
    Charge("Consultation, follow-up", Decimal(500)),
    Charge("ECG", Decimal(350), category="laboratory"),
    Charge("Paracetamol 500 mg, 10 tablets", Decimal("32.50"), category="medicine", quantity=Decimal(2)),
    Charge("Blood count", Decimal(280), category="laboratory"),
    Charge("Dressing", Decimal(300), category="treatment"),
    Charge("Atorvastatin 20 mg, 10 tablets", Decimal(118), category="medicine", quantity=Decimal(3)),
    Charge("Echocardiogram", Decimal(2200), category="laboratory", discount=Decimal(200)),
    Charge("Physiotherapy, one session", Decimal(600), category="treatment"),
    Charge("Copy of the records", Decimal(100), category="other"),
    Charge("X-ray of the chest", Decimal(450), category="laboratory"),
]
METHODS = [Method.UPI, Method.CASH, Method.CARD, Method.CASH, Method.UPI]
DAYS = 14
FLOAT = Decimal(2000)
_DAY = timedelta(days=1)


def load(hospital: Hospital) -> None:
    """Rules, promo codes, and the money of two weeks. Leaves a hospital alone that has issued bills."""
    with schema_context(hospital.schema_name):
        adults = Patient.objects.current().filter(family_member=None)
        patients = list(adults.select_related("user").order_by("pk"))
        clerk = _one_of(Role.BILLING_CLERK) or _one_of(Role.FRONT_DESK)
        if clerk is None or not patients or CashDay.objects.exists():
            return
        _rules(hospital)
        _visits(hospital, clerk)
        _two_weeks(hospital, patients, clerk)
        _what_waits(hospital, patients, clerk)
        _online(hospital, patients)


def _one_of(role: Role) -> User | None:
    staff = Staff.objects.working().select_related("user").filter(role=role).order_by("pk").first()
    return staff.user if staff else None


def _rules(hospital: Hospital) -> None:
    BillingRules.objects.update(
        legal_name=f"{hospital.name} Private Limited",
        gstin=GSTIN.get(hospital.slug, ""),
        footer="Thank you. Questions about a bill: ask the billing desk, weekdays 9 to 17.",
    )
    first = date(now().year, 1, 1)
    PromoCode.objects.create(
        word="WELCOME10", description="First visit", percent=10, cap=100, first_date=first, most_uses_each=1
    )
    PromoCode.objects.create(
        word="CAMP-2026", description="Heart camp", amount=200, minimum=500, first_date=first, most_uses=50
    )


def _visits(hospital: Hospital, clerk: User) -> None:
    """Who was here in the last days has paid, all but the last two."""
    methods = cycle([Method.UPI, Method.CARD])
    unpaid = Invoice.objects.outstanding().filter(about=About.VISIT, issued_at__lt=now() - _DAY).order_by("issued_at")
    for invoice in list(unpaid)[:-2]:
        _pay(hospital, invoice, next(methods), by=clerk, at=(invoice.issued_at or now()) + timedelta(minutes=30))


def _two_weeks(hospital: Hospital, patients: list[Patient], clerk: User) -> None:
    """Each day a clerk opens their cash day, takes money and closes it; today's is still open."""
    charges, methods, people = cycle(CHARGES), cycle(METHODS), cycle(patients)
    doctors = cycle(Doctor.objects.verified().select_related("department").order_by("pk"))
    for ago in range(DAYS, -1, -1):
        clock = _clock(hospital, ago)
        day = cash.open_day(clerk=clerk, opening_float=FLOAT, now=next(clock))
        for _number in range(2 + ago % 4):
            doctor, charge, method = next(doctors), next(charges), next(methods)
            asked = Draft(
                patient=next(people), charges=[charge], doctor=doctor, department=doctor.department,
            )  # fmt: skip
            invoice = invoices.draft(hospital=hospital, draft=asked, by=clerk, now=next(clock))
            _pay(hospital, invoice, method, by=clerk, at=next(clock))
        if ago:
            expected = cash.expected_in(day)
            short = Decimal(20) if ago == 5 else Decimal()
            note = "Change given twice to one patient." if short else ""
            cash.close_day(day=day, counted=expected - short, note=note, by=clerk, now=next(clock))


def _clock(hospital: Hospital, ago: int) -> Iterator[datetime]:
    """Moments of a working day, one after another; of today, only such as have passed."""
    zone = times.zone_of(hospital)
    today = now().astimezone(zone).date()
    begin = datetime.combine(today - ago * _DAY, time(9), zone)
    step = timedelta(minutes=35)
    if not ago:
        begin, step = min(begin, now() - timedelta(hours=1)), timedelta(minutes=4)
    while True:
        yield begin
        begin += step


def _pay(hospital: Hospital, invoice: Invoice, method: Method, *, by: User, at: datetime, part: int = 100) -> None:
    amount = invoice.total * part / 100
    reference = "" if method == Method.CASH else f"{method.upper()}{invoice.pk:06d}"
    taking = Taking(method, amount.quantize(Decimal(1)) if part < 100 else amount, reference)
    payments.take(hospital=hospital, invoice=invoice, taking=taking, by=by, now=at)


def _what_waits(hospital: Hospital, patients: list[Patient], clerk: User) -> None:
    """One of everything that somebody has to look at: owed, partly paid, to approve, to give back, to explain."""
    act: dict[str, Any] = {"by": clerk, "now": now()}

    def bill(patient: Patient, *charges: Charge, **fields: Any) -> Invoice:
        return invoices.draft(hospital=hospital, draft=Draft(patient=patient, charges=charges, **fields), **act)

    owed = bill(patients[0], CHARGES[1], CHARGES[3])
    invoices.issue(hospital=hospital, invoice=owed, **act)
    part = bill(patients[-1], Charge("Minor surgery", Decimal(8500), category="treatment"))
    _pay(hospital, part, Method.CARD, by=clerk, at=now(), part=40)
    bill(
        patients[0],
        Charge("Physiotherapy, ten sessions", Decimal(6000), category="treatment", discount=Decimal(1500)),
        discount_reason="Pensioner, asked for by the doctor",
    )
    large = bill(patients[-1], Charge("Angiography", Decimal(12000), category="laboratory"))
    _pay(hospital, large, Method.CARD, by=clerk, at=now())
    small = bill(patients[0], CHARGES[4])
    _pay(hospital, small, Method.CASH, by=clerk, at=now())
    for invoice, amount, reason in ((large, 4000, "Second series not needed"), (small, 300, "Billed twice")):
        refunds.ask(
            hospital=hospital,
            payment=invoice.payments.get(),
            amount=Decimal(amount),
            reason=reason,
            may_approve=False,
            **act,
        )
    Discrepancy.objects.create(
        kind=Discrepancy.Kind.NOT_SETTLED,
        key="Card terminal 2",
        amount=Decimal(450),
        details="The bank's list of yesterday is 450 rupees short.",
        found_at=now() - 3 * _DAY,
    )


def _online(hospital: Hospital, patients: list[Patient]) -> None:
    """Those with an account pay online: some succeed at once, one needs a second try, one goes back."""
    if not gateway.takes_online() or urlsplit(settings.RAZORPAY_API_URL).hostname != "localhost":
        return
    payers = cycle(patient for patient in patients if patient.user)
    for charge, outcomes in ((CHARGES[0], ["succeeds"]), (CHARGES[5], ["fails", "succeeds"]), (CHARGES[9], ["fails"])):
        patient = next(payers)
        asked = Draft(patient=patient, charges=[charge])
        invoice = invoices.draft(hospital=hospital, draft=asked, by=patient.user, now=now())
        invoices.issue(hospital=hospital, invoice=invoice, by=patient.user, now=now())
        pay_online(hospital, invoice, outcomes)


def pay_online(hospital: Hospital, invoice: Invoice, outcomes: list[str]) -> None:
    """Go through the checkout as a patient would, whose tries end like this."""
    order = checkout.begin(hospital=hospital, invoice=invoice, by=invoice.created_by, now=now())
    for outcome in outcomes:
        _at_the_sandbox(order, outcome)
    checkout.ask(hospital=hospital, order=order, now=now())


def _at_the_sandbox(order: PaymentOrder, outcome: str) -> None:
    keys = gateway.keys_of(order)
    asked = urllib.request.Request(  # noqa: S310  (its own sandbox on this machine)
        f"{settings.RAZORPAY_API_URL}/_sandbox/accounts/{keys.key_id}/pay",
        json.dumps({"order_id": order.gateway_id, "outcome": outcome, "method": "upi"}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=10):
        pass
