"""What the hospital decides about a doctor who applies."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import Role
from audit import services as audit
from audit.models import Action
from core import hosts as addresses
from core.errors import Conflict, NotAllowedNow
from hospitals.models import Department, Doctor, Staff
from hospitals.services.doctors import publishing
from hospitals.services.doctors.details import write
from tenants.models import Hospital

Status = Doctor.Status
DECIDABLE = (Status.PENDING, Status.MORE_ASKED)


@transaction.atomic
def approve(*, hospital: Hospital, doctor: Doctor, department: Department, by: User, now: datetime) -> None:
    """Verify a doctor: from now on they work here, in `department`. An admin who is a doctor stays the admin.

    Raises Conflict, saying who was first, when somebody else has decided already.
    """
    _require_decidable(doctor)
    audit.move(doctor, Status.APPROVED, by=by, also={"verified_at": now, "verified_by": by, "department": department})
    _let_in(doctor.user, by=by, now=now)
    publishing.publish(hospital=hospital, doctor=doctor)
    write(
        hospital=hospital,
        to=doctor.user,
        template="doctor_approved",
        subject=_("%(hospital)s has verified you") % {"hospital": hospital.name},
        context={"department": department.name, "link": addresses.hospital_url(hospital.slug, "start")},
    )


def _let_in(user: User, *, by: User, now: datetime) -> None:
    """Give the person the doctor's role. They confirmed their address when they signed in: no invitation is needed."""
    staff = Staff.objects.locked().filter(user=user).first()
    if staff is None:
        staff = Staff.objects.create(user=user, role=Role.DOCTOR, joined_at=now)
        audit.record(action=Action.STAFF_ADDED, target=staff, by=by, data={"role": staff.role})
        return
    if staff.is_active and staff.role == Role.HOSPITAL_ADMIN:
        return
    is_working = staff.is_active and staff.joined_at is not None
    if is_working and staff.role != Role.DOCTOR:
        raise Conflict(
            _("%(name)s works here as %(role)s now. Deactivate that role under Staff first, then approve.")
            % {"name": user, "role": Role(staff.role).label}
        )
    if not is_working:
        _make_doctor(staff, by=by, now=now)


def _make_doctor(staff: Staff, *, by: User, now: datetime) -> None:
    """A row that did not count, deactivated or never accepted, becomes the doctor's."""
    before = staff.role
    staff.role, staff.is_active, staff.joined_at, staff.invited_as = Role.DOCTOR, True, now, ""
    staff.save(update_fields=["role", "is_active", "joined_at", "invited_as"])
    staff.invitations.filter(accepted_at__isnull=True, replaced_at__isnull=True).update(replaced_at=now)
    audit.record(action=Action.STAFF_ACTIVATED, target=staff, by=by, data={"role": [before, staff.role]})


@transaction.atomic
def ask(*, hospital: Hospital, doctor: Doctor, answer: str, by: User) -> None:
    """Hand the application back and say what is missing."""
    audit.move(doctor, Status.MORE_ASKED, by=by, reason=answer, also={"answer": answer})
    write(
        hospital=hospital,
        to=doctor.user,
        template="doctor_more_asked",
        subject=_("%(hospital)s needs something more from you") % {"hospital": hospital.name},
        context={"answer": answer, "link": addresses.hospital_url(hospital.slug, "doctor_application")},
    )


@transaction.atomic
def reject(*, hospital: Hospital, doctor: Doctor, reason: str, by: User) -> None:
    """Turn the application down and say why. The doctor may apply again."""
    audit.move(doctor, Status.REJECTED, by=by, reason=reason, also={"answer": reason})
    write(
        hospital=hospital,
        to=doctor.user,
        template="doctor_rejected",
        subject=_("Your application was not accepted"),
        context={"answer": reason, "link": addresses.hospital_url(hospital.slug, "doctor_application")},
    )


@transaction.atomic
def change_department(*, hospital: Hospital, doctor: Doctor, department: Department, by: User) -> None:
    """Move a verified doctor to another department."""
    changes = audit.changes(doctor, {"department": department})
    if not changes:
        return
    won = Doctor.objects.verified().filter(pk=doctor.pk).update(department=department)
    if not won:
        raise NotAllowedNow(_("Only a verified doctor has a department. Decide on the application first."))
    doctor.department = department
    audit.record(action=Action.DOCTOR_CHANGED, target=doctor, by=by, data=changes)
    publishing.publish(hospital=hospital, doctor=doctor)


def _require_decidable(doctor: Doctor) -> None:
    if doctor.status not in DECIDABLE:
        raise NotAllowedNow(audit.already(doctor))
