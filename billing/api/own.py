"""/api/billing/.../: paying one's own bills from an app, and the documents of any bill one may see."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires, role_of
from accounts.serializers import Problem
from billing.models import CreditNote, Invoice, Payment
from billing.models.invoices import Invoices
from billing.serializers import own as shapes
from billing.services import checkout, documents, printing
from core.errors import Missing
from core.rest import FileView, hospital, person

OWN = [Requires(Permission.OWN_ACCOUNT)]
PDF = {(200, "application/pdf"): OpenApiTypes.BINARY, 404: Problem}


def _payable(request: Request, code: UUID) -> Invoice:
    return get_object_or_404(Invoice.objects.payable_by(person(request)), code=code)


def _seen(request: Request) -> Invoices:
    return Invoice.objects.visible_to(person(request), role_of(request, request.user))


class Checkout(APIView):
    """The gateway's checkout for a bill of one's own, or for a visit that waits to be paid."""

    permission_classes = OWN

    @extend_schema(
        request=None, responses={200: shapes.CheckoutOut, 403: Problem, 404: Problem, 409: Problem, 503: Problem}
    )
    def post(self, request: Request, code: UUID) -> Response:
        """Open it; asked again, the same order is answered as long as the same is owed."""
        invoice, here = _payable(request, code), hospital(request)
        order = checkout.begin(hospital=here, invoice=invoice, by=person(request), now=now())
        back = request.build_absolute_uri(reverse("checkout_return", args=[order.code]))
        shown = checkout.handover(hospital=here, order=order, by=person(request), callback_url=back)
        return Response(shapes.CheckoutOut(shown).data)


class Verify(APIView):
    """What the checkout has answered to the app."""

    permission_classes = OWN

    @extend_schema(
        request=shapes.VerifyIn,
        responses={200: shapes.VerifiedOut, 400: Problem, 403: Problem, 404: Problem, 409: Problem},
    )
    def post(self, request: Request, code: UUID) -> Response:
        """Check that it is Razorpay's, and take in what Razorpay itself says of the payment."""
        invoice = _payable(request, code)
        form = shapes.VerifyIn(data=request.data)
        form.is_valid(raise_exception=True)
        told = form.validated_data
        order = invoice.orders.select_related("invoice", "account").filter(gateway_id=told["razorpay_order_id"]).first()
        if order is None:
            raise Missing(_("This bill has no such order."), field="razorpay_order_id")
        payment = checkout.returned(
            hospital=hospital(request),
            order=order,
            payment_id=told["razorpay_payment_id"],
            signature=told["razorpay_signature"],
            now=now(),
        )
        invoice.refresh_from_db()
        shown = {
            "outcome": checkout.outcome(order),
            "payment": payment,
            "bill_status": invoice.status,
            "owed": checkout.owed(invoice),
        }
        return Response(shapes.VerifiedOut(shown).data)


class Documents(APIView):
    """The documents of a bill."""

    permission_classes = OWN

    @extend_schema(responses={200: shapes.PaperOut(many=True), 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """The bill itself, its receipts, its credit notes."""
        invoice = get_object_or_404(_seen(request).issued(), code=code)
        zone = ZoneInfo(hospital(request).time_zone)
        shown = [_row(request, "bill", invoice.code, invoice.reference, invoice.issue_date, invoice.total)]
        for payment in invoice.payments.captured().order_by("captured_at", "pk"):
            day = (payment.captured_at or payment.created_at).astimezone(zone).date()
            shown.append(_row(request, "receipt", payment.code, payment.receipt_number, day, payment.amount))
        shown += [
            _row(request, "credit_note", note.code, note.reference, note.issue_date, note.total)
            for note in invoice.credit_notes.order_by("pk")
        ]
        return Response(shapes.PaperOut(shown, many=True).data)


_DOORS = {"bill": "api_bill_pdf", "receipt": "api_receipt_pdf", "credit_note": "api_credit_note_pdf"}


def _row(request: Request, kind: str, code: UUID, number: str, day: object, amount: object) -> dict[str, Any]:
    url = request.build_absolute_uri(reverse(_DOORS[kind], args=[code]))
    return {"kind": kind, "id": code, "number": number, "date": day, "amount": amount, "url": url}


class BillPdf(FileView):
    """A bill as a document."""

    permission_classes = OWN

    @extend_schema(responses=PDF)
    def get(self, request: Request, code: UUID) -> HttpResponse:
        """Read it."""
        invoice = get_object_or_404(_seen(request).issued().select_related("patient"), code=code)
        here = hospital(request)
        return printing.answer(documents.bill(hospital=here, invoice=invoice), hospital=here)


class ReceiptPdf(FileView):
    """A receipt as a document."""

    permission_classes = OWN

    @extend_schema(responses=PDF)
    def get(self, request: Request, code: UUID) -> HttpResponse:
        """Read it."""
        received = Payment.objects.captured().filter(invoice__in=_seen(request))
        payment = get_object_or_404(received.select_related("invoice", "order__account"), code=code)
        here = hospital(request)
        return printing.answer(documents.receipt(hospital=here, payment=payment), hospital=here)


class CreditNotePdf(FileView):
    """A credit note as a document."""

    permission_classes = OWN

    @extend_schema(responses=PDF)
    def get(self, request: Request, code: UUID) -> HttpResponse:
        """Read it."""
        notes = CreditNote.objects.filter(invoice__in=_seen(request)).select_related("invoice")
        note = get_object_or_404(notes, code=code)
        here = hospital(request)
        return printing.answer(documents.credit_note(hospital=here, note=note), hospital=here)
