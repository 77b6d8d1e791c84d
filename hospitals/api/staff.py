"""/api/staff/ of a hospital's host: who works here, as what, and who is invited."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires
from accounts.serializers import Problem
from core.rest import cleaned, hospital, person
from hospitals import serializers
from hospitals.filters import StaffFilter
from hospitals.forms.staff import Deactivation, Invitation, RoleOf
from hospitals.models import Staff
from hospitals.services import staff as services

EDIT = [Requires(Permission.STAFF_EDIT)]
REFUSED = {404: Problem, 409: Problem}


def _find(code: UUID) -> Staff:
    return get_object_or_404(Staff.objects.select_related("user"), code=code)


def _shown(request: Request, code: UUID, status: int = 200) -> Response:
    """Somebody as they stand now."""
    row = Staff.objects.with_two_factor().select_related("user").get(code=code)
    context = {"request": request, "only_admin": services.only_admin()}
    return Response(serializers.StaffOut(row, context=context).data, status=status)


class StaffList(generics.ListAPIView[Staff]):
    """Who works here, and who is invited."""

    permission_classes = EDIT
    serializer_class = serializers.StaffOut
    filterset_class = StaffFilter

    def get_queryset(self) -> QuerySet[Staff]:
        """Everybody, by name."""
        return Staff.objects.with_two_factor().by_name()

    def get_serializer_context(self) -> dict[str, Any]:
        """With the one whom nobody can demote, asked for once."""
        return {**super().get_serializer_context(), "only_admin": services.only_admin()}

    @extend_schema(request=serializers.StaffIn, responses={201: serializers.StaffOut, 409: Problem, 429: Problem})
    def post(self, request: Request) -> Response:
        """Invite somebody by e-mail; their role counts once they have accepted."""
        staff = services.invite(
            hospital=hospital(request), by=person(request), now=now(), **cleaned(Invitation(request.data))
        )
        return _shown(request, staff.code, status=201)


class OneStaffMember(APIView):
    """One person of the staff."""

    permission_classes = EDIT

    @extend_schema(responses={200: serializers.StaffOut, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """Read what somebody is here."""
        return _shown(request, _find(code).code)

    @extend_schema(request=serializers.StaffRole, responses={200: serializers.StaffOut, **REFUSED})
    def patch(self, request: Request, code: UUID) -> Response:
        """Give somebody another role; it counts from their next request."""
        staff = _find(code)
        services.change_role(
            hospital=hospital(request), staff=staff, by=person(request), **cleaned(RoleOf(request.data, staff=staff))
        )
        return _shown(request, code)


class Deactivate(APIView):
    """The end of somebody's work here."""

    permission_classes = EDIT

    @extend_schema(request=serializers.Deactivation, responses={200: serializers.StaffOut, **REFUSED})
    def post(self, request: Request, code: UUID) -> Response:
        """Take somebody's role away at once; every sign-in of theirs in this hospital ends."""
        services.deactivate(
            hospital=hospital(request),
            staff=_find(code),
            by=person(request),
            now=now(),
            **cleaned(Deactivation(request.data)),
        )
        return _shown(request, code)


class Activate(APIView):
    """Back to work."""

    permission_classes = EDIT

    @extend_schema(request=None, responses={200: serializers.StaffOut, **REFUSED, 429: Problem})
    def post(self, request: Request, code: UUID) -> Response:
        """Give somebody their role back; who had never come in gets a new invitation."""
        services.activate(hospital=hospital(request), staff=_find(code), by=person(request), now=now())
        return _shown(request, code)


class StaffInvitation(APIView):
    """The invitation of somebody who has not come in yet."""

    permission_classes = EDIT

    @extend_schema(request=None, responses={202: serializers.StaffOut, **REFUSED, 429: Problem})
    def post(self, request: Request, code: UUID) -> Response:
        """Send the invitation again; the earlier link stops working."""
        services.resend_invitation(hospital=hospital(request), staff=_find(code), by=person(request), now=now())
        return _shown(request, code, status=202)

    @extend_schema(responses={204: None, **REFUSED})
    def delete(self, request: Request, code: UUID) -> Response:
        """Take the invitation back; its link stops working."""
        services.take_back(staff=_find(code), by=person(request), now=now())
        return Response(status=204)
