"""The patient's way to a visit: the doctor's page, a time held, who it is for, and booked."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.timezone import localdate, now
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms import Again, Code
from accounts.models import User
from accounts.permissions import NotAsSupport, Permission, granted, requires
from accounts.services import newcomers
from accounts.services.sign_in import HalfWay, Step, half_way
from accounts.steps import next_page
from appointments import holders
from appointments.forms.booking import Pick, Who, instant
from appointments.forms.review import Review
from appointments.models import Appointment, Status
from appointments.services import booking, own, paying, weeks
from appointments.services.booking import HoldOver
from appointments.views.picking import day_asked, kinds_of, picker
from core.forms import refusals_on
from core.http import HospitalRequest
from core.pages import page
from core.visits import VisitKind
from hospitals.models import BookingPolicy, Doctor
from hospitals.services import settings

_INSTEAD = 6


# --- The doctor, and a time ------------------------------------------------------------------------------------------


@require_safe
@requires(Permission.PUBLIC)
def doctor(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Who the doctor is, and the true free times. ?kind= of visit, ?week= of that day, ?at= that time chosen already."""
    return _doctor_page(
        request,
        _find_doctor(code),
        kind=request.GET.get("kind", ""),
        day=day_asked(request),
        at=instant(request.GET.get("at", "")),
    )


@require_POST
@requires(Permission.PUBLIC)
def hold(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Hold the chosen time; without an account, for this browser."""
    doctor, browser, person = _find_doctor(code), holders.browser_of(request), _person(request)
    form = Pick(request.POST)
    if form.is_valid():
        with refusals_on(form):
            visit = booking.hold(
                hospital=request.hospital,
                doctor=doctor,
                starts_at=form.cleaned_data["starts_at"],
                kind=VisitKind(form.cleaned_data["kind"]),
                holder=browser.code,
                by=person,
                now=now(),
                address=request.address,
            )
            response = redirect("visit_review")
            holders.remember(response, browser, held=visit.code)
            return response
    at = instant(form.data.get("starts_at", ""))
    return _doctor_page(
        request, doctor, kind=form.data.get("kind", ""), day=localdate(at) if at else None, at=at, form=form
    )


def _find_doctor(code: UUID) -> Doctor:
    bookable = Doctor.objects.bookable().select_related("user", "department", "schedule")
    return get_object_or_404(bookable, code=code)


def _doctor_page(
    request: HospitalRequest, doctor: Doctor, *, kind: str, form: Form | None = None, **asked: Any
) -> HttpResponse:
    chosen = VisitKind(kind) if kind in doctor.kinds else doctor.kinds[0]
    holder = holders.browser_of(request).code
    context = picker(request, doctor=doctor, kind=chosen, holder=holder, form=form, **asked)
    fee = doctor.fees[chosen]
    context |= {
        "action": reverse("visit_hold", args=[doctor.code]),
        "here": f"{reverse('doctor_page', args=[doctor.code])}?kind={chosen}&",
        "fee": fee,
        "kinds": kinds_of(doctor, chosen, context["week"]),
        "rules": settings.policy_sentences(BookingPolicy.objects.get(), is_free=not fee),
    }
    return page(request, "booking/doctor.html", context, part="picker")


def _person(request: HospitalRequest) -> User | None:
    """Who books, if they are signed in. Nobody books in another's name."""
    if granted(request, request.user, Permission.OWN_ACCOUNT):
        return request.user
    if granted(request, request.user, Permission.SIGNED_IN):
        raise NotAsSupport
    return None


# --- The time that is held -------------------------------------------------------------------------------------------


@never_cache
@require_safe
@requires(Permission.PUBLIC)
def review(request: HospitalRequest) -> HttpResponse:
    """The held time, found again by this browser's cookie: who books, or who it is for."""
    person = _person(request)
    visit = _held(request)
    if visit and visit.status not in (Status.HELD, Status.EXPIRED):
        return redirect("visit_detail", visit.code)
    return _review_page(request, visit, Review(user=person) if person else Who())


@require_POST
@requires(Permission.PUBLIC)
def extend(request: HospitalRequest) -> HttpResponse:
    """Hold the time ten minutes longer, once."""
    visit, person = _held(request), _person(request)
    form = Again(request.POST)
    if visit:
        with refusals_on(form):
            booking.extend(visit=visit, holder=holders.browser_of(request).code, by=person, now=now())
    if form.is_valid():
        return redirect("visit_review")
    return _review_page(request, visit, Review(user=person) if person else Who(), refused=form)


@require_POST
@requires(Permission.PUBLIC)
def release(request: HospitalRequest) -> HttpResponse:
    """Give the time back, and choose another one."""
    visit = _held(request)
    if visit is None:
        return redirect("home")
    booking.release(visit=visit, holder=holders.browser_of(request).code, by=_person(request))
    return redirect(_times_of(visit))


def _held(request: HospitalRequest) -> Appointment | None:
    """What this browser held last, unless somebody else, at the same computer, has booked it."""
    code = holders.browser_of(request).held
    if code is None:
        return None
    rows = Appointment.objects.select_related("doctor__user", "doctor__schedule", "department")
    visit = rows.filter(code=code).first()
    return visit if visit and visit.booked_by_id in (None, request.user.pk) else None


def _times_of(visit: Appointment) -> str:
    """Where another time of the same doctor is chosen."""
    query = urlencode({"kind": visit.kind, "week": localdate(visit.starts_at).isoformat()})
    return f"{reverse('doctor_page', args=[visit.doctor.code])}?{query}"


def _review_page(
    request: HospitalRequest, visit: Appointment | None, form: Form, *, refused: Form | None = None
) -> HttpResponse:
    moment = now()
    if visit is None or not visit.is_held(moment) or isinstance(getattr(form, "refusal", None), HoldOver):
        return _over_page(request, visit, form, moment)
    policy = BookingPolicy.objects.get()
    return page(
        request,
        "booking/review.html",
        {
            "visit": visit,
            "form": refused or form,
            "who_form": form if isinstance(form, Who) else None,
            "review_form": form if isinstance(form, Review) else None,
            "asks": policy.confirmation == BookingPolicy.Confirmation.DOCTOR,
            "rules": settings.policy_sentences(policy, is_free=not visit.fee),
            "is_paid_first": _is_paid_first(visit, policy),
        },
    )


def _is_paid_first(visit: Appointment, policy: BookingPolicy) -> bool:
    return paying.is_paid_first(policy=policy, kind=visit.kind, fee=visit.fee)


def _over_page(request: HospitalRequest, visit: Appointment | None, form: Form, moment: datetime) -> HttpResponse:
    """The time is not held any more: what can be had instead."""
    free = (
        weeks.times_like(
            hospital=request.hospital,
            doctor=visit.doctor,
            kind=VisitKind(visit.kind),
            wanted=visit.starts_at,
            now=moment,
            limit=_INSTEAD,
        )
        if visit and Doctor.objects.bookable().filter(pk=visit.doctor_id).exists()
        else []
    )
    response = page(request, "booking/over.html", {"visit": visit, "times": free, "form": form})
    response.status_code = 409 if form.is_bound else 200
    return response


# --- Who books -------------------------------------------------------------------------------------------------------


@require_POST
@requires(Permission.PUBLIC)
def who(request: HospitalRequest) -> HttpResponse:
    """Send a code to the address of somebody who is not signed in. The answer is the same with and without an account."""
    if granted(request, request.user, Permission.SIGNED_IN):
        return redirect("visit_review")
    form = Who(request.POST)
    if form.is_valid():
        with refusals_on(form):
            newcomers.ask_for_code(
                request=request,
                join_link=request.build_absolute_uri(reverse("sign_up")),
                now=now(),
                **form.cleaned_data,
            )
            return redirect("visit_code")
    return _review_page(request, _held(request), form)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PUBLIC)
