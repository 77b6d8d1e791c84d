"""Writing a bill by hand: the patient, the lines, the totals, and that it is made once."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils.timezone import localdate, now

from accounts.models import User
from billing.models import Invoice, PromoCode
from billing.services import discounts
from billing.services.invoices import Charge
from core.schemas import schema_context
from patients.models import Patient
from tenants.models import Hospital
from tests.billing.bills import EMPTY, LINE, LIST, NEW, as_it_is, at_cedar, register, sent

Make = Callable[..., Invoice]


@pytest.fixture
def bela(in_cedar: Hospital) -> Patient:
    """Somebody in Cedar's register."""
    return register("Bela")


def page_of(patient: Patient) -> str:
    return f"{NEW}?patient={patient.code}"


def bills(hospital: Hospital) -> list[Invoice]:
    with schema_context(hospital.schema_name):
        return list(Invoice.objects.order_by("pk"))


def test_the_patient_is_looked_up_first(meena: User, bela: Patient) -> None:
    client = at_cedar(meena)
    assert "Search by name" in client.get(NEW).content.decode()
    found = client.get(NEW, {"q": "bela"}).content.decode()
    assert str(bela.code) in found
    assert "Nobody matches “zzz”" in client.get(NEW, {"q": "zzz"}).content.decode()


def test_a_bill_is_written_and_issued(in_cedar: Hospital, meena: User, bela: Patient) -> None:
    answer = at_cedar(meena).post(page_of(bela), sent(LINE, note="Come again"))
    [invoice] = bills(in_cedar)
    assert answer["Location"] == f"{LIST}{invoice.code}/"
    assert (invoice.patient_id, invoice.total, invoice.note) == (bela.pk, Decimal(700), "Come again")
    assert invoice.status == Invoice.Status.UNPAID


def test_a_draft_is_kept_without_a_number(in_cedar: Hospital, meena: User, bela: Patient) -> None:
    at_cedar(meena).post(page_of(bela), sent(LINE, act="save"))
    [invoice] = bills(in_cedar)
    assert (invoice.is_draft, invoice.number) == (True, None)


def test_a_form_that_is_sent_twice_makes_one_bill(in_cedar: Hospital, meena: User, bela: Patient) -> None:
    client, form = at_cedar(meena), sent(LINE)
    places = [client.post(page_of(bela), form)["Location"] for _time in range(2)]
    assert places[0] == places[1]
    assert len(bills(in_cedar)) == 1


def test_a_company_in_another_state_pays_integrated_tax(in_cedar: Hospital, meena: User, bela: Patient) -> None:
    fields = {"place_of_supply": "KA", "bill_to": "Infosys", "bill_to_gstin": "29aabci1234d1z5"}
    at_cedar(meena).post(page_of(bela), sent(LINE | {"category": "other"}, **fields))
    [invoice] = bills(in_cedar)
    assert (invoice.bill_to, invoice.bill_to_gstin) == ("Infosys", "29AABCI1234D1Z5")
    assert (invoice.igst, invoice.cgst, invoice.total) == (Decimal(126), Decimal(), Decimal(826))


def test_rows_nobody_wrote_into_are_left_out(in_cedar: Hospital, meena: User, bela: Patient) -> None:
    at_cedar(meena).post(page_of(bela), sent(EMPTY, LINE, EMPTY))
    [invoice] = bills(in_cedar)
    with schema_context(in_cedar.schema_name):
        assert invoice.lines.get().description == "Dressing"


def test_a_line_is_added_and_removed_without_a_script_and_what_was_typed_stays(meena: User, bela: Patient) -> None:
    client = at_cedar(meena)
    more = client.post(page_of(bela), sent(LINE | {"unit_price": "what"}, act="add", note="Kept"))
    assert more.status_code == 200
    assert [row["description"].value() for row in more.context["lines"]] == ["Dressing", None]
    page = more.content.decode()
    for typed in ('value="Dressing"', 'value="what"', 'value="Kept"'):
        assert typed in page
    fewer = client.post(page_of(bela), sent(LINE, LINE | {"description": "Plaster"}, act="", remove="0"))
    assert [row["description"].value() for row in fewer.context["lines"]] == ["Plaster"]


def test_the_totals_are_reckoned_without_making_a_bill(in_cedar: Hospital, meena: User, bela: Patient) -> None:
    answer = at_cedar(meena).post(page_of(bela), sent(LINE | {"category": "medicine"}, act="check"))
    assert answer.context["reckoned"].amounts.total == 735
    assert "₹735" in answer.content.decode()
    assert bills(in_cedar) == []


def test_the_totals_say_beforehand_that_a_discount_needs_approval(meena: User, bela: Patient) -> None:
    line = LINE | {"discount": "100"}
    answer = at_cedar(meena).post(page_of(bela), sent(line, act="check", discount_reason="Poor"))
    assert "The discount is above the limit" in answer.content.decode()


def test_a_program_gets_only_the_part_it_asked_for(meena: User, bela: Patient) -> None:
    client = at_cedar(meena)
    for act, inside, outside in (("check", "₹700", "Place of supply"), ("add", "line-1-description", "Totals")):
        part = client.post(page_of(bela), sent(LINE, act=act), headers={"HX-Request": "true"}).content.decode()
        assert inside in part
        assert outside not in part


