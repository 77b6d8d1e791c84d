"""How a hospital joins: registration, confirming its address, review, opening, suspension.

Runs on the portal, in the public schema. Each function is one transaction: it happens whole or not at all.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.permissions import Role
from accounts.services import people
from audit import services as audit
from audit.models import Action
from core import hosts as addresses
from core import pictures, throttle
from core.codes import new_code
from core.colour import PORTAL_ACCENT
from core.errors import Conflict, Gone, NotAllowedNow
from core.pictures import Picture
from core.schemas import schema_context
from core.text import one_line
from directory import services as directory
from hospitals.models import BookingPolicy, Settings, Staff
from hospitals.services import invitations, support
from hospitals.services.departments import shown_to_patients
from hospitals.services.doctors import publishing
from notifications import services as notifications
from tenants import hosts, provisioning
from tenants import services as tenants
from tenants.models import RESERVED_SLUGS, Hospital

_STATUS_SALT = "hospitals.joining.status"


@dataclass(frozen=True)
class Registration:
    """What a hospital says of itself on the form."""

    name: str
    registration_number: str
    email: str
    phone_number: str
    address: str
    city: str
    state: str
    contact_person: str
    slug: str


def register(*, registration: Registration, logo: Picture | None, address: str) -> Hospital:
    """Put a hospital into the queue and send it the link by which it confirms its e-mail address.

    `address` is the visitor's IP address, for the rate limit. Raises Conflict at the field when the registration
    number (within the state) or the subdomain is taken, TooMany after ten registrations an hour from one address.
    """
    throttle.hit("registration", "10/hour", address)
    number = normal_number(registration.registration_number)
    code = new_code()
    # Before the transaction: the file storage may be far away. A file without a row harms nobody.
    logo_path = pictures.store(logo, folder=str(code), kind="logo") if logo else ""
    try:
        with transaction.atomic():
            hospital = Hospital.objects.create(
                code=code,
                schema_name=f"h_{code.hex[-12:]}",
                name=one_line(registration.name),
                registration_number=number,
                email=registration.email.lower(),
                phone_number=registration.phone_number,
                address=registration.address,
                city=one_line(registration.city),
                state=registration.state,
                contact_person=one_line(registration.contact_person),
                slug=registration.slug,
                logo=logo_path,
                logo_thumb=pictures.thumbnail(logo) if logo else "",
            )
            audit.record(
                action=Action.HOSPITAL_REGISTERED,
                target=hospital,
                by=None,
                actor=hospital.contact_person,
                new=Hospital.Status.PENDING,
            )
            _tell(
                hospital,
                template="registration_received",
                subject=_("Confirm your e-mail address"),
                link=status_link(hospital),
            )
    except IntegrityError:
        raise _taken(registration, number) from None
    return hospital


def normal_number(number: str) -> str:
    """A registration number as it is compared: upper case, single spaces."""
    return one_line(number).upper()


def _taken(registration: Registration, number: str) -> Conflict:
    """Which of the two unique things it was. The constraint's name is not asked: not every database reports it."""
    if is_number_taken(number=number, state=registration.state):
        return Conflict(number_taken(), field="registration_number")
    return Conflict(slug_taken(), field="slug")


def is_number_taken(*, number: str, state: str) -> bool:
    """Whether a hospital that was not rejected is registered under this number in this state."""
    return Hospital.objects.taking_names().filter(registration_number=normal_number(number), state=state).exists()


def number_taken() -> str:
    """The sentence for a number that is registered already."""
    return _(
        "A hospital with this registration number is on the platform already. "
        "If it is yours, ask your colleagues for an invitation."
    )


def slug_taken() -> str:
    """The sentence for a subdomain that is in use or reserved."""
    return _("This subdomain is taken. Choose another one.")


def is_slug_free(slug: str) -> bool:
    """Whether a hospital may have this subdomain."""
    return slug not in RESERVED_SLUGS and not Hospital.objects.taking_names().filter(slug=slug).exists()


def suggest_slug(name: str) -> str:
    """A free subdomain made from the hospital's name, like `cedar` for "Cedar Hospital"; "" if the name gives none."""
    words = [word for word in slugify(name).split("-") if word and word not in ("hospital", "hospitals", "the", "and")]
    base = re.sub(r"^[0-9-]+", "", "-".join(words))[:32].strip("-")
    if not base:
        return ""
    candidates = [base, f"{base}-hospital"[:40], *(f"{base}-{number}" for number in range(2, 100))]
    return next((slug for slug in candidates if is_slug_free(slug)), "")


def status_link(hospital: Hospital) -> str:
    """The address of its status page; whoever holds it reads the hospital's mail."""
    return addresses.portal_url("registration_status", signing.dumps(str(hospital.code), salt=_STATUS_SALT))


def hospital_of_link(token: str) -> Hospital:
    """The hospital a status link was made for. Raises Gone for a link that is not ours."""
    try:
        code = signing.loads(token, salt=_STATUS_SALT)
    except signing.BadSignature:
        raise Gone(_("This link is not complete. Copy the whole address from our message.")) from None
    return Hospital.objects.get(code=code)


@transaction.atomic
def confirm_email(*, hospital: Hospital, now: datetime) -> None:
    """Note that the hospital reads the mail at its address. Doing it twice changes nothing."""
    if Hospital.objects.filter(pk=hospital.pk, email_confirmed_at__isnull=True).update(email_confirmed_at=now):
        audit.record(action=Action.HOSPITAL_EMAIL_CONFIRMED, target=hospital, by=None, actor=hospital.contact_person)


