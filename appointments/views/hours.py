"""A doctor's hours, schedule and leave: the doctor's own pages, and those of the office for any doctor."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.dates import WEEKDAYS
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import Permission, granted, requires
from appointments.forms import hours as forms
from appointments.models import Availability
from appointments.services import hours as services
from appointments.services import times
from appointments.services.displacing import Decisions, VisitsAffected
from appointments.views import hours_shown as shown
from core.forms import refusals_on
from core.http import HospitalRequest
from core.pages import page
from hospitals.models import Doctor

_form_door = require_http_methods(["GET", "HEAD", "POST"])
Act = Callable[[Decisions | None], object]


@dataclass(frozen=True)
class Place:
    """Whose hours are looked at, and from where."""

    doctor: Doctor
    is_own: bool
    may_see_visits: bool

    def url(self, step: str = "", *args: Any) -> str:
        """The address of a step, on the side one is on."""
        name = ("own_hours" if self.is_own else "doctor_hours") + (f"_{step}" if step else "")
        return reverse(name, args=[*([] if self.is_own else [self.doctor.code]), *args])


def _own(request: HospitalRequest) -> Place:
    doctor = get_object_or_404(Doctor.objects.of(request.user).select_related("user", "schedule"))
    return Place(doctor, is_own=True, may_see_visits=True)


def _office(request: HospitalRequest, code: UUID) -> Place:
    doctor = get_object_or_404(Doctor.objects.verified().select_related("user", "schedule"), code=code)
    may_see_visits = granted(request, request.user, Permission.APPOINTMENT_DESK)
    return Place(doctor, is_own=False, may_see_visits=may_see_visits)


def _row(place: Place, code: UUID) -> Availability:
    row = get_object_or_404(Availability.objects.filter(doctor=place.doctor), code=code)
    row.doctor = place.doctor
    return row


# --- The doctor's own doors ------------------------------------------------------------------------------------------


@require_safe
@requires(Permission.OWN_DAY)
def own_hours(request: HospitalRequest) -> HttpResponse:
    """The week of the doctor who is signed in."""
    return _week(request, _own(request))


@_form_door
@requires(Permission.OWN_DAY)
def own_hours_add(request: HospitalRequest) -> HttpResponse:
    """More hours every week."""
    return _add(request, _own(request))


@_form_door
@requires(Permission.OWN_DAY)
def own_hours_change(request: HospitalRequest, row: UUID) -> HttpResponse:
    """Other hours every week."""
    return _change(request, _own(request), row)


@require_POST
@requires(Permission.OWN_DAY)
def own_hours_remove(request: HospitalRequest, row: UUID) -> HttpResponse:
    """Hours or leave that go."""
    return _remove(request, _own(request), row)


@_form_door
@requires(Permission.OWN_DAY)
def own_hours_copy(request: HospitalRequest, weekday: int) -> HttpResponse:
    """The same hours on other days."""
    return _copy(request, _own(request), weekday)


@_form_door
@requires(Permission.OWN_DAY)
def own_hours_extra(request: HospitalRequest) -> HttpResponse:
    """Hours on one day only."""
    return _extra(request, _own(request))


@_form_door
@requires(Permission.OWN_DAY)
def own_hours_leave(request: HospitalRequest) -> HttpResponse:
    """Time off."""
    return _leave(request, _own(request))


@_form_door
@requires(Permission.OWN_DAY)
def own_hours_schedule(request: HospitalRequest) -> HttpResponse:
    """How one's hours are divided."""
    return _schedule(request, _own(request))


# --- The same for the office, for any doctor -------------------------------------------------------------------------


@require_safe
@requires(Permission.HOURS_EDIT)
def doctor_hours(request: HospitalRequest, code: UUID) -> HttpResponse:
    """A doctor's week."""
    return _week(request, _office(request, code))


