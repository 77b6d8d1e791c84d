"""What the clock writes: a reminder a day and an hour before a visit, and a doctor's list in the morning.

Each is written once, whoever runs this and however often: the mark on the row and the message are one transaction.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.db import transaction
from django.db.models import Case, DateTimeField, F, Q, When

from appointments.models import Appointment, MorningList, Status
from appointments.models.visits import Appointments
from appointments.services import letters, times
from hospitals.models import Staff
from tenants.models import Hospital

logger = logging.getLogger(__name__)

_LATE = timedelta(minutes=10)
_A_DAY = timedelta(days=1)
# From the first to the second hour of the hospital's clocks: after an outage a list of the morning still helps.
_MORNING = range(6, 10)


@dataclass(frozen=True)
class Reminder:
    """One kind of reminder: how long before a visit, until when it still makes sense, and which column notes it."""

    before: timedelta
    until: timedelta
    column: str
    write: Callable[..., None]


REMINDERS = [
    # Within the last hour the other one is enough.
    Reminder(timedelta(hours=24), timedelta(hours=1), "reminded_day_at", letters.remind_day),
    Reminder(timedelta(hours=1), timedelta(), "reminded_hour_at", letters.remind_hour),
]


def send_due(*, hospital: Hospital, now: datetime) -> int:
    """Write every reminder that is due, return how many: after an outage late, but never once the visit has begun."""
    late = sum(_late(reminder, now).count() for reminder in REMINDERS)
    if late:
        logger.warning("Reminders that are more than 10 minutes late at %s: %d", hospital.slug, late)
    written = 0
    for reminder in REMINDERS:
        for visit in _due(reminder, now).with_people().order_by("starts_at", "pk"):
            written += _send(hospital, reminder, visit, now)
    return written


@transaction.atomic
def _send(hospital: Hospital, reminder: Reminder, visit: Appointment, now: datetime) -> bool:
    still = Appointment.objects.filter(
        pk=visit.pk, status=Status.CONFIRMED, starts_at=visit.starts_at, **{f"{reminder.column}__isnull": True}
    )
    if not still.update(**{reminder.column: now}):
        return False
    reminder.write(hospital=hospital, visit=visit, now=now)
    return True


def _late(reminder: Reminder, now: datetime) -> Appointments:
    return _due(reminder, now).filter(starts_at__lte=now + reminder.before - _LATE)


def _due(reminder: Reminder, now: datetime) -> Appointments:
    """Confirmed visits for whose reminder it is time, and of whom it has not been written."""
    return _meant(reminder).filter(
        status=Status.CONFIRMED,
        starts_at__gt=now + reminder.until,
        starts_at__lte=now + reminder.before,
        **{f"{reminder.column}__isnull": True},
    )


def _meant(reminder: Reminder) -> Appointments:
    """Visits of which the patient has known longer than the reminder is early, and who can be written to."""
    known_since = Case(
        When(rescheduled_from__isnull=False, then=F("created_at")),
        default=F("booked_at"),
        output_field=DateTimeField(),
    )
    reachable = Q(patient__user__isnull=False) | Q(patient__email__gt="")
    rows = Appointment.objects.annotate(known_since=known_since)
    return rows.filter(reachable, known_since__lt=F("starts_at") - reminder.before)


@dataclass(frozen=True)
class Standing:
    """Of the reminders whose time came within a day: how many there should be, how many were written, how many lack."""

    expected: int
    sent: int
    late: int


def standing(*, now: datetime) -> Standing:
    """How the active hospital's reminders stand, for who watches the machine."""
    kept = [Status.CONFIRMED, Status.CHECKED_IN, Status.IN_PROGRESS, Status.COMPLETED, Status.NO_SHOW]
    expected = sent = late = 0
    for reminder in REMINDERS:
        since, until = now - _A_DAY + reminder.before, now + reminder.before
        meant = _meant(reminder).filter(status__in=kept, starts_at__gt=since, starts_at__lte=until)
        expected += meant.count()
        sent += meant.filter(**{f"{reminder.column}__isnull": False}).count()
        late += _late(reminder, now).count()
    return Standing(expected, sent, late)


def send_morning_lists(*, hospital: Hospital, now: datetime) -> int:
    """Write to each doctor who has visits today, once, in the morning of the hospital; return to how many."""
    zone = times.zone_of(hospital)
    local = now.astimezone(zone)
    if local.hour not in _MORNING:
        return 0
    since, until = times.instants_of(local.date(), zone)
    visits = (
        Appointment.objects.between(since, until)
        .filter(status__in=[Status.PENDING, Status.CONFIRMED, Status.CHECKED_IN])
        .exclude(status=Status.PENDING, pay_until__isnull=False)
        .filter(doctor__user__in=Staff.objects.working().values("user"))
        .exclude(doctor__in=MorningList.objects.filter(date=local.date()).values("doctor"))
        .select_related("doctor__user")
        .order_by("doctor", "starts_at", "pk")
    )
    written = 0
    for doctor, theirs in groupby(visits, key=lambda visit: visit.doctor):
        with transaction.atomic():
            _row, is_first = MorningList.objects.get_or_create(doctor=doctor, date=local.date())
            if is_first:
                letters.morning_list(hospital=hospital, doctor=doctor, visits=list(theirs), day=local.date())
                written += 1
    return written
