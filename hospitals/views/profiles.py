"""Doctors as patients see them: the profile a doctor or the office writes, the list of doctors, their photos."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.files.storage import default_storage
from django.forms import Form
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.permissions import Permission, granted, requires
from core.forms import KeptImageInput, refusals_on
from core.http import HospitalRequest
from core.menus import Item
from core.pages import divide, page
from core.visits import VisitKind
from hospitals.filters import DoctorFilter
from hospitals.forms.profiles import CheckedProfileForm, ProfileForm, present
from hospitals.models import Doctor
from hospitals.services.doctors import profile
from hospitals.services.doctors.cards import cards

_form_door = require_http_methods(["GET", "HEAD", "POST"])
_FOR_EVER = "public, max-age=31536000, immutable"


@_form_door
@requires(Permission.OWN_DAY)
def own_profile(request: HospitalRequest) -> HttpResponse:
    """What patients read about the doctor who is signed in. What the hospital has checked is only shown."""
    doctor = get_object_or_404(Doctor.objects.of(request.user).with_people())
    form = _form(request, doctor, ProfileForm)
    if form.is_valid():
        with refusals_on(form):
            profile.change(hospital=request.hospital, doctor=doctor, by=request.user, **form.asked())
            messages.success(request, _("Your profile is saved."))
            return redirect("own_profile")
    return _profile_page(request, doctor, form, is_own=True)


@require_safe
@requires(Permission.DOCTOR_PROFILE_EDIT)
def doctor_profiles(request: HospitalRequest) -> HttpResponse:
    """Every verified doctor, and whether patients find them; those whom they do not find come first."""
    words = request.GET.get("q", "").strip()
    doctors = divide(request, Doctor.objects.verified().found_by(words).with_people().hidden_first())
    context = {"doctors": doctors, "cards": cards(doctors, now=now()), "q": words}
    return page(request, "office/doctor_profiles.html", context, part="results")


@_form_door
@requires(Permission.DOCTOR_PROFILE_EDIT)
def doctor_profile(request: HospitalRequest, code: UUID) -> HttpResponse:
    """The same of any verified doctor, for the office, which also corrects what it has checked."""
    doctor = get_object_or_404(Doctor.objects.verified().with_people(), code=code)
    form = _form(request, doctor, CheckedProfileForm)
    if form.is_valid():
        with refusals_on(form):
            profile.change(hospital=request.hospital, doctor=doctor, by=request.user, **form.asked())
            messages.success(request, _("The profile of %(name)s is saved.") % {"name": doctor})
            return redirect("doctor_profile", code)
    return _profile_page(request, doctor, form, is_own=False)


def _form(request: HospitalRequest, doctor: Doctor, form_of: type[ProfileForm]) -> ProfileForm:
    data = request.POST if request.method == "POST" else None
    form = form_of(data, request.FILES or None, initial=present(doctor, form_of))
    photo = form.fields["photo"].widget
    if isinstance(photo, KeptImageInput) and doctor.photo:
        photo.present_url = reverse("doctor_photo", args=[doctor.code, doctor.photo_name])
    if not doctor.photo:
        del form.fields["without_photo"]
    return form


def _profile_page(request: HospitalRequest, doctor: Doctor, form: Form, *, is_own: bool) -> HttpResponse:
    return page(
        request,
        "doctors/profile.html",
        {
            "doctor": doctor,
            "form": form,
            "is_own": is_own,
            "standing": profile.standing(doctor),
            "may_edit_hours": granted(request, request.user, Permission.HOURS_EDIT),
        },
    )


@require_safe
@requires(Permission.PUBLIC)
def doctor_list(request: HospitalRequest) -> HttpResponse:
    """The doctors patients can book here, by words, department and kind of visit; who is free first comes first."""
    chosen = DoctorFilter(request.GET, Doctor.objects.bookable())
    doctors = divide(request, chosen.qs.with_people().earliest_first(chosen.kind_asked))
    departments = Doctor.objects.bookable().departments().by_name()
    return page(
        request,
        "site/doctors.html",
        {
            "doctors": doctors,
            "cards": cards(doctors, now=now(), kind=chosen.kind_asked),
            "q": chosen.form.cleaned_data.get("q", ""),
            "department": next((one for one in departments if one.slug == request.GET.get("department")), None),
            "departments": _chips(request, "department", [(one.slug, one.name) for one in departments]),
            "kinds": _chips(request, "kind", VisitKind.choices),
            "kind": chosen.kind_asked,
            "is_filtered": any(request.GET.get(name) for name in chosen.filters),
        },
        part="results",
    )


def _chips(request: HospitalRequest, name: str, choices: list[tuple[Any, Any]]) -> list[Item]:
    """A link for each value of a filter, and one for all; the other filters stay as they are."""
    others = {key: request.GET[key] for key in ("q", "department", "kind") if key != name and request.GET.get(key)}
    chosen = request.GET.get(name, "")
    return [
        Item(
            label=str(label),
            url="?" + urlencode({**others, name: value} if value else others),
            icon="",
            current=value == chosen,
        )
        for value, label in [("", _("All")), *choices]
    ]


@require_safe
@requires(Permission.PUBLIC)
def doctor_photo(request: HospitalRequest, code: UUID, name: str) -> FileResponse:
    """A doctor's photo; that of one whom patients do not find only for the doctor and who edits profiles."""
    doctor = get_object_or_404(Doctor.objects.verified(), code=code, photo__endswith=f"-{name}")
    is_open = Doctor.objects.bookable().filter(pk=doctor.pk).exists()
    is_theirs = doctor.user_id == request.user.pk or granted(request, request.user, Permission.DOCTOR_PROFILE_EDIT)
    if not (is_open or is_theirs) or not default_storage.exists(doctor.photo):
        raise Http404
    caching = _FOR_EVER if is_open else "private, max-age=300"
    return FileResponse(
        default_storage.open(doctor.photo), content_type="image/webp", headers={"Cache-Control": caching}
    )
