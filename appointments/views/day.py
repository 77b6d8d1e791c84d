"""A doctor's own day."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, requires
from appointments.models import Status
from appointments.services import queue, times
from appointments.slots import Slot
from appointments.views.rows import AT_DOCTOR, Row, day_asked, fingerprint, rows
from core.http import HospitalRequest
from core.pages import page
from hospitals.models import Doctor
from tenants.models import Hospital

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Entry:
    """A line of the agenda: a visit, a free stretch from `at` to `until`, or where the day stands now."""

    at: datetime
    row: Row | None = None
    until: datetime | None = None


@require_safe
@requires(Permission.OWN_DAY)
def today(request: HospitalRequest) -> HttpResponse:
    """The doctor's agenda of today or of another day (?day=), with the step that comes next beside each visit."""
    doctor = _own(request)
    now = timezone.now()
    this_day = queue.today_of(request.hospital, now)
    day = day_asked(request, "day", this_day)
    visits = list(
        queue.of_day(request.hospital, day).filter(doctor=doctor, status__in=queue.EXPECTED).with_people().by_time()
    )
    is_today = day == this_day
    free = _free(request.hospital, doctor, day, now) if day >= this_day else []
    shown = rows(request, visits, now=now, order=AT_DOCTOR)
    agenda = _agenda(shown, free, now if is_today else None)
    seen = fingerprint(day, [(row.visit.pk, row.state) for row in shown], f"{now:%H:%M}")
    if request.htmx and request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    context = {
        "doctor": doctor,
        "day": day,
        "is_today": is_today,
        "before": day - _DAY,
        "after": day + _DAY,
        "agenda": agenda,
        "visits": len(visits),
        "done": sum(visit.status == Status.COMPLETED for visit in visits),
        "waiting": sum(visit.status == Status.CHECKED_IN for visit in visits),
        "behind": queue.minutes_behind(visits, now=now) if is_today else 0,
        "next": _next_in_line(shown) if is_today else None,
        "now": timezone.localtime(now),
        "seen": seen,
    }
    return page(request, "day/today.html", context, part="agenda")


def _own(request: HospitalRequest) -> Doctor:
    return get_object_or_404(Doctor.objects.of(request.user).select_related("user", "schedule"))


def _free(hospital: Hospital, doctor: Doctor, day: date, now: datetime) -> list[Slot]:
    return times.free_slots(hospital=hospital, doctor=doctor, first=day, last=day, now=now, any_notice=True)


def _agenda(shown: list[Row], free: list[Slot], now: datetime | None) -> list[Entry]:
    """Visits, free stretches and the present moment, in the order of the clock."""
    entries = [Entry(at=row.visit.starts_at, row=row) for row in shown]
    taken = [row.visit.starts_at for row in shown]
    entries += _gaps([slot for slot in free if slot.starts_at not in taken], taken)
    if now:
        entries.append(Entry(at=now))
    return sorted(entries, key=lambda entry: entry.at)


def _gaps(free: Iterable[Slot], taken: list[datetime]) -> Iterator[Entry]:
    """Free slots that follow one another, as one stretch; a visit in between divides it."""
    found: list[list[Slot]] = []
    for slot in free:
        last = found[-1][-1] if found else None
        follows = last is not None and slot.busy_from <= last.busy_until
        if last is None or not follows or any(last.starts_at <= moment <= slot.starts_at for moment in taken):
            found.append([slot])
        else:
            found[-1].append(slot)
    for stretch in found:
        yield Entry(at=stretch[0].starts_at, until=stretch[-1].ends_at)


def _next_in_line(shown: list[Row]) -> Row | None:
    """Who is called next: of those who wait, whose turn was due first."""
    waiting = [row for row in shown if row.visit.status == Status.CHECKED_IN and row.visit.checked_in_at]
    return min(waiting, key=lambda row: (queue.due_at(row.visit), row.visit.token or 0), default=None)
