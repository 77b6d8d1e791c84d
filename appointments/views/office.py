"""The office's list of all visits, and one visit with what happened to it."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import Permission, granted, requires
from appointments import steps
from appointments.filters import VisitFilter
from appointments.forms.office import Move
from appointments.models import Appointment
from appointments.models.visits import Appointments
from appointments.services import moving, paying, queue, times, weeks
from appointments.steps import Step
from appointments.views.acts import find
from appointments.views.rows import button, codes_of, day_asked, possible_now, rows
from audit.models import AuditLog
from core.forms import refusals_on
from core.http import HospitalRequest
from core.menus import Item
from core.pages import divide, page
from core.visits import VisitKind
from hospitals.entries import entry
from hospitals.models import Doctor

_HISTORY = 40
_SORTS = {
    "time": ("starts_at", "pk"),
    "patient": ("patient__name", "starts_at", "pk"),
    "doctor": ("doctor__user__first_name", "doctor__user__last_name", "starts_at", "pk"),
    "status": ("status", "starts_at", "pk"),
}
TO_COME, NOT_CLOSED, PAST, ALL = "", "not-closed", "past", "all"


@require_safe
@requires(Permission.APPOINTMENT_VIEW)
def index(request: HospitalRequest) -> HttpResponse:
    """Visits by when (?when=), who, with whom and how they stand; sorted by ?sort=."""
    narrowed = narrow(request)
    shown = divide(request, in_order(request, narrowed.qs).with_people().with_bill())
    asked = {name: value for name, value in request.GET.items() if name in narrowed.form.fields and value}
    return page(
        request,
        "visits_office/list.html",
        {
            "rows": shown,
            "listed": rows(request, shown, now=timezone.now()),
            "form": narrowed.form,
            "more": [narrowed.form[name] for name in ("department", "kind", "source")],
            "is_more_open": any(asked.get(name) for name in ("department", "kind", "source")),
            "is_narrowed": bool(asked),
            "when": _when(request),
            "tabs": _tabs(request),
            "may_change_many": granted(request, request.user, Permission.APPOINTMENT_OVERRIDE),
            "may_book": granted(request, request.user, Permission.APPOINTMENT_DESK),
            "may_bill": granted(request, request.user, Permission.INVOICE_VIEW),
        },
        part="results",
    )


def narrow(request: HospitalRequest) -> VisitFilter:
    """The visits that the address asks for."""
    visits = Appointment.objects.booked()
    now = timezone.now()
    when = _when(request)
    if when == NOT_CLOSED:
        visits = visits.not_closed(now)
    elif when != ALL:
        today = times.instants_of(queue.today_of(request.hospital, now), times.zone_of(request.hospital))[0]
        visits = visits.filter(starts_at__lt=today) if when == PAST else visits.filter(starts_at__gte=today)
    return VisitFilter(request.GET, visits, request=request)


def in_order(request: HospitalRequest, visits: Appointments) -> Appointments:
    """As ?sort= asks; else what comes next first, and of the past the latest."""
    asked = request.GET.get("sort", "")
    order = _SORTS.get(asked.removeprefix("-"))
    if order is None:
        return visits.order_by("-starts_at", "-pk") if _when(request) == PAST else visits.by_time()
    if asked.startswith("-"):
        return visits.order_by(*(f"-{name}" for name in order))
    return visits.order_by(*order)


def _when(request: HospitalRequest) -> str:
    """Which tab is open. Somebody who names days, or a reference, means all of them."""
    asked = request.GET.get("when", "")
    if asked in (NOT_CLOSED, PAST, ALL):
        return asked
    return ALL if request.GET.get("first") or request.GET.get("last") else TO_COME


def _tabs(request: HospitalRequest) -> list[Item]:
    when = _when(request)
    given = [(name, str(value)) for name, value in request.GET.items() if value]
    kept = [pair for pair in given if pair[0] not in ("when", "page", "sort")]

    def tab(label: str, name: str, count: int | None = None) -> Item:
        asked = [*kept, ("when", name)] if name else [pair for pair in kept if pair[0] not in ("first", "last")]
        return Item(label=label, url="?" + urlencode(asked), icon="", current=when == name, count=count)

    unclosed = Appointment.objects.not_closed(timezone.now()).count()
    return [
        tab(_("Today and later"), TO_COME),
        tab(_("Not closed"), NOT_CLOSED, unclosed or None),
        tab(_("Past"), PAST),
        tab(_("All"), ALL),
    ]


@require_safe
@requires(Permission.VISIT_OPEN)
def detail(request: HospitalRequest, code: UUID) -> HttpResponse:
    """One visit: who, when, what it costs, what can be done with it, and what happened."""
    visit = find(request, code)
    now = timezone.now()
    can = possible_now(request, visit, now=now)
    later = Appointment.objects.filter(rescheduled_from=visit).first()
    return page(
        request,
        "visits_office/detail.html",
        {
            "visit": visit,
            "row": rows(request, [visit], now=now)[0],
            "buttons": [button(step) for step in can if step not in (Step.CANCEL, Step.MOVE)],
            "may_cancel": Step.CANCEL in can,
            "may_move": Step.MOVE in can,
            "may_list": granted(request, request.user, Permission.APPOINTMENT_VIEW),
            "may_open_patient": granted(request, request.user, Permission.PATIENT_VIEW),
            "may_read_reason": steps.reads_reason(request, visit),
            "may_print": granted(request, request.user, Permission.QUEUE_RUN),
            "bill": paying.bill_of(visit) if granted(request, request.user, Permission.INVOICE_VIEW) else None,
            "may_bill": granted(request, request.user, Permission.INVOICE_EDIT) and paying.is_payable(visit),
            "moved_to": later,
            "history": [entry(row) for row in AuditLog.objects.about(visit).newest_first()[:_HISTORY]],
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.VISIT_OPEN)
def move(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Another time for a visit, of the same doctor or of another one (?doctor=), whatever the shortest notice."""
    visit = find(request, code)
    if not steps.acts_for_hospital(request, visit, Step.MOVE):
        raise PermissionDenied
    if not visit.is_to_come:
        return redirect("appointment_detail", visit.code)
    doctors = _doctors_for(request, visit)
    to = _doctor_asked(request, visit, doctors)
    form = Move(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            moved = moving.move(
                hospital=request.hospital,
                visit=visit,
                by=request.user,
                now=timezone.now(),
                by_hospital=True,
                doctor=to,
                **form.cleaned_data,
            )
            messages.success(request, _("The visit is moved."))
            return redirect("appointment_detail", moved.code)
    today = queue.today_of(request.hospital, timezone.now())
    week = weeks.week_of(
        hospital=request.hospital,
        doctor=to,
        kind=VisitKind(visit.kind),
        now=timezone.now(),
        asked=day_asked(request, "week", max(today, timezone.localdate(visit.starts_at))),
        at=_instead(form),
        any_notice=True,
    )
    return page(
        request,
        "visits_office/move.html",
        {"visit": visit, "doctor": to, "doctors": doctors, "week": week, "form": form},
        part="picker",
    )


def _instead(form: Move) -> datetime | None:
    """After a time was taken by somebody else, the next one."""
    refusal = getattr(form, "refusal", None)
    return refusal.next_free_at if isinstance(refusal, times.SlotTaken) else None


def _doctors_for(request: HospitalRequest, visit: Appointment) -> list[Doctor]:
    """Whom a visit may be moved to: doctors who offer its kind; one who is not at the desk keeps their patients."""
    if not granted(request, request.user, Permission.APPOINTMENT_DESK):
        return [visit.doctor]
    doctors = Doctor.objects.bookable().with_people().select_related("schedule")
    offering = [doctor for doctor in doctors if visit.kind in doctor.kinds or doctor.pk == visit.doctor_id]
    return sorted(offering, key=lambda doctor: doctor.name.lower())


def _doctor_asked(request: HospitalRequest, visit: Appointment, doctors: list[Doctor]) -> Doctor:
    asked = codes_of([request.GET.get("doctor", "")])
    if not asked:
        return visit.doctor
    found = next((doctor for doctor in doctors if doctor.code == asked[0]), None)
    if found is None:
        raise Http404
    return found
