"""Insurers' claims, below /api/billing/ of a hospital's host."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires
from accounts.serializers import Problem
from billing import steps
from billing.api.bills import REFUSED
from billing.filters import ClaimFilter
from billing.forms.claims import FORMS
from billing.models import InsuranceClaim, Invoice
from billing.serializers import claims as shapes
from billing.services import insurance
from billing.steps import ClaimStep
from core.rest import cleaned, person


def _shown(request: Request, code: UUID, *, status: int = 200) -> Response:
    """The claim on a bill as it is now."""
    claim = get_object_or_404(InsuranceClaim.objects.with_bills(), invoice__code=code)
    return Response(shapes.ClaimOut(claim, context={"request": request}).data, status=status)


class Claims(generics.ListAPIView[InsuranceClaim]):
    """Claims that are not decided and paid yet, the oldest first; with `status` those of one status."""

    permission_classes = [Requires(Permission.INVOICE_VIEW)]
    serializer_class = shapes.ClaimOut
    filterset_class = ClaimFilter
    queryset = InsuranceClaim.objects.none()  # what is listed; which, see below

    def get_queryset(self) -> QuerySet[InsuranceClaim]:
        """All of the hospital."""
        return InsuranceClaim.objects.with_bills().oldest_first()


class Cover(APIView):
    """The insurance of a bill."""

    permission_classes = [Requires(Permission.INVOICE_EDIT)]

    @extend_schema(responses={200: shapes.ClaimOut, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """Read it."""
        return _shown(request, code)

    @extend_schema(request=shapes.CoverIn, responses={200: shapes.ClaimOut, 201: shapes.ClaimOut, **REFUSED})
    def put(self, request: Request, code: UUID) -> Response:
        """Write down who insures the patient for this bill, or correct it as long as the claim is not sent."""
        invoice = get_object_or_404(Invoice, code=code)
        form = shapes.CoverIn(data=request.data)
        form.is_valid(raise_exception=True)
        said = insurance.Cover(**form.validated_data)
        claim = InsuranceClaim.objects.filter(invoice=invoice).first()
        if claim is None:
            insurance.note(invoice=invoice, cover=said, by=person(request), now=now())
            return _shown(request, code, status=201)
        insurance.change(claim=claim, cover=said, by=person(request))
        return _shown(request, code)


_STEP = OpenApiParameter("step", str, OpenApiParameter.PATH, enum=[step.value for step in FORMS])


class TakeStep(APIView):
    """One step in the life of a claim. `may` of the claim says which are possible."""

    permission_classes = [Requires(Permission.INVOICE_EDIT)]

    @extend_schema(parameters=[_STEP], request=shapes.ClaimStepIn, responses={200: shapes.ClaimOut, **REFUSED})
    def post(self, request: Request, code: UUID, step: str) -> Response:
        """Write down what the insurer said or was told."""
        if step not in FORMS:
            raise Http404
        claim = get_object_or_404(InsuranceClaim, invoice__code=code)
        taken = ClaimStep(step)
        steps.take(taken, claim=claim, by=person(request), now=now(), **cleaned(FORMS[taken](request.data)))
        return _shown(request, code)
