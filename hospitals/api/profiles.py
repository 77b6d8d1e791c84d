"""/api/doctors/ of a hospital's host: doctors as patients see them, and the profiles behind that."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, parsers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires
from accounts.serializers import Problem
from core.rest import cleaned, hospital, person
from core.visits import VisitKind
from hospitals.api import profile_shapes as shapes
from hospitals.filters import DoctorFilter
from hospitals.forms.profiles import CheckedProfileForm, ProfileForm, present
from hospitals.models import Doctor, doctors
from hospitals.services.doctors import profile
from hospitals.services.doctors.cards import Card, cards

PUBLIC = [Requires(Permission.PUBLIC)]
FORMS = [parsers.JSONParser, parsers.MultiPartParser, parsers.FormParser]
CHANGED = {200: shapes.ProfileOut, 400: Problem, 404: Problem, 409: Problem}
FILTERS = [
    OpenApiParameter("q", str, description="Words as a patient types them: a name, a specialty, a symptom."),
    OpenApiParameter("department", str, description="The slug of a department."),
    OpenApiParameter("kind", str, enum=VisitKind.values),
]


@extend_schema(parameters=FILTERS)
class Doctors(generics.ListAPIView[Doctor]):
    """The doctors patients can book here; who is free first comes first."""

    permission_classes = PUBLIC
    serializer_class: type[shapes.DoctorOut] = shapes.DoctorOut  # type: ignore[assignment]  # of a card
    filter_backends = []

    def get_queryset(self) -> doctors.Doctors:
        """Those that match the filters."""
        chosen = self.chosen()
        cleaned(chosen.form)
        found: doctors.Doctors = chosen.qs
        return found.with_people().earliest_first(chosen.kind_asked)

    def chosen(self) -> DoctorFilter:
        """What is looked for."""
        return DoctorFilter(self.request.query_params, Doctor.objects.bookable())

    def paginate_queryset(self, queryset: Any) -> list[Any]:
        """The cards of one page."""
        return cards(super().paginate_queryset(queryset) or [], now=now(), kind=self.chosen().kind_asked)


@extend_schema(
    parameters=[
        *FILTERS,
        OpenApiParameter("date", str, description="A day by the hospital's calendar, like 2026-11-23."),
        OpenApiParameter("on", str, description="The same as `date`."),
    ]
)
class Available(Doctors):
    """Doctors with a free time, on any or one day; who is free first comes first. Each with the times of that day."""

    serializer_class = shapes.AvailableDoctor

    def get_queryset(self) -> doctors.Doctors:
        """Those of whom a free time is known."""
        return super().get_queryset().with_times()

    def get_serializer_context(self) -> dict[str, Any]:
        """With the day that was asked for."""
        return {**super().get_serializer_context(), "day": self.chosen().day_asked}


class OneDoctor(APIView):
    """One doctor, as patients see them."""

    permission_classes = PUBLIC

    @extend_schema(responses={200: shapes.DoctorOut, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """Read one doctor whom patients can book."""
        doctor = get_object_or_404(Doctor.objects.bookable().with_people(), code=code)
        return Response(shapes.DoctorOut(_card(doctor), context={"request": request}).data)


class OwnProfile(APIView):
    """The profile of the doctor who asks."""

    permission_classes = [Requires(Permission.OWN_DAY)]
    parser_classes = FORMS

    @extend_schema(responses={200: shapes.ProfileOut, 404: Problem})
    def get(self, request: Request) -> Response:
        """Read it; 404 for somebody who is no verified doctor here."""
        return _shown(request, _own(request))

    @extend_schema(request=shapes.ProfileIn, responses=CHANGED)
    def put(self, request: Request) -> Response:
        """Replace it: what is left out is emptied. The photo stays unless a new one is sent."""
        return _changed(request, _own(request), ProfileForm)

    @extend_schema(request=shapes.ProfileIn, responses=CHANGED)
    def patch(self, request: Request) -> Response:
        """Change what is sent, and nothing else."""
        return _changed(request, _own(request), ProfileForm, is_partial=True)


class OneProfile(APIView):
    """The profile of any verified doctor, for the office."""

    permission_classes = [Requires(Permission.DOCTOR_PROFILE_EDIT)]
    parser_classes = FORMS

    @extend_schema(responses={200: shapes.ProfileOut, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """Read it, also of a doctor whom patients do not find."""
        return _shown(request, _doctor(code))

    @extend_schema(request=shapes.CheckedProfileIn, responses=CHANGED)
    def put(self, request: Request, code: UUID) -> Response:
        """Replace it, with what the hospital has checked. The photo stays unless a new one is sent."""
        return _changed(request, _doctor(code), CheckedProfileForm)

    @extend_schema(request=shapes.CheckedProfileIn, responses=CHANGED)
    def patch(self, request: Request, code: UUID) -> Response:
        """Change what is sent, and nothing else."""
        return _changed(request, _doctor(code), CheckedProfileForm, is_partial=True)


def _own(request: Request) -> Doctor:
    return get_object_or_404(Doctor.objects.of(person(request)).with_people())


def _doctor(code: UUID) -> Doctor:
    return get_object_or_404(Doctor.objects.verified().with_people(), code=code)


def _changed(request: Request, doctor: Doctor, form_of: type[ProfileForm], *, is_partial: bool = False) -> Response:
    """Change the profile by the rules of the page's form, and show it."""
    form = form_of.of_api(request.data, request.FILES, present(doctor, form_of) if is_partial else {})
    cleaned(form)
    profile.change(hospital=hospital(request), doctor=doctor, by=person(request), **form.asked())
    return _shown(request, doctor)


def _shown(request: Request, doctor: Doctor) -> Response:
    context = {"request": request, "standing": profile.standing(doctor)}
    return Response(shapes.ProfileOut(_card(doctor), context=context).data)


def _card(doctor: Doctor) -> Card:
    [card] = cards([doctor], now=now())
    return card
