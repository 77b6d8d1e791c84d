"""Departments, and telling the portal about them in the same transaction."""

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from audit.models import Action
from core import pictures
from core.codes import new_code
from core.errors import Conflict
from core.pictures import Picture
from core.text import one_line
from directory import services as directory
from directory.services import ListedDepartment
from hospitals.models import Department
from hospitals.services.doctors import publishing
from tenants.models import Hospital


def shown_to_patients() -> list[ListedDepartment]:
    """The departments of the active schema as the portal shows them."""
    return [ListedDepartment(code=d.code, name=d.name, slug=d.slug) for d in Department.objects.active()]


def add(*, hospital: Hospital, name: str, description: str, image: Picture | None, by: User) -> Department:
    """Add a department. Raises Conflict at the name when there is one of that name."""
    code, name = new_code(), one_line(name)
    path = pictures.store(image, folder=str(hospital.code), kind="department") if image else ""
    thumb = pictures.thumbnail(image) if image else ""
    try:
        with transaction.atomic():
            department = Department.objects.create(
                code=code, name=name, slug=_free_slug(name), description=description, image=path, image_thumb=thumb
            )
            audit.record(action=Action.DEPARTMENT_ADDED, target=department, by=by)
            _publish(hospital)
    except IntegrityError:
        raise _name_taken() from None
    return department


def change(
    *, hospital: Hospital, department: Department, name: str, description: str, image: Picture | None, by: User
) -> None:
    """Correct a department; without a new image the old one stays."""
    new: dict[str, str] = {"name": one_line(name), "description": description}
    if image:
        new["image"] = pictures.store(image, folder=str(hospital.code), kind="department")
        new["image_thumb"] = pictures.thumbnail(image)
    _set(hospital, department, by, **new)


def activate(*, hospital: Hospital, department: Department, by: User) -> None:
    """Show a department to patients again."""
    _set(hospital, department, by, is_active=True)


def deactivate(*, hospital: Hospital, department: Department, by: User) -> None:
    """Hide a department from patients; what belongs to it stays."""
    _set(hospital, department, by, is_active=False)


def _set(hospital: Hospital, department: Department, by: User, **new: object) -> None:
    changes = audit.changes(department, new)
    if not changes:
        return
    for field, value in new.items():
        setattr(department, field, value)
    try:
        with transaction.atomic():
            department.save(update_fields=[*new, "updated_at"])
            changes.pop("image_thumb", None)
            audit.record(action=Action.DEPARTMENT_CHANGED, target=department, by=by, data=changes)
            _publish(hospital)
            publishing.republish(hospital=hospital)
    except IntegrityError:
        raise _name_taken() from None


def delete(*, hospital: Hospital, department: Department, by: User) -> None:
    """Delete a department that nothing refers to. Raises Conflict when something does: the database knows what."""
    try:
        with transaction.atomic():
            audit.record(
                action=Action.DEPARTMENT_DELETED,
                target=department,
                by=by,
                data={"name": department.name, "description": department.description},
            )
            department.delete()
            _publish(hospital)
    except IntegrityError:  # ProtectedError is one too
        raise Conflict(_("This department is in use. Hide it from patients instead.")) from None


def _publish(hospital: Hospital) -> None:
    directory.publish(hospital=hospital, departments=shown_to_patients)


def _name_taken() -> Conflict:
    return Conflict(_("There is a department with this name already."), field="name")


def _free_slug(name: str) -> str:
    base = slugify(name)[:120] or "department"
    taken = set(Department.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    candidates = [base, *(f"{base}-{number}" for number in range(2, len(taken) + 3))]
    return next(slug for slug in candidates if slug not in taken)
