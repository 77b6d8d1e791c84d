"""A hospital's public pages: what patients and visitors see."""

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, granted, requires
from core.http import HospitalRequest
from core.pages import divide, page
from hospitals.models import Department, Doctor, Settings
from hospitals.services.doctors.cards import cards

_ON_HOME = 6
_FOR_EVER = "public, max-age=31536000, immutable"


@require_safe
@requires(Permission.PUBLIC)
def home(request: HospitalRequest) -> HttpResponse:
    """Who this hospital is, what it does, and how to reach it."""
    departments = Department.objects.active().by_name()
    return page(
        request,
        "site/home.html",
        {
            "settings": Settings.objects.get(),
            "departments": departments[:_ON_HOME],
            "total": departments.count(),
            "has_doctors": Doctor.objects.bookable().exists(),
        },
    )


@require_safe
@requires(Permission.PUBLIC)
def department_list(request: HospitalRequest) -> HttpResponse:
    """Every department, with search."""
    words = request.GET.get("q", "").strip()
    rows = Department.objects.active().matching(words).by_name()
    return page(request, "site/departments.html", {"departments": divide(request, rows), "q": words}, part="results")


@require_safe
@requires(Permission.PUBLIC)
def department_detail(request: HospitalRequest, slug: str) -> HttpResponse:
    """One department and its doctors, who is free first at the top."""
    department = get_object_or_404(Department.objects.active(), slug=slug)
    rows = Doctor.objects.bookable().filter(department=department).with_people().earliest_first()
    doctors = divide(request, rows)
    return page(
        request,
        "site/department.html",
        {
            "department": department,
            "settings": Settings.objects.get(),
            "doctors": doctors,
            "cards": cards(doctors, now=now()),
        },
    )


@require_safe
@requires(Permission.PUBLIC)
def department_image(request: HospitalRequest, slug: str, name: str) -> FileResponse:
    """A department's image; that of a hidden one only for those who edit departments."""
    edits = granted(request, request.user, Permission.DEPARTMENT_EDIT)
    shown = Department.objects.all() if edits else Department.objects.active()
    department = get_object_or_404(shown, slug=slug, image__endswith=f"-{name}")
    if not default_storage.exists(department.image):
        raise Http404
    caching = _FOR_EVER if department.is_active else "private, max-age=300"
    return FileResponse(
        default_storage.open(department.image), content_type="image/webp", headers={"Cache-Control": caching}
    )
