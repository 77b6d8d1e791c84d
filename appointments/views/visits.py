"""One's own visits on a hospital's site: the list, one visit, and what the patient can do with it."""

from io import BytesIO
from typing import Any
from uuid import UUID

import segno
from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.timezone import localdate, localtime, now
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms import Again
from accounts.permissions import Permission, requires
from appointments import calendars, steps
from appointments.forms.booking import Cancellation, PickAnother, instant
from appointments.models import Appointment, Appointments, Status
from appointments.services import day, letters, moving, paying, queue
from appointments.services.queue import Place
from appointments.steps import Step
from appointments.views.picking import day_asked, picker
from billing.services import gateway
from core.forms import refusals_on
from core.http import HospitalRequest
from core.pages import divide, page
from core.visits import VisitKind
from hospitals.models import BookingPolicy
from tenants.models import Hospital

_ALL = 100  # percent


@never_cache
@require_safe
@requires(Permission.OWN_ACCOUNT)
def index(request: HospitalRequest) -> HttpResponse:
    """One's own and one's family's visits here: those to come, and page by page the others."""
    mine, moment, policy = _own(request).with_people(), now(), BookingPolicy.objects.get()
    online = gateway.takes_online()
    coming = [(visit, _possible(request, visit, policy, online=online)) for visit in mine.coming(moment).by_time()]
    past = divide(request, mine.past(moment).order_by("-starts_at", "-pk"))
    return page(request, "visits/list.html", {"coming": coming, "past": past}, part="past")


@never_cache
@require_safe
@requires(Permission.OWN_ACCOUNT)
def detail(request: HospitalRequest, code: UUID) -> HttpResponse:
    """One visit: when, where, the reference, and what can be done with it now. Its queue part is asked for anew."""
    visit = _find(request, code)
    if request.htmx and request.GET.get("seen") == _state(visit, queue.place_of(visit, now=now())):
        return HttpResponse(status=204)  # nothing has changed, and nothing is said
    return _detail(request, visit)


@require_safe
@requires(Permission.OWN_ACCOUNT)
def qr(request: HospitalRequest, code: UUID) -> HttpResponse:
    """The reference as a QR code, which the front desk scans."""
    svg = BytesIO()
    segno.make(_find(request, code).reference, error="m").save(svg, kind="svg", scale=8, light="#fff")
    headers = {"Cache-Control": "private, max-age=3600"}
    return HttpResponse(svg.getvalue(), content_type="image/svg+xml", headers=headers)


