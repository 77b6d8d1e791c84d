"""What a patient says on the way to a visit."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import email_field, phone_field
from core.visits import VisitKind


def instant(text: str) -> datetime | None:
    """The instant that an address or a form names, like `2026-11-23T04:30Z`; None if it names none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if found.tzinfo is None else found.astimezone(UTC)


class InstantField(forms.Field):
    """An instant, as `instant` reads it."""

    def to_python(self, value: Any) -> datetime | None:
        """The instant."""
        if value in self.empty_values:
            return None
        found = instant(str(value))
        if found is None:
            raise forms.ValidationError(self.error_messages["required"], code="invalid")
        return found


class Pick(forms.Form):
    """The time that was chosen."""

    starts_at = InstantField(label=_("Time"), error_messages={"required": _("Choose a time.")})
    kind = forms.ChoiceField(
        label=_("Kind of visit"),
        choices=VisitKind.choices,
        error_messages={"required": _("Choose a kind of visit."), "invalid_choice": _("Choose a kind of visit.")},
    )


class PickAnother(forms.Form):
    """Another time for a visit that is booked already."""

    starts_at = InstantField(label=_("Time"), error_messages={"required": _("Choose a time.")})


class Who(forms.Form):
    """Who books, asked of somebody who is not signed in."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": _("Enter your name.")},
    )
    email = email_field()
    phone = phone_field()

    def clean_phone(self) -> str:
        """As text, which a session can keep."""
        return str(self.cleaned_data["phone"] or "")


class Cancellation(forms.Form):
    """Why, if the patient wants to say it."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The hospital reads it."),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
