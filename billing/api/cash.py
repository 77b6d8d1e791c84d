"""/api/cash/ and /api/payments/ of a hospital's host."""

from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires, role_of
from accounts.serializers import Problem
from billing.api.bills import REFUSED
from billing.filters import CashDayFilter, PaymentFilter
from billing.models import CashDay, Payment
from billing.serializers import cash as shapes
from billing.services import cash
from core.errors import Missing
from core.rest import person

_CASHIER = [Requires(Permission.PAYMENT_TAKE)]


def _shown(day: CashDay, *, status: int = 200) -> Response:
    return Response(shapes.OneCashDayOut(day).data, status=status)


def _open(request: Request) -> CashDay:
    day = CashDay.objects.open_of(person(request))
    if day is None:
        raise Missing(_("Your cash day is not open."))
    return day


class OwnDay(APIView):
    """One's own cash day."""

    permission_classes = _CASHIER

    @extend_schema(responses={200: shapes.OneCashDayOut, 404: Problem})
    def get(self, request: Request) -> Response:
        """The one that is open, with what came and went so far."""
        return _shown(_open(request))


class OpenDay(APIView):
    """The start of one's cash day."""

    permission_classes = _CASHIER

    @extend_schema(request=shapes.OpenIn, responses={201: shapes.OneCashDayOut, **REFUSED})
    def post(self, request: Request) -> Response:
        """Open it with what is in the drawer."""
        form = shapes.OpenIn(data=request.data)
        form.is_valid(raise_exception=True)
        return _shown(cash.open_day(clerk=person(request), now=now(), **form.validated_data), status=201)


class CloseOwnDay(APIView):
    """The end of one's cash day."""

    permission_classes = _CASHIER

    @extend_schema(request=shapes.CloseIn, responses={200: shapes.OneCashDayOut, **REFUSED})
    def post(self, request: Request) -> Response:
        """Close it with what was counted."""
        form = shapes.CloseIn(data=request.data)
        form.is_valid(raise_exception=True)
        day = _open(request)
        cash.close_day(day=day, by=person(request), now=now(), **form.validated_data)
        return _shown(day)


class CashDays(generics.ListAPIView[CashDay]):
    """All clerks' cash days, the latest first."""

    permission_classes = [Requires(Permission.MONEY_VIEW)]
    serializer_class = shapes.CashDayOut
    filterset_class = CashDayFilter
    queryset = CashDay.objects.none()  # what is listed; which, see below

    def get_queryset(self) -> QuerySet[CashDay]:
        """All of the hospital."""
        return CashDay.objects.select_related("clerk").newest_first()


class OneCashDay(APIView):
    """One cash day: one's own, or any for who sees the hospital's money."""

    permission_classes = _CASHIER

    @extend_schema(responses={200: shapes.OneCashDayOut, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """Read it, with what came and went."""
        mine = CashDay.objects.visible_to(person(request), role_of(request, request.user))
        return _shown(get_object_or_404(mine.select_related("clerk"), code=code))


class CloseCashDay(APIView):
    """The end of a cash day."""

    permission_classes = _CASHIER

    @extend_schema(request=shapes.CloseIn, responses={200: shapes.OneCashDayOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Close one's own, or as somebody who approves money that of a clerk who went without closing it."""
        form = shapes.CloseIn(data=request.data)
        form.is_valid(raise_exception=True)
        mine = CashDay.objects.closable_by(person(request), role_of(request, request.user))
        day = get_object_or_404(mine.select_related("clerk"), code=code)
        cash.close_day(day=day, by=person(request), now=now(), **form.validated_data)
        return _shown(day)


class AllPayments(generics.ListAPIView[Payment]):
    """All payments and tries to pay, the latest first."""

    permission_classes = [Requires(Permission.MONEY_VIEW)]
    serializer_class = shapes.OnePaymentOut
    filterset_class = PaymentFilter
    queryset = Payment.objects.none()  # what is listed; which, see below

    def get_queryset(self) -> QuerySet[Payment]:
        """All of the hospital."""
        return Payment.objects.with_people().select_related("order").prefetch_related("refunds").newest_first()


class OnePayment(APIView):
    """One payment."""

    permission_classes = [Requires(Permission.INVOICE_VIEW)]

    @extend_schema(responses={200: shapes.OnePaymentOut, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """Read it."""
        found = Payment.objects.with_people().select_related("order").prefetch_related("refunds")
        payment = get_object_or_404(found, code=code)
        return Response(shapes.OnePaymentOut(payment, context={"request": request}).data)
