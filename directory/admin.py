"""The portal's index."""

from django.contrib import admin

from directory.models import DepartmentListing, HospitalListing


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
