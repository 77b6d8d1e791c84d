"""One's own bills: the list, one bill with what was paid on it, and the documents."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from billing.models import Invoice, Method, Payment
from billing.services import crediting, invoices, payments, refunds
from billing.services.invoices import Charge, Draft
from billing.services.payments import Taking
from hospitals.models import Staff
from patients.models import Patient
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser

Make = Callable[..., Invoice]
HOST = "cedar.localhost"


@pytest.fixture
def asha_here(in_cedar: Hospital, asha: User) -> Client:
    """Asha's browser on Cedar's site."""
    return browser(HOST, asha)


@pytest.fixture
def take(in_cedar: Hospital, meena: User) -> Callable[..., Payment]:
    """Meena takes money by UPI."""

    def taken(invoice: Invoice, amount: int) -> Payment:
        taking = Taking(Method.UPI, Decimal(amount), "UPI1")
        return payments.take(hospital=in_cedar, invoice=invoice, taking=taking, by=meena, now=now())

    return taken


@pytest.fixture
def give_back(in_cedar: Hospital, meena: User) -> Callable[..., None]:
    """Meena asks for a refund."""

    def asked(payment: Payment, amount: int) -> None:
        refunds.ask(
            hospital=in_cedar, payment=payment, amount=Decimal(amount), reason="Shorter visit", by=meena,
            may_approve=True, now=now(),
        )  # fmt: skip

    return asked


def test_what_is_to_be_paid_comes_first(bill: Make, take: Callable[..., Payment], asha_here: Client) -> None:
    older, newer = bill(), bill()
    take(newer, 700)
    assert [row.reference for row in asha_here.get("/bills/").context["rows"]] == [older.reference, newer.reference]


def test_a_part_that_is_still_owed_is_named(bill: Make, take: Callable[..., Payment], asha_here: Client) -> None:
    take(bill(), 300)
    assert "₹400 to pay" in asha_here.get("/bills/").content.decode()


def test_there_are_ten_on_a_page_and_the_number_of_queries_does_not_grow(
    bill: Make, asha_here: Client, django_assert_num_queries: Callable[..., Any]
) -> None:
    for _ in range(12):
        bill()
    asha_here.get("/bills/")
    with django_assert_num_queries(6):
        assert len(asha_here.get("/bills/").context["rows"]) == 10
    assert len(asha_here.get("/bills/?page=2").context["rows"]) == 2


def test_the_list_is_searched_by_number(bill: Make, asha_here: Client) -> None:
    first, _second = bill(), bill()
    assert [row.reference for row in asha_here.get(f"/bills/?q={first.reference}").context["rows"]] == [first.reference]
    assert "No bill of yours matches" in asha_here.get("/bills/?q=nobody").content.decode()


def test_the_familys_bills_are_among_them_and_are_found_by_name(
    in_cedar: Hospital, bill: Make, asha: User, meena: User, asha_here: Client
) -> None:
    bill()
    child = Patient.objects.create(user=asha, family_member=uuid4(), name="Dhruv Patel", number="P000777")
    asked = Draft(patient=child, charges=[Charge("Vaccination", Decimal(300))])
    invoices.write(hospital=in_cedar, asked=asked, by=meena, now=now())
    assert len(asha_here.get("/bills/").context["rows"]) == 2
    assert [row.patient.name for row in asha_here.get("/bills/?q=dhruv").context["rows"]] == ["Dhruv Patel"]


def test_without_bills_the_page_says_what_will_be_here(in_cedar: Hospital, asha_here: Client) -> None:
    assert "No bills yet" in asha_here.get("/bills/").content.decode()


def test_the_bill_shows_lines_taxes_and_what_was_paid_and_given_back(
    bill: Make, take: Callable[..., Payment], give_back: Callable[..., None], asha_here: Client
) -> None:
    invoice = bill(Charge("Paracetamol", Decimal(100), category="medicine", quantity=Decimal(10)))
    payment = take(invoice, 1050)
    give_back(payment, 105)
    note = invoice.credit_notes.get()
    page = asha_here.get(f"/bills/{invoice.code}/").content.decode()
    for words in (
        "10 at ₹100", "HSN/SAC 3004", "GST 5%", "CGST 2.5% on ₹1,000", "₹1,050", payment.receipt_number,
        note.reference, "Shorter visit", "−₹105", "To be paid",
    ):  # fmt: skip
        assert words in page, words
    assert "Pay ₹" not in page


def test_twenty_of_something_at_twenty_percent_reads_as_numbers(bill: Make, asha_here: Client) -> None:
    invoice = bill(Charge("Bandage", Decimal(20), category="other", quantity=Decimal(20)))
    page = asha_here.get(f"/bills/{invoice.code}/").content.decode()
    assert "20 at ₹20" in page
    assert "E+" not in page.partition("<main")[2]


@pytest.mark.parametrize("address", ["/bills/{}/", "/bills/{}/bill.pdf"])
def test_a_bill_is_nobody_elses(bill: Make, cedar_kiran: Client, address: str) -> None:
    assert cedar_kiran.get(address.format(bill().code)).status_code == 404


def test_a_visitor_signs_in_first(bill: Make) -> None:
    invoice = bill()
    answer = browser(HOST).get(f"/bills/{invoice.code}/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")


@pytest.fixture
def papers(in_cedar: Hospital, bill: Make, take: Callable[..., Payment], meena: User) -> dict[str, str]:
    """The addresses of a bill's documents."""
    invoice = bill()
    payment = take(invoice, 300)
    note = crediting.credit(
        hospital=in_cedar, invoice=invoice, amount=Decimal(100), by=meena, reason="Shorter visit", now=now()
    )
    return {
        "bill": f"/bills/{invoice.code}/bill.pdf",
        "receipt": f"/bills/receipts/{payment.code}.pdf",
        "credit note": f"/bills/credit-notes/{note.code}.pdf",
        "documents": f"/api/billing/{invoice.code}/documents/",
    }


@pytest.mark.parametrize("kind", ["bill", "receipt", "credit note"])
def test_documents_are_for_the_patient_and_for_who_works_with_bills(
    in_cedar: Hospital, papers: dict[str, str], asha_here: Client, meena: User, cedar_kiran: Client, kind: str
) -> None:
    nurse = factories.person("nila@cedar.example", "Nila", "Iyer")
    Staff.objects.create(user=nurse, role="nurse", joined_at=now())
    for client in (asha_here, browser(HOST, meena)):
        answer = client.get(papers[kind])
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
        assert answer["Cache-Control"] == "private, no-store"
        assert answer.content.startswith(b"%PDF-")
    for client in (cedar_kiran, browser(HOST, nurse)):
        assert client.get(papers[kind]).status_code == 404


def test_an_app_lists_the_documents_and_reads_them(papers: dict[str, str], asha_here: Client) -> None:
    found = asha_here.get(papers["documents"]).json()
    assert [(one["kind"], one["amount"]) for one in found] == [
        ("bill", "700.00"),
        ("receipt", "300.00"),
        ("credit_note", "100.00"),
    ]
    for one in found:
        takes = {"Accept": "application/pdf"}
        answer = asha_here.get(one["url"].removeprefix("http://cedar.localhost"), headers=takes)
        assert answer["Content-Type"] == "application/pdf"


def test_an_app_of_somebody_else_lists_nothing(papers: dict[str, str], cedar_kiran: Client) -> None:
    assert cedar_kiran.get(papers["documents"]).status_code == 404
