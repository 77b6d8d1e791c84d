"""What the superadmin says when deciding on a hospital."""

from django import forms
from django.utils.translation import gettext_lazy


class Decision(forms.Form):
    """A step without a reason. It has no fields; a refusal of the service stands on it."""


class Reason(forms.Form):
    """A step that needs a reason, which the hospital reads."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        min_length=3,
        max_length=500,
        widget=forms.Textarea,
        error_messages={
            "required": gettext_lazy("Write a reason. The hospital reads it."),
            "min_length": gettext_lazy("Write a reason in a few words. The hospital reads it."),
            "max_length": gettext_lazy("Keep the reason under 500 characters."),
        },
    )
