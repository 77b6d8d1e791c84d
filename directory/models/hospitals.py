"""Hospitals as the portal shows and searches them (public schema)."""

from typing import Self

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.utils.translation import gettext_lazy as _

SMALL_WORDS = frozenset({"a", "an", "and", "at", "for", "in", "near", "of", "the"})


class HospitalListings(models.QuerySet["HospitalListing"]):
    """Searching the index."""

    def published(self) -> Self:
        """Listings of hospitals that are open now."""
        return self.filter(is_published=True, hospital__status="approved")

    def locked(self) -> Self:
        """Locked until the end of the transaction; what was read before must be read again."""
        return self.select_for_update(of=("self",)).order_by("pk")

    def matching(self, words: str) -> Self:
        """Listings that contain each of the words, anywhere in name, city, state or departments.

        Small words are passed over, so that "cardiology in Pune" finds what "cardiology Pune" does.
        """
        rows = self
        for word in [word for word in words.lower().split() if word not in SMALL_WORDS][:8]:
            rows = rows.filter(search_text__contains=word)
        return rows

    def in_city(self, city: str) -> Self:
        """Listings of one city; of every city when none is given."""
        return self.filter(hospital__city__iexact=city) if city else self

    def cities(self) -> "models.QuerySet[HospitalListing, tuple[str, int]]":
        """Each city with the number of its listings, the fullest first."""
        return (
            self.values_list("hospital__city")
            .annotate(listings=models.Count("pk"))
            .order_by("-listings", "hospital__city")
        )

    def with_details(self) -> Self:
        """Everything a list shows, in two queries."""
        return self.select_related("hospital").prefetch_related("departments").order_by("hospital__name", "pk")


class HospitalListing(models.Model):
    """One hospital as the portal shows it. Name, address and brand are the hospital's own; this row adds the search."""

    hospital = models.OneToOneField("tenants.Hospital", on_delete=models.CASCADE, related_name="listing")
    is_published = models.BooleanField(_("shown on the portal"), default=True)
    search_text = models.TextField(_("what the search looks through"), default="")

    objects = HospitalListings.as_manager()

    class Meta:
        verbose_name = _("listing")
        verbose_name_plural = _("listings")
        indexes = [GinIndex(OpClass("search_text", name="gin_trgm_ops"), name="listing_search")]

    def __str__(self) -> str:
        return str(self.hospital)


class DepartmentListing(models.Model):
    """One active department of a listed hospital, copied from the hospital's schema."""

    listing = models.ForeignKey(HospitalListing, on_delete=models.CASCADE, related_name="departments")
    code = models.UUIDField(unique=True)
    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(_("slug"), max_length=140)

    class Meta:
        verbose_name = _("listed department")
        verbose_name_plural = _("listed departments")
        constraints = [models.UniqueConstraint(fields=["listing", "slug"], name="one_listed_department_per_slug")]

    def __str__(self) -> str:
        return self.name
