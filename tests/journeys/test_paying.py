"""Paying for a video visit: at the payment service and back, with a card that fails, and the money back on cancelling."""

import re
from collections.abc import Iterator
from email.message import EmailMessage
from io import BytesIO
from typing import Any

import pytest
from django.utils.timezone import now
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from accounts.models import User
from appointments.models import Appointment, Status
from billing.models import Invoice, Payment, Refund
from billing.services import refunds
from core.schemas import schema_context
from hospitals.models import Doctor
from notifications import services as notifications
from notifications.models import Notification
from tenants.models import Hospital
from tests import factories
from tests.fakes.razorpay import Gateway
from tests.fakes.smtp import MailServer, mail_server
from tests.journeys.conftest import Complaints, Visitor, come_in
from tests.journeys.people import heading
from tests.journeys.server import Platform
from tests.journeys.test_accessibility import broken_in_either_theme

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def gateway(gateway: Gateway, settings: Any) -> Gateway:
    """The sandbox, to which pages may send their forms: its address is known only now."""
    policy = settings.CONTENT_SECURITY_POLICY
    directives = {**policy["DIRECTIVES"], "form-action": ["'self'", gateway.url]}
    settings.CONTENT_SECURITY_POLICY = {**policy, "DIRECTIVES": directives}
    return gateway


@pytest.fixture
def mails(settings: Any) -> Iterator[MailServer]:
    """A mail server that takes everything."""
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.host, server.port
        yield server


@pytest.fixture
def cedar_here(platform: Platform, gateway: Gateway) -> Hospital:
    """Cedar."""
    return Hospital.objects.get(slug="cedar")


@pytest.fixture
def doctor(cedar_here: Hospital) -> Doctor:
    """Dr Rao, whose video visits cost ₹500."""
    with schema_context(cedar_here.schema_name):
        return factories.bookable_doctor(cedar_here, User.objects.get(email="hari@cedar.example"))


def delivered(hospital: Hospital, mails: MailServer, template: str) -> EmailMessage:
    """What the messenger brings of this kind."""
    with schema_context(hospital.schema_name):
        letter = Notification.objects.filter(template=template).latest("pk")
        notifications.deliver(notification_id=letter.pk)
    return mails.mails[-1]


def to_the_checkout(page: Page, platform: Platform, hospital: Hospital, doctor: Doctor) -> None:
    """Asha chooses a time for a video visit and comes to the checkout."""
    come_in(page.context, User.objects.get(email="asha@example.com"), platform.hospital("cedar", "home"))
    day = f"{factories.at(hospital, '10:00'):%Y-%m-%d}"
    page.goto(platform.hospital("cedar", "doctor_page", doctor.code) + f"?kind=video&week={day}")
    page.get_by_role("radio", name="10:20").check()
    page.get_by_role("button", name="Continue").and_(page.locator(":visible")).first.click()
    heading(page, "Check and book")
    page.get_by_role("button", name="Pay ₹500 and book").click()
    heading(page, "Check and pay")


def to_the_gateway(page: Page, *, scripts: bool = True) -> None:
    """On to the payment service: by itself, or with one more button."""
    page.get_by_role("button", name="Pay ₹500").click()
    if not scripts:
        heading(page, "On to the payment")
        page.get_by_role("button", name="Go on to Razorpay").click()
    heading(page, "₹500")
    expect(page.get_by_text("Test money. No money moves.")).to_be_visible()


def back(page: Page, *, scripts: bool = True) -> None:
    """From the payment service's last page to the hospital; with JavaScript it goes there by itself."""
    if not scripts:
        page.get_by_role("button", name=re.compile("Return to")).click()
    page.wait_for_url(re.compile("/bills/pay/"))


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_video_visit_is_booked_paid_and_receipted(
    visitor: Visitor, platform: Platform, cedar_here: Hospital, doctor: Doctor, mails: MailServer, scripts: bool
) -> None:
    page = visitor(java_script_enabled=scripts, viewport=PHONE)
    to_the_checkout(page, platform, cedar_here, doctor)
    with schema_context(cedar_here.schema_name):
        assert Appointment.objects.get().waits_for_payment

    to_the_gateway(page, scripts=scripts)
    page.get_by_role("button", name="Pay ₹500").click()
    heading(page, "Paid ₹500")
    back(page, scripts=scripts)

    heading(page, "₹500 paid")
    with schema_context(cedar_here.schema_name):
        payment, visit, bill = Payment.objects.get(), Appointment.objects.get(), Invoice.objects.get()
    expect(page.get_by_text(payment.receipt_number)).to_be_visible()
    assert (visit.status, bill.status) == (Status.CONFIRMED, Invoice.Status.PAID)

    mail = delivered(cedar_here, mails, "bill_receipt")
    assert payment.receipt_number in str(mail["Subject"])
    [document] = list(mail.iter_attachments())
    assert document.get_filename() == f"Receipt {payment.receipt_number.replace('/', '-')}.pdf"
    text = PdfReader(BytesIO(document.get_content())).pages[0].extract_text()
    assert payment.receipt_number in text
    assert "500.00" in text

    page.get_by_role("link", name="See your bill").click()
    heading(page, f"Bill {bill.reference}")
    expect(page.get_by_role("link", name=f"Receipt {payment.receipt_number} (PDF)")).to_be_visible()
    page.goto(platform.hospital("cedar", "bills"))
    expect(page.get_by_role("link", name=bill.reference)).to_be_visible()


