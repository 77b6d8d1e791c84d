"""/api/billing/figures/ and /api/billing/reports/ of a hospital's host."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires
from accounts.serializers import Problem
from billing.models import Report
from billing.serializers import reports as shapes
from billing.services import figures, reporting
from billing.services.figures import Span
from core import documents
from core.rest import FileView, hospital, person

VIEW = [Requires(Permission.MONEY_VIEW)]
REFUSED = {400: Problem, 403: Problem, 422: Problem}


class Figures(APIView):
    """How the hospital's money stands."""

    permission_classes = VIEW

    @extend_schema(parameters=[shapes.FiguresIn], responses={200: shapes.FiguresOut, **REFUSED})
    def get(self, request: Request) -> Response:
        """What came in, was billed and went back, what is owed, and what waits for somebody."""
        asked = shapes.FiguresIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = figures.of(hospital=hospital(request), span=Span(asked.validated_data["period"]), now=now())
        return Response(shapes.FiguresOut(found).data)


class Preview(APIView):
    """A report at a glance."""

    permission_classes = VIEW

    @extend_schema(parameters=[shapes.ReportChoice], responses={200: shapes.TableOut(many=True), **REFUSED})
    def get(self, request: Request) -> Response:
        """Its tables, of each the first lines."""
        asked = shapes.ReportChoice(data=request.query_params)
        asked.is_valid(raise_exception=True)
        shown = reporting.preview(hospital=hospital(request), **asked.validated_data)
        return Response(shapes.TableOut(shown, many=True).data)


class Reports(generics.ListAPIView[Report]):
    """Reports that were asked for as files, the newest first."""

    permission_classes = VIEW
    serializer_class = shapes.ReportOut

    def get_queryset(self) -> QuerySet[Report]:
        """Those that are kept."""
        return Report.objects.select_related("created_by").newest_first()

    @extend_schema(request=shapes.ReportIn, responses={202: shapes.ReportOut, **REFUSED})
    def post(self, request: Request) -> Response:
        """Have one made. Ask for it again until its state is `done` or `failed`."""
        asked = shapes.ReportIn(data=request.data)
        asked.is_valid(raise_exception=True)
        said = dict(asked.validated_data)
        report = reporting.ask(
            hospital=hospital(request), file_format=said.pop("format"), by=person(request), now=now(), **said
        )
        return _shown(request, report.code, status=202)


class OneReport(APIView):
    """One report."""

    permission_classes = VIEW

    @extend_schema(responses={200: shapes.ReportOut, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """How far it is, and where its file is."""
        return _shown(request, code)


class Again(APIView):
    """A report that failed."""

    permission_classes = VIEW

    @extend_schema(request=None, responses={202: shapes.ReportOut, 404: Problem, 409: Problem})
    def post(self, request: Request, code: UUID) -> Response:
        """Have it made again."""
        reporting.again(report=get_object_or_404(Report, code=code), by=person(request), now=now())
        return _shown(request, code, status=202)


class ReportFile(FileView):
    """The file of a report."""

    permission_classes = VIEW

    @extend_schema(responses={200: OpenApiTypes.BINARY, 404: Problem})
    def get(self, request: Request, code: UUID) -> FileResponse:
        """Take it. That it was taken stands in the log."""
        report = get_object_or_404(Report, code=code, state=Report.State.DONE)
        reporting.opened(report=report, by=person(request))
        return documents.answer(
            path=report.path,
            name=reporting.file_name(hospital(request), report),
            content_type=reporting.content_type(report),
            is_kept=True,
        )


def _shown(request: Request, code: UUID, status: int = 200) -> Response:
    report = get_object_or_404(Report.objects.select_related("created_by"), code=code)
    return Response(shapes.ReportOut(report, context={"request": request}).data, status=status)
