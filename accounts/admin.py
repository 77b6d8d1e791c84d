"""Break-glass view of people."""

from typing import cast

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from audit import services as audit
from audit.models import Action


class PersonForm(UserChangeForm[User]):
    """Django's form, with a username that may be empty."""

    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    """People, by e-mail address."""

    form = PersonForm
    list_display = ["email", "first_name", "last_name", "is_active", "is_superuser"]
    search_fields = ["email", "first_name", "last_name"]
    ordering = ["email"]
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "phone", "username"]}),
        (_("Platform"), {"fields": ["is_active", "is_staff", "is_superuser"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"classes": ["wide"], "fields": ["email", "password1", "password2"]})]

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm[User], change: bool) -> None:  # noqa: FBT001
        """Record who was added or which fields were changed; a password's own value is nobody's business."""
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            action = Action.USER_CHANGED if change else Action.USER_ADDED
            fields = {"fields": ", ".join(form.changed_data)} if change else {}
            audit.record(action=action, target=obj, by=cast(User, request.user), data=fields)

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        """People are made inactive, never deleted: hospitals refer to them."""
        return False
