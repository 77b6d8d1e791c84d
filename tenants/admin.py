"""Break-glass views of the registry. Statuses are changed in the queue, which records who did it, not here."""

from typing import cast

from django.contrib import admin
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest

from accounts.models import User
from audit import services as audit
from audit.models import Action
from tenants import hosts
from tenants.models import Domain, DomainClaim, Hospital


@admin.register(Hospital)
class HospitalAdmin(admin.ModelAdmin[Hospital]):
    """Everything about a hospital but its status and its schema, which only services change."""

    list_display = ["name", "city", "status", "slug", "created_at"]
    list_filter = ["status", "state"]
    search_fields = ["name", "city", "slug", "registration_number", "reference", "email"]
    readonly_fields = ["code", "reference", "status", "schema_name", "schema_version", "slug", "created_at"]
    ordering = ["-created_at"]

    def save_model(self, request: HttpRequest, obj: Hospital, form: ModelForm[Hospital], change: bool) -> None:  # noqa: FBT001
        """Record what was changed, and tell every process."""
        with transaction.atomic():
            obj.save(update_fields=form.changed_data)
            data = {name: [str(form.initial.get(name)), str(getattr(obj, name))] for name in form.changed_data}
            audit.record(action=Action.SETTINGS_CHANGED, target=obj, by=cast(User, request.user), data=data)
            hosts.changed(obj)

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

    def has_add_permission(self, request: object) -> bool:
        """A domain is proved by its hospital."""
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        """Hosts are cached and recorded: services change them."""
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        """A domain is removed by its hospital."""
        return False


@admin.register(DomainClaim)
class DomainClaimAdmin(admin.ModelAdmin[DomainClaim]):
    """Domains waiting for their proof."""

    list_display = ["domain", "hospital", "created_at"]
    search_fields = ["domain"]
