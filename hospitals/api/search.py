"""/api/doctors/ of the portal: the doctors of all open hospitals."""

from datetime import UTC
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires
from accounts.serializers import Problem
from core.hosts import hospital_url
from core.languages import Language
from core.rest import LongPagination, cleaned
from core.visits import VisitKind
from directory.models import DoctorListing, DoctorListings
from directory.specialties import SPECIALTIES
from hospitals.forms.search import DoctorApiSearch

PUBLIC = [Requires(Permission.PUBLIC)]
FILTERS = [
    OpenApiParameter(
        "q", str, description="Words as a patient types them: specialty, symptom, doctor, hospital, city."
    ),
    OpenApiParameter("specialty", str, enum=[one.slug for one in SPECIALTIES]),
    OpenApiParameter("city", str),
    OpenApiParameter("hospital", str, description="The subdomain of a hospital."),
    OpenApiParameter("hospital_id", UUID),
    OpenApiParameter("department", str, description="The name of a department."),
    OpenApiParameter("language", str, enum=Language.values),
    OpenApiParameter("kind", str, enum=VisitKind.values),
    OpenApiParameter("fee_from", float, description="The lowest fee, in rupees: of the kind, or of any kind of visit."),
    OpenApiParameter("fee_to", float),
    OpenApiParameter("experience", int, description="At least so many years."),
    OpenApiParameter("date", str, description="A day with a free time, by the hospital's calendar, like 2026-11-23."),
]


# Doctors of several zones stand in one list: times are given in UTC.
_INSTANT = serializers.DateTimeField(default_timezone=UTC)


class HospitalOfDoctor(serializers.Serializer[Any]):
    """Where a doctor works."""

    id = serializers.UUIDField(source="code")
    name = serializers.CharField()
    slug = serializers.CharField()
    city = serializers.CharField()
    time_zone = serializers.CharField()


class FoundFreeTime(serializers.Serializer[Any]):
    """A time that can be booked, and for which kinds of visit."""

    starts_at = serializers.DateTimeField(default_timezone=UTC)
    kinds = serializers.ListField(child=serializers.ChoiceField(VisitKind.choices))


class FoundDoctor(serializers.Serializer[DoctorListing]):
    """A doctor of an open hospital. A fee of null means that this kind of visit is not offered.

    `consultation_fee` is the lowest fee that can be asked, in rupees; `free_times` are the next ones for the kind that
    was asked for, on the day that was asked for. `site` is where a time is booked.
    """

    id = serializers.UUIDField(source="code")
    name = serializers.CharField()
    specialization = serializers.CharField()
    qualifications = serializers.CharField()
    department = serializers.CharField()
    experience_years = serializers.IntegerField(allow_null=True)
    languages = serializers.ListField(child=serializers.ChoiceField(Language.choices))
    fee_in_person = serializers.DecimalField(10, 2, allow_null=True)
    fee_video = serializers.DecimalField(10, 2, allow_null=True)
    fee_chat = serializers.DecimalField(10, 2, allow_null=True)
    consultation_fee = serializers.DecimalField(10, 2, allow_null=True, source="lowest_fee")
    consultation_types = serializers.SerializerMethodField()
    is_verified = serializers.SerializerMethodField()
    hospital = HospitalOfDoctor()
    hospital_id = serializers.UUIDField(source="hospital.code")
    site = serializers.SerializerMethodField()
    next_free_at = serializers.SerializerMethodField()
    free_times = serializers.SerializerMethodField()

    def get_consultation_types(self, doctor: DoctorListing) -> list[str]:
        """The kinds of visit that are offered."""
        return [str(kind) for kind in doctor.fees]

    def get_is_verified(self, doctor: DoctorListing) -> bool:
        """Every doctor who is found has been verified by the hospital."""
        return True

    def get_site(self, doctor: DoctorListing) -> str:
        """The doctor's page on the hospital's own host."""
        return hospital_url(doctor.hospital.slug, "doctor_page", doctor.code)

    def get_next_free_at(self, doctor: DoctorListing) -> str | None:
        """The earliest time for the kind that was asked for."""
        free = doctor.free_by_day(self.context["now"], self.context["wanted"].kind, days=1, times=1)
        return _INSTANT.to_representation(free[0].times[0].starts_at) if free else None

    def get_free_times(self, doctor: DoctorListing) -> list[dict[str, Any]]:
        """The times of the first day that has any, at most 20."""
        wanted = self.context["wanted"]
        free = doctor.free_by_day(self.context["now"], wanted.kind, since=wanted.day, days=1, times=20)
        times = [time for day in free for time in day.times]
        shapes = [{"starts_at": time.starts_at, "kinds": sorted(time.kinds)} for time in times]
        return list(FoundFreeTime(shapes, many=True).data)


@extend_schema(parameters=FILTERS, responses={200: FoundDoctor(many=True), 400: Problem})
class DoctorList(generics.ListAPIView[DoctorListing]):
    """Doctors of all open hospitals; who is free first comes first."""

    permission_classes = PUBLIC
    serializer_class = FoundDoctor
    pagination_class = LongPagination
    filter_backends = []

    def get_queryset(self) -> DoctorListings:
        """Those that match the filters."""
        wanted = self.search.wanted()
        return DoctorListing.objects.published().wanted(wanted).with_hospital().earliest_first(wanted.kind)

    @property
    def search(self) -> DoctorApiSearch:
        """What is looked for; a filter that makes no sense is refused."""
        search = DoctorApiSearch(self.request.query_params)
        cleaned(search)
        return search

    def get_serializer_context(self) -> dict[str, Any]:
        """With what was asked for."""
        return {**super().get_serializer_context(), "now": now(), "wanted": self.search.wanted()}


class AvailableDoctors(DoctorList):
    """Doctors of whom a free time is known."""

    def get_queryset(self) -> DoctorListings:
        """Those with a time of the kind that was asked for."""
        return super().get_queryset().with_times(self.search.wanted().kind)


class OneDoctor(APIView):
    """One doctor of an open hospital."""

    permission_classes = PUBLIC

    @extend_schema(responses={200: FoundDoctor, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """As in the list."""
        doctor = get_object_or_404(DoctorListing.objects.published().with_hospital(), code=code)
        context = {"request": request, "now": now(), "wanted": DoctorApiSearch({}).wanted()}
        return Response(FoundDoctor(doctor, context=context).data)
