"""The portal's index."""

from django.contrib import admin

from directory.models import DepartmentListing, DoctorListing, HospitalListing


@admin.register(HospitalListing)
class HospitalListingAdmin(admin.ModelAdmin[HospitalListing]):
    """Listings; they are rewritten by the hospital's next change."""

    list_display = ["hospital", "is_published"]
    search_fields = ["search_text"]


@admin.register(DepartmentListing)
class DepartmentListingAdmin(admin.ModelAdmin[DepartmentListing]):
    """Listed departments."""

    list_display = ["name", "listing"]
    search_fields = ["name"]


@admin.register(DoctorListing)
class DoctorListingAdmin(admin.ModelAdmin[DoctorListing]):
    """Listed doctors; they are rewritten by the hospital's next change."""

    list_display = ["name", "specialization", "hospital", "is_published", "next_free_at", "stale_at"]
    list_filter = ["is_published"]
    list_select_related = ["hospital"]
    search_fields = ["name", "specialization"]
    show_full_result_count = False
    exclude = ["free_times", "free_days", "photo_thumb"]
