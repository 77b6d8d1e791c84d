"""Rows of an audit log as people read them: in sentences' parts, with the names of fields instead of their columns."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from accounts.permissions import Role
from audit.models import AuditLog
from core import languages, money


@dataclass(frozen=True)
class Detail:
    """One field of a change; `before` is empty for something that was only noted."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Entry:
    """A row with its details, and how it is drawn."""

    row: AuditLog
    details: list[Detail]
    icon: str
    tone: str


@dataclass(frozen=True)
class _Look:
    icon: str
    tone: str = ""


_LOOKS = {  # by the action, or by its first part
    "hospital.email_confirmed": _Look(icon="mail-check", tone="info"),
    "hospital.paused": _Look(icon="pause", tone="warn"),
    "hospital.unpaused": _Look(icon="circle-check", tone="ok"),
    "hospital.exported": _Look(icon="folder-down", tone="info"),
    "hospital.restored": _Look(icon="rotate-ccw", tone="ok"),
    "hospital.moved": _Look(icon="arrow-right", tone="info"),
    "hospital.deletion_planned": _Look(icon="calendar-x", tone="warn"),
    "hospital.deletion_called_off": _Look(icon="undo-2", tone="ok"),
    "hospital": _Look(icon="hospital", tone="accent"),
    "settings": _Look(icon="settings"),
    "domain": _Look(icon="globe"),
    "department": _Look(icon="layers"),
    "doctor.document_added": _Look(icon="file-text"),
    "doctor.document_removed": _Look(icon="file-x"),
    "doctor": _Look(icon="stethoscope"),
    "staff": _Look(icon="users"),
    "invitation": _Look(icon="mail"),
    "message": _Look(icon="mail"),
    "appointment": _Look(icon="calendar-days"),
    "availability": _Look(icon="clock"),
    "schedule": _Look(icon="clock"),
    "waitlistentry": _Look(icon="hourglass"),
    "patient": _Look(icon="contact"),
    "familymember": _Look(icon="users"),
    "invoice": _Look(icon="receipt-indian-rupee"),
    "creditnote": _Look(icon="file-minus"),
    "paymentorder": _Look(icon="smartphone"),
    "payment": _Look(icon="indian-rupee"),
    "refund": _Look(icon="rotate-ccw"),
    "cashday": _Look(icon="banknote"),
    "discrepancy": _Look(icon="scale"),
    "settlementline": _Look(icon="scale"),
    "insuranceclaim": _Look(icon="umbrella"),
    "report": _Look(icon="chart-column"),
    "promocode": _Look(icon="ticket-percent"),
    "taxcategory": _Look(icon="percent"),
    "taxrate": _Look(icon="percent"),
    "gatewayaccount": _Look(icon="key-round", tone="info"),
    "gatewayaccount.removed": _Look(icon="key-round", tone="warn"),
    "support": _Look(icon="life-buoy", tone="warn"),
    "user.two_factor_on": _Look(icon="shield-check", tone="ok"),
    "user.two_factor_off": _Look(icon="shield-off", tone="warn"),
    "user.recovery_codes_made": _Look(icon="key-round"),
    "user.recovery_code_used": _Look(icon="key-round", tone="warn"),
    "user.passkey_added": _Look(icon="key-round"),
    "user.passkey_removed": _Look(icon="key-round"),
    "user": _Look(icon="user"),
}
_AMOUNTS = {
    *("amount", "cap", "discount", "minimum", "refund_limit", "total"),
    *("opening_float", "expected", "counted"),
}
_OTHER = _Look(icon="circle-dot")
_TONES = {
    "doctor.pending": "info",
    "doctor.more_asked": "warn",
    "doctor.approved": "ok",
    "doctor.rejected": "bad",
    "user.sign_in_refused": "warn",
    "hospital.approved": "ok",
    "hospital.rejected": "bad",
    "hospital.suspended": "warn",
    "hospital.closed": "bad",
    "department.deleted": "warn",
    "domain.verified": "ok",
    "invitation.accepted": "ok",
    "invitation.taken_back": "warn",
    "appointment.pending": "warn",
    "appointment.checked_in": "info",
    "appointment.in_progress": "accent",
    "appointment.completed": "ok",
    "appointment.cancelled": "warn",
    "appointment.no_show": "bad",
    "invoice.paid": "ok",
    "invoice.cancelled": "warn",
    "invoice.discount_approved": "ok",
    "invoice.discount_declined": "bad",
    "payment.captured": "ok",
    "payment.failed": "bad",
    "refund.processed": "ok",
    "refund.failed": "bad",
    "refund.declined": "warn",
    "discrepancy.resolved": "ok",
    "insuranceclaim.preauth_refused": "bad",
    "insuranceclaim.approved": "ok",
    "insuranceclaim.rejected": "bad",
    "insuranceclaim.settled": "ok",
    "staff.activated": "ok",
    "staff.deactivated": "warn",
}


def entry(row: AuditLog) -> Entry:
    """A row of the log, ready to be shown."""
    look = _LOOKS.get(row.action) or _LOOKS.get(row.action.partition(".")[0], _OTHER)
    details = [_detail(row.entity, name, value) for name, value in row.data.items()]
    return Entry(row=row, details=details, icon=look.icon, tone=_TONES.get(row.action, look.tone))


def _detail(entity: str, field: str, value: Any) -> Detail:
    if isinstance(value, list) and len(value) == 2:
        return Detail(_label(entity, field), _shown(entity, field, value[0]), _shown(entity, field, value[1]))
    return Detail(_label(entity, field), "", _shown(entity, field, value))


def _field(entity: str, name: str) -> Any:
    """The model's field, if what the row is about is still built this way."""
    try:
        return apps.get_model(entity)._meta.get_field(name)
    except (LookupError, ValueError, FieldDoesNotExist):
        return None


def _label(entity: str, field: str) -> str:
    name = getattr(_field(entity, field), "verbose_name", None)
    return capfirst(str(name or field.replace("_", " ")))


def _shown(entity: str, field: str, value: Any) -> str:
    if field in ("logo", "image", "photo"):  # a path says nothing to a reader
        return _("A picture") if value else _("None")
    if field == "role" and value in Role:
        return str(Role(value).label)
    if field == "languages":
        return ", ".join(languages.names(str(value).split())) or _("None")
    if field.startswith("fee_"):
        return _("Not offered") if value in ("", "None", None) else money.shown(Decimal(str(value)))
    if field in _AMOUNTS:
        return money.shown(Decimal(str(value))) if value not in ("", "None", None) else _("None")
    choices = dict(getattr(_field(entity, field), "flatchoices", None) or [])
    if value in choices:
        return str(choices[value])
    if field.startswith(("is_", "requires_", "takes_")):
        return _("Yes") if str(value) == "True" else _("No")
    return str(value) or _("None")