@require_safe
@requires(Permission.OWN_ACCOUNT)
def calendar(request: HospitalRequest, code: UUID) -> HttpResponse:
    """The visit for one's calendar."""
    return calendars.answer(hospital=request.hospital, visit=_find(request, code), now=now())


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.OWN_ACCOUNT)
def move(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Another time for the visit. ?week= shows the week of that day."""
    visit = _find(request, code)
    form = PickAnother(request.POST if request.method == "POST" else None)
    at = instant(request.POST.get("starts_at", "")) if form.is_bound else None
    if form.is_valid():
        with refusals_on(form):
            moved = moving.move(
                hospital=request.hospital,
                visit=visit,
                starts_at=form.cleaned_data["starts_at"],
                by=request.user,
                now=now(),
                by_hospital=False,
            )
            return redirect(f"{reverse('visit_detail', args=[moved.code])}?moved")
    if Step.MOVE not in _possible(request, visit, BookingPolicy.objects.get()):
        return _detail(request, visit, form) if form.is_bound else redirect("visit_detail", visit.code)
    week = localdate(at) if at else day_asked(request)
    kind = VisitKind(visit.kind)
    bound, action = form if form.is_bound else None, reverse("visit_move", args=[visit.code])
    context = picker(request, doctor=visit.doctor, kind=kind, day=week, at=at, form=bound)
    context |= {"visit": visit, "action": action, "here": f"{action}?", "fee": visit.fee}
    return page(request, "visits/move.html", context, part="picker")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.OWN_ACCOUNT)
def cancel(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Cancel the visit, knowing what it costs now."""
    visit, moment = _find(request, code), now()
    form = Cancellation(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            day.cancel(
                hospital=request.hospital,
                visit=visit,
                by=request.user,
                now=moment,
                by_hospital=False,
                **form.cleaned_data,
            )
            messages.success(request, _("Your appointment is cancelled."))
            return redirect("visit_detail", visit.code)
    if Step.CANCEL not in _possible(request, visit, BookingPolicy.objects.get()):
        return _detail(request, visit, form) if form.is_bound else redirect("visit_detail", visit.code)
    return page(request, "visits/cancel.html", {"visit": visit, "form": form, "money": day.if_cancelled(visit, moment)})


@require_POST
@requires(Permission.OWN_ACCOUNT)
def pay(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Pay for the visit: its bill is there, and the checkout opens."""
    visit, form = _find(request, code), Again(request.POST)
    if form.is_valid():
        with refusals_on(form):
            bill = paying.begin(hospital=request.hospital, visit=visit, by=request.user, now=now())
            return redirect("checkout", bill.code)
    return _after(request, visit, form)


@require_POST
@requires(Permission.OWN_ACCOUNT)
def check_in(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Say that one is here; the token follows."""
    visit, form = _find(request, code), Again(request.POST)
    with refusals_on(form):
        day.check_in(hospital=request.hospital, visit=visit, by=request.user, now=now(), as_patient=True)
    return _after(request, visit, form)


@require_POST
@requires(Permission.OWN_ACCOUNT)
def comes(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Say that one will come."""
    visit, form = _find(request, code), Again(request.POST)
    with refusals_on(form):
        day.patient_comes(visit=visit, by=request.user, now=now())
    return _after(request, visit, form)


def _own(request: HospitalRequest) -> Appointments:
    """The caller's own visits, as a patient: whatever role they have here."""
    return Appointment.objects.visible_to(request.user, None)


def _find(request: HospitalRequest, code: UUID) -> Appointment:
    rows = _own(request).select_related("patient", "doctor__user", "doctor__schedule", "department", "rescheduled_from")
    return get_object_or_404(rows, code=code)


def _possible(
    request: HospitalRequest, visit: Appointment, policy: BookingPolicy, *, online: bool = False
) -> list[str]:
    """What the patient can do now; `pay` where the hospital takes money `online`."""
    moment = now()
    found = steps.possible(request, visit, as_patient=True)
    if moment >= visit.starts_at:
        found = [step for step in found if step is Step.CHECK_IN]
    opens, is_confirmed = day.checks_in_from(visit, policy), visit.status == Status.CONFIRMED
    if Step.CHECK_IN in found and not (is_confirmed and opens <= moment <= visit.ends_at):
        found.remove(Step.CHECK_IN)
    if Step.COMES in found and visit.patient_confirmed_at:
        found.remove(Step.COMES)
    pays = online and paying.is_payable(visit)
    return [step.value for step in found] + (["pay"] if pays else [])


def _state(visit: Appointment, place: Place | None) -> str:
    """What the part that is asked for anew shows, in one word."""
    return f"{visit.status}-{place.before}-{_about(place.minutes)}" if place else str(visit.status)


def _about(minutes: int) -> int:
    """Minutes as one promises them: by fives, and rather too many."""
    return -(-minutes // 5) * 5


def _has_ended(visit: Appointment) -> bool:
    """Whether there is something to say about the money of a visit that did not take place."""
    if visit.status == Status.EXPIRED:  # a note says that nothing was charged
        return visit.payment_status != Appointment.PaymentStatus.UNPAID
    return visit.status in (Status.CANCELLED, Status.NO_SHOW)


def _rules(visit: Appointment) -> list[str]:
    """The rules the visit was booked under, as long as they matter."""
    until, late, missed = visit.free_cancellation_until, visit.late_cancellation_percent, visit.no_show_percent
    if not visit.is_to_come or not visit.fee:
        return []
    sentences = [_("Free to cancel until the visit begins.")]
    if late and until:
        words = {"day": date_format(localtime(until), "D j M"), "time": f"{localtime(until):%H:%M}", "percent": late}
        whole = _("Free to cancel until %(day)s at %(time)s. Later, the whole fee.")
        part = _("Free to cancel until %(day)s at %(time)s. Later, %(percent)d%% of the fee.")
        sentences = [(whole if late == _ALL else part) % words]
    if missed == _ALL:
        sentences.append(_("A missed visit costs the whole fee."))
    elif missed:
        sentences.append(_("A missed visit costs %(percent)d%% of the fee.") % {"percent": missed})
    return sentences


def _directions(hospital: Hospital) -> str:
    """Where a map shows the way to the hospital."""
    place = ", ".join([hospital.name, *hospital.address.splitlines(), hospital.city])
    return "https://www.google.com/maps/search/?" + urlencode({"api": "1", "query": place})


def _after(request: HospitalRequest, visit: Appointment, form: Form) -> HttpResponse:
    return redirect("visit_detail", visit.code) if form.is_valid() else _detail(request, visit, form)


def _detail(request: HospitalRequest, visit: Appointment, form: Form | None = None) -> HttpResponse:
    if form:  # refused: the visit is not what the page showed
        visit = _find(request, visit.code)
    policy = BookingPolicy.objects.get()
    may = _possible(request, visit, policy, online=gateway.takes_online())
    place = queue.place_of(visit, now=now())
    context: dict[str, Any] = {
        "visit": visit,
        "may": may,
        "owed": paying.owed_for(visit) if "pay" in may else 0,
        "bill": paying.bill_of(visit),
        "money": letters.money_of(visit) if _has_ended(visit) else "",
        "is_being_paid": visit.waits_for_payment and paying.is_under_way(visit),
        "opens_at": day.checks_in_from(visit, policy),
        "place": place,
        "minutes": _about(place.minutes) if place else 0,
        "state": _state(visit, place),
        "rules": _rules(visit),
        "directions": _directions(request.hospital),
        "is_new": "booked" in request.GET and visit.is_to_come,
        "was_moved": "moved" in request.GET and visit.is_to_come,
        "form": form,
    }
    return page(request, "visits/detail.html", context, part="queue")
