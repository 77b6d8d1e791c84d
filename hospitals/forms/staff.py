"""What the office says about the people who work here."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from hospitals.models import Staff
from hospitals.services import staff as services


class Invitation(forms.Form):
    """Who is to become a colleague, and as what."""

    name = forms.CharField(
        label=_("Name"),
        help_text=_("You see this name until they come in, then the one they gave themselves."),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Enter the name of your colleague.")},
    )
    email = forms.EmailField(
        label=_("E-mail address"),
        help_text=_("The invitation goes there. One that only they read is best."),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "inputmode": "email"}),
        error_messages={
            "required": _("Enter the e-mail address of your colleague."),
            "invalid": _("Enter an e-mail address, like name@example.com."),
        },
    )
    role = forms.ChoiceField(
        label=_("Role"),
        help_text=_("It decides what they may see and do. You can change it later."),
        error_messages={"required": _("Choose a role."), "invalid_choice": _("Choose one of the roles.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = [(role.value, role.label) for role in services.roles_to_invite()]
        self.fields["role"].choices = [("", _("Choose a role")), *roles]  # type: ignore[attr-defined]


class RoleOf(forms.Form):
    """What somebody is from now on."""

    role = forms.ChoiceField(
        label=_("Role"),
        error_messages={"required": _("Choose a role."), "invalid_choice": _("Choose one of the roles.")},
    )

    def __init__(self, data: Any = None, *, staff: Staff) -> None:
        super().__init__(data, initial={"role": staff.role})
        roles = [(role.value, role.label) for role in services.roles_for(staff)]
        self.fields["role"].choices = roles  # type: ignore[attr-defined]


class Deactivation(forms.Form):
    """Why, if the hospital wants to remember it."""

    reason = forms.CharField(
        required=False,
        max_length=500,
        widget=forms.Textarea,
        error_messages={"max_length": _("Keep the reason under 500 characters.")},
    )


class Step(forms.Form):
    """A step without words. It has no fields; a refusal of the service stands on it."""
