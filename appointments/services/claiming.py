"""One visit at a time: what stands in the way of a booking at this hospital or at another one."""

from datetime import datetime
from typing import Any, cast

from django.utils.translation import gettext as _

from accounts.models import User
from appointments.models import Appointment
from appointments.services import times
from core.errors import Conflict
from directory import services as directory
from directory.models import TakenTime
from patients.models import Patient
from tenants.models import Hospital


def claim(hospital: Hospital, visit: Appointment, *, by: User | None) -> None:
    """Note the visit among the person's visits at all hospitals, in place of the one it was moved from.

    Raises Conflict when they have another one then. A patient without an account is known to this hospital alone.
    """
    patient = visit.patient
    if patient is None:
        return
    if patient.user is None:
        if _meets_another(visit):
            raise Conflict(_busy(patient), field="starts_at")
        return
    person = patient.family_member or patient.user.code
    period = {"starts_at": visit.starts_at, "ends_at": visit.ends_at}
    asked: dict[str, Any] = {
        "user": patient.user,
        "person": person,
        "hospital": hospital,
        "appointment": visit.code,
        **period,
    }
    old = visit.rescheduled_from.code if visit.rescheduled_from else None
    # The new time first: two visits of one person that are moved at once never wait for each other.
    won = directory.claim_time(**asked)
    if old:
        directory.end_time(appointment=old)
    if not won and old:  # perhaps it was only the old time that was in the way
        won = directory.claim_time(**asked)
    if not won:
        raise Conflict(
            _in_the_way(hospital, patient, directory.rival_of(person=person, **period), by), field="starts_at"
        )


def claim_again(visit: Appointment) -> bool:
    """Note a visit that had been given up among the person's visits again; False when they have another one then."""
    if visit.patient and visit.patient.user is None:
        return not _meets_another(visit)
    return directory.resume_time(appointment=visit.code)


def _meets_another(visit: Appointment) -> bool:
    others = Appointment.objects.live().filter(patient=visit.patient, busy__isnull=False).exclude(pk=visit.pk)
    return others.filter(starts_at__lt=visit.ends_at, ends_at__gt=visit.starts_at).exists()


def _in_the_way(hospital: Hospital, patient: Patient, rival: TakenTime | None, by: User | None) -> str:
    """What is said. Only the person themselves is told where else they have a visit."""
    is_own = by is not None and by.pk == patient.user_id
    if rival is None or not (is_own or rival.hospital_id == hospital.pk):
        return _busy(patient)
    starts = cast(datetime, rival.period.lower).astimezone(times.zone_of(hospital))
    return _("%(name)s has another visit at that time: %(hospital)s at %(time)s. Move or cancel that one first.") % {
        "name": patient.name,
        "hospital": rival.hospital.name,
        "time": f"{starts:%H:%M}",
    }


def _busy(patient: Patient) -> str:
    return _("%(name)s has another visit at that time. Choose another time.") % {"name": patient.name}
