"""Bills, receipts and credit notes as PDF files."""

from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils.timezone import now
from pypdf import PdfReader

from accounts.models import User
from billing.models import BillingRules, Invoice, Method
from billing.services import checkout, crediting, documents, payments, printing
from billing.services.invoices import Charge
from billing.services.payments import Taking
from core import pictures
from core.spelling import in_words
from hospitals.services import settings as hospital_settings
from notifications import services as notifications
from notifications.models import Notification, State
from tenants.models import Hospital
from tests import factories
from tests.fakes.razorpay import Gateway

Make = Callable[..., Invoice]
MEDICINE = Charge("Paracetamol", Decimal("33.33"), category="medicine", quantity=Decimal(3))


def read(file: bytes) -> PdfReader:
    return PdfReader(BytesIO(file))


def root(found: PdfReader) -> Any:
    """What the file says of itself."""
    return found.trailer["/Root"]


def text(file: bytes) -> str:
    """All words of it, on one line."""
    return " ".join(" ".join(page.extract_text() for page in read(file).pages).split())


def bill_of(invoice: Invoice) -> bytes:
    return printing.bill_file(str(invoice.code))


def test_a_bill_says_who_what_and_how_much(in_cedar: Hospital, bill: Make) -> None:
    BillingRules.objects.update(
        gstin="27ABCDE1234F1Z5", legal_name="Cedar Hospital Private Limited", footer="Come again."
    )
    invoice = bill(
        Charge("Consultation", Decimal(700)), MEDICINE, bill_to="Asha Patel", bill_to_gstin="29ABCDE1234F1Z1"
    )
    words = text(bill_of(invoice))
    for expected in (
        "Invoice-cum-bill of supply", invoice.reference, "Cedar Hospital Private Limited", "27ABCDE1234F1Z5",
        "Asha Patel", "29ABCDE1234F1Z1", "Place of supply Maharashtra", "999312", "3004", "99.99", "5%", "2.50",
        "₹804.99", "Rupees eight hundred four and ninety-nine paise only", "Health care services are exempt from GST.",
        "Come again.", "Page 1 of 1",
    ):  # fmt: skip
        assert expected in words, expected


@pytest.mark.parametrize(
    ("charges", "gstin", "title"),
    [
        ([Charge("Consultation", Decimal(700))], "27ABCDE1234F1Z5", "Bill of supply"),
        ([MEDICINE], "27ABCDE1234F1Z5", "Tax invoice"),
        ([Charge("Consultation", Decimal(700)), MEDICINE], "27ABCDE1234F1Z5", "Invoice-cum-bill of supply"),
        ([MEDICINE], "", "Bill"),
    ],
)
def test_the_title_is_what_the_law_calls_it(
    in_cedar: Hospital, bill: Make, charges: list[Charge], gstin: str, title: str
) -> None:
    BillingRules.objects.update(gstin=gstin)
    assert documents.bill(hospital=in_cedar, invoice=bill(*charges)).title == title


def test_a_document_is_tagged_and_says_its_title_and_language(bill: Make) -> None:
    invoice = bill(MEDICINE)
    found = read(bill_of(invoice))
    assert root(found)["/MarkInfo"]["/Marked"]
    assert root(found)["/Lang"] == "en"
    assert found.metadata
    assert found.metadata.title == f"Bill {invoice.reference}"
    assert b"pdfuaid:part" in root(found)["/Metadata"].get_object().get_data()


def test_every_font_travels_with_the_document(bill: Make) -> None:
    fonts: dict[str, Any] = {}
    pages: list[Any] = list(read(bill_of(bill(bill_to="आशा वर्मा, આશા, ஆஷா"))).pages)
    for page in pages:
        for font in page["/Resources"]["/Font"].values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()
            fonts[inner["/BaseFont"]] = inner["/FontDescriptor"].get_object()
    assert all("/FontFile2" in one or "/FontFile3" in one for one in fonts.values())
    names = "".join(fonts)
    for script in ("Inter", "NotoSansDevanagari", "NotoSansGujarati", "NotoSansTamil"):
        assert script in names


def test_an_issued_bill_gives_the_same_file_each_time(bill: Make) -> None:
    invoice = bill()
    assert bill_of(invoice) == bill_of(invoice)


@pytest.mark.parametrize("name", ["#panic()", '"]#read("/etc/passwd")', "$x$ *b* _i_ `c` <l> @r // /* \\", "a\x01b"])
def test_nothing_that_somebody_typed_is_a_command(bill: Make, name: str) -> None:
    words = text(bill_of(bill(Charge(name, Decimal(1)), bill_to=name)))
    for part in name.replace("\x01", " ").split()[:1]:
        assert part in words


def test_a_letter_that_no_font_of_ours_has_keeps_nobody_from_their_bill(bill: Make) -> None:
    found = read(bill_of(bill(bill_to="阿莎 😀")))
    assert root(found)["/MarkInfo"]["/Marked"]


