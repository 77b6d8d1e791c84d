"""The platform's log, read only."""

from django.contrib import admin

from audit.models import AuditLog


@admin.register(AuditLog)
class AuditLogAdmin(admin.ModelAdmin[AuditLog]):
    """Rows can be looked at and nothing else."""

    list_display = ["timestamp", "actor", "action", "thing", "old", "new"]
    list_filter = ["action"]
    search_fields = ["actor", "thing", "entity_id"]
    ordering = ["-timestamp", "-pk"]

    def has_add_permission(self, request: object) -> bool:
        """Services write."""
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        """Nobody deletes."""
        return False
