"""How the office writes a bill: the fields that its page sends."""

from uuid import uuid4

from django.test import Client

from accounts.models import User
from billing.models import Invoice
from core.schemas import schema_context
from patients.models import Patient
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser

LIST, NEW, CLAIMS = "/office/bills/", "/office/bills/new/", "/office/bills/claims/"
LINE = {"description": "Dressing", "quantity": "2", "unit_price": "350", "discount": "", "category": "treatment"}
EMPTY = {"description": "", "quantity": "1", "unit_price": "", "discount": "", "category": "consultation"}


def at_cedar(user: User | None = None) -> Client:
    """Somebody at Cedar's site."""
    return browser("cedar.localhost", user)


def sent(*lines: dict[str, str], act: str = "issue", **fields: str) -> dict[str, str]:
    """The form as a browser sends it."""
    rows = {f"line-{number}-{name}": value for number, line in enumerate(lines) for name, value in line.items()}
    said = {"key": uuid4().hex, "place_of_supply": "MH", "act": act, **fields}
    return rows | said | {"line-TOTAL_FORMS": str(len(lines)), "line-INITIAL_FORMS": "0"}


def register(name: str) -> Patient:
    """A patient of the active schema."""
    return factories.patient(factories.person(f"{name.lower()}-{uuid4().hex[:6]}@example.com", name, "Patel"))


def as_it_is(hospital: Hospital, invoice: Invoice) -> Invoice:
    """The bill as it stands now."""
    with schema_context(hospital.schema_name):
        return Invoice.objects.with_books().get(pk=invoice.pk)
