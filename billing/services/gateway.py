"""With which keys the hospital talks to Razorpay, and what it says of itself there."""

from datetime import datetime
from uuid import UUID

from django.conf import settings

from billing.models import BillingRules, GatewayAccount, Invoice, PaymentOrder
from billing.razorpay import Keys
from core.sealing import unseal
from tenants.models import Hospital


def takes_online() -> bool:
    """Whether patients of the active hospital can pay online: it wants to, and there are keys."""
    return has_keys() and BillingRules.objects.get().takes_online


def has_keys() -> bool:
    """Whether there are any: the hospital's own, or the platform's."""
    return bool(settings.RAZORPAY_KEY_ID) or GatewayAccount.objects.current() is not None


def keys_of(order: PaymentOrder | None) -> Keys:
    """The keys an order was made with: its payments are seen, captured and refunded with no others."""
    return keys(order.account if order else None)


def keys(account: GatewayAccount | None) -> Keys:
    """A hospital's own keys, or the platform's."""
    if account is None:
        return Keys(settings.RAZORPAY_KEY_ID, settings.RAZORPAY_KEY_SECRET)
    return Keys(account.key_id, unseal(account.key_secret))


def is_test(key_id: str) -> bool:
    """Whether money asked for with this key is none: Razorpay's own test mode, or the sandbox of development."""
    return key_id.startswith("rzp_test_")


def key_id_of(order: PaymentOrder) -> str:
    """The public half of the keys an order was made with."""
    return order.account.key_id if order.account else settings.RAZORPAY_KEY_ID


def takes_test_money() -> bool:
    """Whether what is paid online now is test money."""
    account = GatewayAccount.objects.current()
    return is_test(account.key_id if account else settings.RAZORPAY_KEY_ID)


def webhook_secrets(now: datetime) -> list[str]:
    """What a message to this hospital may be signed with: the secret of each of its keys, and one being replaced."""
    found = []
    for account in GatewayAccount.objects.order_by("-is_active", "-pk"):
        found.append(unseal(account.webhook_secret))
        if account.has_previous_secret(now):
            found.append(unseal(account.previous_webhook_secret))
    return found


def notes(hospital: Hospital, invoice: Invoice) -> dict[str, str]:
    """What comes back with every message, so that one to the platform's own door finds its hospital."""
    return {"hospital": str(hospital.code), "invoice": str(invoice.code)}


def hospital_in(notes: dict[str, str]) -> UUID | None:
    """The hospital that such notes name."""
    try:
        return UUID(notes.get("hospital", ""))
    except ValueError:
        return None
