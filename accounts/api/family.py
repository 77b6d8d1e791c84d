"""/api/auth/family/: the people somebody looks after, for whom they book."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.forms.family import FamilyForm
from accounts.models import FamilyMember
from accounts.permissions import Permission, Requires
from accounts.serializers import Problem
from accounts.serializers.family import FamilyMemberIn, FamilyMemberOut
from accounts.services import family as services
from core.rest import cleaned, person

OWN = [Requires(Permission.OWN_ACCOUNT)]


def _form(request: Request, present: dict[str, Any] | None = None) -> FamilyForm:
    """The page's form over what was sent, with the name that other endpoints use for the date of birth."""
    said = {"birth_date" if name == "date_of_birth" else name: value for name, value in request.data.items()}
    return FamilyForm({**(present or {}), **said})


def _find(request: Request, code: UUID) -> FamilyMember:
    return get_object_or_404(FamilyMember.objects.of(person(request)), code=code)


class Family(generics.ListAPIView[FamilyMember]):
    """Everybody one looks after."""

    permission_classes = OWN
    serializer_class = FamilyMemberOut
    filter_backends = []
    queryset = FamilyMember.objects.none()

    def get_queryset(self) -> QuerySet[FamilyMember]:
        """One's own, the first added first."""
        return FamilyMember.objects.of(person(self.request))

    @extend_schema(request=FamilyMemberIn, responses={201: FamilyMemberOut, 400: Problem, 409: Problem})
    def post(self, request: Request) -> Response:
        """Add somebody."""
        member = services.add(user=person(request), by=person(request), **cleaned(_form(request)))
        return Response(FamilyMemberOut(member).data, status=201)


class OneFamilyMember(APIView):
    """Somebody one looks after."""

    permission_classes = OWN

    @extend_schema(responses={200: FamilyMemberOut, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """Read what is said of them."""
        return Response(FamilyMemberOut(_find(request, code)).data)

    @extend_schema(
        request=FamilyMemberIn(partial=True),
        responses={200: FamilyMemberOut, 400: Problem, 404: Problem, 409: Problem},
    )
    def patch(self, request: Request, code: UUID) -> Response:
        """Correct it; hospitals that know them already keep what stands in their own register."""
        member = _find(request, code)
        present = {name: getattr(member, name) for name in FamilyForm.base_fields}
        services.change(member=member, by=person(request), **cleaned(_form(request, present)))
        return Response(FamilyMemberOut(member).data)

    @extend_schema(responses={204: None, 404: Problem})
    def delete(self, request: Request, code: UUID) -> Response:
        """Remove somebody; their visits stay."""
        services.remove(member=_find(request, code), by=person(request))
        return Response(status=204)
