"""Keeping the index true. Called by hospitals in the transaction of the change."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from directory.models import DepartmentListing, HospitalListing
from tenants.models import Hospital


@dataclass(frozen=True)
class ListedDepartment:
    """What the portal needs to know of a department."""

    code: UUID
    name: str
    slug: str


@transaction.atomic
def publish(*, hospital: Hospital, departments: Iterable[ListedDepartment]) -> HospitalListing:
    """Show the hospital with these departments on the portal, replacing what was shown before."""
    departments = sorted(departments, key=lambda department: department.name.lower())
    words = [hospital.name, hospital.city, hospital.get_state_display(), *(d.name for d in departments)]
    listing, _created = HospitalListing.objects.update_or_create(
        hospital=hospital, defaults={"is_published": True, "search_text": " ".join(words).lower()}
    )
    DepartmentListing.objects.filter(listing=listing).delete()
    DepartmentListing.objects.bulk_create(
        DepartmentListing(listing=listing, code=d.code, name=d.name, slug=d.slug) for d in departments
    )
    return listing


def withdraw(*, hospital: Hospital) -> None:
    """Take the hospital off the portal; `publish` brings it back."""
    HospitalListing.objects.filter(hospital=hospital).update(is_published=False)
