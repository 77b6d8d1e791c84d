"""What the office says about visits: why they are called off, and where they go instead."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from hospitals.models import Doctor


class InstantField(forms.Field):
    """A moment as an address or a form says it, like `2026-11-23T04:30Z`."""

    def to_python(self, value: Any) -> datetime | None:
        """The moment, if it is one with its zone."""
        if not value:
            return None
        try:
            found = parse_datetime(str(value))
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            raise forms.ValidationError(_("Choose one of the times shown."))
        return found


def reason_field() -> forms.CharField:
    """Why, for the hospital's log."""
    return forms.CharField(
        label=_("Reason"),
        help_text=_("For your hospital’s log. It is not sent to the patients."),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": _("Say why, so that colleagues understand it later."),
            "max_length": _("Keep the reason under 500 characters."),
        },
    )


class DoctorField(forms.ModelChoiceField):  # type: ignore[type-arg]  # it takes none when the program runs
    """A doctor of the hospital, by code."""

    def __init__(self, **kwargs: Any) -> None:
        doctors = Doctor.objects.bookable().select_related("user", "schedule")
        by_name = doctors.order_by("user__first_name", "user__last_name", "pk")
        super().__init__(queryset=by_name, to_field_name="code", **kwargs)


class CancelMany(forms.Form):
    """Why many visits will not be."""

    reason = reason_field()


class MoveMany(forms.Form):
    """Where many visits go, and why."""

    doctor = DoctorField(label=_("To doctor"), required=False, empty_label=_("The same doctor"))
    on = forms.DateField(
        label=_("To day"),
        help_text=_("Left empty, each visit gets the next free time within two weeks of its own."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Enter a day, like 2026-11-23.")},
    )
    reason = reason_field()


class Move(forms.Form):
    """Another time for one visit, perhaps with another doctor."""

    starts_at = InstantField(error_messages={"required": _("Choose a time.")})
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("For your hospital’s log. It is not sent to the patient."),
        required=False,
        max_length=500,
        error_messages={"max_length": _("Keep the reason under 500 characters.")},
    )
