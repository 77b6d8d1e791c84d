"""Asha's bills at Cedar, and Meena who takes money there."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils.timezone import now

from accounts.models import User
from accounts.permissions import Role
from billing.models import CashDay, Invoice, Method, Payment
from billing.services import cash, invoices, payments
from billing.services.invoices import Charge, Draft
from billing.services.payments import Taking
from hospitals.models import Staff
from tenants.models import Hospital
from tests import factories


@pytest.fixture
def meena(in_cedar: Hospital) -> User:
    """Cedar's front desk."""
    user = factories.person("meena@cedar.example", "Meena", "Iyer")
    Staff.objects.create(user=user, role=Role.FRONT_DESK, joined_at=now())
    return user


@pytest.fixture
def bina(in_cedar: Hospital) -> User:
    """Cedar's billing clerk."""
    user = factories.person("bina@cedar.example", "Bina", "Shah")
    Staff.objects.create(user=user, role=Role.BILLING_CLERK, joined_at=now())
    return user


@pytest.fixture
def cash_day(in_cedar: Hospital, meena: User) -> CashDay:
    """Meena has opened her day with ₹500."""
    return cash.open_day(clerk=meena, opening_float=Decimal(500), now=now())


@pytest.fixture
def draft(in_cedar: Hospital, asha: User, meena: User) -> Callable[..., Invoice]:
    """Begin a bill for Asha: a consultation of ₹700, or the charges that are given."""

    def begin(*charges: Charge, **fields: Any) -> Invoice:
        asked = Draft(
            patient=factories.patient(asha),
            charges=charges or [Charge("Consultation", Decimal(700))],
            **fields,
        )
        return invoices.draft(hospital=in_cedar, draft=asked, by=meena, now=now())

    return begin


@pytest.fixture
def bill(in_cedar: Hospital, draft: Callable[..., Invoice], meena: User) -> Callable[..., Invoice]:
    """The same, issued."""

    def issue(*charges: Charge, **fields: Any) -> Invoice:
        invoice = draft(*charges, **fields)
        invoices.issue(hospital=in_cedar, invoice=invoice, by=meena, now=now())
        return invoice

    return issue


@pytest.fixture
def paid(in_cedar: Hospital, bill: Callable[..., Invoice], meena: User) -> Callable[..., Payment]:
    """A bill of ₹700, or over the charges that are given, that is paid at Meena's desk, or a part of it."""

    def take(method: Method = Method.CASH, amount: Decimal | None = None, *charges: Charge) -> Payment:
        taking = Taking(method, amount, "" if method == Method.CASH else "S1")
        return payments.take(hospital=in_cedar, invoice=bill(*charges), taking=taking, by=meena, now=now())

    return take
