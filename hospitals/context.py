"""What stands around every page: the bar of a public page, the menu of a staff page, and whose account it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from accounts.permissions import ROLES, SUPPORT, Permission, Role, is_support, role_of
from core.menus import Item


@dataclass(frozen=True)
class Account:
    """Who is signed in, and where their work starts."""

    name: str
    email: str
    role: str
    start_url: str


@dataclass(frozen=True)
class Acting:
    """In whose name a superadmin acts here, and until when."""

    person: str
    ends_at: datetime


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context: `nav`, `menu`, `account` and `support`. Nothing is asked of the database until a template shows it."""
    if getattr(request, "failed", False) or not hasattr(request, "find_staff"):
        return {"nav": [], "menu": [], "account": None, "support": None}
    return {
        "nav": _nav(request),
        "menu": SimpleLazyObject(lambda: _menu(request)),
        "account": SimpleLazyObject(lambda: _account(request)),
        "support": SimpleLazyObject(lambda: _support(request)),
    }


def _item(request: HttpRequest, label: str, icon: str, name: str, count: int | None = None) -> Item:
    urlconf = getattr(request, "urlconf", None)
    url = reverse(name, urlconf=urlconf)
    current = request.path == url or (url != "/" and request.path.startswith(url))
    return Item(label=label, url=url, icon=icon, current=current, count=count)


def _nav(request: HttpRequest) -> list[Item]:
    if request.hospital is None:  # type: ignore[attr-defined]
        return [
            _item(request, _("Doctors"), "stethoscope", "doctor_search"),
            _item(request, _("Hospitals"), "hospital", "hospital_list"),
            _item(request, _("Appointments"), "calendar-days", "visit_list"),
            _item(request, _("Register a hospital"), "building-2", "register"),
        ]
    return [
        _item(request, _("Home"), "house", "home"),
        _item(request, _("Doctors"), "stethoscope", "doctor_list"),
        _item(request, _("Departments"), "layers", "department_list"),
        _item(request, _("Appointments"), "calendar-days", "visit_list"),
    ]


def _menu(request: HttpRequest) -> list[Item]:
    role = role_of(request, request.user)
    if role is None:
        return []
    may = ROLES[role] & SUPPORT if is_support(request) else ROLES[role]
    if not request.is_doctor(request.user):  # type: ignore[attr-defined]  # an admin may be one, too, and need not
        may = may - {Permission.OWN_DAY}
    if role in (Role.DOCTOR, Role.NURSE, Role.FRONT_DESK) and may & {Permission.OWN_DAY, Permission.QUEUE_RUN}:
        may = may - {Permission.START_VIEW}  # their work begins at one of those below
    if Permission.DOCTOR_REVIEW in may:  # who reviews doctors finds their profiles there
        may = may - {Permission.DOCTOR_PROFILE_EDIT}
    entries = [
        (Permission.HOSPITAL_REVIEW, _("Hospitals"), "hospital", "queue"),
        (Permission.PLATFORM_LOG_VIEW, _("Audit log"), "shield-check", "platform_log"),
        (Permission.START_VIEW, _("Start"), "layout-dashboard", "start"),
        (Permission.OWN_DAY, _("Today"), "calendar-clock", "today"),
        (Permission.QUEUE_RUN, _("Front desk"), "concierge-bell", "desk"),
        (Permission.APPOINTMENT_VIEW, _("Appointments"), "calendar-days", "appointment_admin"),
        (Permission.APPOINTMENT_DESK, _("Waitlist"), "hourglass", "waitlist_admin"),
        (Permission.PATIENT_VIEW, _("Patients"), "contact", "patient_admin"),
        (Permission.INVOICE_VIEW, _("Bills"), "receipt-indian-rupee", "invoices"),
        (Permission.PAYMENT_TAKE, _("Cash desk"), "banknote", "cash_desk"),
        (Permission.REFUND_GIVE, _("Refunds"), "rotate-ccw", "refunds"),
        (Permission.MONEY_VIEW, _("Payments"), "wallet", "money"),
        (Permission.MONEY_VIEW, _("Reports"), "chart-column", "reports"),
        (Permission.MONEY_VIEW, _("Discrepancies"), "scale", "discrepancies"),
        (Permission.DEPARTMENT_EDIT, _("Departments"), "layers", "department_admin"),
        (Permission.DOCTOR_REVIEW, _("Doctors"), "stethoscope", "doctor_admin"),
        (Permission.DOCTOR_PROFILE_EDIT, _("Doctors"), "stethoscope", "doctor_profiles"),
        (Permission.STAFF_EDIT, _("Staff"), "users", "staff_admin"),
        (Permission.SETTINGS_EDIT, _("Settings"), "settings", "settings"),
        (Permission.ACTIVITY_VIEW, _("Activity"), "shield-check", "activity"),
        (Permission.OUTBOX_VIEW, _("Outbox"), "mail", "outbox"),
    ]
    return [_item(request, label, icon, name) for permission, label, icon, name in entries if permission in may]


def _support(request: HttpRequest) -> Acting | None:
    if not is_support(request):
        return None
    return Acting(person=str(request.user), ends_at=request.session.get_expiry_date())


def _account(request: HttpRequest) -> Account | None:
    user = request.user
    if not user.is_authenticated:
        return None
    role = role_of(request, user)
    return Account(
        name=str(user),
        email=user.email,
        role=str(Role(role).label) if role else "",
        start_url=reverse("start", urlconf=getattr(request, "urlconf", None)),
    )
