"""Small helps for tests about money."""

from decimal import Decimal
from typing import Any

from django.utils.timezone import now

from accounts.models import User
from audit import services as audit
from audit.models import Action
from billing import razorpay
from billing.models import Invoice, Payment, PaymentOrder
from billing.services import payments
from core.codes import new_code
from core.schemas import schema_context
from tenants.models import Hospital
from tests import factories


def inside(hospital: Hospital) -> Any:
    """In the hospital's schema, after a request has left it."""
    return schema_context(hospital.schema_name)


def at(email: str, role: str, join: Any) -> User:
    """Somebody else who works there."""
    user = factories.person(email, email.partition("@")[0].title())
    join(user, role)
    return user


def order(invoice: Invoice, number: str = "1") -> PaymentOrder:
    """A wish to pay online that the gateway knows of, for all of the bill."""
    made = PaymentOrder.objects.create(invoice=invoice, receipt=new_code().hex, amount=invoice.total)
    audit.record(action=Action.PAYMENT_ORDER_NEW, target=made, by=None, new=made.status)
    audit.move(made, PaymentOrder.Status.OPEN, by=None, also={"gateway_id": f"order_{number}"})
    return made


def told(made: PaymentOrder, status: str, number: str = "1", failure: str = "") -> Payment:
    """Hear of a try to pay it from the gateway, and pass on what arrived."""
    found = razorpay.Payment(
        id=f"pay_{number}", order_id=made.gateway_id or "", status=status, amount=made.amount,
        amount_refunded=Decimal(), captured=status == "captured", method="upi", fee=Decimal("16.52"),
        tax=Decimal("2.52"), error_code="", error_description=failure, notes={}, created_at=now(),
    )  # fmt: skip
    hospital = Hospital.objects.get(slug="cedar")
    payment = payments.seen(hospital=hospital, order=made, found=found, now=now())
    payments.fulfil(payment=payment, now=now())
    return payment


def online(invoice: Invoice, number: str = "1") -> Payment:
    """The whole bill paid online."""
    return told(order(invoice, number), "captured", number)
