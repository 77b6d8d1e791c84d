"""/api/billing/ of a hospital's host: one's own bills, and all of them for who works with them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires, granted, role_of
from accounts.serializers import Problem
from billing.filters import InvoiceApiFilter
from billing.models import Invoice
from billing.models.invoices import Invoices
from billing.serializers import bills as shapes
from billing.services import crediting, discounts, invoices, payments
from billing.services.payments import Taking
from core.errors import Missing
from core.rest import hospital, person
from patients.models import Patient

EDIT = [Requires(Permission.INVOICE_EDIT)]
REFUSED = {400: Problem, 403: Problem, 404: Problem, 409: Problem, 422: Problem}
KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="At most 80 characters. Asked twice with the same one, it is done once.",
)
_KEY_LENGTH = 80


def visible(request: Request) -> Invoices:
    """The bills the caller may see: one's own and one's family's, or all. Nobody sees them in another's name."""
    sees_all = granted(request, request.user, Permission.INVOICE_VIEW)
    return Invoice.objects.visible_to(person(request), role_of(request, request.user) if sees_all else None)


def _complete(bills: Invoices) -> Invoices:
    rows = bills.with_people().with_books().select_related("claim", "patient__user", "promo_code")
    return rows.prefetch_related("lines", "payments__refunds", "credit_notes")


def find(request: Request, code: UUID) -> Invoice:
    """The bill of the address, if the caller may see it."""
    return get_object_or_404(_complete(visible(request)), code=code)


def shown(request: Request, code: UUID, *, status: int = 200) -> Response:
    """A bill as it is now."""
    return Response(shapes.BillOut(find(request, code), context={"request": request}).data, status=status)


def key_of(request: Request) -> str:
    """What the request is known by, so that it is done once."""
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > _KEY_LENGTH or not key.isprintable():
        raise ValidationError({"Idempotency-Key": [_("Send at most 80 characters.")]})
    return key


class Bills(generics.ListAPIView[Invoice]):
    """Bills, the newest first: one's own; all of the hospital for who works with bills."""

    permission_classes = [Requires(Permission.OWN_ACCOUNT)]
    serializer_class = shapes.BillOut
    filterset_class = InvoiceApiFilter
    queryset = Invoice.objects.none()  # what is listed; whose, see below

    def get_queryset(self) -> QuerySet[Invoice]:
        """Those the caller may see."""
        return _complete(visible(self.request)).newest_first()

    @extend_schema(parameters=[KEY], request=shapes.BillIn, responses={201: shapes.BillOut, **REFUSED})
    def post(self, request: Request) -> Response:
        """Make a bill by hand. It is issued at once, unless `issue` is false or its discount waits for approval."""
        if not granted(request, request.user, Permission.INVOICE_EDIT):
            raise PermissionDenied
        form = shapes.BillIn(data=request.data)
        form.is_valid(raise_exception=True)
        said = form.validated_data
        asked = shapes.draft_of(said, _patient(said["patient"]), key_of(request))
        if said["issue"]:
            invoice = invoices.write(hospital=hospital(request), asked=asked, by=person(request), now=now())
        else:
            invoice = invoices.draft(hospital=hospital(request), draft=asked, by=person(request), now=now())
        return shown(request, invoice.code, status=201)


def _patient(code: UUID) -> Patient:
    found = Patient.objects.current().filter(code=code).first()
    if found is None:
        raise Missing(_("No patient of this hospital has this id."), field="patient")
    return found


class OneBill(APIView):
    """One bill."""

    permission_classes = [Requires(Permission.OWN_ACCOUNT)]

    @extend_schema(responses={200: shapes.BillOut, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """Read it."""
        return shown(request, code)

    @extend_schema(request=shapes.BillChange, responses={200: shapes.BillOut, **REFUSED})
    def patch(self, request: Request, code: UUID) -> Response:
        """Change a draft. An issued bill is corrected by a credit note."""
        if not granted(request, request.user, Permission.INVOICE_EDIT):
            raise PermissionDenied
        invoice = find(request, code)
        form = shapes.BillChange(invoice, data=request.data)
        form.is_valid(raise_exception=True)
        asked = shapes.changed(invoice, form.validated_data)
        invoices.change(hospital=hospital(request), invoice=invoice, draft=asked, by=person(request), now=now())
        return shown(request, code)


class Issue(APIView):
    """The number of a bill."""

    permission_classes = EDIT

    @extend_schema(request=None, responses={200: shapes.BillOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Issue a draft: from here on it is owed, and never changes."""
        invoice = find(request, code)
        invoices.issue(hospital=hospital(request), invoice=invoice, by=person(request), now=now(), is_sent=True)
        return shown(request, code)


class Cancel(APIView):
    """The end of a bill."""

    permission_classes = EDIT

    @extend_schema(request=shapes.ReasonIn, responses={200: shapes.BillOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Drop a draft, or take a bill back on which nothing was paid."""
        form = shapes.ReasonIn(data=request.data)
        form.is_valid(raise_exception=True)
        asked: dict[str, Any] = {"by": person(request), "now": now(), **form.validated_data}
        crediting.cancel(hospital=hospital(request), invoice=find(request, code), **asked)
        return shown(request, code)


class Credit(APIView):
    """A credit note."""

    permission_classes = EDIT

    @extend_schema(request=shapes.CreditIn, responses={201: shapes.BillOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Take a part of what is owed back."""
        form = shapes.CreditIn(data=request.data)
        form.is_valid(raise_exception=True)
        asked: dict[str, Any] = {"by": person(request), "now": now(), **form.validated_data}
        crediting.correct(hospital=hospital(request), invoice=find(request, code), **asked)
        return shown(request, code, status=201)


class Send(APIView):
    """A bill by e-mail."""

    permission_classes = EDIT

    @extend_schema(request=None, responses={202: shapes.BillOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Send it to the patient, once more if it was sent before."""
        invoices.send(hospital=hospital(request), invoice=find(request, code), by=person(request))
        return shown(request, code, status=202)


class ApproveDiscount(APIView):
    """A discount above the limit."""

    permission_classes = [Requires(Permission.MONEY_APPROVE)]

    @extend_schema(request=None, responses={200: shapes.BillOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Let it pass; the bill can be issued then."""
        discounts.approve(invoice=find(request, code), by=person(request), now=now())
        return shown(request, code)


class DeclineDiscount(APIView):
    """A discount above the limit."""

    permission_classes = [Requires(Permission.MONEY_APPROVE)]

    @extend_schema(request=shapes.ReasonIn, responses={200: shapes.BillOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Refuse it: the draft is dropped."""
        form = shapes.ReasonIn(data=request.data)
        form.is_valid(raise_exception=True)
        discounts.decline(invoice=find(request, code), by=person(request), **form.validated_data)
        return shown(request, code)


class MarkPaid(APIView):
    """Money for a bill at the desk."""

    permission_classes = [Requires(Permission.PAYMENT_TAKE)]

    @extend_schema(parameters=[KEY], request=shapes.MarkPaidIn, responses={200: shapes.BillOut, **REFUSED})
    def patch(self, request: Request, code: UUID) -> Response:
        """Take it; a draft is issued with it. Online payments arrive by themselves and are refused here."""
        form = shapes.MarkPaidIn(data=request.data)
        form.is_valid(raise_exception=True)
        taking = Taking(idempotency_key=key_of(request), **form.validated_data)
        payments.take(
            hospital=hospital(request), invoice=find(request, code), taking=taking, by=person(request), now=now()
        )
        return shown(request, code)
