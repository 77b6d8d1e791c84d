"""Break-glass views of the registry. Statuses are changed in the queue, which records who did it, not here."""

from django.contrib import admin

from tenants.models import Domain, DomainClaim, Hospital


@admin.register(Hospital)
class HospitalAdmin(admin.ModelAdmin[Hospital]):
    """Everything about a hospital but its status and its schema, which only services change."""

    list_display = ["name", "city", "status", "slug", "created_at"]
    list_filter = ["status", "state"]
    search_fields = ["name", "city", "slug", "registration_number", "reference", "email"]
    readonly_fields = ["code", "reference", "status", "schema_name", "schema_version", "slug", "created_at"]
    ordering = ["-created_at"]

    def has_add_permission(self, request: object) -> bool:
        """A hospital is registered on the form."""
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        """A hospital is suspended, never deleted."""
        return False


@admin.register(Domain)
class DomainAdmin(admin.ModelAdmin[Domain]):
    """Hosts."""

    list_display = ["domain", "tenant", "is_primary"]
    search_fields = ["domain"]


@admin.register(DomainClaim)
class DomainClaimAdmin(admin.ModelAdmin[DomainClaim]):
    """Domains waiting for their proof."""

    list_display = ["domain", "hospital", "created_at"]
    search_fields = ["domain"]
