"""Who may do what, on one screen. `docs/permissions.md` is generated from here."""

from collections.abc import Callable
from enum import StrEnum, auto
from functools import wraps
from typing import Any, TypeVar, cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import models
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request as ApiRequest

from accounts.sessions import SECOND_FACTOR
from accounts.sessions import SUPPORT as SUPPORT_KEY
from core.errors import DomainError


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
    OWN_ACCOUNT = auto()  # the same for what is theirs alone: nobody does it in their name
    HOSPITAL_REVIEW = auto()
    PLATFORM_LOG_VIEW = auto()
    OUTBOX_VIEW = auto()
    SUPPORT_ACT = auto()
    START_VIEW = auto()
    ACTIVITY_VIEW = auto()
    SETTINGS_EDIT = auto()
    DEPARTMENT_EDIT = auto()
    STAFF_EDIT = auto()
    DOCTOR_REVIEW = auto()
    DOCTOR_PROFILE_EDIT = auto()  # what patients read about any doctor
    HOURS_EDIT = auto()  # any doctor's hours, leave and schedule
    OWN_DAY = auto()  # a doctor's own profile, hours and visits
    VISIT_OPEN = auto()  # the hospital's page of a visit: of any, or of a doctor's own
    APPOINTMENT_VIEW = auto()  # all visits of the hospital
    APPOINTMENT_DESK = auto()  # book, confirm, move and cancel for patients
    APPOINTMENT_OVERRIDE = auto()  # against the rules, many at once, and the file of all visits
    QUEUE_RUN = auto()  # check in, call, send back, mark as missed
    PATIENT_VIEW = auto()  # the register
    PATIENT_EDIT = auto()
    PATIENT_MERGE = auto()  # merge double entries, and block
    PATIENT_CLINICAL = auto()  # blood group, allergies, conditions
    INVOICE_VIEW = auto()  # all bills of the hospital, and what was paid on them
    INVOICE_EDIT = auto()  # make, issue, correct and cancel bills; insurers' claims
    PAYMENT_TAKE = auto()  # take money at the desk, open and close a cash day
    REFUND_GIVE = auto()  # ask for refunds and pay them out
    MONEY_APPROVE = auto()  # discounts and refunds above the limits
    MONEY_VIEW = auto()  # dashboard, reports, all clerks' cash days, what does not match
    MONEY_RULES = auto()  # tax rates, limits, promo codes, the keys to the payment gateway


_EVERY_STAFF_MEMBER = {Permission.START_VIEW}

ROLES: dict[Role, set[Permission]] = {
    Role.SUPERADMIN: {
        Permission.HOSPITAL_REVIEW,
        Permission.PLATFORM_LOG_VIEW,
        Permission.OUTBOX_VIEW,
        Permission.SUPPORT_ACT,
    },
    Role.HOSPITAL_ADMIN: _EVERY_STAFF_MEMBER
    | {
        Permission.ACTIVITY_VIEW,
        Permission.OUTBOX_VIEW,
        Permission.SETTINGS_EDIT,
        Permission.DEPARTMENT_EDIT,
        Permission.STAFF_EDIT,
        Permission.DOCTOR_REVIEW,
        Permission.DOCTOR_PROFILE_EDIT,
        Permission.HOURS_EDIT,
        Permission.OWN_DAY,
        Permission.VISIT_OPEN,
        Permission.APPOINTMENT_VIEW,
        Permission.APPOINTMENT_DESK,
        Permission.APPOINTMENT_OVERRIDE,
        Permission.QUEUE_RUN,
        Permission.PATIENT_VIEW,
        Permission.PATIENT_EDIT,
        Permission.PATIENT_MERGE,
        Permission.INVOICE_VIEW,
        Permission.INVOICE_EDIT,
        Permission.PAYMENT_TAKE,
        Permission.REFUND_GIVE,
        Permission.MONEY_APPROVE,
        Permission.MONEY_VIEW,
        Permission.MONEY_RULES,
    },
    Role.DOCTOR: _EVERY_STAFF_MEMBER
    | {Permission.OWN_DAY, Permission.VISIT_OPEN, Permission.PATIENT_VIEW, Permission.PATIENT_CLINICAL},
    Role.NURSE: _EVERY_STAFF_MEMBER
    | {
        Permission.VISIT_OPEN,
        Permission.APPOINTMENT_VIEW,
        Permission.QUEUE_RUN,
        Permission.PATIENT_VIEW,
        Permission.PATIENT_EDIT,
        Permission.PATIENT_CLINICAL,
    },
    Role.FRONT_DESK: _EVERY_STAFF_MEMBER
    | {
        Permission.VISIT_OPEN,
        Permission.APPOINTMENT_VIEW,
        Permission.APPOINTMENT_DESK,
        Permission.QUEUE_RUN,
        Permission.PATIENT_VIEW,
        Permission.PATIENT_EDIT,
        Permission.INVOICE_VIEW,
        Permission.INVOICE_EDIT,
        Permission.PAYMENT_TAKE,
        Permission.REFUND_GIVE,
    },
    Role.PHARMACIST: _EVERY_STAFF_MEMBER,
    Role.PHARMACY_MANAGER: _EVERY_STAFF_MEMBER,
    Role.BILLING_CLERK: _EVERY_STAFF_MEMBER
    | {
        Permission.VISIT_OPEN,
        Permission.APPOINTMENT_VIEW,
        Permission.PATIENT_VIEW,
        Permission.INVOICE_VIEW,
        Permission.INVOICE_EDIT,
        Permission.PAYMENT_TAKE,
        Permission.REFUND_GIVE,
        Permission.MONEY_VIEW,
    },
    Role.CONTENT_MANAGER: _EVERY_STAFF_MEMBER | {Permission.DEPARTMENT_EDIT, Permission.DOCTOR_PROFILE_EDIT},
}

