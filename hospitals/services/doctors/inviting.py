"""Inviting a doctor the hospital knows: verified by who invites, let in by the link in the mail."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import Role
from accounts.services import people
from audit import services as audit
from audit.models import Action
from core import hosts as addresses
from core.errors import Conflict
from core.text import one_line
from hospitals.models import Doctor, Staff
from hospitals.services import invitations
from hospitals.services.doctors import details as words
from hospitals.services.doctors.details import Details
from tenants.models import Hospital

Status = Doctor.Status


@dataclass(frozen=True)
class Invited:
    """Whom the hospital invites, and what it knows of them."""

    email: str
    name: str
    phone: str = ""
    details: Details = field(default_factory=Details)


def refusal(*, staff: Staff | None, doctor: Doctor | None) -> str:
    """Why somebody with these rows cannot be invited as a doctor; "" when they can."""
    if staff and not staff.is_active:
        return _("This person was deactivated here. Activate them under Staff.")
    if staff and staff.joined_at is None:
        return _("This person is invited already. Send the invitation again under Staff.")
    if staff and staff.role == Role.HOSPITAL_ADMIN:
        return _("This person is an admin here. An admin who is a doctor applies with their own account.")
    if staff:
        return _("This person works here already.")
    if doctor and doctor.status in (Status.PENDING, Status.MORE_ASKED):
        return _("This person has applied. Decide on the application instead.")
    if doctor and doctor.status == Status.REJECTED:
        return _("This person was rejected. They can apply again with their own account.")
    if doctor and doctor.status == Status.APPROVED:
        return _("This person is a verified doctor here already.")
    return ""


def invite(*, hospital: Hospital, invited: Invited, by: User, now: datetime) -> Doctor:
    """Verify a doctor on the hospital's own word and send them the link by which they come in.

    Raises Conflict at the e-mail address for somebody who is here already, at the licence number when it is taken.
    """
    details, name = invited.details.normal(), one_line(invited.name)[:150]
    try:
        with transaction.atomic():
            user = people.person_for(email=invited.email, name=invited.name, phone=invited.phone, by=by)
            doctor = Doctor.objects.locked().filter(user=user).first()
            if not user.is_active:
                raise Conflict(_("The platform has closed the account with this address."), field="email")
            reason = refusal(staff=Staff.objects.filter(user=user).first(), doctor=doctor)
            if reason:
                raise Conflict(reason, field="email")
            if doctor is None:
                doctor = Doctor.objects.create(user=user, invited_as=name, **details.columns())
                audit.record(action=Action.DOCTOR_BEGUN, target=doctor, by=by, new=Status.INCOMPLETE)
            also = {**details.columns(), "invited_as": name, "verified_at": now, "verified_by": by}
            audit.move(doctor, Status.APPROVED, by=by, reason=_("Invited by the hospital."), also=also)
            staff = Staff.objects.create(user=user, role=Role.DOCTOR, invited_as=name)
            audit.record(action=Action.STAFF_INVITED, target=staff, by=by, data={"role": staff.role})
            _send(hospital, staff, by=by, now=now)
    except IntegrityError:
        known = User.objects.filter(email=invited.email.strip().lower()).first()
        raise words.taken(licence_number=details.licence_number, user_id=known.pk if known else None) from None
    return doctor


def _send(hospital: Hospital, staff: Staff, *, by: User, now: datetime) -> None:
    invitation, token = invitations.issue(staff=staff, now=now)
    words.write(
        hospital=hospital,
        to=staff.user,
        name=staff.name,
        template="doctor_invited",
        subject=_("%(hospital)s invites you as a doctor") % {"hospital": hospital.name},
        context={
            "link": addresses.hospital_url(hospital.slug, "invitation", token),
            "until": invitations.valid_until(invitation, hospital),
            "invited_by": str(by),
        },
        is_secret=True,
    )
