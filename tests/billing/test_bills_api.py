"""/api/billing/: one's own bills, and all of them for who works with them; money that is taken, and claims."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from billing.models import About, CashDay, Invoice, Method
from billing.services import payments
from billing.services.invoices import Charge
from billing.services.payments import Taking
from core.codes import new_code
from core.schemas import schema_context
from patients.models import Patient
from tenants.models import Hospital
from tests.appointments.today import staff
from tests.billing.bills import as_it_is, at_cedar, register
from tests.conftest import browser

API = "/api/billing/"
Make = Callable[..., Invoice]


@pytest.fixture
def bela(in_cedar: Hospital) -> Patient:
    """Somebody in Cedar's register."""
    return register("Bela")


def address(invoice: Invoice, step: str = "") -> str:
    return f"{API}{invoice.code}/{step}"


def post(client: Client, path: str, key: str = "", **body: Any) -> Any:
    return client.post(path, body, content_type="application/json", headers={"Idempotency-Key": key} if key else {})


def patch(client: Client, path: str, key: str = "", **body: Any) -> Any:
    return client.patch(path, body, content_type="application/json", headers={"Idempotency-Key": key} if key else {})


def ids(answer: Any) -> list[str]:
    return [row["id"] for row in answer.json()["results"]]


# --- Reading ---------------------------------------------------------------------------------------------------------


def test_a_patient_reads_their_own_bills_and_no_drafts(bill: Make, draft: Make, asha: User) -> None:
    invoice, begun = bill(), draft()
    client = at_cedar(asha)
    assert ids(client.get(API)) == [str(invoice.code)]
    assert client.get(address(invoice)).json()["may"] == []
    assert client.get(address(begun)).status_code == 404


def test_nobody_reads_the_bills_of_others(in_cedar: Hospital, bill: Make, kiran: User) -> None:
    invoice = bill()
    for client in (at_cedar(kiran), staff(in_cedar, "doctor"), staff(in_cedar, "nurse")):
        assert ids(client.get(API)) == []
        assert client.get(address(invoice)).status_code == 404
    assert at_cedar().get(API).status_code == 401
    assert browser("lotus.localhost", kiran).get(address(invoice)).status_code == 404


def test_a_bill_says_what_is_owed_and_what_may_be_done(in_cedar: Hospital, bill: Make, meena: User) -> None:
    visit = new_code()
    invoice = bill(
        Charge("Paracetamol", Decimal(100), category="medicine", discount=Decimal(10)),
        about=About.VISIT,
        about_code=visit,
    )
    taking = Taking(Method.UPI, Decimal(50), "UPI 1")
    payments.take(hospital=in_cedar, invoice=invoice, taking=taking, by=meena, now=now())
    said = at_cedar(meena).get(address(invoice)).json()
    assert (said["number"], said["status"], said["appointment"]) == (invoice.reference, "partially_paid", str(visit))
    assert (said["amount"], said["discount"], said["tax"], said["total_amount"]) == ("100.00", "10.00", "4.50", "94.50")
    assert (said["paid"], said["refunded"], said["owed"]) == ("50.00", "0.00", "44.50")
    assert (said["payment_method"], said["payments"][0]["reference"]) == ("upi", "UPI 1")
    assert said["lines"][0]["hsn_sac"] == "3004"
    assert set(said["may"]) == {"mark_paid", "credit", "insure", "send"}


def test_the_list_is_narrowed(in_cedar: Hospital, bill: Make, draft: Make, meena: User, bela: Patient) -> None:
    visit = new_code()
    owed, of_visit = bill(), bill(about=About.VISIT, about_code=visit)
    taking = Taking(Method.UPI, Decimal(700), "UPI 1")
    payments.take(hospital=in_cedar, invoice=of_visit, taking=taking, by=meena, now=now())
    waiting = draft(Charge("Treatment", Decimal(100), discount=Decimal(50)))
    client = at_cedar(meena)
    for asked, found in (
        ({"owed": "true"}, [owed]),
        ({"status": "paid"}, [of_visit]),
        ({"appointment": str(visit)}, [of_visit]),
        ({"to_approve": "true"}, [waiting]),
        ({"patient": str(bela.code)}, []),
        ({"q": owed.reference}, [owed]),
    ):
        assert ids(client.get(API, asked)) == [str(one.code) for one in found], asked


def test_the_list_asks_the_database_the_same_number_of_questions_however_long_it_is(
    bill: Make, meena: User, django_assert_max_num_queries: Any
) -> None:
    for _number in range(11):
        bill()
    client = at_cedar(meena)
    client.get(API)
    with django_assert_max_num_queries(10):  # session, person, staff row; count, bills and what belongs to them
        assert len(client.get(API).json()["results"]) == 10


# --- Writing ---------------------------------------------------------------------------------------------------------