# All that a superadmin may do in a hospital admin's name. What is not listed is refused: the account itself, doctors'
# documents, whatever is clinical, and money.
SUPPORT = {
    Permission.SIGNED_IN,
    Permission.START_VIEW,
    Permission.ACTIVITY_VIEW,
    Permission.OUTBOX_VIEW,
    Permission.SETTINGS_EDIT,
    Permission.DEPARTMENT_EDIT,
    Permission.STAFF_EDIT,
    Permission.DOCTOR_PROFILE_EDIT,
    Permission.HOURS_EDIT,
}


def has_second_factor(request: Any) -> bool:
    """Whether the session or token that came with the request was opened with a second factor."""
    family = getattr(request, "token_family", None)
    return bool(family.is_two_factor if family is not None else request.session.get(SECOND_FACTOR))


def is_support(request: Any) -> bool:
    """Whether a superadmin acts in the signed-in person's name. Nobody does with a token."""
    return getattr(request, "token_family", None) is None and SUPPORT_KEY in request.session


class NotAsSupport(DomainError):
    """What nobody does in another's name."""

    status = 403

    def __init__(self) -> None:
        super().__init__(
            _("This is not done as support. Only the person whose account it is can do it, signed in as themselves.")
        )


def needs_second_factor(request: Any, user: Any) -> bool:
    """Whether the person's role on the host that was asked counts only after a sign-in with a second factor."""
    if request.hospital is None:
        return bool(user.is_superuser and settings.TWO_FACTOR_FOR_SUPERADMINS)
    return request.hospital.requires_two_factor and request.find_staff(user) is not None


def lacks_second_factor(request: Any, user: Any) -> bool:
    """Whether the person would have a role here if only they had signed in with a second factor, which is required."""
    return needs_second_factor(request, user) and not has_second_factor(request) and not is_support(request)


def role_of(request: Any, user: Any) -> Role | None:
    """What `user` is on the host that was asked: superadmin only on the portal, staff only in their hospital.

    None for a patient or visitor, and as long as a second factor that is required is missing.
    """
    if not user.is_authenticated or not user.is_active or lacks_second_factor(request, user):
        return None
    if request.hospital is None:
        return Role.SUPERADMIN if user.is_superuser else None
    staff = request.find_staff(user)
    return Role(staff.role) if staff else None


def granted(request: Any, user: Any, permission: Permission) -> bool:
    """Whether `user` holds `permission` on the host that was asked."""
    if permission is Permission.PUBLIC:
        return True
    if not user.is_authenticated or not user.is_active:
        return False
    if permission not in SUPPORT and is_support(request):
        return False
    if permission in (Permission.SIGNED_IN, Permission.OWN_ACCOUNT):
        return True
    role = role_of(request, user)
    return role is not None and permission in ROLES[role]


def may(request: Any, user: Any, **actions: Permission) -> list[str]:
    """Which of `actions` the caller is permitted: what an answer of the API says, so that a client hides the others."""
    return [name for name, permission in actions.items() if granted(request, user, permission)]


View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def requires(permission: Permission) -> Callable[[View], View]:
    """Declare what a page asks for. A visitor is sent to the sign-in page and back; anybody else gets a 403.

    Somebody who only lacks the required second factor is sent to where they set one up or use it.
    """

    def declare(view: View) -> View:
        @wraps(view)
        def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if granted(request, request.user, permission):
                return view(request, *args, **kwargs)
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if lacks_second_factor(request, request.user):
                return redirect_to_login(request.get_full_path(), "two_factor")
            if permission not in SUPPORT and is_support(request):
                raise NotAsSupport
            raise PermissionDenied

        door.permission = permission  # type: ignore[attr-defined]  # the house test reads it
        return cast(View, door)

    return declare


def Requires(permission: Permission) -> type[BasePermission]:  # noqa: N802  (it makes a class)
    """Declare what an API endpoint asks for: `permission_classes = [Requires(Permission.X)]`."""

    def has_permission(self: BasePermission, request: ApiRequest, view: Any) -> bool:
        if granted(request, request.user, permission):
            return True
        if permission not in SUPPORT and request.user.is_authenticated and is_support(request):
            raise NotAsSupport
        if request.user.is_authenticated and lacks_second_factor(request, request.user):
            sentence = _("This needs a sign-in with two-factor. Turn it on for your account, then sign in again.")
            self.message = sentence  # type: ignore[attr-defined]  # the API framework looks for it
        return False

    return type(
        f"Requires_{permission}", (BasePermission,), {"permission": permission, "has_permission": has_permission}
    )


Public = Requires(Permission.PUBLIC)


class Undeclared(BasePermission):
    """The default of API endpoints: one that forgot to declare a permission fails loudly."""

    def has_permission(self, request: ApiRequest, view: Any) -> bool:
        """Refuse to answer."""
        raise ImproperlyConfigured(f"{type(view).__name__} does not declare a permission.")
