"""Break-glass view of people."""

from typing import cast

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.services import passwords, people, sessions, two_factor
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
    actions = ["turn_two_factor_off"]
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "phone", "username"]}),
        (_("Platform"), {"fields": ["is_active", "is_staff", "is_superuser"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"classes": ["wide"], "fields": ["email", "password1", "password2"]})]

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm[User], change: bool) -> None:  # noqa: FBT001
        """Record who was added or which fields were changed; a password's own value is nobody's business."""
        changed = [field for field in form.changed_data if field != "is_active" or obj.is_active]
        is_deactivated = change and changed != form.changed_data
        by = cast(User, request.user)
        with transaction.atomic():
            obj.is_active = obj.is_active or is_deactivated  # the service below does it
            super().save_model(request, obj, form, change)
            if changed or not change:
                action = Action.USER_CHANGED if change else Action.USER_ADDED
                fields = {"fields": ", ".join(changed)} if change else {}
                audit.record(action=action, target=obj, by=by, data=fields)
            if is_deactivated:
                people.deactivate(user=obj, by=by, now=now())

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Django's page, which ends every sign-in made with the old password and is recorded."""
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
            person = self.get_object(request, unquote(id))
            if response.status_code == 302 and person:
                passwords.note_changed(
                    user=person, by=cast(User, request.user), now=now(), but=sessions.present(request)
                )
        return response

    @admin.action(description=_("Turn two-factor off, for people who lost everything"))
    def turn_two_factor_off(self, request: HttpRequest, people_chosen: QuerySet[User]) -> None:
        """Their password, or a code by mail, is enough from now on; each is told by mail."""
        for person in people_chosen:
            two_factor.turn_off(request=request, user=person, by=cast(User, request.user))
        self.message_user(request, _("Two-factor is off for the people you chose. They were told by mail."))

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        """People are made inactive, never deleted: hospitals refer to them."""
        return False