def test_a_bill_is_made_of_lines(in_cedar: Hospital, meena: User, bela: Patient) -> None:
    lines = [
        {"description": "Dressing", "quantity": 2, "unit_price": "350", "tax_category": "treatment"},
        {"description": "Paracetamol", "unit_price": "100", "tax_category": "medicine"},
    ]
    said = post(at_cedar(meena), API, patient=str(bela.code), lines=lines).json()
    assert (said["status"], said["total_amount"], said["owed"]) == ("unpaid", "805.00", "805.00")
    assert said["patient"]["number"] == bela.number


def test_a_bill_in_short_has_one_line(meena: User, bela: Patient) -> None:
    body = {"patient": str(bela.code), "amount": "700", "discount": "50", "discount_reason": "Staff", "tax": "0"}
    said = post(at_cedar(meena), API, **body).json()
    assert (said["amount"], said["discount"], said["total_amount"]) == ("700.00", "50.00", "650.00")


def test_a_bill_may_stay_a_draft(meena: User, bela: Patient) -> None:
    said = post(at_cedar(meena), API, patient=str(bela.code), amount="700", issue=False).json()
    assert (said["status"], said["number"]) == ("draft", "")


def test_the_same_key_makes_one_bill(in_cedar: Hospital, meena: User, bela: Patient) -> None:
    client = at_cedar(meena)
    made = [post(client, API, "k1", patient=str(bela.code), amount="700").json()["id"] for _time in range(2)]
    assert made[0] == made[1]
    assert post(client, API, "k" * 81, patient=str(bela.code), amount="700").status_code == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"lines": []}, 400),
        ({"amount": "-1"}, 400),
        ({"amount": "700", "discount": "10"}, 400),  # why?
        ({"amount": "700", "discount": "561", "discount_reason": "x"}, 422),
        ({"amount": "700", "tax_category": "nonsense"}, 422),
        ({"amount": "700", "promo_code": "NOPE"}, 422),
        ({"amount": "700", "bill_to_gstin": "123"}, 400),
        ({"amount": "700", "doctor": "0190a6f0-0000-7000-8000-000000000000"}, 400),
        ({"amount": "700", "patient": "0190a6f0-0000-7000-8000-000000000000"}, 404),
    ],
)
def test_what_cannot_be_billed_is_refused(
    in_cedar: Hospital, meena: User, bela: Patient, body: dict[str, Any], status: int
) -> None:
    assert post(at_cedar(meena), API, **{"patient": str(bela.code), **body}).status_code == status
    with schema_context(in_cedar.schema_name):
        assert not Invoice.objects.exists()


def test_only_who_works_with_bills_makes_and_changes_them(
    in_cedar: Hospital, draft: Make, bela: Patient, asha: User, kiran: User
) -> None:
    invoice = draft()
    for client in (at_cedar(asha), at_cedar(kiran), staff(in_cedar, "doctor")):
        assert post(client, API, patient=str(bela.code), amount="1").status_code == 403
        assert patch(client, address(invoice), note="x").status_code == 403
        for step in ("issue/", "cancel/", "credit/", "send/", "discount/approve/", "discount/decline/"):
            assert post(client, address(invoice, step), reason="x", amount="1").status_code == 403, step
        assert patch(client, address(invoice, "mark_paid/"), payment_method="cash").status_code == 403
        assert client.get(f"{API}claims/").status_code == 403


def test_a_draft_is_changed_in_part(in_cedar: Hospital, draft: Make, meena: User) -> None:
    invoice = draft(Charge("Paracetamol", Decimal(100), category="medicine"), note="Before")
    said = patch(at_cedar(meena), address(invoice), note="After").json()
    assert (said["note"], said["total_amount"]) == ("After", "105.00")
    lines = [{"description": "Dressing", "unit_price": "50"}]
    said = patch(at_cedar(meena), address(invoice), lines=lines).json()
    assert (said["note"], said["total_amount"]) == ("After", "50.00")


def test_an_issued_bill_is_not_changed(bill: Make, meena: User) -> None:
    assert patch(at_cedar(meena), address(bill()), note="x").status_code == 409


def test_a_draft_is_issued_credited_and_cancelled(in_cedar: Hospital, draft: Make, meena: User) -> None:
    invoice, client = draft(), at_cedar(meena)
    assert post(client, address(invoice, "issue/")).json()["status"] == "unpaid"
    credited = post(client, address(invoice, "credit/"), amount="100", reason="Less")
    assert (credited.status_code, credited.json()["owed"]) == (201, "600.00")
    assert post(client, address(invoice, "send/")).status_code == 202
    cancelled = post(client, address(invoice, "cancel/"), reason="Wrong").json()
    assert (cancelled["status"], cancelled["owed"], len(cancelled["credit_notes"])) == ("cancelled", "0.00", 2)
    assert post(client, address(invoice, "cancel/"), reason="Wrong").status_code == 409


