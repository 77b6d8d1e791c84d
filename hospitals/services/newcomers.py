"""How people register through the API: as a patient anywhere, as a doctor on the hospital's own host."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import people
from core.errors import Invalid
from hospitals.models import Doctor
from hospitals.services.doctors import applying
from hospitals.services.doctors import details as words
from hospitals.services.doctors.details import Details

PATIENT, DOCTOR = "patient", "doctor"


@dataclass(frozen=True)
class Newcomer:
    """What somebody says of themselves."""

    email: str
    first_name: str
    last_name: str
    password: str
    phone: str = ""
    username: str = ""


def register(
    *, request: HttpRequest, newcomer: Newcomer, role: str, details: Details, sign_in_link: str, now: datetime
) -> None:
    """Open an account, to be confirmed by the code that is sent; for a doctor also the application, not yet sent.

    An address that has an account gets the same answer: its owner is told by mail, and applies after signing in. Raises
    Invalid at the role for one that nobody gives themselves, and for a doctor on the portal.
    """
    hospital = request.hospital  # type: ignore[attr-defined]  # see tenants.middleware
    if role == DOCTOR and hospital is None:
        raise Invalid(_("Register on the hospital's own address."), field="role")
    if role not in (PATIENT, DOCTOR):
        raise Invalid(_("Register as a patient or a doctor. Other roles are given by a hospital."), field="role")
    also = None
    if role == DOCTOR:
        _require_free_licence(details.normal().licence_number, newcomer.email)
        also = partial(_apply, details)
    people.register(request=request, now=now, sign_in_link=sign_in_link, also=also, **vars(newcomer))


def _apply(details: Details, user: User) -> None:
    """Begin the application, or say anew what was said before the address was confirmed, which was nobody's word."""
    doctor = applying.begin(user=user, details=details)
    if doctor.status == Doctor.Status.INCOMPLETE:
        applying.change(user=user, details=details)


def _require_free_licence(number: str, email: str) -> None:
    """Asked before it is known whether the address has an account, so that the answer does not tell."""
    mine = User.objects.filter(email=email.strip().lower(), email_verified_at__isnull=True).first()
    if words.is_licence_taken(number, but=mine.pk if mine else None):
        raise words.licence_taken()
