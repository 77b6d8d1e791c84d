"""The platform's outbox, read only."""

from django.contrib import admin

from notifications.models import Notification


@admin.register(Notification)
class NotificationAdmin(admin.ModelAdmin[Notification]):
    """States and errors. Bodies are left out: they may hold one-time links."""

    list_display = ["created_at", "to_address", "template", "state", "attempts"]
    list_filter = ["state", "template"]
    search_fields = ["to_address", "subject"]
    fields = ["to_name", "to_address", "template", "subject", "state", "attempts", "next_attempt_at", "last_error"]
    ordering = ["-created_at"]

    def has_add_permission(self, request: object) -> bool:
        """Services write."""
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        """Messages are sent again on the outbox page."""
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        """Messages stay."""
        return False
