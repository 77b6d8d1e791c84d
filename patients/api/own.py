"""/api/patients/me/ of a hospital's host: what it knows of oneself and one's family."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires
from accounts.serializers import Problem
from core.errors import Missing
from core.rest import cleaned, person
from patients import serializers
from patients.forms import OwnDetails, present
from patients.models import Patient
from patients.services import register

OWN = [Requires(Permission.OWN_ACCOUNT)]


def _form(request: Request, patient: Patient) -> dict[str, Any]:
    """What the page's form makes of what was sent, over what is known."""
    return cleaned(OwnDetails({**present(patient, OwnDetails), **serializers.with_our_names(request.data)}))


class Me(APIView):
    """Oneself as a patient of this hospital."""

    permission_classes = OWN

    @extend_schema(responses={200: serializers.OwnRegister, 404: Problem})
    def get(self, request: Request) -> Response:
        """Read what this hospital knows of oneself and one's family; 404 for somebody who is no patient here yet."""
        return _own(request)

    @extend_schema(
        request=serializers.OwnPatientIn(partial=True), responses={200: serializers.OwnRegister, 400: Problem}
    )
    def put(self, request: Request) -> Response:
        """Say who one is; makes one a patient here. What is left out stays as it was."""
        user = person(request)
        known = Patient.objects.of(user).filter(family_member__isnull=True).first()
        unknown = Patient(name=str(user), email=user.email, phone=user.phone)
        register.for_oneself(user=user, details=_form(request, known or unknown))
        return _own(request)


def _own(request: Request) -> Response:
    rows = list(Patient.objects.looked_after_by(person(request)))
    oneself = [row for row in rows if row.family_member is None]
    if not oneself:
        raise Missing(_("You are not a patient here yet. Book a visit, or send your details."))
    shown: Any = oneself[0]
    shown.family = [row for row in rows if row.family_member is not None]
    return Response(serializers.OwnRegister(shown).data)


class OneOfMine(APIView):
    """Oneself, or a member of one's family, as a patient of this hospital."""

    permission_classes = OWN

    @extend_schema(operation_id="patients_mine_retrieve", responses={200: serializers.OwnPatient, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """Read what this hospital knows."""
        return Response(serializers.OwnPatient(_mine(request, code)).data)

    @extend_schema(
        operation_id="patients_mine_update",
        request=serializers.OwnPatientIn(partial=True),
        responses={200: serializers.OwnPatient, 400: Problem, 404: Problem},
    )
    def put(self, request: Request, code: UUID) -> Response:
        """Correct it; what is left out stays."""
        patient = _mine(request, code)
        register.change(patient=patient, details=_form(request, patient), by=person(request))
        return Response(serializers.OwnPatient(patient).data)


def _mine(request: Request, code: UUID) -> Patient:
    return get_object_or_404(Patient.objects.looked_after_by(person(request)), code=code)
