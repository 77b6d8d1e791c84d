"""Paying a bill online: the page, the way to the gateway and back, and what the payer reads meanwhile."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from billing.models import About, BillingRules, Invoice, Payment, PaymentOrder, PromoCode
from billing.services import checkout, invoices, ledger
from billing.services.invoices import Charge
from core.schemas import schema_context
from notifications.models import Notification
from tenants.models import Hospital
from tests.conftest import browser
from tests.fakes.razorpay import Gateway

Make = Callable[..., Invoice]
HOST = "cedar.localhost"


@pytest.fixture
def asha_here(in_cedar: Hospital, asha: User) -> Client:
    """Asha's browser on Cedar's site."""
    return browser(HOST, asha)


@pytest.fixture
def of_visit(draft: Make) -> Make:
    """Begin the bill of something that Asha has booked; nobody has issued it yet."""
    return lambda *charges, **fields: draft(*charges, about=About.VISIT, about_code=uuid4(), **fields)


def pay_page(invoice: Invoice) -> str:
    return f"/bills/{invoice.code}/pay/"


def open_order(hospital: Hospital, invoice: Invoice, by: User) -> PaymentOrder:
    with schema_context(hospital.schema_name):
        return checkout.begin(hospital=hospital, invoice=invoice, by=by, now=now())


def come_back(order: PaymentOrder, callback: dict[str, str]) -> Any:
    """As the gateway sends the browser: from another site, without any cookie."""
    return browser(HOST).post(f"/bills/pay/{order.code}/return/", callback)


def test_the_page_says_what_is_paid_and_how_much(bill: Make, gateway: Gateway, asha_here: Client) -> None:
    invoice = bill(Charge("Paracetamol", Decimal(100), category="medicine", quantity=Decimal(3)))
    page = asha_here.get(pay_page(invoice)).content.decode()
    for words in ("Paracetamol", "3 at ₹100", "CGST 2.5% on ₹300", "Pay ₹315", "Test money"):
        assert words in page


def test_paying_leads_to_the_gateway_with_a_form_that_works_without_javascript(
    bill: Make, gateway: Gateway, asha_here: Client
) -> None:
    invoice = bill()
    page = asha_here.post(pay_page(invoice))
    handover = page.context["handover"]
    assert handover.amount == 70_000
    assert handover.order_id.startswith("order_")
    assert handover.description == f"Bill {invoice.reference}"
    words = page.content.decode()
    assert f'action="{gateway.url}/v1/checkout/embedded"' in words
    assert "csrfmiddlewaretoken" not in words.split('id="go"')[1].split("</form>")[0]


def test_two_taps_make_one_order(bill: Make, gateway: Gateway, asha_here: Client) -> None:
    invoice = bill()
    first, second = (asha_here.post(pay_page(invoice)).context["handover"].order_id for _ in range(2))
    assert first == second


def test_the_way_back_needs_no_session_and_ends_in_a_payment(
    cedar: Hospital, bill: Make, gateway: Gateway, asha: User, asha_here: Client
) -> None:
    invoice = bill()
    order = open_order(cedar, invoice, asha)
    paid = gateway.pay(order.gateway_id or "")

    answer = come_back(order, paid["callback"])

    assert (answer.status_code, answer["Location"]) == (303, f"/bills/pay/{order.code}/")
    page = asha_here.get(answer["Location"]).content.decode()
    assert "₹700 paid" in page
    with schema_context(cedar.schema_name):
        payment = Payment.objects.get()
        assert payment.receipt_number in page
        assert ledger.owed_on(invoice) == 0


def test_what_is_paid_twice_over_the_way_back_counts_once(
    cedar: Hospital, bill: Make, gateway: Gateway, asha: User
) -> None:
    order = open_order(cedar, bill(), asha)
    paid = gateway.pay(order.gateway_id or "")
    for _ in range(3):
        assert come_back(order, paid["callback"]).status_code == 303
    with schema_context(cedar.schema_name):
        assert Payment.objects.captured().count() == 1


@pytest.mark.parametrize(
    "change",
    [{"razorpay_signature": "0" * 64}, {"razorpay_payment_id": "pay_Forged0000000"}, {"razorpay_signature": "₹"}],
)
def test_a_forged_way_back_changes_nothing(
    cedar: Hospital, bill: Make, gateway: Gateway, asha: User, change: dict[str, str]
) -> None:
    order = open_order(cedar, bill(), asha)
    paid = gateway.pay(order.gateway_id or "")
    assert come_back(order, {**paid["callback"], **change}).status_code == 409
    with schema_context(cedar.schema_name):
        assert not Payment.objects.exists()


def test_the_signature_of_another_order_does_not_count(
    cedar: Hospital, bill: Make, gateway: Gateway, asha: User
) -> None:
    cheap, dear = (open_order(cedar, bill(Charge("X", Decimal(price))), asha) for price in (1, 900))
    paid = gateway.pay(cheap.gateway_id or "")
    assert come_back(dear, paid["callback"]).status_code == 409


def test_a_failure_says_why_and_the_same_order_is_paid_at_the_next_try(
    cedar: Hospital, bill: Make, gateway: Gateway, asha: User, asha_here: Client
) -> None:
    invoice = bill()
    order = open_order(cedar, invoice, asha)
    failed = gateway.pay(order.gateway_id or "", "fails")

    page = asha_here.get(come_back(order, failed["callback"])["Location"]).content.decode()

    assert "The payment did not go through" in page
    assert "declined by your bank" in page
    assert asha_here.post(pay_page(invoice)).context["handover"].order_id == order.gateway_id
    paid = gateway.pay(order.gateway_id or "")
    assert "₹700 paid" in asha_here.get(come_back(order, paid["callback"])["Location"]).content.decode()


def test_while_the_gateway_is_silent_the_payment_is_being_checked_and_never_lost(
    cedar: Hospital, bill: Make, gateway: Gateway, asha: User, asha_here: Client
) -> None:
    order = open_order(cedar, bill(), asha)
    paid = gateway.pay(order.gateway_id or "")
    gateway.break_call("orders.payments", "500", "before", times=2)

    page = asha_here.get(come_back(order, paid["callback"])["Location"])
    assert "We are checking your payment" in page.content.decode()
    with schema_context(cedar.schema_name):
        PaymentOrder.objects.update(asked_at=None)
    assert "₹700 paid" in asha_here.get(f"/bills/pay/{order.code}/").content.decode()


def test_the_page_that_waits_does_not_ask_the_gateway_at_every_look(
    cedar: Hospital, bill: Make, gateway: Gateway, asha: User, asha_here: Client
) -> None:
    order = open_order(cedar, bill(), asha)
    assert "We are checking" in asha_here.get(f"/bills/pay/{order.code}/").content.decode()
    gateway.pay(order.gateway_id or "")
    assert "We are checking" in asha_here.get(f"/bills/pay/{order.code}/").content.decode()
    assert asha_here.get(f"/bills/pay/{order.code}/", headers={"HX-Request": "true"}).status_code == 204


def test_when_the_gateway_is_down_the_page_says_that_nothing_was_charged(
    bill: Make, gateway: Gateway, asha_here: Client
) -> None:
    gateway.break_call("orders.create", "500", "before")
    page = asha_here.post(pay_page(bill()))
    assert page.status_code == 503
    assert "Nothing was charged" in page.content.decode()


def test_an_order_whose_answer_was_lost_is_found_again(
    cedar: Hospital, bill: Make, gateway: Gateway, asha_here: Client
) -> None:
    invoice = bill()
    gateway.break_call("orders.create", "close", "after")
    assert asha_here.post(pay_page(invoice)).status_code == 503
    assert asha_here.post(pay_page(invoice)).status_code == 200
    with schema_context(cedar.schema_name):
        assert PaymentOrder.objects.count() == 1


def test_a_hospital_that_takes_nothing_online_says_where_to_pay(
    cedar: Hospital, bill: Make, gateway: Gateway, asha_here: Client
) -> None:
    invoice = bill()
    BillingRules.objects.update(takes_online=False)
    assert "Pay at the front desk" in asha_here.get(pay_page(invoice)).content.decode()
    assert asha_here.post(pay_page(invoice)).status_code == 422


def test_a_paid_bill_leads_back_to_its_page(
    cedar: Hospital, bill: Make, gateway: Gateway, asha: User, asha_here: Client
) -> None:
    invoice = bill()
    order = open_order(cedar, invoice, asha)
    come_back(order, gateway.pay(order.gateway_id or "")["callback"])
    for answer in (asha_here.get(pay_page(invoice)), asha_here.post(pay_page(invoice))):
        assert (answer.status_code, answer["Location"]) == (302, f"/bills/{invoice.code}/")


# --- What is booked and not issued -----------------------------------------------------------------------------------


def test_what_was_booked_is_paid_before_it_is_a_bill_and_issued_by_the_payment(
    cedar: Hospital, of_visit: Make, gateway: Gateway, asha: User, asha_here: Client
) -> None:
    invoice = of_visit()
    assert asha_here.get(pay_page(invoice)).status_code == 200
    assert asha_here.get(f"/bills/{invoice.code}/").status_code == 404
    order = open_order(cedar, invoice, asha)
    come_back(order, gateway.pay(order.gateway_id or "")["callback"])
    with schema_context(cedar.schema_name):
        invoice.refresh_from_db()
        assert (invoice.status, invoice.number) == (Invoice.Status.PAID, 1)


def test_a_draft_of_the_desk_is_nobodys_to_pay(draft: Make, gateway: Gateway, asha_here: Client) -> None:
    assert asha_here.get(pay_page(draft())).status_code == 404


def test_a_draft_whose_discount_waits_for_approval_is_not_paid(
    of_visit: Make, gateway: Gateway, asha_here: Client
) -> None:
    invoice = of_visit(Charge("Consultation", Decimal(700), discount=Decimal(300)))
    answer = asha_here.post(pay_page(invoice))
    assert answer.status_code == 422
    assert "still looks at the discount" in answer.content.decode()


@pytest.fixture
def promo(in_cedar: Hospital) -> PromoCode:
    """Ten percent off."""
    return PromoCode.objects.create(word="DIWALI", percent=10, first_date=date(2026, 1, 1))


def test_a_promo_code_lowers_what_is_paid_and_is_taken_off_again(
    cedar: Hospital, of_visit: Make, promo: PromoCode, gateway: Gateway, asha_here: Client
) -> None:
    invoice = of_visit()
    assert asha_here.post(f"{pay_page(invoice)}code/", {"promo_code": "diwali"}).status_code == 302
    assert "Pay ₹630" in asha_here.get(pay_page(invoice)).content.decode()
    asha_here.post(f"{pay_page(invoice)}code/", {"promo_code": ""})
    assert "Pay ₹700" in asha_here.get(pay_page(invoice)).content.decode()


def test_a_promo_code_that_does_not_count_says_so_at_its_field(
    of_visit: Make, promo: PromoCode, gateway: Gateway, asha_here: Client
) -> None:
    answer = asha_here.post(f"{pay_page(of_visit())}code/", {"promo_code": "HOLI"})
    assert answer.status_code == 422
    assert "This code does not exist" in answer.content.decode()
    assert 'value="HOLI"' in answer.content.decode()


def test_a_promo_code_changes_no_issued_bill(bill: Make, promo: PromoCode, gateway: Gateway, asha_here: Client) -> None:
    assert asha_here.post(f"{pay_page(bill())}code/", {"promo_code": "DIWALI"}).status_code == 404


def test_a_promo_code_that_leaves_nothing_to_pay_is_for_the_desk(
    in_cedar: Hospital, of_visit: Make, promo: PromoCode, gateway: Gateway, asha_here: Client
) -> None:
    PromoCode.objects.update(percent=100)
    BillingRules.objects.update(discount_cap_percent=100)
    invoice = of_visit()
    answer = asha_here.post(f"{pay_page(invoice)}code/", {"promo_code": "DIWALI"})
    assert "Show it at the front desk" in answer.content.decode()
    with schema_context(in_cedar.schema_name):
        invoice.refresh_from_db()
        assert invoice.total == 700


# --- Who -------------------------------------------------------------------------------------------------------------


def test_nobody_pays_or_sees_the_order_of_somebody_else(
    cedar: Hospital, bill: Make, gateway: Gateway, asha: User, cedar_kiran: Client
) -> None:
    invoice = bill()
    order = open_order(cedar, invoice, asha)
    assert cedar_kiran.get(pay_page(invoice)).status_code == 404
    assert cedar_kiran.post(pay_page(invoice)).status_code == 404
    assert cedar_kiran.get(f"/bills/pay/{order.code}/").status_code == 404


def test_another_hospital_does_not_know_the_order(
    cedar: Hospital, lotus: Hospital, bill: Make, gateway: Gateway, asha: User
) -> None:
    order = open_order(cedar, bill(), asha)
    paid = gateway.pay(order.gateway_id or "")
    answer = browser("lotus.localhost").post(f"/bills/pay/{order.code}/return/", paid["callback"])
    assert answer.status_code == 404


# --- From an app -----------------------------------------------------------------------------------------------------


def test_an_app_opens_the_checkout_and_has_its_answer_checked(
    cedar: Hospital, bill: Make, gateway: Gateway, asha_here: Client
) -> None:
    invoice = bill()
    opened = asha_here.post(f"/api/billing/{invoice.code}/checkout/").json()
    assert (opened["amount"], opened["currency"], opened["is_test"]) == (70_000, "INR", True)
    paid = gateway.pay(opened["order_id"])

    answer = asha_here.post(
        f"/api/billing/{invoice.code}/checkout/verify/", paid["callback"], content_type="application/json"
    )

    assert answer.status_code == 200
    assert (answer.json()["outcome"], answer.json()["bill_status"], answer.json()["owed"]) == ("paid", "paid", "0.00")
    assert answer.json()["payment"]["receipt_number"].startswith("RCT/")


def test_an_app_is_told_when_the_answer_is_forged(bill: Make, gateway: Gateway, asha_here: Client) -> None:
    invoice = bill()
    opened = asha_here.post(f"/api/billing/{invoice.code}/checkout/").json()
    paid = gateway.pay(opened["order_id"])
    address = f"/api/billing/{invoice.code}/checkout/verify/"
    forged = {**paid["callback"], "razorpay_signature": "0" * 64}
    assert asha_here.post(address, forged, content_type="application/json").status_code == 409
    other = {**paid["callback"], "razorpay_order_id": "order_other"}
    assert asha_here.post(address, other, content_type="application/json").status_code == 404
    assert asha_here.post(address, {}, content_type="application/json").status_code == 400


def test_an_app_of_somebody_else_finds_nothing(bill: Make, gateway: Gateway, cedar_kiran: Client) -> None:
    invoice = bill()
    assert cedar_kiran.post(f"/api/billing/{invoice.code}/checkout/").status_code == 404


# --- Letters ---------------------------------------------------------------------------------------------------------


def test_the_receipt_goes_out_with_its_document(cedar: Hospital, bill: Make, gateway: Gateway, asha: User) -> None:
    order = open_order(cedar, bill(), asha)
    come_back(order, gateway.pay(order.gateway_id or "")["callback"])
    with schema_context(cedar.schema_name):
        letter = Notification.objects.get(template="bill_receipt")
        payment = Payment.objects.get()
    assert letter.to_address == "asha@example.com"
    assert letter.attachment == f"receipt:{payment.code}"
    assert letter.attachment_name == f"Receipt {payment.receipt_number.replace('/', '-')}.pdf"


def test_a_bill_by_hand_is_sent_to_its_patient(in_cedar: Hospital, draft: Make, meena: User) -> None:
    invoice = draft()
    invoices.issue(hospital=in_cedar, invoice=invoice, by=meena, now=now(), is_sent=True)
    letter = Notification.objects.get(template="bill_issued")
    assert invoice.reference in letter.subject
    assert f"/bills/{invoice.code}/" in letter.text
    assert letter.attachment == f"bill:{invoice.code}"
