"""Booking at the desk: for somebody who telephones, and for somebody who has walked in."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.permissions import Permission, requires
from appointments.forms.desk import Booking, Newcomer, Telephone, WalkIn
from appointments.services import desk, queue, times, weeks
from appointments.services.queue import Counter
from appointments.views.rows import codes_of, day_asked
from core.forms import refusals_on
from core.http import HospitalRequest
from core.menus import Item
from core.pages import page
from core.visits import VisitKind
from hospitals.models import Doctor
from patients.models import Patient
from patients.services import register
from patients.services.register import PossibleDouble

_FOUND = 8


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.QUEUE_RUN)
def walk_in(request: HospitalRequest) -> HttpResponse:
    """Somebody without a booking: the telephone number first (?phone=), then who it is and to whom; then a token."""
    asked = Telephone(request.GET if "phone" in request.GET else None)
    chosen = _patient_asked(request)
    if not chosen and "new" not in request.GET and not asked.is_valid():
        return page(request, "desk/walk_in_phone.html", {"form": asked})
    known = [chosen] if chosen else _with_number(asked)
    now = timezone.now()
    counters = queue.counters(hospital=request.hospital, now=now)
    form = _walk_in_form(request, asked, known, counters)
    if form.is_valid():
        with refusals_on(form):
            visit = desk.walk_in(
                hospital=request.hospital,
                doctor=form.cleaned_data["doctor"],
                who=form.cleaned_data["patient"] or desk.Newcomer(form.details, form.cleaned_data["is_new"]),
                reason=form.cleaned_data["reason"],
                by=request.user,
                now=now,
            )
            return redirect("visit_token", visit.code)
    doubles = _doubles(form)
    context = {"form": form, "known": doubles or known, "counters": counters, "is_double": bool(doubles)}
    return page(request, "desk/walk_in.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.APPOINTMENT_DESK)
def book(request: HospitalRequest) -> HttpResponse:
    """A time for somebody: the patient first (?q= and ?patient=), then the doctor, then the time."""
    patient = _patient_asked(request)
    if patient is None:
        words = request.GET.get("q", "").strip()
        found = Patient.objects.current().matching(words).by_name()[:_FOUND] if words else []
        return page(request, "desk/book_patient.html", {"words": words, "patients": found}, part="results")
    doctors = sorted(
        Doctor.objects.bookable().with_people().select_related("schedule"), key=lambda doctor: doctor.name.lower()
    )
    asked = codes_of([request.GET.get("doctor", "")])
    doctor = next((one for one in doctors if asked and one.code == asked[0]), None)
    if doctor is None:
        return page(request, "desk/book_doctor.html", {"patient": patient, "doctors": doctors})
    return _book_time(request, patient, doctor)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.APPOINTMENT_DESK)
def newcomer(request: HospitalRequest) -> HttpResponse:
    """A patient who is not in the register yet, on the way to a time."""
    form = Newcomer(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            patient = register.register(details=form.details, by=request.user, is_new=form.cleaned_data["is_new"])
            return redirect(f"{reverse('desk_book')}?{urlencode({'patient': str(patient.code)})}")
    return page(request, "desk/book_newcomer.html", {"form": form, "known": _doubles(form)})


def _book_time(request: HospitalRequest, patient: Patient, doctor: Doctor) -> HttpResponse:
    kind = next((kind for kind in doctor.kinds if kind == request.GET.get("kind")), doctor.kinds[0])
    form = Booking(request.POST if request.method == "POST" else None)
    now = timezone.now()
    if form.is_valid():
        with refusals_on(form):
            visit = desk.book(
                hospital=request.hospital,
                doctor=doctor,
                patient=patient,
                kind=kind,
                by=request.user,
                now=now,
                **form.cleaned_data,
            )
            messages.success(
                request,
                _("Booked: %(name)s, reference %(reference)s.") % {"name": patient.name, "reference": visit.reference},
            )
            return redirect("appointment_detail", visit.code)
    refusal = getattr(form, "refusal", None)
    week = weeks.week_of(
        hospital=request.hospital,
        doctor=doctor,
        kind=kind,
        now=now,
        asked=day_asked(request, "week", queue.today_of(request.hospital, now)) if "week" in request.GET else None,
        at=refusal.next_free_at if isinstance(refusal, times.SlotTaken) else None,
        any_notice=True,
    )
    context = {
        "patient": patient,
        "doctor": doctor,
        "kind": kind,
        "fee": doctor.fees[kind],
        "kinds": [_kind(offered, kind, patient, doctor) for offered in doctor.kinds],
        "week": week,
        "form": form,
    }
    return page(request, "desk/book_time.html", context, part="picker")


def _kind(offered: VisitKind, kind: VisitKind, patient: Patient, doctor: Doctor) -> Item:
    url = "?" + urlencode({"patient": str(patient.code), "doctor": str(doctor.code), "kind": offered.value})
    return Item(label=str(offered.label), url=url, icon="", current=offered == kind)


def _patient_asked(request: HospitalRequest) -> Patient | None:
    asked = codes_of([request.GET.get("patient", "")])
    return Patient.objects.current().filter(code=asked[0]).first() if asked else None


def _with_number(asked: Telephone) -> list[Patient]:
    """Whose telephone it may be: a family shares one."""
    if not asked.is_valid():
        return []
    return list(Patient.objects.current().filter(phone=asked.cleaned_data["phone"]).by_name()[:_FOUND])


def _walk_in_form(request: HospitalRequest, asked: Telephone, known: list[Patient], counters: list[Counter]) -> WalkIn:
    if request.method == "POST":
        named = codes_of([request.POST.get("patient", "")])
        others = Patient.objects.current().filter(code__in=named).exclude(pk__in=[one.pk for one in known])
        return WalkIn(request.POST, known=[*known, *others], counters=counters)
    first = next(iter(counters), None)
    initial = {
        "phone": asked.cleaned_data["phone"] if asked.is_valid() else "",
        "doctor": str(first.doctor.code) if first else "",
        "patient": str(known[0].code) if known else "",
    }
    return WalkIn(known=known, counters=counters, initial=initial)


def _doubles(form: Newcomer) -> list[Patient]:
    """Who may be the newcomer, after the register has warned."""
    refusal = getattr(form, "refusal", None)
    return refusal.matches if isinstance(refusal, PossibleDouble) else []
