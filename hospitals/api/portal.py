"""/api/ of the portal: the list of hospitals, registration, and the superadmin's decisions."""

from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, parsers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires
from accounts.serializers import Problem
from audit.models import AuditLog
from core.rest import address, person
from directory.models import HospitalListing
from hospitals import serializers
from hospitals.filters import AuditLogApiFilter
from hospitals.services import joining
from hospitals.services.joining import Registration
from tenants import services as tenants
from tenants.models import Hospital


@extend_schema(
    parameters=[
        OpenApiParameter("q", str, description="Words in name, city, state or departments."),
        OpenApiParameter("city", str),
    ]
)
class HospitalList(generics.ListAPIView[HospitalListing]):
    """Open hospitals, by name."""

    permission_classes = [Requires(Permission.PUBLIC)]
    serializer_class = serializers.ListedHospital

    def get_queryset(self) -> QuerySet[HospitalListing]:
        """Those that match `q` and `city`."""
        asked = self.request.query_params
        return (
            HospitalListing.objects.published()
            .matching(asked.get("q", ""))
            .in_city(asked.get("city", ""))
            .with_details()
        )


class HospitalDetail(generics.RetrieveAPIView[HospitalListing]):
    """One open hospital."""

    permission_classes = [Requires(Permission.PUBLIC)]
    serializer_class = serializers.ListedHospital
    lookup_field = "hospital__code"
    lookup_url_kwarg = "code"
    queryset = HospitalListing.objects.published().with_details()


class Register(APIView):
    """Ask to join the platform."""

    permission_classes = [Requires(Permission.PUBLIC)]
    authentication_classes = []
    parser_classes = [parsers.JSONParser, parsers.MultiPartParser, parsers.FormParser]

    @extend_schema(
        request=serializers.Registration,
        responses={201: serializers.Registered, 400: Problem, 409: Problem, 429: Problem},
    )
    def post(self, request: Request) -> Response:
        """Register: the hospital is pending until a superadmin decides."""
        form = serializers.Registration(data=request.data)
        form.is_valid(raise_exception=True)
        fields = form.validated_data
        hospital = joining.register(
            logo=fields.pop("logo", None), registration=Registration(**fields), address=address(request)
        )
        return Response(serializers.Registered(hospital, context={"request": request}).data, status=201)


class PendingHospitals(generics.ListAPIView[Hospital]):
    """The queue, oldest first."""

    permission_classes = [Requires(Permission.HOSPITAL_REVIEW)]
    serializer_class = serializers.Registered
    queryset = Hospital.objects.filter(status=Hospital.Status.PENDING).order_by("created_at", "pk")


class Approve(APIView):
    """Open a hospital."""

    permission_classes = [Requires(Permission.HOSPITAL_REVIEW)]

    @extend_schema(request=None, responses={200: serializers.Registered, 404: Problem, 409: Problem})
    def post(self, request: Request, code: UUID) -> Response:
        """Approve: schema, host, admin and invitation come into being together."""
        hospital = get_object_or_404(Hospital, code=code)
        joining.approve(hospital=hospital, by=person(request), now=now())
        return Response(serializers.Registered(hospital, context={"request": request}).data)


class Reject(APIView):
    """Turn a registration down."""

    permission_classes = [Requires(Permission.HOSPITAL_REVIEW)]

    @extend_schema(request=serializers.Reason, responses={200: serializers.Registered, 404: Problem, 409: Problem})
    def post(self, request: Request, code: UUID) -> Response:
        """Reject with a reason, which the hospital is sent."""
        hospital = get_object_or_404(Hospital, code=code)
        form = serializers.Reason(data=request.data)
        form.is_valid(raise_exception=True)
        joining.reject(hospital=hospital, by=person(request), **form.validated_data)
        return Response(serializers.Registered(hospital, context={"request": request}).data)


class Suspend(APIView):
    """Close a hospital for the time being."""

    permission_classes = [Requires(Permission.HOSPITAL_REVIEW)]

    @extend_schema(request=serializers.Reason, responses={200: serializers.Registered, 404: Problem, 409: Problem})
    def post(self, request: Request, code: UUID) -> Response:
        """Suspend with a reason, which the hospital is sent."""
        hospital = get_object_or_404(Hospital, code=code)
        form = serializers.Reason(data=request.data)
        form.is_valid(raise_exception=True)
        joining.suspend(hospital=hospital, by=person(request), **form.validated_data)
        return Response(serializers.Registered(hospital, context={"request": request}).data)


class Resume(APIView):
    """Open a suspended hospital again."""

    permission_classes = [Requires(Permission.HOSPITAL_REVIEW)]

    @extend_schema(request=serializers.Reason, responses={200: serializers.Registered, 404: Problem, 409: Problem})
    def post(self, request: Request, code: UUID) -> Response:
        """Resume with a reason."""
        hospital = get_object_or_404(Hospital, code=code)
        form = serializers.Reason(data=request.data)
        form.is_valid(raise_exception=True)
        joining.resume(hospital=hospital, by=person(request), **form.validated_data)
        return Response(serializers.Registered(hospital, context={"request": request}).data)


class CallOffDeletion(APIView):
    """The planned deletion of a suspended hospital's data."""

    permission_classes = [Requires(Permission.HOSPITAL_REVIEW)]

    @extend_schema(request=None, responses={200: serializers.Registered, 404: Problem, 409: Problem})
    def post(self, request: Request, code: UUID) -> Response:
        """Call it off: the hospital stays suspended, and its data is kept."""
        hospital = get_object_or_404(Hospital, code=code)
        tenants.call_off_deletion(hospital=hospital, by=person(request))
        return Response(serializers.Registered(hospital, context={"request": request}).data)


class AuditLogs(generics.ListAPIView[AuditLog]):
    """The audit log of this host: the platform's on the portal, a hospital's on its own host; newest first."""

    permission_classes = [Requires(Permission.PLATFORM_LOG_VIEW)]
    serializer_class = serializers.AuditRow
    filterset_class = AuditLogApiFilter
    queryset = AuditLog.objects.select_related("user", "supporter").newest_first()
