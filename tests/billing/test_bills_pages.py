"""The office's list of bills, one bill and what is done with it, and the file."""

import csv
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import localdate, now

from accounts.models import User
from audit.models import Action, AuditLog
from billing.models import CashDay, Invoice, Method
from billing.services import crediting, payments, refunds
from billing.services.invoices import Charge
from billing.services.payments import Taking
from core.schemas import schema_context
from hospitals.models import Department, Doctor
from notifications.models import Notification
from tenants.models import Hospital
from tests import factories
from tests.accounts import supporting
from tests.appointments.today import staff
from tests.billing.bills import LIST, as_it_is, at_cedar
from tests.billing.money import order, told
from tests.conftest import browser

Make = Callable[..., Invoice]


def address(invoice: Invoice, step: str = "") -> str:
    return f"{LIST}{invoice.code}/{step}"


def listed(client: Client, **asked: str) -> list[Invoice]:
    return [invoice for invoice, _tone, _waits in client.get(LIST, asked).context["listed"]]


def upi(hospital: Hospital, invoice: Invoice, by: User, amount: int) -> Any:
    taking = Taking(Method.UPI, Decimal(amount), "UPI 1")
    return payments.take(hospital=hospital, invoice=invoice, taking=taking, by=by, now=now())


# --- Who is let in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "status"),
    [("hospital_admin", 200), ("front_desk", 200), ("billing_clerk", 200), ("doctor", 403), ("nurse", 403)],
)
def test_bills_are_for_those_who_work_with_them(in_cedar: Hospital, bill: Make, role: str, status: int) -> None:
    invoice, client = bill(), staff(in_cedar, role)
    assert [client.get(path).status_code for path in (LIST, address(invoice))] == [status] * 2


def test_strangers_patients_and_visitors_see_no_bill(in_cedar: Hospital, bill: Make, asha: User, kiran: User) -> None:
    invoice = bill()
    for user, status in ((kiran, 403), (asha, 403), (None, 302)):
        client = at_cedar(user)
        assert [client.get(path).status_code for path in (LIST, address(invoice))] == [status] * 2
        assert client.post(address(invoice, "cancel/"), {"reason": "x"}).status_code == status
    assert browser("lotus.localhost", kiran).get(address(invoice)).status_code == 404


def test_support_sees_no_bill(in_cedar: Hospital, bill: Make, hari: User, portal_usha: Client) -> None:
    invoice = bill()
    acting = supporting.arrived(supporting.ask(portal_usha, in_cedar, hari))
    for path in (LIST, address(invoice), f"{LIST}new/", f"{LIST}claims/", f"/api/billing/{invoice.code}/"):
        answer = acting.get(path)
        assert answer.status_code == 403
        assert invoice.reference not in answer.content.decode()


# --- The list --------------------------------------------------------------------------------------------------------


def test_the_newest_bill_stands_first(bill: Make, draft: Make, meena: User) -> None:
    first, second = bill(), draft()
    assert listed(at_cedar(meena)) == [second, first]


def test_the_list_is_narrowed_by_all_that_is_known_of_a_bill(
    in_cedar: Hospital, bill: Make, draft: Make, meena: User, hari: User
) -> None:
    department = Department.objects.create(name="Heart", slug="heart")
    sen = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika", department=department)
    hers, paid = bill(doctor=sen, department=department), bill()
    upi(in_cedar, paid, meena, 700)
    begun = draft()
    client, today = at_cedar(meena), localdate()
    for asked, found in (
        ({"doctor": str(sen.code)}, {hers}),
        ({"department": str(department.code)}, {hers}),
        ({"status": "paid"}, {paid}),
        ({"about": "other"}, {hers, paid, begun}),
        ({"about": "appointment"}, set()),
        ({"q": hers.reference.lower()}, {hers}),
        ({"q": "asha pat"}, {hers, paid, begun}),
        ({"q": "nobody"}, set()),
        ({"first": f"{today:%Y-%m-%d}"}, {hers, paid, begun}),
        ({"last": f"{today - timedelta(days=1):%Y-%m-%d}"}, set()),
        ({"first": f"{today + timedelta(days=1):%Y-%m-%d}"}, set()),
        ({"status": "nonsense"}, {hers, paid, begun}),
    ):
        assert set(listed(client, **asked)) == found, asked


def test_the_tabs_show_what_is_owed_begun_and_to_be_approved(
    in_cedar: Hospital, bill: Make, draft: Make, meena: User
) -> None:
    owed, paid, begun = bill(), bill(), draft()
    upi(in_cedar, paid, meena, 700)
    waiting = draft(Charge("Treatment", Decimal(100), discount=Decimal(50)))
    client = at_cedar(meena)
    assert listed(client, show="owed") == [owed]
    assert listed(client, show="drafts") == [waiting, begun]
    assert listed(client, show="to-approve") == [waiting]
    tabs = {item.label: item.count for item in client.get(LIST).context["tabs"]}
    assert tabs["Discount to approve"] == 1


