"""Who may do what, on one screen. `docs/permissions.md` is generated from here."""

from collections.abc import Callable
from enum import StrEnum, auto
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import models
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request as ApiRequest


class Role(models.TextChoices):
    """What somebody is: the first on the portal, the others in one hospital."""

    SUPERADMIN = "superadmin", _("Superadmin")
    HOSPITAL_ADMIN = "hospital_admin", _("Hospital admin")
    DOCTOR = "doctor", _("Doctor")
    NURSE = "nurse", _("Nurse")
    FRONT_DESK = "front_desk", _("Front desk")
    PHARMACIST = "pharmacist", _("Pharmacist")
    PHARMACY_MANAGER = "pharmacy_manager", _("Pharmacy manager")
    BILLING_CLERK = "billing_clerk", _("Billing clerk")
    CONTENT_MANAGER = "content_manager", _("Content manager")


STAFF_ROLES = [role for role in Role if role != Role.SUPERADMIN]


class Permission(StrEnum):
    """What a door asks for."""

    PUBLIC = auto()  # anybody, said out loud
    SIGNED_IN = auto()  # any person with an account, about themselves
    HOSPITAL_REVIEW = auto()
    PLATFORM_LOG_VIEW = auto()
    OUTBOX_VIEW = auto()
    START_VIEW = auto()
    ACTIVITY_VIEW = auto()
    SETTINGS_EDIT = auto()
    DEPARTMENT_EDIT = auto()


_EVERY_STAFF_MEMBER = {Permission.START_VIEW}

ROLES: dict[Role, set[Permission]] = {
    Role.SUPERADMIN: {Permission.HOSPITAL_REVIEW, Permission.PLATFORM_LOG_VIEW, Permission.OUTBOX_VIEW},
    Role.HOSPITAL_ADMIN: _EVERY_STAFF_MEMBER
    | {Permission.ACTIVITY_VIEW, Permission.OUTBOX_VIEW, Permission.SETTINGS_EDIT, Permission.DEPARTMENT_EDIT},
    Role.DOCTOR: _EVERY_STAFF_MEMBER,
    Role.NURSE: _EVERY_STAFF_MEMBER,
    Role.FRONT_DESK: _EVERY_STAFF_MEMBER,
    Role.PHARMACIST: _EVERY_STAFF_MEMBER,
    Role.PHARMACY_MANAGER: _EVERY_STAFF_MEMBER,
    Role.BILLING_CLERK: _EVERY_STAFF_MEMBER,
    Role.CONTENT_MANAGER: _EVERY_STAFF_MEMBER | {Permission.DEPARTMENT_EDIT},
}


def role_of(request: Any, user: Any) -> Role | None:
    """What `user` is on the host that was asked: superadmin only on the portal, staff only in their hospital."""
    if not user.is_authenticated or not user.is_active:
        return None
    if request.hospital is None:
        return Role.SUPERADMIN if user.is_superuser else None
    staff = request.find_staff(user)
    return Role(staff.role) if staff else None


def granted(request: Any, user: Any, permission: Permission) -> bool:
    """Whether `user` holds `permission` on the host that was asked."""
    if permission is Permission.PUBLIC:
        return True
    if permission is Permission.SIGNED_IN:
        return bool(user.is_authenticated and user.is_active)
    role = role_of(request, user)
    return role is not None and permission in ROLES[role]


View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def requires(permission: Permission) -> Callable[[View], View]:
    """Declare what a page asks for. A visitor is sent to the sign-in page and back; anybody else gets a 403."""

    def declare(view: View) -> View:
        @wraps(view)
        def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if granted(request, request.user, permission):
                return view(request, *args, **kwargs)
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            raise PermissionDenied

        door.permission = permission  # type: ignore[attr-defined]  # the house test reads it
        return cast(View, door)

    return declare


def Requires(permission: Permission) -> type[BasePermission]:  # noqa: N802  (it makes a class)
    """Declare what an API endpoint asks for: `permission_classes = [Requires(Permission.X)]`."""

    def has_permission(self: BasePermission, request: ApiRequest, view: Any) -> bool:
        return granted(request, request.user, permission)

    return type(
        f"Requires_{permission}", (BasePermission,), {"permission": permission, "has_permission": has_permission}
    )


Public = Requires(Permission.PUBLIC)


class Undeclared(BasePermission):
    """The default of API endpoints: one that forgot to declare a permission fails loudly."""

    def has_permission(self, request: ApiRequest, view: Any) -> bool:
        """Refuse to answer."""
        raise ImproperlyConfigured(f"{type(view).__name__} does not declare a permission.")