def test_a_discount_is_decided_about(in_cedar: Hospital, draft: Make, meena: User, hari: User) -> None:
    first, second = (draft(Charge("Treatment", Decimal(100), discount=Decimal(50))) for _number in range(2))
    desk, admin = at_cedar(meena), at_cedar(hari)
    assert desk.get(address(first)).json()["discount_waits"] is True
    assert post(desk, address(first, "issue/")).status_code == 409
    assert "approve_discount" in admin.get(address(first)).json()["may"]
    assert post(admin, address(first, "discount/approve/")).json()["discount_waits"] is False
    assert post(admin, address(second, "discount/decline/"), reason="No").json()["status"] == "cancelled"


# --- Money -----------------------------------------------------------------------------------------------------------


def test_a_bill_is_marked_paid_with_all_that_is_owed(bill: Make, meena: User, cash_day: CashDay) -> None:
    said = patch(at_cedar(meena), address(bill(), "mark_paid/"), payment_method="cash").json()
    assert (said["status"], said["paid"], said["payment_method"]) == ("paid", "700.00", "cash")


@pytest.mark.parametrize("method", ["card", "upi", "insurance"])
def test_a_part_is_paid_with_a_reference(bill: Make, meena: User, method: str) -> None:
    body = {"method": method, "amount": "200", "reference": "R1"}
    said = patch(at_cedar(meena), address(bill(), "mark_paid/"), **body).json()
    assert (said["status"], said["owed"], said["payment_method"]) == ("partially_paid", "500.00", method)


def test_a_draft_that_is_paid_is_issued(draft: Make, meena: User) -> None:
    said = patch(at_cedar(meena), address(draft(), "mark_paid/"), payment_method="upi", reference="R1").json()
    assert (said["status"], said["paid"]) == ("paid", "700.00")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, None),
        ({"payment_method": "cheque"}, 400, None),
        ({"payment_method": "online", "reference": "pay_1"}, 422, "method"),
        ({"payment_method": "card"}, 422, "reference"),
        ({"payment_method": "cash"}, 409, "method"),  # no cash day is open
        ({"payment_method": "upi", "reference": "R1", "amount": "700.01"}, 422, "amount"),
        ({"payment_method": "upi", "reference": "R1", "amount": "0"}, 400, None),
    ],
)
def test_money_that_cannot_be_taken_is_refused_in_words(
    in_cedar: Hospital, bill: Make, meena: User, body: dict[str, str], status: int, field: str | None
) -> None:
    invoice = bill()
    answer = patch(at_cedar(meena), address(invoice, "mark_paid/"), **body)
    assert (answer.status_code, answer.json().get("field")) == (status, field)
    assert as_it_is(in_cedar, invoice).status == Invoice.Status.UNPAID


def test_the_same_key_takes_the_money_once(in_cedar: Hospital, bill: Make, meena: User) -> None:
    invoice, client = bill(), at_cedar(meena)
    body = {"payment_method": "upi", "reference": "R1"}
    answers = [patch(client, address(invoice, "mark_paid/"), "k1", **body) for _time in range(3)]
    assert [(answer.status_code, answer.json()["paid"]) for answer in answers] == [(200, "700.00")] * 3
    assert patch(client, address(invoice, "mark_paid/"), **body).status_code == 409
    with schema_context(in_cedar.schema_name):
        assert invoice.payments.count() == 1


# --- Insurance -------------------------------------------------------------------------------------------------------


def test_a_claim_goes_its_way(bill: Make, meena: User) -> None:
    invoice, client = bill(), at_cedar(meena)
    cover = {"payer": "Star Health", "policy_number": "P/7", "amount": "500"}
    made = client.put(address(invoice, "insurance/"), cover, content_type="application/json")
    assert (made.status_code, made.json()["status"]) == (201, "noted")
    changed = client.put(address(invoice, "insurance/"), {**cover, "amount": "600"}, content_type="application/json")
    assert (changed.status_code, changed.json()["amount"]) == (200, "600.00")
    assert post(client, address(invoice, "insurance/approve/"), amount="500").status_code == 409
    for step, body, status in (
        ("submit", {"claim_number": "C1"}, "submitted"),
        ("approve", {"amount": "500"}, "approved"),
        ("settle", {"reference": "UTR 1"}, "settled"),
    ):
        assert post(client, address(invoice, f"insurance/{step}/"), **body).json()["status"] == status
    assert client.get(address(invoice)).json()["owed"] == "200.00"


def test_open_claims_are_listed(bill: Make, meena: User) -> None:
    invoice, other, client = bill(), bill(), at_cedar(meena)
    cover = {"payer": "Star Health", "policy_number": "P/7", "amount": "500"}
    client.put(address(invoice, "insurance/"), cover, content_type="application/json")
    [claim] = client.get(f"{API}claims/").json()["results"]
    assert (claim["bill"], claim["may"]) == (str(invoice.code), ["ask_preauth", "submit", "change"])
    assert client.get(f"{API}claims/?status=settled").json()["results"] == []
    assert post(client, address(invoice, "insurance/reject/")).status_code == 400
    assert post(client, address(invoice, "insurance/nonsense/")).status_code == 404
    assert client.get(address(other, "insurance/")).status_code == 404
