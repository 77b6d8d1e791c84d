"""Keeping the index true. Called by hospitals in the transaction of the change."""

from collections.abc import Callable, Iterable
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
def publish(*, hospital: Hospital, departments: Callable[[], Iterable[ListedDepartment]]) -> HospitalListing:
    """Show the hospital with its departments on the portal, replacing what was shown before.

    `departments` reads them. It is called once the listing is locked: of two changes at once the second then sees what
    the first has committed, and neither is lost.
    """
    HospitalListing.objects.get_or_create(hospital=hospital)
    listing = HospitalListing.objects.locked().get(hospital=hospital)
    shown = sorted(departments(), key=lambda department: department.name.lower())
    words = [hospital.name, hospital.city, hospital.get_state_display(), *(d.name for d in shown)]
    listing.is_published = True
    listing.search_text = " ".join(words).lower()
    listing.save(update_fields=["is_published", "search_text"])
    DepartmentListing.objects.filter(listing=listing).delete()
    DepartmentListing.objects.bulk_create(
        DepartmentListing(listing=listing, code=d.code, name=d.name, slug=d.slug) for d in shown
    )
    return listing


def withdraw(*, hospital: Hospital) -> None:
    """Take the hospital off the portal; `publish` brings it back."""
    HospitalListing.objects.filter(hospital=hospital).update(is_published=False)
