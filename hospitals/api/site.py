"""/api/ of a hospital's host: its departments, brand and activity."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, parsers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires, is_support, role_of
from accounts.serializers import Problem
from audit.models import AuditLog
from core.rest import hospital, person
from hospitals import serializers
from hospitals.api.portal import AuditLogs
from hospitals.models import Department
from hospitals.services import departments, settings

FORMS = [parsers.JSONParser, parsers.MultiPartParser, parsers.FormParser]
EDIT = Requires(Permission.DEPARTMENT_EDIT)
ANYBODY = Requires(Permission.PUBLIC)


def permission_of(request: Request) -> type[BasePermission]:
    """Reading is for everybody, writing for those who edit departments."""
    return ANYBODY if request.method in ("GET", "HEAD", "OPTIONS") else EDIT


class Departments(generics.ListAPIView[Department]):
    """This hospital's departments, by name. Patients see the active ones, those who edit them all."""

    permission_classes = [ANYBODY]
    serializer_class = serializers.DepartmentOut
    parser_classes = FORMS

    def get_permissions(self) -> list[BasePermission]:
        """By method."""
        return [permission_of(self.request)()]

    def get_queryset(self) -> QuerySet[Department]:
        """What the asker may see."""
        return Department.objects.visible_to(role_of(self.request, self.request.user)).by_name()

    @extend_schema(request=serializers.DepartmentIn, responses={201: serializers.DepartmentOut, 409: Problem})
    def post(self, request: Request) -> Response:
        """Add a department."""
        form = serializers.DepartmentIn(data=request.data)
        form.is_valid(raise_exception=True)
        department = departments.add(hospital=hospital(request), by=person(request), **form.validated_data)
        return Response(serializers.DepartmentOut(department, context={"request": request}).data, status=201)


class OneDepartment(APIView):
    """One department."""

    permission_classes = [ANYBODY]
    parser_classes = FORMS

    def get_permissions(self) -> list[BasePermission]:
        """By method."""
        return [permission_of(self.request)()]

    def department(self, code: UUID) -> Department:
        """The department, if the asker may see it."""
        rows = Department.objects.visible_to(role_of(self.request, self.request.user))
        return get_object_or_404(rows, code=code)

    @extend_schema(responses={200: serializers.DepartmentOut, 404: Problem})
    def get(self, request: Request, code: UUID) -> Response:
        """Read one department."""
        return Response(serializers.DepartmentOut(self.department(code), context={"request": request}).data)

    @extend_schema(request=serializers.DepartmentIn, responses={200: serializers.DepartmentOut, 409: Problem})
    def put(self, request: Request, code: UUID) -> Response:
        """Correct a department."""
        form = serializers.DepartmentIn(data=request.data)
        form.is_valid(raise_exception=True)
        department = self.department(code)
        departments.change(hospital=hospital(request), department=department, by=person(request), **form.validated_data)
        return Response(serializers.DepartmentOut(department, context={"request": request}).data)

    @extend_schema(request=serializers.Activity, responses={200: serializers.DepartmentOut})
    def patch(self, request: Request, code: UUID) -> Response:
        """Show a department to patients, or hide it."""
        form = serializers.Activity(data=request.data)
        form.is_valid(raise_exception=True)
        department = self.department(code)
        act = departments.activate if form.validated_data["is_active"] else departments.deactivate
        act(hospital=hospital(request), department=department, by=person(request))
        return Response(serializers.DepartmentOut(department, context={"request": request}).data)

    @extend_schema(responses={204: None, 409: Problem})
    def delete(self, request: Request, code: UUID) -> Response:
        """Delete a department that nothing refers to."""
        departments.delete(hospital=hospital(request), department=self.department(code), by=person(request))
        return Response(status=204)


class Brand(APIView):
    """Name, accent colour and logo."""

    permission_classes = [Requires(Permission.SETTINGS_EDIT)]
    parser_classes = FORMS

    @extend_schema(responses={200: serializers.BrandOut})
    def get(self, request: Request) -> Response:
        """Read name, colour and contact."""
        return Response(serializers.BrandOut(hospital(request)).data)

    @extend_schema(request=serializers.BrandIn, responses={200: serializers.BrandOut})
    def put(self, request: Request) -> Response:
        """Change name, colour and logo."""
        form = serializers.BrandIn(data=request.data)
        form.is_valid(raise_exception=True)
        asked = hospital(request)
        settings.change_brand(hospital=asked, by=person(request), **form.validated_data)
        return Response(serializers.BrandOut(asked).data)


class Activity(AuditLogs):
    """What has been done in this hospital, newest first."""

    permission_classes = [Requires(Permission.ACTIVITY_VIEW)]

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Without what is about patients, for support."""
        shown = AuditLog.objects.shown_to(is_support=is_support(self.request))
        return super().filter_queryset(queryset & shown)
