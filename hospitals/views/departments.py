"""The office's departments: what patients see of the hospital's work."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import Permission, requires
from core.forms import KeptImageInput, refusals_on
from core.http import HospitalRequest
from core.pages import divide, page
from hospitals.forms.departments import DepartmentForm
from hospitals.models import Department
from hospitals.services import departments


@require_safe
@requires(Permission.DEPARTMENT_EDIT)
def index(request: HospitalRequest) -> HttpResponse:
    """Every department, shown to patients or hidden."""
    words = request.GET.get("q", "").strip()
    rows = divide(request, Department.objects.matching(words).by_name())
    return page(request, "office/departments.html", {"departments": rows, "q": words}, part="results")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.DEPARTMENT_EDIT)
def add(request: HospitalRequest) -> HttpResponse:
    """A new department."""
    form = DepartmentForm(_data(request), request.FILES or None)
    if form.is_valid():
        with refusals_on(form):
            department = departments.add(hospital=request.hospital, by=request.user, **form.cleaned_data)
            messages.success(request, _("%(name)s is added.") % {"name": department})
            return redirect("department_admin")
    return page(request, "office/department_add.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.DEPARTMENT_EDIT)
def edit(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Correct a department; from here it is also hidden, shown and deleted."""
    department = get_object_or_404(Department, code=code)
    present = {"name": department.name, "description": department.description}
    form = DepartmentForm(_data(request), request.FILES or None, initial=present)
    image = form.fields["image"].widget
    if isinstance(image, KeptImageInput) and department.image:
        image.present_url = reverse("department_image", args=[department.slug, department.image_name])
    if form.is_valid():
        with refusals_on(form):
            departments.change(hospital=request.hospital, department=department, by=request.user, **form.cleaned_data)
            messages.success(request, _("%(name)s is saved.") % {"name": department})
            return redirect("department_admin")
    return page(
        request, "office/department_edit.html", {"form": form, "department": department, "title": present["name"]}
    )


@require_POST
@requires(Permission.DEPARTMENT_EDIT)
def activate(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Show it to patients again."""
    department = get_object_or_404(Department, code=code)
    departments.activate(hospital=request.hospital, department=department, by=request.user)
    messages.success(request, _("Patients see %(name)s again.") % {"name": department})
    return redirect("department_edit", code=code)


@require_POST
@requires(Permission.DEPARTMENT_EDIT)
def deactivate(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Hide it from patients."""
    department = get_object_or_404(Department, code=code)
    departments.deactivate(hospital=request.hospital, department=department, by=request.user)
    messages.success(request, _("%(name)s is hidden from patients.") % {"name": department})
    return redirect("department_edit", code=code)


@require_POST
@requires(Permission.DEPARTMENT_EDIT)
def delete(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Delete one that is not used anywhere."""
    department = get_object_or_404(Department, code=code)
    departments.delete(hospital=request.hospital, department=department, by=request.user)
    messages.success(request, _("%(name)s is deleted.") % {"name": department})
    return redirect("department_admin")


def _data(request: HospitalRequest) -> QueryDict | None:
    """What a form is bound to: the data of a POST, nothing otherwise."""
    return request.POST if request.method == "POST" else None
