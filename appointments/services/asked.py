"""Booking for whom a client names: oneself, somebody in one's family, or, at the front desk, any patient."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import FamilyMember, User
from appointments.models import Appointment
from appointments.services import booking
from appointments.services.booking import Booking
from core.errors import Missing
from core.prepared import given, prepared
from core.visits import VisitKind
from hospitals.models import Doctor
from patients.models import Patient
from tenants.models import Hospital


@dataclass(frozen=True)
class Wish:
    """What a client says of the visit. `patient` is the code of an entry of the register or of a family member."""

    patient: UUID | None
    reason: str
    source: Appointment.Source
    idempotency_key: str = ""


def book(
    *,
    hospital: Hospital,
    doctor: Doctor,
    starts_at: datetime,
    kind: VisitKind,
    wish: Wish,
    by: User,
    is_desk: bool,
    now: datetime,
) -> Appointment:
    """Book a time in one step. Who works at the desk (`is_desk`) names any patient, and needs keep no notice for others.

    Raises Missing for a patient who is not theirs to book for, and what `booking.book` raises.
    """

    def act(asked: Booking) -> Appointment:
        any_notice = asked.source == Appointment.Source.DESK
        return booking.book(
            hospital=hospital,
            doctor=doctor,
            starts_at=starts_at,
            kind=kind,
            booking=asked,
            by=by,
            now=now,
            any_notice=any_notice,
        )

    return _for_whom(wish, by=by, is_desk=is_desk, act=act)


def book_held(
    *,
    hospital: Hospital,
    visit: Appointment,
    holder: UUID,
    wish: Wish,
    by: User,
    is_desk: bool,
    now: datetime,
) -> Appointment:
    """Make a visit of a held time. Raises Missing as `book` does, and what `booking.book_held` raises."""

    def act(asked: Booking) -> Appointment:
        return booking.book_held(hospital=hospital, visit=visit, holder=holder, booking=asked, by=by, now=now)

    return _for_whom(wish, by=by, is_desk=is_desk, act=act)


def _for_whom(wish: Wish, *, by: User, is_desk: bool, act: Callable[[Booking], Appointment]) -> Appointment:
    patient, source = _registered(wish, by=by, is_desk=is_desk), wish.source
    if patient is not None:
        source = Appointment.Source.DESK if patient.user_id != by.pk else source
        return act(Booking(patient, wish.reason, source, wish.idempotency_key))
    member = _member(wish.patient, by=by)
    with transaction.atomic():  # nobody becomes a patient by a booking that is refused
        patient = booking.patient_of(user=by, member=member)
        return act(Booking(patient, wish.reason, source, wish.idempotency_key))


def _registered(wish: Wish, *, by: User, is_desk: bool) -> Patient | None:
    """The entry of the register that is meant, if there is one yet that the caller may book for."""
    if wish.patient:
        found = Patient.objects.of(by).filter(Q(code=wish.patient) | Q(family_member=wish.patient)).first()
    else:
        found = _own_entry.first(person=by.pk)
    if found:
        found.user = by  # who is known already
    elif is_desk and wish.patient:
        found = Patient.objects.current().select_related("user").filter(code=wish.patient).first()
    return found


@prepared
def _own_entry() -> QuerySet[Patient]:
    return Patient.objects.of(given("person")).filter(family_member=None)


def _member(code: UUID | None, *, by: User) -> FamilyMember | None:
    if code is None:
        return None
    member = FamilyMember.objects.of(by).filter(code=code).first()
    if member is None:
        raise Missing(_("No patient whom you may book for has this id."), field="patient")
    return member
