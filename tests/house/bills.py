"""Money of the two hospitals of `cast.py`: a bill that is partly paid, a draft, and one of everything beside them."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.timezone import now

from accounts.models import User
from accounts.permissions import Role
from audit import services as audit
from audit.models import Action
from billing.models import (
    Discrepancy,
    GatewayAccount,
    InsuranceClaim,
    Method,
    PaymentOrder,
    PromoCode,
    Reconciliation,
    Report,
    TaxCategory,
    TaxRate,
    WebhookEvent,
)
from billing.services import cash, crediting, invoices, payments, refunds
from billing.services.invoices import Charge, Draft
from billing.services.payments import Taking
from core.sealing import seal
from tests.house.walk import Door

if TYPE_CHECKING:
    from tests.house.cast import House

Canary = Callable[[str, str], str]


def furnish(house: "House", admin: User, canary: Canary) -> None:
    """Bills of the hospital's patient, made, paid and given back by its desk."""
    hospital, things = house.hospital, house.things
    asked = {"patient": things["patient"], "bill_to": canary(house.slug, "payer")}
    charge = Charge(canary(house.slug, "charge"), Decimal(1000))
    act: dict[str, Any] = {"by": admin, "now": now()}
    bill = invoices.draft(hospital=hospital, draft=Draft(charges=[charge], **asked), **act)
    invoices.issue(hospital=hospital, invoice=bill, **act)
    day = cash.open_day(clerk=house.people[Role.BILLING_CLERK], opening_float=Decimal(500), now=now())
    taking = Taking(Method.UPI, Decimal(600), reference=canary(house.slug, "slip"))
    payment = payments.take(hospital=hospital, invoice=bill, taking=taking, **act)
    refund = refunds.ask(
        hospital=hospital,
        payment=payment,
        amount=Decimal(100),
        reason=canary(house.slug, "refund"),
        may_approve=True,
        **act,
    )
    note = crediting.credit(
        hospital=hospital, invoice=bill, amount=Decimal(50), reason=canary(house.slug, "credit"), **act
    )
    large = Charge("Treatment", Decimal(1000), category="treatment", discount=Decimal(500))
    draft = invoices.draft(hospital=hospital, draft=Draft(charges=[large], **asked), **act)
    account = GatewayAccount.objects.create(
        key_id=f"rzp_test_{house.slug}",
        key_secret=seal("key secret"),
        webhook_secret=seal("webhook secret"),
        is_active=False,
    )
    order = PaymentOrder.objects.create(
        invoice=draft, account=account, receipt=f"{house.slug}order", amount=500, gateway_id=f"order_{house.slug}",
    )  # fmt: skip
    audit.record(action=Action.PAYMENT_ORDER_NEW, target=order, by=None, new=order.status)
    claim = InsuranceClaim.objects.create(
        invoice=bill, payer=canary(house.slug, "insurer"), policy_number=canary(house.slug, "policy"), amount=100
    )
    audit.record(action=Action.CLAIM_NOTED, target=claim, by=admin, new=claim.status)
    WebhookEvent.objects.create(
        event_id=house.slug, digest=house.slug, event="payment.captured", body=b"{}", state="done"
    )
    things |= {
        "bill": bill,
        "draft bill": draft,
        "payment": payment,
        "refund": refund,
        "credit note": note,
        "cash day": day,
        "claim of insurance": claim,
        "order": order,
        "account": account,
        "discrepancy": Discrepancy.objects.create(
            kind=Discrepancy.Kind.UNKNOWN_PAYMENT, key=canary(house.slug, "discrepancy"), amount=5
        ),
        "promo": PromoCode.objects.create(
            word=f"{house.slug.upper()}-10", percent=10, first_date=date(2026, 1, 1), description="x"
        ),
        "report": Report.objects.create(
            kind=Report.Kind.TAX, format=Report.Format.CSV, first_date=date(2026, 4, 1), last_date=date(2026, 4, 30)
        ),
        "reconciliation": Reconciliation.objects.create(ended_at=now()),
        "category": TaxCategory.objects.get(key=TaxCategory.MEDICINE),
        "rate": TaxRate.objects.create(
            category=TaxCategory.objects.get(key=TaxCategory.MEDICINE), percent=6, valid_from=date(2099, 4, 1)
        ),
    }


def arguments(door: Door, house: "House") -> dict[str, Any] | None:
    """What stands in the address of a door about money; None for every other door."""
    name = door.name.removeprefix("api_")
    thing = next((thing for beginnings, thing in _ABOUT if name.startswith(beginnings)), None)
    if thing is None or not door.slots:
        return None
    return {"code": house.things[thing].code, "step": "ask_preauth"}


# By how a door's name begins, the first that fits: what its address names.
_ABOUT = [
    (("checkout_result", "checkout_return"), "order"),
    (("discount", "checkout"), "draft bill"),
    (("invoice", "bill", "take_money", "cover", "claim_step"), "bill"),
    (("payment", "ask_refund", "receipt"), "payment"),
    (("credit_note",), "credit note"),
    (("refund",), "refund"),
    (("cash",), "cash day"),
    (("promo",), "promo"),
    (("tax_category", "tax_rate_add"), "category"),
    (("tax_rate",), "rate"),
    (("discrepanc",), "discrepancy"),
    (("reconciliation",), "reconciliation"),
    (("report",), "report"),
]
