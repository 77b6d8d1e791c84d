"""The board in the waiting room: tokens and rooms. No name of a patient, and nothing of what a visit is for, is ever on it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, requires
from appointments.services import queue
from appointments.views.rows import codes_of, fingerprint
from core.http import HospitalRequest
from core.pages import page
from hospitals.models import Doctor

_NEXT = 4
_NEWLY = timedelta(minutes=1)


@dataclass(frozen=True)
class Panel:
    """A doctor's part of the board. `now` are the tokens inside, `next` those who are called soon."""

    doctor: str
    room: str
    now: list[int]
    next: list[int]
    more: int
    is_new: bool


@require_safe
@requires(Permission.PUBLIC)
def board(request: HospitalRequest) -> HttpResponse:
    """Which token is with which doctor, and which are next: of all doctors, or of those the address names (?doctor=)."""
    now = timezone.now()
    asked = codes_of(request.GET.getlist("doctor"))
    doctors = Doctor.objects.verified().filter(code__in=asked).select_related("user", "schedule") if asked else []
    lines = queue.lines(hospital=request.hospital, now=now, doctors=doctors)
    panels = [_panel(line, now) for line in lines]
    seen = fingerprint(panels, f"{timezone.localtime(now):%H:%M}")
    if request.htmx and request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    context = {"panels": panels, "seen": seen, "now": timezone.localtime(now), "asked": asked}
    return page(request, "display/board.html", context, part="board")


def _panel(line: queue.Line, now: datetime) -> Panel:
    waiting = [visit.token for visit in line.waiting if visit.token]
    called = [visit.called_at for visit in line.inside if visit.called_at]
    return Panel(
        doctor=line.doctor.name,
        room=line.room,
        now=[visit.token for visit in line.inside if visit.token],
        next=waiting[:_NEXT],
        more=len(waiting[_NEXT:]),
        is_new=any(now - moment < _NEWLY for moment in called),
    )