def test_a_long_bill_goes_on_over_pages_with_its_head_repeated(bill: Make) -> None:
    invoice = bill(*[Charge(f"Thing {number}", Decimal(10)) for number in range(80)])
    pages = read(bill_of(invoice)).pages
    assert len(pages) > 1
    assert "Page 2 of" in pages[1].extract_text()
    assert "HSN/SAC" in pages[1].extract_text()


def test_the_logo_and_the_colour_are_the_hospitals(in_cedar: Hospital, bill: Make, hari: User) -> None:
    plain = bill_of(bill())
    logo = pictures.judge(factories.picture("cedar.png", size=(200, 200)))
    hospital_settings.change_brand(hospital=in_cedar, name="Cedar Hospital", accent="#8a1c4a", logo=logo, by=hari)
    page = read(bill_of(bill())).pages[0]
    assert any(image.image and image.image.size == (128, 128) for image in page.images)
    assert not list(read(plain).pages[0].images)


def test_a_receipt_says_what_was_paid_for_which_bill(in_cedar: Hospital, bill: Make, meena: User) -> None:
    invoice = bill()
    taking = Taking(Method.UPI, Decimal(300), "UPI-77")
    payment = payments.take(hospital=in_cedar, invoice=invoice, taking=taking, by=meena, now=now())
    words = text(printing.receipt_file(str(payment.code)))
    for expected in (
        "Receipt",
        payment.receipt_number,
        invoice.reference,
        "UPI-77",
        "₹300.00",
        "Rupees three hundred only",
    ):
        assert expected in words, expected
    assert "Test money" not in words


def test_a_credit_note_names_its_bill_and_reason(in_cedar: Hospital, bill: Make, meena: User) -> None:
    invoice = bill(MEDICINE)
    note = crediting.credit(
        hospital=in_cedar, invoice=invoice, amount=Decimal("10.50"), by=meena, reason="One strip back", now=now()
    )
    words = text(printing.credit_note_file(str(note.code)))
    for expected in ("Credit note", note.reference, invoice.reference, "One strip back", "₹10.50", "0.25"):
        assert expected in words, expected


def test_what_was_paid_with_test_money_says_so_on_every_document(
    in_cedar: Hospital, bill: Make, asha: User, gateway: Gateway
) -> None:
    invoice = bill()
    order = checkout.begin(hospital=in_cedar, invoice=invoice, by=asha, now=now())
    gateway.pay(order.gateway_id or "")
    checkout.ask(hospital=in_cedar, order=order, now=now())
    payment = invoice.payments.get()
    for file in (bill_of(invoice), printing.receipt_file(str(payment.code))):
        assert "Test money" in text(file)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "Rupees zero only"),
        ("1", "Rupees one only"),
        ("21.05", "Rupees twenty-one and five paise only"),
        ("100", "Rupees one hundred only"),
        ("1250", "Rupees one thousand two hundred fifty only"),
        ("125000", "Rupees one lakh twenty-five thousand only"),
        ("99999999.99", "Rupees nine crore ninety-nine lakh ninety-nine thousand nine hundred ninety-nine and ninety-nine paise only"),
        ("123456789012", "Rupees twelve thousand three hundred forty-five crore sixty-seven lakh eighty-nine thousand twelve only"),
    ],
)  # fmt: skip
def test_amounts_are_spelled_the_indian_way(amount: str, words: str) -> None:
    assert in_words(Decimal(amount)) == words


def test_a_message_brings_its_document_made_when_it_is_delivered(
    in_cedar: Hospital, bill: Make, meena: User, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    invoice = bill()
    taking = Taking(Method.UPI, Decimal(700), "UPI-77")
    payment = payments.take(hospital=in_cedar, invoice=invoice, taking=taking, by=meena, now=now())
    notifications.deliver(notification_id=Notification.objects.get(template="bill_receipt").pk)
    [(name, content, kind)] = mailoutbox[0].attachments
    assert (name, kind) == (f"Receipt {payment.receipt_number.replace('/', '-')}.pdf", "application/pdf")
    assert payment.receipt_number in text(content)


def test_a_document_that_cannot_be_made_is_tried_again_like_a_mail_server_that_is_down(in_cedar: Hospital) -> None:
    with transaction.atomic():
        letter = notifications.notify(
            to_address="asha@example.com",
            to_name="Asha",
            template="hospital_resumed",
            subject="x",
            brand_name="Cedar",
            accent="#0b6e6e",
            context={"hospital_name": "Cedar", "link": "x"},
            attachment=notifications.Attachment("bill", in_cedar.code, "Bill.pdf"),  # there is no such bill
        )
    notifications.deliver(notification_id=letter.pk)
    found = Notification.objects.get(pk=letter.pk)
    assert (found.state, found.attempts) == (State.WAITING, 1)
    assert "DoesNotExist" in found.last_error