@pytest.mark.parametrize(
    ("line", "fields", "words"),
    [
        ({"description": ""}, {}, "Say what is billed."),
        ({"quantity": "0"}, {}, "Enter more than nothing."),
        ({"unit_price": ""}, {}, "Enter the price of one."),
        ({"unit_price": "-1"}, {}, "greater than or equal to 0"),
        ({"discount": "10"}, {}, "Say why the discount is given."),
        ({"discount": "560.01"}, {"discount_reason": "x"}, "The discount on “Dressing” can be at most ₹560."),
        ({"category": "nonsense"}, {}, "Select a valid choice"),
        ({"quantity": "999999", "unit_price": "99999999"}, {}, "A bill can come to at most"),
        ({}, {"bill_to_gstin": "123"}, "Enter a GSTIN of 15 characters"),
        ({}, {"promo_code": "NOPE"}, "This code does not exist"),
        ({}, {"place_of_supply": "XX"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_billed_is_said_and_everything_typed_stays(
    in_cedar: Hospital, meena: User, bela: Patient, line: dict[str, str], fields: dict[str, str], words: str
) -> None:
    answer = at_cedar(meena).post(page_of(bela), sent(LINE | line, note="Kept", **fields))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert 'value="Kept"' in answer.content.decode()
    assert bills(in_cedar) == []


def test_a_bill_without_lines_is_none(in_cedar: Hospital, meena: User, bela: Patient) -> None:
    answer = at_cedar(meena).post(page_of(bela), sent(EMPTY))
    assert answer.status_code == 422
    assert "A bill needs at least one line." in answer.content.decode()
    assert at_cedar(meena).post(page_of(bela), {"act": "issue"}).status_code == 422


def test_a_promo_code_is_taken_off(in_cedar: Hospital, meena: User, bela: Patient) -> None:
    with schema_context(in_cedar.schema_name):
        PromoCode.objects.create(word="DIWALI", percent=10, first_date=localdate())
    at_cedar(meena).post(page_of(bela), sent(LINE, promo_code="diwali"))
    assert bills(in_cedar)[0].total == 630


def test_a_discount_above_the_limit_leaves_a_draft(in_cedar: Hospital, meena: User, bela: Patient) -> None:
    form = sent(LINE | {"discount": "100"}, discount_reason="Poor")
    page = at_cedar(meena).post(page_of(bela), form, follow=True).content.decode()
    [invoice] = bills(in_cedar)
    assert (invoice.is_draft, invoice.discount_reason) == (True, "Poor")
    assert "its discount waits for approval" in page


def test_a_draft_is_changed(in_cedar: Hospital, draft: Make, meena: User) -> None:
    invoice = draft(Charge("Paracetamol", Decimal("33.33"), category="medicine", quantity=Decimal(3)))
    client, address = at_cedar(meena), f"{LIST}{invoice.code}/edit/"
    [row] = client.get(address).context["lines"]
    before = {name: row[name].value() for name in LINE}
    assert before == {
        "description": "Paracetamol", "quantity": "3", "unit_price": "33.33", "discount": "", "category": "medicine",
    }  # fmt: skip
    client.post(address, sent(before | {"quantity": "4"}, act="save"))
    after = as_it_is(in_cedar, invoice)
    assert (after.gross, after.patient_id) == (Decimal("133.32"), invoice.patient_id)


def test_an_approved_discount_that_is_changed_is_approved_again(
    in_cedar: Hospital, draft: Make, meena: User, hari: User
) -> None:
    invoice = draft(Charge("Treatment", Decimal(1000), discount=Decimal(500)), discount_reason="x")
    discounts.approve(invoice=invoice, by=hari, now=now())
    line = LINE | {"discount": "200"}
    at_cedar(meena).post(f"{LIST}{invoice.code}/edit/", sent(line, act="save", discount_reason="x"))
    with schema_context(in_cedar.schema_name):
        assert Invoice.objects.awaiting_approval().get() == invoice


def test_an_issued_bill_is_not_changed(in_cedar: Hospital, bill: Make, meena: User) -> None:
    invoice = bill()
    answer = at_cedar(meena).post(f"{LIST}{invoice.code}/edit/", sent(LINE, act="save"))
    assert answer["Location"] == f"{LIST}{invoice.code}/"
    assert as_it_is(in_cedar, invoice).total == 700


def test_strangers_write_no_bills(in_cedar: Hospital, bela: Patient, kiran: User, asha: User) -> None:
    for user, status in ((kiran, 403), (asha, 403), (None, 302)):
        assert at_cedar(user).post(page_of(bela), sent(LINE)).status_code == status
    assert bills(in_cedar) == []


def test_the_form_asks_the_database_the_same_number_of_questions_however_many_lines_there_are(
    meena: User, bela: Patient, django_assert_max_num_queries: Any
) -> None:
    client = at_cedar(meena)
    with django_assert_max_num_queries(14):
        assert client.post(page_of(bela), sent(*[LINE] * 20, act="check")).status_code == 200
