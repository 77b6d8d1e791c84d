"""Comparisons, settlement files and explanations at the same moment: each counts once."""

from decimal import Decimal
from typing import Any

from django.utils.timezone import now

from accounts.models import User
from accounts.permissions import Role
from audit.models import Action, AuditLog
from billing.models import Discrepancy, JournalEntry, Kind, Reconciliation, SettlementLine
from billing.services import discrepancies, invoices, ledger, reconciling, settlement_files
from billing.services.invoices import Charge, Draft
from core.errors import NotAllowedNow
from core.schemas import schema_context
from hospitals.models import Staff
from tenants.models import Hospital
from tests import factories
from tests.billing.gateway_side import opened, paid_online
from tests.billing.test_settlements import of, report
from tests.fakes.razorpay import Gateway
from tests.races.crowd import crowd

AT_ONCE = 8


def clerk() -> User:
    """Somebody who sees all money."""
    user = factories.person("bina@cedar.example", "Bina", "Shah")
    Staff.objects.create(user=user, role=Role.BILLING_CLERK, joined_at=now())
    return user


def bill(hospital: Hospital, by: User) -> Any:
    """₹700 that somebody owes."""
    patient = factories.patient(User.objects.get(email="asha@example.com"))
    asked = Draft(patient=patient, charges=[Charge("Consultation", Decimal(700))])
    invoice = invoices.draft(hospital=hospital, draft=asked, by=by, now=now())
    invoices.issue(hospital=hospital, invoice=invoice, by=by, now=now())
    return invoice


def test_of_many_comparisons_at_once_one_is_made(committed: None, gateway: Gateway) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    with schema_context(cedar.schema_name):
        gateway.pay(opened(cedar, bill(cedar, clerk())).gateway_id or "")
    moment = now()

    made = crowd(*[(cedar, lambda: reconciling.run(hospital=cedar, now=moment))] * AT_ONCE)

    with schema_context(cedar.schema_name):
        assert len([row for row in made if row]) == Reconciliation.objects.count()
        assert not Reconciliation.objects.running().exists()
        assert ledger.balances()["gateway"] == 700


def test_a_file_that_many_take_in_at_once_is_booked_once(committed: None, gateway: Gateway) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    with schema_context(cedar.schema_name):
        bina = clerk()
        content = report(of(paid_online(cedar, gateway, bill(cedar, bina))))

    def take() -> Any:
        return settlement_files.take_in(hospital=cedar, content=content, by=bina, now=now())

    crowd(*[(cedar, take)] * AT_ONCE)

    with schema_context(cedar.schema_name):
        assert SettlementLine.objects.count() == 1
        assert JournalEntry.objects.filter(kind=Kind.SETTLED).count() == 1
        assert ledger.balances()["gateway"] == 0


def test_of_many_explanations_at_once_one_counts(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    with schema_context(cedar.schema_name):
        bina = clerk()
        discrepancies.note(kind=Discrepancy.Kind.UNKNOWN_PAYMENT, key="pay_1", amount=Decimal(5), now=now())

    def explain() -> Any:
        row = Discrepancy.objects.get()
        discrepancies.resolve(discrepancy=row, by=bina, explanation="A payment link", now=now())

    answers = crowd(*[(cedar, explain)] * AT_ONCE)

    with schema_context(cedar.schema_name):
        assert AuditLog.objects.filter(action=Action.DISCREPANCY_RESOLVED).count() == 1
    assert [type(answer) for answer in answers if answer] == [NotAllowedNow] * (AT_ONCE - 1)
