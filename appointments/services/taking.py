"""Taking a free time of a doctor, or not: the one place where visits and holds are written into a doctor's hours.

The INSERT decides, by the constraint on the visit. Whoever takes a time holds nothing while they wait for somebody else
who takes the same, so nobody waits in a circle; who has to give something up first stands in line before (`wait_in_line`).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from psycopg2.extras import DateTimeTZRange, NumericRange

from accounts.models import User
from appointments.models import Appointment, Status
from appointments.services import listing, times
from appointments.slots import Slot
from audit import services as audit
from core.prepared import insert
from core.queue import after_commit
from core.visits import VisitKind
from directory import services as directory
from hospitals.models import Doctor
from tenants.models import Hospital


def fresh(*, doctor: Doctor, slot: Slot, kind: VisitKind, status: str, **columns: Any) -> Appointment:
    """A visit in this slot that is not written yet."""
    columns.setdefault("fee", doctor.fees[kind])
    return Appointment(
        doctor=doctor,
        department=doctor.department,
        kind=kind,
        status=status,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        busy=DateTimeTZRange(slot.busy_from, slot.busy_until),
        **columns,
    )


def take(hospital: Hospital, visit: Appointment, slot: Slot, *, now: datetime, holder: UUID | None = None) -> bool:
    """Write the visit into a free place of its slot; tell whether there was one. The doctor's hours are kept already.

    Holds that ran out do not count, nor do those of `holder`: they are given up.
    """
    if not _is_day_open(hospital, visit, now=now, holder=holder):
        return False
    if _insert(visit, _places(slot)):
        return True
    give_way = Q(held_until__lte=now) | Q(holder=holder) if holder else Q(held_until__lte=now)
    in_the_way = Appointment.objects.filter(
        give_way, status=Status.HELD, doctor=visit.doctor_id, busy__overlap=visit.busy
    )
    if not in_the_way.exists():
        return False
    wait_in_line(visit.doctor)
    for rival in in_the_way.locked():
        give_up(rival, by=None)
    return _insert(visit, _places(slot))


def take_again(hospital: Hospital, visit: Appointment, slot: Slot, *, now: datetime) -> bool:
    """Confirm a visit that was given up, in a free place of its slot; tell whether there was one.

    The doctor's hours are kept already, and whoever asks stands in line.
    """
    if not _is_day_open(hospital, visit, now=now, holder=None):
        return False
    run_out = Appointment.objects.run_out(now).filter(doctor=visit.doctor_id, busy__overlap=visit.busy)
    for rival in run_out.locked():
        give_up(rival, by=None)
    for place in _places(slot):
        try:
            with transaction.atomic():
                audit.move(visit, Status.CONFIRMED, by=None, also={"places": place, "pay_until": None})
        except IntegrityError:  # the constraint says that somebody has it
            continue
        return True
    return False


def wait_in_line(doctor: Doctor) -> None:
    """Go one after another from here, all who give up a time of this doctor before they take one.

    Whoever only takes waits for nobody while holding something. Two who each give up what the other takes would wait
    for each other for ever.
    """
    Doctor.objects.locked().get(pk=doctor.pk)


def _places(slot: Slot) -> list[NumericRange]:
    """What a visit in this slot may take: all of an ordinary one; of one that is shared, each place in turn."""
    if slot.capacity == 1:
        return [NumericRange(1, None)]
    return [NumericRange(place, place + 1) for place in range(1, slot.capacity + 1)]


def _insert(visit: Appointment, places: Iterable[NumericRange]) -> bool:
    for place in places:
        visit.places = place
        if insert(visit, unless_taken=True):
            return True
    return False


def _is_day_open(hospital: Hospital, visit: Appointment, *, now: datetime, holder: UUID | None) -> bool:
    """Whether the doctor's day is not full. With a limit, bookers of one doctor go one after another (keep_hours).

    What makes room for the visit does not count: the holder's own holds, and the visit that is moved.
    """
    schedule = times.schedule_of(visit.doctor)
    if schedule.max_per_day is None:
        return True
    zone = times.zone_of(hospital)
    since, until = times.instants_of(visit.starts_at.astimezone(zone).date(), zone)
    live = Appointment.objects.live().between(since, until).filter(doctor=visit.doctor, busy__isnull=False)
    makes_room = Q(pk=visit.rescheduled_from_id) | Q(status=Status.HELD, held_until__lte=now)
    if holder:
        makes_room |= Q(status=Status.HELD, holder=holder)
    return live.exclude(makes_room).count() < schedule.max_per_day


def give_up(visit: Appointment, *, by: User | None) -> None:
    """Make a held time free for others."""
    audit.move(visit, Status.EXPIRED, by=by)
    after_commit("appointments.time_freed", appointment_id=visit.pk)


def tell_search(visit: Appointment, *, now: datetime) -> None:
    """Show the visit's time in the search no longer, in this transaction; one that is far ahead is not shown yet.

    A time that several share may have a place left, and a limit of visits may have been reached: then what is free is
    worked out anew afterwards.
    """
    if visit.starts_at > now + listing.FURTHEST:
        return
    is_shared = visit.places.upper is not None
    if not is_shared:
        directory.take_off(code=visit.doctor.code, starts_at=visit.starts_at, ends_at=visit.ends_at)
    if is_shared or times.schedule_of(visit.doctor).max_per_day is not None:
        after_commit("appointments.refresh_times", doctor_id=visit.doctor_id)
