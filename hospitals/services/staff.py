"""Who works here, and as what: inviting colleagues, changing roles, deactivating and activating.

A role counts from one request to the next: doors read the staff row each time they are opened.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import STAFF_ROLES, Role
from accounts.services import people, sessions
from audit import services as audit
from audit.models import Action
from core import throttle
from core.errors import Conflict, Invalid, NotAllowedNow
from core.hosts import hospital_url
from core.text import one_line
from hospitals.models import Doctor, Staff
from hospitals.services import invitations
from hospitals.services.doctors import publishing
from notifications import services as notifications
from notifications.services import Fact
from tenants.models import Hospital

_INVITATIONS_OF_HOSPITAL = "100/hour"
_INVITATIONS_TO_PERSON = "6/hour"

# What can be done with somebody, by how they stand here.
_STEPS = {
    "active": ["change_role", "deactivate"],
    "invited": ["change_role", "resend_invitation", "take_back"],
    "deactivated": ["change_role", "activate"],
    "taken_back": ["change_role", "activate"],
}


class LastAdmin(NotAllowedNow):
    """Without this person nobody could run the hospital."""

    def __init__(self, staff: Staff) -> None:
        super().__init__(_("%(name)s is the only admin here. Appoint another admin first.") % {"name": staff.name})


def roles_to_invite() -> list[Role]:
    """The roles somebody is simply invited to. A doctor is invited with their licence: see `doctors`."""
    return [role for role in STAFF_ROLES if role != Role.DOCTOR]


def roles_for(staff: Staff) -> list[Role]:
    """The roles this person can have: doctor only if the hospital has checked their documents."""
    is_doctor = Doctor.objects.verified().filter(user=staff.user_id).exists()
    return list(STAFF_ROLES) if is_doctor else roles_to_invite()


def only_admin() -> int | None:
    """The primary key of the one working admin, whom nobody can demote or deactivate; None while there are several."""
    rows = Staff.objects.working().admins().filter(user__is_active=True).values_list("pk", flat=True)[:2]
    return rows[0] if len(rows) == 1 else None


def possible(*, staff: Staff, only_admin: int | None) -> list[str]:
    """What can be done with this person now, by the names the API uses."""
    if staff.pk == only_admin:
        return []
    return list(_STEPS[staff.state])


def invite(*, hospital: Hospital, name: str, email: str, role: str, by: User, now: datetime) -> Staff:
    """Make somebody a colleague, and send them the link by which they come in; until then the role counts nothing.

    Somebody whose invitation was taken back is invited anew. Raises Conflict at the address for anybody else who has a
    row here, Invalid at the role, TooMany.
    """
    if role not in roles_to_invite():
        raise Invalid(_("Choose one of the roles. Doctors are invited with their licence number."), field="role")
    _count_invitation(hospital, email.strip().lower())
    try:
        with transaction.atomic():
            user = people.person_for(email=email, name=name, by=by)
            _require_account(user, field="email")
            staff = Staff.objects.locked().filter(user=user).first()
            if staff is None:
                staff = Staff.objects.create(user=user, role=role, invited_as=_name(name))
            elif staff.state == "taken_back":
                _set(staff, is_active=True, role=role, invited_as=_name(name))
            else:
                raise _is_here(staff)
            audit.record(action=Action.STAFF_INVITED, target=staff, by=by, data={"role": role})
            invitations.send(hospital=hospital, staff=staff, by=by, now=now)
    except IntegrityError:  # somebody else was faster; the database keeps one row a person
        raise Conflict(_("Somebody else has just invited this person."), field="email") from None
    return staff


def _name(typed: str) -> str:
    return one_line(typed)[:150]


def _is_here(staff: Staff) -> Conflict:
    sentence = {
        "active": _("%(name)s is staff here already."),
        "invited": _("%(name)s is invited already. You can send the invitation again from their page."),
        "deactivated": _("%(name)s was deactivated. Open their page in the list of staff to activate them again."),
    }[staff.state]
    return Conflict(sentence % {"name": staff.name}, field="email")


def resend_invitation(*, hospital: Hospital, staff: Staff, by: User, now: datetime) -> None:
    """Send the invitation again; the earlier link stops working."""
    _count_invitation(hospital, staff.user.email)
    with transaction.atomic():
        row = _lock(staff)
        if row.state == "taken_back":
            raise NotAllowedNow(_("This invitation was taken back. Invite %(name)s again.") % {"name": row.name})
        _require_invited(row)
        invitations.send(hospital=hospital, staff=row, by=by, now=now)


@transaction.atomic
def take_back(*, staff: Staff, by: User, now: datetime) -> None:
    """Make an invitation that nobody has accepted worthless. The person can be invited again."""
    row = _lock(staff)
    if row.state == "taken_back":
        raise NotAllowedNow(_("This invitation was taken back already."))
    _require_invited(row)
    _set(staff, is_active=False)
    invitations.end(staff=row, now=now)
    audit.record(action=Action.INVITATION_TAKEN_BACK, target=row, by=by)


@transaction.atomic
def change_role(*, hospital: Hospital, staff: Staff, role: str, by: User) -> None:
    """Give somebody another role; it counts from their next request. Raises LastAdmin, Invalid at the role.

    A doctor who becomes something else stays a verified doctor, without a doctor's power.
    """
    row = _lock(staff)
    if role not in roles_for(row):
        raise Invalid(_("%(name)s cannot have this role. Choose another one.") % {"name": row.name}, field="role")
    old = row.role
    if role == old:
        return
    _keep_an_admin(row)
    _set(staff, role=role)
    audit.record(action=Action.STAFF_ROLE_CHANGED, target=staff, by=by, data={"role": [old, role]})
    publishing.publish_person(hospital=hospital, user=row.user)
    if row.state == "active":
        _tell(
            hospital,
            row,
            template="staff_role_changed",
            subject=_("Your role at %(hospital)s") % {"hospital": hospital.name},
            role=str(Role(role).label),
        )


@transaction.atomic
def deactivate(*, hospital: Hospital, staff: Staff, by: User, now: datetime, reason: str = "") -> None:
    """Take somebody's role away at once: every sign-in of theirs in this hospital ends, and open links stop working.

    What they are elsewhere stays as it is. The reason is for the hospital's log. Raises LastAdmin.
    """
    row = _lock(staff)
    if row.state == "invited":
        raise NotAllowedNow(_("%(name)s has not come in yet. Take the invitation back instead.") % {"name": row.name})
    if row.state != "active":
        raise NotAllowedNow(_("%(name)s is deactivated already.") % {"name": row.name})
    _keep_an_admin(row)
    _set(staff, is_active=False)
    invitations.end(staff=row, now=now)
    sessions.end_all(user=row.user, now=now, place=str(hospital.code))
    audit.record(action=Action.STAFF_DEACTIVATED, target=row, by=by, reason=reason)
    publishing.publish_person(hospital=hospital, user=row.user)
    _tell(
        hospital,
        row,
        template="staff_deactivated",
        subject=_("Your access to %(hospital)s has ended") % {"hospital": hospital.name},
    )


def activate(*, hospital: Hospital, staff: Staff, by: User, now: datetime) -> None:
    """Give somebody their role back. Who had never come in gets a new invitation."""
    if staff.joined_at is None:
        _count_invitation(hospital, staff.user.email)
    with transaction.atomic():
        row = _lock(staff)
        if row.is_active:
            raise NotAllowedNow(_("%(name)s is active already.") % {"name": row.name})
        _require_account(row.user)
        _set(staff, is_active=True)
        audit.record(action=Action.STAFF_ACTIVATED, target=row, by=by)
        publishing.publish_person(hospital=hospital, user=row.user)
        if row.joined_at is None:
            invitations.send(hospital=hospital, staff=row, by=by, now=now)
            return
        _tell(
            hospital,
            row,
            template="staff_activated",
            subject=_("You can work with %(hospital)s again") % {"hospital": hospital.name},
        )


def _lock(staff: Staff) -> Staff:
    """The row as it is now, held with those of the working admins: of two who demote each other, one waits."""
    admin = Q(role=Role.HOSPITAL_ADMIN, is_active=True, joined_at__isnull=False)
    rows = list(Staff.objects.filter(Q(pk=staff.pk) | admin).select_related("user").locked())
    return next(row for row in rows if row.pk == staff.pk)


def _keep_an_admin(row: Staff) -> None:
    """Refuse to take the power of the last one who has it. The caller holds the rows."""
    if row.pk == only_admin():
        raise LastAdmin(row)


def _set(staff: Staff, **new: object) -> None:
    """Change columns of a row that the caller holds, here and in the database."""
    Staff.objects.filter(pk=staff.pk).update(**new)
    for name, value in new.items():
        setattr(staff, name, value)


def _require_invited(row: Staff) -> None:
    if row.state != "invited":
        raise NotAllowedNow(_("%(name)s has come in already.") % {"name": row.name})


def _require_account(user: User, *, field: str = "") -> None:
    if not user.is_active:
        raise Conflict(_("The platform has closed the account with this address."), field=field)


def _count_invitation(hospital: Hospital, email: str) -> None:
    throttle.hit("invitation hospital", _INVITATIONS_OF_HOSPITAL, str(hospital.code))
    throttle.hit("invitation person", _INVITATIONS_TO_PERSON, str(hospital.code), email)


def _tell(hospital: Hospital, staff: Staff, *, template: str, subject: str, **context: Fact) -> None:
    """Write to somebody who works here, or did, in the hospital's name."""
    notifications.notify(
        to_address=staff.user.email,
        to_name=staff.name,
        template=template,
        subject=subject,
        brand_name=hospital.name,
        accent=hospital.accent,
        context={"hospital_name": hospital.name, "link": hospital_url(hospital.slug, "start"), **context},
    )