def test_a_bill_that_was_refunded_in_part_is_owed_as_long_as_something_is_left(
    in_cedar: Hospital, bill: Make, meena: User
) -> None:
    invoice = bill()
    payment = upi(in_cedar, invoice, meena, 300)
    refunds.ask(
        hospital=in_cedar, payment=payment, amount=Decimal(100), reason="x", by=meena, may_approve=False, now=now()
    )
    assert listed(at_cedar(meena), show="owed") == [invoice]


def test_what_is_narrowed_is_added_up(in_cedar: Hospital, bill: Make, draft: Make, meena: User) -> None:
    first = bill()
    upi(in_cedar, first, meena, 200)
    second = bill(Charge("Dressing", Decimal(300)))
    crediting.correct(hospital=in_cedar, invoice=second, amount=Decimal(100), by=meena, reason="x", now=now())
    draft()
    sums = at_cedar(meena).get(LIST, {"q": "asha"}).context["sums"]
    assert (sums.billed, sums.credited, sums.owed) == (1000, 100, 700)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "No bills yet"),
        ("?q=zzz", "No bill matches these filters"),
        ("?show=to-approve", "No discount waits for approval"),
        ("?show=owed", "Nothing is owed"),
        ("?show=drafts", "No drafts"),
    ],
)
def test_an_empty_list_says_why(meena: User, query: str, words: str) -> None:
    assert words in at_cedar(meena).get(f"{LIST}{query}").content.decode()


def test_the_list_asks_the_database_the_same_number_of_questions_however_long_it_is(
    in_cedar: Hospital, bill: Make, meena: User, django_assert_max_num_queries: Any
) -> None:
    for _number in range(11):
        bill()
    client = at_cedar(meena)
    client.get(LIST)
    # session, person, staff row; waiting, count, rows, lines; the form's doctors and departments
    with django_assert_max_num_queries(12):
        client.get(LIST)


# --- The file --------------------------------------------------------------------------------------------------------


def file_of(client: Client, query: str = "") -> list[dict[str, str]]:
    answer: Any = client.post(f"{LIST}csv/{query}")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text)))


def test_the_file_holds_the_bills_of_the_list_with_what_the_books_say(
    in_cedar: Hospital, bill: Make, meena: User, bina: User
) -> None:
    invoice = bill(Charge("Paracetamol", Decimal(100), category="medicine"))
    upi(in_cedar, invoice, meena, 50)
    bill()
    [row] = file_of(at_cedar(bina), "?status=partially_paid")
    assert row["Bill number"] == invoice.reference
    assert (row["Total"], row["CGST"], row["Paid"], row["Owed"]) == ("105.00", "2.50", "50.00", "55.00")
    with schema_context(in_cedar.schema_name):
        logged = AuditLog.objects.get(action=Action.INVOICES_EXPORTED)
    assert logged.data == {"bills": 1, "narrowed_by": "status"}