@_form_door
@requires(Permission.HOURS_EDIT)
def doctor_hours_add(request: HospitalRequest, code: UUID) -> HttpResponse:
    """More hours every week."""
    return _add(request, _office(request, code))


@_form_door
@requires(Permission.HOURS_EDIT)
def doctor_hours_change(request: HospitalRequest, code: UUID, row: UUID) -> HttpResponse:
    """Other hours every week."""
    return _change(request, _office(request, code), row)


@require_POST
@requires(Permission.HOURS_EDIT)
def doctor_hours_remove(request: HospitalRequest, code: UUID, row: UUID) -> HttpResponse:
    """Hours or leave that go."""
    return _remove(request, _office(request, code), row)


@_form_door
@requires(Permission.HOURS_EDIT)
def doctor_hours_copy(request: HospitalRequest, code: UUID, weekday: int) -> HttpResponse:
    """The same hours on other days."""
    return _copy(request, _office(request, code), weekday)


@_form_door
@requires(Permission.HOURS_EDIT)
def doctor_hours_extra(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Hours on one day only."""
    return _extra(request, _office(request, code))


@_form_door
@requires(Permission.HOURS_EDIT)
def doctor_hours_leave(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Time off."""
    return _leave(request, _office(request, code))


@_form_door
@requires(Permission.HOURS_EDIT)
def doctor_hours_schedule(request: HospitalRequest, code: UUID) -> HttpResponse:
    """How a doctor's hours are divided."""
    return _schedule(request, _office(request, code))


# --- What both sides do ----------------------------------------------------------------------------------------------


def _week(request: HospitalRequest, place: Place, form: Form | None = None) -> HttpResponse:
    context = shown.week(hospital=request.hospital, doctor=place.doctor, url=place.url, now=now())
    has_back = not place.is_own and granted(request, request.user, Permission.DOCTOR_REVIEW)
    back = reverse("doctor_review", args=[place.doctor.code]) if has_back else ""
    context |= {"place": place, "doctor": place.doctor, "form": form, "back": back}
    return page(request, "hours/week.html", context)


def _add(request: HospitalRequest, place: Place) -> HttpResponse:
    asked = request.GET.get("day", "")
    initial = {"days": [asked] if asked else [], "start_time": "09:00", "end_time": "13:00"}
    form = forms.WeeklyForm(_posted(request), doctor=place.doctor, initial=initial)

    def act(decisions: Decisions | None) -> None:
        services.add_weekly(
            hospital=request.hospital,
            doctor=place.doctor,
            weekdays=form.weekdays(),
            stretch=form.stretch(),
            by=request.user,
            now=now(),
        )

    said = {"title": _("Add hours"), "submit": _("Add hours")}
    return _form(request, place, form, act, done=_("The hours are added."), said=said)


def _change(request: HospitalRequest, place: Place, code: UUID) -> HttpResponse:
    row = _row(place, code)
    if row.kind != Availability.Kind.WEEKLY:  # a single day is removed and added anew
        return redirect(place.url())
    form = forms.ChangeForm(_posted(request), doctor=place.doctor, row=row)

    def act(decisions: Decisions | None) -> None:
        services.change_weekly(
            hospital=request.hospital,
            row=row,
            weekday=form.cleaned_data["weekday"],
            stretch=form.stretch(),
            by=request.user,
            now=now(),
            decisions=decisions,
        )

    said = {"title": _("Change hours"), "submit": _("Save hours"), "row": row, "remove": place.url("remove", row.code)}
    return _form(request, place, form, act, done=_("The hours are saved."), said=said)


def _remove(request: HospitalRequest, place: Place, code: UUID) -> HttpResponse:
    row = _row(place, code)
    form = forms.RemovalForm(request.POST)

    def act(decisions: Decisions | None) -> None:
        services.remove(hospital=request.hospital, row=row, by=request.user, now=now(), decisions=decisions)

    is_leave = row.kind == Availability.Kind.LEAVE
    done = _("The leave is removed.") if is_leave else _("The hours are removed.")
    return _form(request, place, form, act, done=done, said={"title": _("Remove hours"), "submit": _("Remove hours")})


def _copy(request: HospitalRequest, place: Place, weekday: int) -> HttpResponse:
    if weekday not in WEEKDAYS:
        raise Http404
    form = forms.CopyForm(_posted(request), weekday=weekday)

    def act(decisions: Decisions | None) -> None:
        services.copy_day(
            hospital=request.hospital,
            doctor=place.doctor,
            weekday=weekday,
            to=[int(day) for day in form.cleaned_data["days"]],
            by=request.user,
            now=now(),
            decisions=decisions,
        )

    said = {"title": _("Copy the hours of %(day)s") % {"day": WEEKDAYS[weekday]}, "submit": _("Copy hours")}
    return _form(request, place, form, act, done=_("The hours are copied."), said=said)


def _extra(request: HospitalRequest, place: Place) -> HttpResponse:
    form = forms.ExtraForm(_posted(request), doctor=place.doctor)

    def act(decisions: Decisions | None) -> None:
        services.add_extra(
            hospital=request.hospital,
            doctor=place.doctor,
            day=form.cleaned_data["date"],
            stretch=form.stretch(),
            by=request.user,
            now=now(),
        )

    said = {
        "title": _("Extra hours"),
        "text": _("On one day only, beside the hours of every week."),
        "submit": _("Add extra hours"),
    }
    return _form(request, place, form, act, done=_("The extra hours are added."), said=said)


def _leave(request: HospitalRequest, place: Place) -> HttpResponse:
    form = forms.LeaveForm(_posted(request))

    def act(decisions: Decisions | None) -> None:
        entered = form.cleaned_data
        services.add_leave(
            hospital=request.hospital,
            doctor=place.doctor,
            first_date=entered["first_date"],
            last_date=entered["to"] or entered["first_date"],
            starts=entered["from_time"],
            ends=entered["to_time"],
            note=entered["note"],
            by=request.user,
            now=now(),
            decisions=decisions,
        )

    said = {
        "title": _("Leave"),
        "text": _("Nobody can book in this time. Where visits are booked already, you decide what becomes of each."),
        "submit": _("Add leave"),
    }
    return _form(request, place, form, act, done=_("The leave is added."), said=said)


def _schedule(request: HospitalRequest, place: Place) -> HttpResponse:
    form = forms.ScheduleForm(_posted(request), schedule=times.schedule_of(place.doctor))

    def act(decisions: Decisions | None) -> None:
        services.set_schedule(doctor=place.doctor, by=request.user, **form.cleaned_data)

    said = {
        "title": _("How hours are divided"),
        "text": _("Visits that are booked already stay as they are."),
        "submit": _("Save schedule"),
    }
    return _form(request, place, form, act, done=_("The schedule is saved."), said=said)


def _posted(request: HospitalRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _form(
    request: HospitalRequest, place: Place, form: Form, act: Act, *, done: str, said: dict[str, Any]
) -> HttpResponse:
    """Do it, or show the form; or ask about the visits that would lose their time."""
    if form.is_valid():
        with refusals_on(form):
            act(forms.decisions_in(request.POST) if place.may_see_visits else None)
            messages.success(request, done)
            return redirect(place.url())
    context = {"place": place, "doctor": place.doctor, "form": form, "back": place.url(), **said}
    refusal = getattr(form, "refusal", None)
    if isinstance(refusal, VisitsAffected):
        context["form"] = None  # what was entered is right
        response = page(request, "hours/affected.html", {**context, **shown.affected(refusal, request.POST)})
        response.status_code = refusal.status
        return response
    if isinstance(form, forms.RemovalForm):
        return _week(request, place, form)
    context["rows"] = [[form[name] for name in names] for names in form.layout]  # type: ignore[attr-defined]  # see forms
    return page(request, "hours/form.html", context)