@transaction.atomic
def approve(*, hospital: Hospital, by: User, now: datetime) -> None:
    """Open a hospital: its schema, host, admin, listing, settings and invitation come into being together.

    Raises Conflict, saying who was first, when somebody else has decided already.
    """
    _require(hospital, Hospital.Status.PENDING)
    audit.move(hospital, Hospital.Status.APPROVED, by=by)
    provisioning.provision(hospital=hospital)
    tenants.assign_subdomain(hospital=hospital)
    admin = people.person_for(
        email=hospital.email, name=hospital.contact_person, phone=str(hospital.phone_number), by=by
    )
    with schema_context(hospital.schema_name):
        audit.record(action=Action.HOSPITAL_OPENED, target=hospital, by=by)
        Settings.objects.create(pk=1)
        BookingPolicy.objects.create(pk=1)
        staff = Staff.objects.create(user=admin, role=Role.HOSPITAL_ADMIN, invited_as=hospital.contact_person)
        audit.record(action=Action.STAFF_ADDED, target=staff, by=by, data={"role": staff.role})
    directory.publish(hospital=hospital, departments=list)
    invite_admin(hospital=hospital, by=by, now=now)
    hosts.changed(hospital)


@transaction.atomic
def invite_admin(*, hospital: Hospital, by: User, now: datetime) -> None:
    """Send the hospital's first admin a fresh one-time link; an earlier one stops working."""
    _require(hospital, Hospital.Status.APPROVED)
    _require_in_service(hospital)
    with schema_context(hospital.schema_name):
        admins = Staff.objects.select_related("user").admins().filter(is_active=True)
        staff = admins.order_by("pk").first()
        if staff is None or admins.filter(invitations__accepted_at__isnull=False).exists():
            raise NotAllowedNow(_("The hospital's admin has accepted the invitation already."))
        invitation, token = invitations.issue(staff=staff, now=now)
        audit.record(action=Action.INVITATION_SENT, target=staff, by=by)
    # Written in the public outbox: it is the platform that invites, and its superadmin who sees whether it arrived.
    notifications.notify(
        to_address=staff.user.email,
        to_name=staff.name,
        template="invitation",
        subject=_("%(hospital)s is open: your invitation") % {"hospital": hospital.name},
        brand_name=hospital.name,
        accent=hospital.accent,
        context={
            "hospital_name": hospital.name,
            "link": addresses.hospital_url(hospital.slug, "invitation", token),
            "until": invitations.valid_until(invitation, hospital),
            "invited_by": addresses.PORTAL_NAME,
        },
        is_secret=True,
    )


@transaction.atomic
def reject(*, hospital: Hospital, by: User, reason: str) -> None:
    """Turn a registration down and say why. The registration number and subdomain become free again."""
    audit.move(hospital, Hospital.Status.REJECTED, by=by, reason=reason)
    _tell(
        hospital,
        template="registration_rejected",
        subject=_("Your registration was not accepted"),
        link=addresses.portal_url("register"),
        reason=reason,
    )


@transaction.atomic
def suspend(*, hospital: Hospital, by: User, reason: str) -> None:
    """Close a hospital for the time being: off the portal and closed to visitors at once; its data stays."""
    _require(hospital, Hospital.Status.APPROVED)  # one that has left comes back out of its archive alone
    audit.move(hospital, Hospital.Status.SUSPENDED, by=by, reason=reason)
    directory.withdraw(hospital=hospital)
    support.end_all(hospital=hospital, by=by, reason=reason)
    hosts.changed(hospital)
    _tell(
        hospital,
        template="hospital_suspended",
        subject=_("Your hospital's site is closed for now"),
        link=status_link(hospital),
        reason=reason,
    )


@transaction.atomic
def resume(*, hospital: Hospital, by: User, reason: str) -> None:
    """Open a suspended hospital again, as it was. A deletion that was planned is called off."""
    _require(hospital, Hospital.Status.SUSPENDED)
    _require_in_service(hospital)
    if hospital.deletion_due_at:
        tenants.call_off_deletion(hospital=hospital, by=by, reason=reason)
    audit.move(hospital, Hospital.Status.APPROVED, by=by, reason=reason)
    with schema_context(hospital.schema_name):
        directory.publish(hospital=hospital, departments=shown_to_patients)
        publishing.republish(hospital=hospital)
    hosts.changed(hospital)
    _tell(
        hospital,
        template="hospital_resumed",
        subject=_("Your hospital's site is open again"),
        link=addresses.hospital_url(hospital.slug, "home"),
        reason=reason,
    )


def _require(hospital: Hospital, status: Hospital.Status) -> None:
    """Refuse a step that belongs to another status, saying how it came to the one it has."""
    if hospital.status != status:
        raise NotAllowedNow(audit.already(hospital))


def _require_in_service(hospital: Hospital) -> None:
    """Refuse a step that needs the hospital's own schema while nobody may enter it."""
    if hospital.pause:
        raise NotAllowedNow(
            _("%(hospital)s is out of service. Bring it back into service first.") % {"hospital": hospital.name}
        )


def _tell(hospital: Hospital, *, template: str, subject: str, link: str, reason: str = "") -> None:
    """Write to the hospital's own address, in the platform's name."""
    notifications.notify(
        to_address=hospital.email,
        to_name=hospital.contact_person,
        template=template,
        subject=subject,
        brand_name=addresses.PORTAL_NAME,
        accent=PORTAL_ACCENT,
        context={
            "hospital_name": hospital.name,
            "reference": hospital.reference,
            "host": hospital.host,
            "link": link,
            "reason_given": reason,
            "contact": settings.SUPPORT_EMAIL,
        },
    )