def test_after_a_card_that_fails_the_next_try_pays(
    visitor: Visitor, platform: Platform, cedar_here: Hospital, doctor: Doctor
) -> None:
    page = visitor(viewport=PHONE)
    to_the_checkout(page, platform, cedar_here, doctor)
    to_the_gateway(page)
    page.get_by_label("Card").check()
    page.get_by_label("Fails").check()
    page.get_by_role("button", name="Pay ₹500").click()
    heading(page, "The payment failed")
    page.get_by_role("button", name=re.compile("Return to")).click()

    heading(page, "The payment did not go through")
    expect(page.get_by_text("declined by your bank")).to_be_visible()
    with schema_context(cedar_here.schema_name):
        assert Appointment.objects.get().waits_for_payment
    page.get_by_role("button", name="Try again").click()
    heading(page, "₹500")
    page.get_by_role("button", name="Pay ₹500").click()
    back(page)

    heading(page, "₹500 paid")
    with schema_context(cedar_here.schema_name):
        assert Appointment.objects.get().status == Status.CONFIRMED
        assert sorted(Payment.objects.values_list("status", flat=True)) == ["captured", "failed"]


def test_a_slow_bank_is_waited_for_and_the_page_turns_by_itself(
    visitor: Visitor, platform: Platform, cedar_here: Hospital, doctor: Doctor, gateway: Gateway
) -> None:
    page = visitor(viewport=PHONE)
    to_the_checkout(page, platform, cedar_here, doctor)
    to_the_gateway(page)
    gateway.break_call("orders.payments", "500", "before", times=2)
    page.get_by_role("button", name="Pay ₹500").click()
    back(page)
    heading(page, "We are checking your payment")
    expect(page.get_by_role("heading", level=1)).to_have_text("₹500 paid", timeout=15_000)


def test_while_the_payment_service_is_down_the_page_says_so_and_keeps_the_visit(
    visitor: Visitor,
    platform: Platform,
    cedar_here: Hospital,
    doctor: Doctor,
    gateway: Gateway,
    complaints: Complaints,
) -> None:
    page = visitor(viewport=PHONE)
    to_the_checkout(page, platform, cedar_here, doctor)
    complaints.expect(503, page.url)
    gateway.break_call("orders.create", "500", "before")
    page.get_by_role("button", name="Pay ₹500").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was charged")
    to_the_gateway(page)


def test_what_was_paid_goes_back_when_the_visit_is_cancelled(
    visitor: Visitor, platform: Platform, cedar_here: Hospital, doctor: Doctor, mails: MailServer
) -> None:
    page = visitor(viewport=PHONE)
    to_the_checkout(page, platform, cedar_here, doctor)
    to_the_gateway(page)
    page.get_by_role("button", name="Pay ₹500").click()
    back(page)
    page.get_by_role("link", name="See your appointment").click()
    page.get_by_role("link", name="Cancel appointment").click()
    heading(page, "Cancel your appointment?")
    expect(page.get_by_text("₹500")).to_be_visible()
    page.get_by_role("button", name="Cancel appointment").click()
    expect(page.locator("#messages")).to_contain_text("Your appointment is cancelled.")

    with schema_context(cedar_here.schema_name):
        refund = Refund.objects.select_related("payment__order__account", "invoice").get()
        refunds.send(refund=refund, now=now())
        bill = Invoice.objects.get()
    assert refund.amount == 500
    assert refund.status == Refund.Status.PROCESSED
    mail = delivered(cedar_here, mails, "bill_refunded")
    assert "₹500 refunded" in str(mail["Subject"])
    assert [part.get_filename() for part in mail.iter_attachments()] == ["Credit note CN-26-27-000001.pdf"]
    page.goto(platform.hospital("cedar", "bill", bill.code))
    expect(page.get_by_text("Refunded", exact=True).first).to_be_visible()


def test_the_whole_payment_goes_by_keyboard(
    visitor: Visitor, platform: Platform, cedar_here: Hospital, doctor: Doctor
) -> None:
    page = visitor()
    to_the_checkout(page, platform, cedar_here, doctor)
    _press(page, "Pay ₹500")
    heading(page, "₹500")
    _press(page, "Pay ₹500")
    back(page)
    heading(page, "₹500 paid")
    _press(page, "See your appointment")
    heading(page, "Your appointment")


def test_its_pages_keep_the_rules_of_accessibility_and_fit_a_phone(
    visitor: Visitor, platform: Platform, cedar_here: Hospital, doctor: Doctor
) -> None:
    page = visitor(viewport={"width": 320, "height": 3000})
    to_the_checkout(page, platform, cedar_here, doctor)
    found = looked_at(page, "checkout")
    page.route("**/go*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.get_by_role("button", name="Pay ₹500").click()
    heading(page, "On to the payment")
    found += looked_at(page, "on the way")
    page.get_by_role("button", name="Go on to Razorpay").click()
    page.get_by_label("Fails").check()
    page.get_by_role("button", name="Pay ₹500").click()
    page.get_by_role("button", name=re.compile("Return to")).click()
    heading(page, "The payment did not go through")
    found += looked_at(page, "failed")
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("button", name="Go on to Razorpay").click()
    page.get_by_role("button", name="Pay ₹500").click()
    back(page)
    heading(page, "₹500 paid")
    found += looked_at(page, "paid")
    page.get_by_role("link", name="See your bill").click()
    heading(page, re.compile("Bill INV"))
    found += looked_at(page, "bill")
    page.goto(platform.hospital("cedar", "bills"))
    found += looked_at(page, "my bills")
    assert not found, "\n".join(found)


def looked_at(page: Page, name: str) -> list[str]:
    """What is wrong with the page in either theme."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    too_wide = [f"{name} is {wide} px wide"] if wide > page.evaluate("innerWidth") else []
    return broken_in_either_theme(page, name) + too_wide


def _press(page: Page, words: str) -> None:
    """Press Tab until a button or link says these words, then Enter."""
    for _ in range(60):
        if page.evaluate("document.activeElement.textContent").strip() == words:
            page.keyboard.press("Enter")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {words}.")
