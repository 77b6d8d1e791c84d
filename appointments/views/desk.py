"""The front desk's day: who is expected, who waits and who is with a doctor; and finding somebody among them."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count
from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, granted, requires
from appointments.models import TO_COME, Appointment, Status
from appointments.models.visits import Appointments
from appointments.services import queue, times
from appointments.views.acts import find
from appointments.views.rows import Row, codes_of, day_asked, fingerprint, rows
from core.codes import as_reference
from core.http import HospitalRequest
from core.menus import Item
from core.pages import page
from hospitals.models import Doctor
from patients.models import Patient

_COLUMN = 25  # what fits; whoever is not among them is found by the search
_FOUND = 10
_PATIENTS = 5


@dataclass(frozen=True)
class Column:
    """One of the three columns: who stands in it, and how many more there are."""

    name: str
    title: str
    empty: str
    icon: str
    rows: list[Row]
    count: int

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.count - len(self.rows)


@require_safe
@requires(Permission.QUEUE_RUN)
def desk(request: HospitalRequest) -> HttpResponse:
    """The day of all doctors, or of one (?doctor=), on another day (?day=); or who matches the words (?q=)."""
    now = timezone.now()
    this_day = queue.today_of(request.hospital, now)
    day = day_asked(request, "day", this_day)
    words = request.GET.get("q", "").strip()
    doctor = next(iter(codes_of([request.GET.get("doctor", "")])), None)
    context = {
        "day": day,
        "is_today": day == this_day,
        "doctor": doctor,
        "doctors": _doctors(request),
        "words": words,
        "may_book": granted(request, request.user, Permission.APPOINTMENT_DESK),
        "may_bill": granted(request, request.user, Permission.INVOICE_VIEW),
    }
    if words:
        context |= _found(request, words, day, now)
    else:
        context |= _columns(request, day, doctor, now)
        if request.htmx and request.GET.get("seen") == context["seen"]:
            return HttpResponse(status=204)
    return page(request, "desk/desk.html", context, part="board")


@require_safe
@requires(Permission.QUEUE_RUN)
def token(request: HospitalRequest, code: UUID) -> HttpResponse:
    """The slip of paper for somebody who waits: the token, the doctor and the room."""
    visit = find(request, code)
    place = queue.place_of(visit, now=timezone.now())
    return page(request, "desk/token.html", {"visit": visit, "place": place})


def _doctors(request: HospitalRequest) -> list[Doctor]:
    """Whose days there are, by name."""
    return sorted(Doctor.objects.verified().select_related("user"), key=lambda doctor: doctor.name.lower())


def _columns(request: HospitalRequest, day: date, doctor: UUID | None, now: datetime) -> dict[str, object]:
    visits = queue.of_day(request.hospital, day)
    if doctor:
        visits = visits.filter(doctor__code=doctor)
    standing = dict(visits.order_by().values_list("status").annotate(Count("pk")))

    def column(name: str, title: str, empty: str, *, icon: str, shown: Appointments, states: list[Status]) -> Column:
        listed = shown.filter(status__in=states).with_people().with_bill().select_related("doctor__schedule")[:_COLUMN]
        count = sum(standing.get(state, 0) for state in states)
        return Column(name, title, empty, icon, rows(request, listed, now=now) if count else [], count)

    columns = [
        column(
            "arriving",
            _("Arriving"),
            _("Nobody else is expected."),
            icon="calendar-clock",
            shown=visits.by_time(),
            states=TO_COME,
        ),
        column(
            "waiting",
            _("Waiting"),
            _("Nobody waits."),
            icon="armchair",
            shown=visits.in_line(),
            states=[Status.CHECKED_IN],
        ),
        column(
            "inside",
            _("With doctor"),
            _("Nobody is with a doctor."),
            icon="stethoscope",
            shown=visits.order_by("called_at", "pk"),
            states=[Status.IN_PROGRESS],
        ),
    ]
    asked = request.GET.get("show", "")
    shown = asked if asked in [one.name for one in columns] else "arriving"
    state = [(one.visit.pk, one.state, one.visit.payment_status) for column in columns for one in column.rows]
    return {
        "columns": columns,
        "show": shown,
        "tabs": [_tab(request, one, shown) for one in columns],
        "done": standing.get(Status.COMPLETED, 0),
        "missed": standing.get(Status.NO_SHOW, 0),
        "seen": fingerprint(day, doctor, shown, state, standing),
    }


def _tab(request: HospitalRequest, column: Column, shown: str) -> Item:
    asked = {name: request.GET.get(name, "") for name in ("doctor", "day")} | {"show": column.name}
    url = "?" + urlencode({name: value for name, value in asked.items() if value})
    return Item(label=column.title, url=url, icon="", current=column.name == shown, count=column.count)


def _found(request: HospitalRequest, words: str, day: date, now: datetime) -> dict[str, object]:
    """The day's visits of who matches, and the visit with that reference whatever its day; and patients of the register."""
    reference = as_reference(words)
    visits = Appointment.objects.booked().matching(words)
    if not reference:
        visits = visits.between(*times.instants_of(day, times.zone_of(request.hospital)))
    listed = visits.with_people().with_bill().select_related("doctor__schedule").by_time()[:_FOUND]
    found = rows(request, listed, now=now)
    patients = [] if reference else Patient.objects.current().matching(words).by_name()[:_PATIENTS]
    return {"found": found, "patients": patients, "is_scanned": bool(reference)}
