"""What is known across hospitals (public schema): the portal's index, and when a person has a visit anywhere."""

from typing import Self

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
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


class DoctorListings(models.QuerySet["DoctorListing"]):
    """Searching doctors across hospitals."""

    def published(self) -> Self:
        """Doctors who take bookings at hospitals that are open now."""
        return self.filter(is_published=True)


class DoctorListing(models.Model):
    """One doctor as every patient may find them, copied from the hospital's schema. It holds nothing about patients.

    `free_times` are the next free times, the earliest first, each as text like `2026-11-23T04:30Z in_person video`;
    there are at most a few a day. `next_free_at` and its sisters are the earliest for any and for each kind of visit.
    `stale_at` is when they have to be worked out anew though nobody has booked: a time has passed or a hold ends.
    """

    hospital = models.ForeignKey("tenants.Hospital", on_delete=models.CASCADE, related_name="doctor_listings")
    code = models.UUIDField(unique=True)
    is_published = models.BooleanField(_("found by patients"), default=True)
    name = models.CharField(_("name"), max_length=150)
    specialization = models.CharField(_("specialization"), max_length=120, blank=True)
    specialty = models.CharField(_("specialty"), max_length=60, blank=True)
    department = models.CharField(_("department"), max_length=120, blank=True)
    city = models.CharField(_("city"), max_length=80)
    qualifications = models.CharField(_("qualifications"), max_length=300, blank=True)
    experience_years = models.PositiveSmallIntegerField(_("years of experience"), null=True)
    languages = ArrayField(models.CharField(max_length=8), verbose_name=_("languages"), default=list)
    kinds = ArrayField(models.CharField(max_length=10), verbose_name=_("kinds of visit"), default=list)
    fee_in_person = models.DecimalField(_("fee in person"), max_digits=10, decimal_places=2, null=True)
    fee_video = models.DecimalField(_("fee by video"), max_digits=10, decimal_places=2, null=True)
    fee_chat = models.DecimalField(_("fee by chat"), max_digits=10, decimal_places=2, null=True)
    lowest_fee = models.DecimalField(_("lowest fee"), max_digits=10, decimal_places=2, null=True)
    photo_thumb = models.TextField(_("small photo"), blank=True, default="")
    search_text = models.TextField(_("what the search looks through"), default="")
    free_times = ArrayField(models.CharField(max_length=60), verbose_name=_("next free times"), default=list)
    next_free_at = models.DateTimeField(_("next free time"), null=True)
    next_in_person_at = models.DateTimeField(_("next free time in person"), null=True)
    next_video_at = models.DateTimeField(_("next free time by video"), null=True)
    next_chat_at = models.DateTimeField(_("next free time by chat"), null=True)
    stale_at = models.DateTimeField(_("to be worked out anew"), null=True)

    objects = DoctorListings.as_manager()

    class Meta:
        verbose_name = _("listed doctor")
        verbose_name_plural = _("listed doctors")
        indexes = [
            GinIndex(OpClass("search_text", name="gin_trgm_ops"), name="doctor_listing_search"),
            models.Index(fields=["next_free_at"], condition=Q(is_published=True), name="doctor_listing_by_time"),
            models.Index(fields=["stale_at"], name="doctor_listing_stale"),
        ]

    def __str__(self) -> str:
        return self.name


class TakenTimes(models.QuerySet["TakenTime"]):
    """Finding visits across hospitals."""

    def newest_first(self) -> Self:
        """By the time of the visit."""
        return self.order_by("-period", "-pk")


class TakenTime(models.Model):
    """When a person has a visit, and at which hospital: no more. The visit itself stands in the hospital's schema.

    `user` is whose account it is; `person` the code of that user, or of the family member the visit is for. While
    `is_live`, no other visit of the person may overlap, at any hospital: the database refuses it. Rows stay when a
    visit is over, so that people find their visits at all hospitals.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    person = models.UUIDField(_("person"))
    hospital = models.ForeignKey("tenants.Hospital", on_delete=models.CASCADE, related_name="+")
    appointment = models.UUIDField(_("visit"), unique=True)
    period = DateTimeRangeField(_("time"))
    is_live = models.BooleanField(_("still to come or under way"), default=True)

    objects = TakenTimes.as_manager()

    class Meta:
        verbose_name = _("taken time")
        verbose_name_plural = _("taken times")
        constraints = [
            ExclusionConstraint(
                name="one_visit_at_a_time",
                expressions=[("person", RangeOperators.EQUAL), ("period", RangeOperators.OVERLAPS)],
                condition=Q(is_live=True),
            )
        ]
        indexes = [models.Index(fields=["user", "-id"], name="taken_time_by_user")]

    def __str__(self) -> str:
        return str(self.appointment)