def test_a_file_of_many_bills_is_whole(bill: Make, bina: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.services.exporting._AT_ONCE", 2)
    numbers = [bill().reference for _number in range(5)]
    assert [row["Bill number"] for row in file_of(at_cedar(bina))] == numbers


def test_the_file_is_not_for_the_desk(meena: User) -> None:
    assert at_cedar(meena).post(f"{LIST}csv/").status_code == 403


# --- One bill --------------------------------------------------------------------------------------------------------


def test_the_page_says_what_is_billed_paid_and_owed(in_cedar: Hospital, bill: Make, meena: User) -> None:
    invoice = bill(Charge("Paracetamol", Decimal(100), category="medicine", quantity=Decimal(3)))
    payment = upi(in_cedar, invoice, meena, 200)
    page = at_cedar(meena).get(address(invoice)).content.decode()
    for words in ("Paracetamol", "3004", "₹315", "₹7.50", payment.receipt_number, "UPI 1", "₹115"):
        assert words in page


def test_the_page_tells_what_happened_to_the_bill_and_its_money(
    in_cedar: Hospital, bill: Make, meena: User, cash_day: CashDay
) -> None:
    invoice = bill()
    payment = upi(in_cedar, invoice, meena, 700)
    refunds.ask(
        hospital=in_cedar, payment=payment, amount=Decimal(100), reason="Late", by=meena, may_approve=False, now=now()
    )
    history = [entry.row.action for entry, _amount in at_cedar(meena).get(address(invoice)).context["history"]]
    assert {"invoice.draft", "invoice.unpaid", "payment.captured", "refund.requested", "creditnote.issued"} <= set(
        history
    )


def test_the_page_asks_the_database_the_same_number_of_questions_however_long_the_bill_is(
    in_cedar: Hospital, bill: Make, meena: User, django_assert_max_num_queries: Any
) -> None:
    invoice = bill(*(Charge(f"Thing {number}", Decimal(100)) for number in range(12)))
    for _number in range(4):
        payment = upi(in_cedar, invoice, meena, 100)
        refunds.ask(
            hospital=in_cedar, payment=payment, amount=Decimal(10), reason="x", by=meena, may_approve=False, now=now()
        )
    client = at_cedar(meena)
    client.get(LIST)
    # session, person, staff row; bill, lines, payments, refunds, credit notes, history
    with django_assert_max_num_queries(10):
        assert client.get(address(invoice)).status_code == 200


@pytest.mark.parametrize(
    ("role", "steps"),
    [
        ("front_desk", {"mark_paid", "credit", "insure", "cancel", "send"}),
        ("billing_clerk", {"mark_paid", "credit", "insure", "cancel", "send"}),
    ],
)
def test_the_page_offers_what_can_be_done(in_cedar: Hospital, bill: Make, role: str, steps: set[str]) -> None:
    assert set(staff(in_cedar, role).get(address(bill())).context["can"]) == steps


def test_a_paid_bill_is_neither_cancelled_nor_credited(in_cedar: Hospital, bill: Make, meena: User) -> None:
    invoice = bill()
    upi(in_cedar, invoice, meena, 700)
    client = at_cedar(meena)
    assert client.get(address(invoice)).context["can"] == ["send"]
    answer = client.post(address(invoice, "cancel/"), {"reason": "Wrong"})
    assert answer.status_code == 422
    assert "Refund it instead" in answer.content.decode()
    answer = client.post(address(invoice, "credit/"), {"amount": "100", "reason": "Wrong"})
    assert answer.status_code == 422
    assert as_it_is(in_cedar, invoice).status == Invoice.Status.PAID


# --- Steps -----------------------------------------------------------------------------------------------------------


def test_a_draft_is_issued_and_the_patient_is_written_to(in_cedar: Hospital, draft: Make, meena: User) -> None:
    invoice = draft()
    answer = at_cedar(meena).post(address(invoice, "issue/"), follow=True)
    now_issued = as_it_is(in_cedar, invoice)
    assert now_issued.status == Invoice.Status.UNPAID
    assert f"Bill {now_issued.reference} is issued." in answer.content.decode()
    with schema_context(in_cedar.schema_name):
        assert Notification.objects.get().to_address == "asha@example.com"


def test_issuing_twice_gives_one_number(in_cedar: Hospital, draft: Make, meena: User) -> None:
    invoice, client = draft(), at_cedar(meena)
    numbers = []
    for _time in range(2):
        client.post(address(invoice, "issue/"))
        numbers.append(as_it_is(in_cedar, invoice).number)
    assert numbers[0] == numbers[1] is not None


def test_a_bill_is_cancelled_with_a_reason(in_cedar: Hospital, bill: Make, meena: User) -> None:
    invoice, client = bill(), at_cedar(meena)
    refused = client.post(address(invoice, "cancel/"), {"reason": ""})
    assert refused.status_code == 422
    assert "Say why." in refused.content.decode()
    client.post(address(invoice, "cancel/"), {"reason": "Wrong patient"})
    after = as_it_is(in_cedar, invoice)
    assert (after.status, after.owed) == (Invoice.Status.CANCELLED, 0)  # type: ignore[attr-defined]
    with schema_context(in_cedar.schema_name):
        assert after.credit_notes.get().reason == "Wrong patient"


def test_a_draft_is_dropped_without_a_credit_note(in_cedar: Hospital, draft: Make, meena: User) -> None:
    invoice = draft()
    at_cedar(meena).post(address(invoice, "cancel/"), {"reason": "Twice"})
    with schema_context(in_cedar.schema_name):
        assert not invoice.credit_notes.exists()
    assert as_it_is(in_cedar, invoice).status == Invoice.Status.CANCELLED


def test_money_that_comes_late_for_a_dropped_draft_goes_back(in_cedar: Hospital, draft: Make, meena: User) -> None:
    invoice = draft()
    asked = order(invoice)
    at_cedar(meena).post(address(invoice, "cancel/"), {"reason": "Twice"})
    with schema_context(in_cedar.schema_name):
        payment = told(asked, "captured")
        assert payment.fulfilled_at is not None
        assert payment.refunds.get().amount == 700
    after = as_it_is(in_cedar, invoice)
    assert (after.status, after.owed) == (Invoice.Status.CANCELLED, 0)  # type: ignore[attr-defined]


def test_a_part_of_what_is_owed_is_taken_back(in_cedar: Hospital, bill: Make, meena: User) -> None:
    invoice, client = bill(Charge("Paracetamol", Decimal(100), category="medicine")), at_cedar(meena)
    client.post(address(invoice, "credit/"), {"amount": "21", "reason": "Given back"})
    with schema_context(in_cedar.schema_name):
        note = invoice.credit_notes.get()
    assert [note.taxable, note.cgst, note.sgst, note.total] == [20, Decimal("0.5"), Decimal("0.5"), 21]
    too_much = client.post(address(invoice, "credit/"), {"amount": "84.01", "reason": "Given back"})
    assert too_much.status_code == 422
    assert 'value="84.01"' in too_much.content.decode()


def test_what_was_paid_and_is_refunded_is_credited_once(in_cedar: Hospital, bill: Make, meena: User) -> None:
    invoice = bill()
    payment = upi(in_cedar, invoice, meena, 500)
    crediting.correct(hospital=in_cedar, invoice=invoice, amount=Decimal(200), by=meena, reason="x", now=now())
    refunds.ask(
        hospital=in_cedar, payment=payment, amount=Decimal(500), reason="y", by=meena, may_approve=False, now=now()
    )
    after = as_it_is(in_cedar, invoice)
    assert (after.credited, after.owed) == (700, 0)  # type: ignore[attr-defined]


def test_a_refund_asked_again_after_it_failed_credits_nothing_twice(
    in_cedar: Hospital, bill: Make, meena: User
) -> None:
    invoice = bill()
    payment = upi(in_cedar, invoice, meena, 700)
    asked = {"hospital": in_cedar, "payment": payment, "reason": "x", "by": meena, "may_approve": False, "now": now()}
    failed = refunds.ask(amount=Decimal(300), **asked)
    refunds.fail(refund=failed, failure="The bank said no", now=now())
    refunds.ask(amount=Decimal(300), **asked)
    after = as_it_is(in_cedar, invoice)
    assert (after.credited, after.owed, after.refunded) == (300, 0, 300)  # type: ignore[attr-defined]


def test_the_bill_is_sent_again(in_cedar: Hospital, bill: Make, meena: User) -> None:
    invoice = bill()
    at_cedar(meena).post(address(invoice, "send/"))
    with schema_context(in_cedar.schema_name):
        assert invoice.reference in Notification.objects.get().subject
        assert AuditLog.objects.about(invoice).filter(action=Action.INVOICE_SENT).count() == 1


# --- Discounts -------------------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(draft: Make) -> Invoice:
    """A draft whose discount is above the limit."""
    return draft(Charge("Treatment", Decimal(1000), discount=Decimal(500)), discount_reason="Long illness")


def test_a_discount_above_the_limit_is_approved_by_the_admin_and_then_issued(
    in_cedar: Hospital, waiting: Invoice, meena: User, hari: User
) -> None:
    desk, admin = at_cedar(meena), at_cedar(hari)
    assert desk.post(address(waiting, "issue/")).status_code == 422
    assert "Long illness" in admin.get(address(waiting)).content.decode()
    admin.post(address(waiting, "discount/approve/"))
    desk.post(address(waiting, "issue/"))
    assert as_it_is(in_cedar, waiting).total == 500
    assert as_it_is(in_cedar, waiting).status == Invoice.Status.UNPAID


def test_a_declined_discount_drops_the_draft_and_says_why(in_cedar: Hospital, waiting: Invoice, hari: User) -> None:
    admin = at_cedar(hari)
    refused = admin.post(address(waiting, "discount/decline/"), {"reason": ""})
    assert refused.status_code == 422
    assert refused.context["decline_error"] == "Say why."
    admin.post(address(waiting, "discount/decline/"), {"reason": "Too much"})
    assert as_it_is(in_cedar, waiting).status == Invoice.Status.CANCELLED
    assert "Too much" in admin.get(address(waiting)).content.decode()
    assert admin.post(address(waiting, "discount/approve/")).status_code == 422


@pytest.mark.parametrize("step", ["discount/approve/", "discount/decline/"])
def test_the_desk_does_not_decide_about_its_own_discounts(waiting: Invoice, meena: User, step: str) -> None:
    client = at_cedar(meena)
    assert client.post(address(waiting, step), {"reason": "x"}).status_code == 403
    assert "approve_discount" not in client.get(address(waiting)).context["can"]


def test_the_doctor_of_a_bill_is_named(in_cedar: Hospital, bill: Make, meena: User, hari: User) -> None:
    sen: Doctor = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    assert "Anika Rao" in at_cedar(meena).get(address(bill(doctor=sen))).content.decode()
