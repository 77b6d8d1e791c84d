"""The portal as patients see it: the first page, the list of open hospitals, one hospital."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, requires
from core.http import Request
from core.menus import Item
from core.pages import divide, page
from directory.models import DoctorListing, HospitalListing, HospitalListings, Wanted
from directory.specialties import POPULAR
from hospitals.views.doctor_cards import cards_of
from tenants.ways import to_hospital

ON_THE_FIRST_PAGE = 6
DOCTORS_OF_A_HOSPITAL = 3
CITIES = 8


@require_safe
@requires(Permission.PUBLIC)
def home(request: Request) -> HttpResponse:
    """What this is, a search for doctors, and the first few hospitals."""
    listings = HospitalListing.objects.published()
    return page(
        request,
        "portal/home.html",
        {
            "listings": listings.with_details()[:ON_THE_FIRST_PAGE],
            "count": listings.count(),
            "specialties": [
                Item(
                    str(one.name), f"{reverse('doctor_search')}?{urlencode({'specialty': one.slug})}", "", current=False
                )
                for one in POPULAR
            ],
        },
    )


@require_safe
@requires(Permission.PUBLIC)
def hospital_list(request: Request) -> HttpResponse:
    """Open hospitals, by words (?q=) and city (?city=)."""
    words, city = request.GET.get("q", "").strip(), request.GET.get("city", "").strip()
    found = HospitalListing.objects.published().matching(words)
    here = found.in_city(city)
    listings = divide(request, here.with_details())
    return page(
        request,
        "portal/hospital_list.html",
        {
            "listings": listings,
            "words": words,
            "city": city,
            "cities": _cities(found, words, city),
            "elsewhere": found.count() if city and not listings.object_list else 0,
        },
        part="results",
    )


def _cities(found: HospitalListings, words: str, city: str) -> list[Item]:
    """The cities with most hospitals as links, the chosen one first if it is not among them."""
    names: dict[str, int | None] = dict(found.cities()[:CITIES])
    if city and city.casefold() not in (name.casefold() for name in names):
        names = {city: None, **names}
    path = reverse("hospital_list")

    def item(label: str, chosen: str, count: int | None) -> Item:
        kept = {name: value for name, value in (("q", words), ("city", chosen)) if value}
        url = f"{path}?{urlencode(kept)}" if kept else path
        return Item(label=label, url=url, icon="", current=chosen.casefold() == city.casefold(), count=count)

    return [item(_("All cities"), "", None), *(item(name, name, count) for name, count in names.items())]


@require_safe
@requires(Permission.PUBLIC)
def hospital_detail(request: Request, code: UUID) -> HttpResponse:
    """One open hospital, who of its doctors is free first, and the way to its own site."""
    listing = get_object_or_404(HospitalListing.objects.published().with_details(), hospital__code=code)
    slug = listing.hospital.slug
    wanted = Wanted(hospital=slug)
    doctors = DoctorListing.objects.published().wanted(wanted).for_cards().earliest_first()
    first = list(doctors[: DOCTORS_OF_A_HOSPITAL + 1])
    departments = sorted(listing.departments.all(), key=lambda department: department.name.casefold())
    return page(
        request,
        "portal/hospital_detail.html",
        {
            "listing": listing,
            "hospital": listing.hospital,
            "site": to_hospital(request, slug, "home"),
            "cards": cards_of(request, first[:DOCTORS_OF_A_HOSPITAL], wanted, now()),
            "has_more_doctors": len(first) > DOCTORS_OF_A_HOSPITAL,
            "departments": [(d.name, to_hospital(request, slug, "department_detail", d.slug)) for d in departments],
        },
    )
