"""Steps with an entry of the register."""

from django import forms
from django.utils.translation import gettext_lazy as _


class Blocking(forms.Form):
    """Why somebody may not book online any more."""

    reason = forms.CharField(
        label=_("Reason"),
        min_length=3,
        max_length=500,
        widget=forms.Textarea,
        error_messages={
            "required": _("Write a reason. Your colleagues read it."),
            "min_length": _("Write a reason in a few words. Your colleagues read it."),
            "max_length": _("Keep the reason under 500 characters."),
        },
    )


class Step(forms.Form):
    """A step without words. It has no fields; a refusal of the service stands on it."""
