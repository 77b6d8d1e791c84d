"""/api/patients/ of a hospital's host: its register, for the people who work with patients."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.forms import Form
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires, role_of
from accounts.serializers import Problem
from core.rest import cleaned, person
from patients import serializers
from patients.filters import PatientFilter
from patients.forms import Blocking, Clinical, Details, Registration, present
from patients.models import Patient, Patients
from patients.services import merging
from patients.services import register as services

READ, EDIT = Requires(Permission.PATIENT_VIEW), Requires(Permission.PATIENT_EDIT)
CLINICAL = [Requires(Permission.PATIENT_CLINICAL)]
MERGE = [Requires(Permission.PATIENT_MERGE)]
REFUSED = {404: Problem, 409: Problem}


def permission_of(request: Request) -> type[BasePermission]:
    """Reading asks for less than changing."""
    return READ if request.method in ("GET", "HEAD", "OPTIONS") else EDIT


def _visible(request: Request) -> Patients:
    return Patient.objects.visible_to(person(request), role_of(request, person(request)))


def _find(request: Request, code: UUID) -> Patient:
    return get_object_or_404(_visible(request), code=code)


def _shown(request: Request, patient: Patient, status: int = 200) -> Response:
    return Response(serializers.PatientOut(patient, context={"request": request}).data, status=status)


def _changed(request: Request, patient: Patient, kind: type[Form]) -> dict[str, Any]:
    """What the page's form makes of what was sent, over what stands in the register."""
    sent = serializers.with_our_names(request.data)
    said = {**present(patient, kind), **sent}
    if "birth_date" in sent:
        said.pop("age", None)
    elif "age" in sent:
        said.pop("birth_date", None)
    return cleaned(kind(said))


class PatientList(generics.ListAPIView[Patient]):
    """The register."""

    permission_classes = [READ]
    serializer_class = serializers.PatientRow
    filterset_class = PatientFilter
    queryset = Patient.objects.none()

    def get_permissions(self) -> list[BasePermission]:
        """By method."""
        return [permission_of(self.request)()]

    def get_queryset(self) -> QuerySet[Patient]:
        """Everybody, by name."""
        return _visible(self.request).by_name()

    @extend_schema(
        request=serializers.NewPatient,
        responses={201: serializers.PatientOut, 400: Problem, 409: serializers.Doubles},
    )
    def post(self, request: Request) -> Response:
        """Register somebody; refused with candidates when it may be somebody known, unless `is_new` is true."""
        form = Registration(serializers.with_our_names(request.data))
        is_new = cleaned(form)["is_new"]
        patient = services.register(details=form.details, by=person(request), is_new=is_new)
        return _shown(request, patient, status=201)


class OnePatient(APIView):
    """One entry of the register."""

    permission_classes = [READ]

    def get_permissions(self) -> list[BasePermission]:
        """By method."""
        return [permission_of(self.request)()]

    @extend_schema(responses={200: serializers.PatientOut, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """Read what is known of a patient."""
        return _shown(request, _find(request, code))

    @extend_schema(request=serializers.PatientIn(partial=True), responses={200: serializers.PatientOut, **REFUSED})
    def patch(self, request: Request, code: UUID) -> Response:
        """Correct who they are and how they are reached; what is left out stays."""
        patient = _find(request, code)
        services.change(patient=patient, details=_changed(request, patient, Details), by=person(request))
        return _shown(request, patient)


class ClinicalFacts(APIView):
    """What must be known before a visit."""

    permission_classes = CLINICAL

    @extend_schema(request=serializers.ClinicalFacts(partial=True), responses={200: serializers.PatientOut, **REFUSED})
    def patch(self, request: Request, code: UUID) -> Response:
        """Write down blood group, allergies and conditions; what is left out stays."""
        patient = _find(request, code)
        services.change(patient=patient, details=_changed(request, patient, Clinical), by=person(request))
        return _shown(request, patient)


class MergeInto(APIView):
    """Two entries that are one person."""

    permission_classes = MERGE

    @extend_schema(request=serializers.Into, responses={200: serializers.PatientOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Merge this entry into another one, which is answered; `take` names fields in which this one is right."""
        form = serializers.Into(data=request.data)
        form.is_valid(raise_exception=True)
        kept = _find(request, form.validated_data["into"])
        gone, take = _find(request, code), form.validated_data["take"]
        merging.merge(kept=kept, gone=gone, by=person(request), now=now(), take=take)
        return _shown(request, _find(request, kept.code))


class Unmerge(APIView):
    """A merge that was a mistake."""

    permission_classes = MERGE

    @extend_schema(request=None, responses={200: serializers.PatientOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Make this entry, which was merged into another one, an entry of its own again."""
        gone = get_object_or_404(Patient, code=code)
        merging.unmerge(gone=gone, by=person(request), now=now())
        return _shown(request, _find(request, code))


class Block(APIView):
    """No online booking."""

    permission_classes = MERGE

    @extend_schema(request=serializers.Reason, responses={200: serializers.PatientOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Let a patient book online no more; the desk still books for them."""
        patient = _find(request, code)
        services.block(patient=patient, by=person(request), **cleaned(Blocking(request.data)))
        return _shown(request, patient)


class Unblock(APIView):
    """Online booking again."""

    permission_classes = MERGE

    @extend_schema(request=None, responses={200: serializers.PatientOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Let a patient book online again."""
        patient = _find(request, code)
        services.unblock(patient=patient, by=person(request))
        return _shown(request, patient)
