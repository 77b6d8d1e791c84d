"""What patients do themselves: book what they hold, for themselves or for somebody in their family."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import FamilyMember, User
from accounts.services import family
from appointments.models import Appointment
from appointments.services import booking
from appointments.services.booking import Booking, HoldOver
from core.errors import Invalid
from tenants.models import Hospital


def book(
    *,
    hospital: Hospital,
    visit: Appointment,
    holder: UUID,
    member: UUID | None,
    newcomer: dict[str, Any] | None,
    reason: str,
    by: User,
    now: datetime,
) -> Appointment:
    """Book the held time for `by`, for the member of their family with this code, or for one who is added with it.

    Asked twice, also at once, the visit is booked once. Raises what `booking.book_held` does.
    """
    with transaction.atomic():
        held = Appointment.objects.filter(pk=visit.pk, booked_by=None).locked().first()
        if held is None:  # it was booked a moment ago, with whoever was added to the family then
            done = Appointment.objects.filter(pk=visit.pk, booked_by=by).first()
            if done is None:
                raise HoldOver
            return done
        somebody = family.add(user=by, by=by, **newcomer) if newcomer else _member(by, member)
        patient = booking.patient_of(user=by, member=somebody)
        asked = Booking(patient=patient, reason=reason)
        return booking.book_held(hospital=hospital, visit=visit, holder=holder, booking=asked, by=by, now=now)


def _member(user: User, code: UUID | None) -> FamilyMember | None:
    if code is None:
        return None
    member = FamilyMember.objects.of(user).filter(code=code).first()
    if member is None:
        raise Invalid(_("This person is no longer in your family list. Choose another one."), field="who")
    return member