def code(request: HospitalRequest) -> HttpResponse:
    """Type the code from the mail, and come in."""
    if granted(request, request.user, Permission.SIGNED_IN):
        return redirect("visit_review")
    waiting = half_way(request, Step.CODE)
    form = Code(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            step = newcomers.come_in(request=request, now=now(), **form.cleaned_data)
            return redirect(next_page(step, reverse("visit_review")))
    return _code_page(request, form, waiting)


@require_POST
@requires(Permission.PUBLIC)
def code_again(request: HospitalRequest) -> HttpResponse:
    """Send another code; the earlier one stops counting."""
    waiting = half_way(request, Step.CODE)
    form = Again(request.POST)
    with refusals_on(form):
        newcomers.ask_again(request=request, join_link=request.build_absolute_uri(reverse("sign_up")), now=now())
    if form.is_valid():
        messages.success(request, _("A new code is on its way."))
        return redirect("visit_code")
    return _code_page(request, form, waiting)


def _code_page(request: HospitalRequest, form: Form, waiting: HalfWay) -> HttpResponse:
    visit = _held(request)
    return page(
        request,
        "booking/code.html",
        {
            "form": form,
            "code_form": form if isinstance(form, Code) else Code(),
            "code_url": reverse("visit_code"),
            "again_url": reverse("visit_code_again"),
            "email": waiting.email,
            "visit": visit,
            "is_paid_first": visit is not None and _is_paid_first(visit, BookingPolicy.objects.get()),
        },
    )


# --- Booked ----------------------------------------------------------------------------------------------------------


@require_POST
@requires(Permission.OWN_ACCOUNT)
def book(request: HospitalRequest) -> HttpResponse:
    """Book the held time. Sent twice, it is booked once."""
    visit = _held(request)
    if visit and visit.status not in (Status.HELD, Status.EXPIRED):
        return redirect("visit_detail", visit.code)
    form = Review(request.POST, user=request.user)
    if visit and form.is_valid():
        with refusals_on(form):
            booked = own.book(
                hospital=request.hospital,
                visit=visit,
                holder=holders.browser_of(request).code,
                by=request.user,
                now=now(),
                **form.asked,
            )
            response = redirect(_after_booking(booked))
            holders.remember(response, holders.browser_of(request), held=booked.code)
            return response
    return _review_page(request, _held(request), form)


def _after_booking(visit: Appointment) -> str:
    """The checkout, for a visit that is confirmed by paying for it; else the visit."""
    bill = paying.bill_of(visit) if visit.waits_for_payment else None
    return reverse("checkout", args=[bill.code]) if bill else f"{reverse('visit_detail', args=[visit.code])}?booked"
