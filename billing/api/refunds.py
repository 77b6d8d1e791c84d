"""/api/refunds/ of a hospital's host: asking for money back, deciding about it, and handing it out."""

from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires, granted
from accounts.serializers import Problem
from billing.api.bills import KEY, REFUSED, key_of
from billing.filters import RefundApiFilter
from billing.models import Payment, Refund
from billing.serializers import refunds as shapes
from billing.services import refunds
from core.rest import hospital, person

_GIVE = [Requires(Permission.REFUND_GIVE)]
_APPROVE = [Requires(Permission.MONEY_APPROVE)]


def _find(code: UUID) -> Refund:
    return get_object_or_404(Refund.objects.with_people(), code=code)


def _shown(request: Request, code: UUID, *, status: int = 200) -> Response:
    """A refund as it is now."""
    return Response(shapes.OneRefundOut(_find(code), context={"request": request}).data, status=status)


class Refunds(generics.ListAPIView[Refund]):
    """Refunds that are open, the oldest first; with `status` those of one status."""

    permission_classes = _GIVE
    serializer_class = shapes.OneRefundOut
    filterset_class = RefundApiFilter
    queryset = Refund.objects.none()  # what is listed; which, see below

    def get_queryset(self) -> QuerySet[Refund]:
        """All of the hospital."""
        return Refund.objects.with_people().oldest_first()


class OneRefund(APIView):
    """One refund."""

    permission_classes = _GIVE

    @extend_schema(responses={200: shapes.OneRefundOut, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """Read it."""
        return _shown(request, code)


class Ask(APIView):
    """Money of a payment that goes back."""

    permission_classes = _GIVE

    @extend_schema(parameters=[KEY], request=shapes.AskIn, responses={201: shapes.OneRefundOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Ask for it. Above the hospital's limit it waits for approval."""
        payment = get_object_or_404(Payment, code=code)
        form = shapes.AskIn(data=request.data)
        form.is_valid(raise_exception=True)
        refund = refunds.ask(
            hospital=hospital(request),
            payment=payment,
            by=person(request),
            may_approve=granted(request, request.user, Permission.MONEY_APPROVE),
            now=now(),
            idempotency_key=key_of(request),
            **form.validated_data,
        )
        return _shown(request, refund.code, status=201)


class Approve(APIView):
    """A refund that waits."""

    permission_classes = _APPROVE

    @extend_schema(request=None, responses={200: shapes.OneRefundOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Grant it."""
        refunds.approve(hospital=hospital(request), refund=_find(code), by=person(request), now=now())
        return _shown(request, code)


class Decline(APIView):
    """A refund that waits."""

    permission_classes = _APPROVE

    @extend_schema(request=shapes.DeclineIn, responses={200: shapes.OneRefundOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Refuse it."""
        form = shapes.DeclineIn(data=request.data)
        form.is_valid(raise_exception=True)
        refunds.decline(refund=_find(code), by=person(request), **form.validated_data)
        return _shown(request, code)


class PayOut(APIView):
    """A granted refund at the desk."""

    permission_classes = _GIVE

    @extend_schema(request=shapes.PayOutIn, responses={200: shapes.OneRefundOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Hand the money out."""
        form = shapes.PayOutIn(data=request.data)
        form.is_valid(raise_exception=True)
        refunds.pay_out(refund=_find(code), by=person(request), now=now(), **form.validated_data)
        return _shown(request, code)


class Retry(APIView):
    """A refund that failed."""

    permission_classes = _GIVE

    @extend_schema(request=None, responses={200: shapes.OneRefundOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Try it again."""
        refunds.retry(refund=_find(code), by=person(request), now=now())
        return _shown(request, code)
