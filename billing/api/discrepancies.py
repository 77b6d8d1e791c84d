"""What does not match, and comparisons, below /api/billing/ of a hospital's host."""

from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires
from accounts.serializers import Problem
from billing.api.bills import REFUSED
from billing.filters import DiscrepancyApiFilter
from billing.forms.discrepancies import Explanation, Owner, SettlementFile, keepers
from billing.models import Discrepancy, Reconciliation
from billing.serializers import discrepancies as shapes
from billing.services import discrepancies, reconciling, settlement_files
from core.rest import cleaned, hospital, person

VIEW = [Requires(Permission.MONEY_VIEW)]


def _find(code: UUID) -> Discrepancy:
    return get_object_or_404(Discrepancy.objects.with_things(), code=code)


def _shown(request: Request, code: UUID) -> Response:
    """It as it is now."""
    return Response(shapes.DiscrepancyOut(_find(code), context={"request": request}).data)


class Discrepancies(generics.ListAPIView[Discrepancy]):
    """What does not match, the longest known first; with `explained=true` what is explained."""

    permission_classes = VIEW
    serializer_class = shapes.DiscrepancyOut
    filterset_class = DiscrepancyApiFilter
    queryset = Discrepancy.objects.none()  # what is listed; which, see below

    def get_queryset(self) -> QuerySet[Discrepancy]:
        """All of the hospital."""
        return Discrepancy.objects.with_things().oldest_first()


class OneDiscrepancy(APIView):
    """One of it."""

    permission_classes = VIEW

    @extend_schema(responses={200: shapes.DiscrepancyOut, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """Read it."""
        return _shown(request, code)


class Take(APIView):
    """Looking after it."""

    permission_classes = VIEW

    @extend_schema(request=shapes.TakeIn, responses={200: shapes.DiscrepancyOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Look after it, or hand it to a colleague who sees all money."""
        row = _find(code)
        said = cleaned(Owner({"owner": request.data.get("owner", person(request).code)}))
        discrepancies.take(discrepancy=row, by=person(request), **said)
        return _shown(request, code)


class Owners(APIView):
    """Who can look after it."""

    permission_classes = VIEW

    @extend_schema(responses={200: shapes.PersonNamed(many=True)})
    def get(self, request: Request) -> Response:
        """Those who see all money, by name."""
        return Response(shapes.PersonNamed(keepers(), many=True).data)


class Explain(APIView):
    """Its explanation."""

    permission_classes = VIEW

    @extend_schema(request=shapes.ExplanationIn, responses={200: shapes.DiscrepancyOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Take it off the list with a word of explanation, which is kept."""
        row = _find(code)
        discrepancies.resolve(discrepancy=row, by=person(request), now=now(), **cleaned(Explanation(request.data)))
        return _shown(request, code)


class Book(APIView):
    """A refund that was made in the gateway's dashboard."""

    permission_classes = [Requires(Permission.REFUND_GIVE)]

    @extend_schema(request=shapes.ExplanationIn, responses={200: shapes.DiscrepancyOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Take it into the books, with a credit note over as much of the bill."""
        row, said = _find(code), cleaned(Explanation(request.data))
        discrepancies.book_refund(hospital=hospital(request), discrepancy=row, by=person(request), now=now(), **said)
        return _shown(request, code)


class Reconciliations(generics.ListAPIView[Reconciliation]):
    """Comparisons of the gateway with the books, the newest first."""

    permission_classes = VIEW
    serializer_class = shapes.ReconciliationOut
    queryset = Reconciliation.objects.none()  # what is listed; which, see below

    def get_queryset(self) -> QuerySet[Reconciliation]:
        """All of the hospital."""
        return Reconciliation.objects.newest_first()

    @extend_schema(request=None, responses={202: shapes.ReconciliationOut, 409: Problem})
    def post(self, request: Request) -> Response:
        """Have everything compared now; this list says how far it is. Refused while that is being done."""
        return Response(shapes.ReconciliationOut(reconciling.ask(now=now())).data, status=202)


class SettlementReport(APIView):
    """The settlement report."""

    permission_classes = VIEW
    parser_classes = [MultiPartParser]

    @extend_schema(request=shapes.FileIn, responses={200: shapes.TakenOut, **REFUSED})
    def post(self, request: Request) -> Response:
        """Take in every line of it, or nothing: then `faults` says what is wrong in which row."""
        content = cleaned(SettlementFile(request.data, request.FILES))["file"]
        taken = settlement_files.take_in(hospital=hospital(request), content=content, by=person(request), now=now())
        return Response(shapes.TakenOut(taken).data)
