"""What a superadmin says before acting as support."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from hospitals.models import Staff


class SupportForm(forms.Form):
    """In whose name, and why."""

    person = forms.ChoiceField(
        label=gettext_lazy("In the name of"),
        help_text=gettext_lazy("An admin of the hospital who has come in."),
        error_messages={
            "required": gettext_lazy("Choose in whose name you act."),
            "invalid_choice": gettext_lazy("This person does not run the hospital any more. Choose somebody else."),
        },
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("The hospital reads it: in the message to the admin, and on its activity page."),
        min_length=3,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": gettext_lazy("Write a reason. The hospital reads it."),
            "min_length": gettext_lazy("Write a reason in a few words. The hospital reads it."),
            "max_length": gettext_lazy("Keep the reason under 500 characters."),
        },
    )

    def __init__(self, data: Any = None, *, admins: Sequence[Staff]) -> None:
        super().__init__(data)
        self._admins = {str(staff.code): staff for staff in admins}
        choices = [(code, f"{staff.user} ({staff.user.email})") for code, staff in self._admins.items()]
        self.fields["person"].choices = choices  # type: ignore[attr-defined]  # it is a ChoiceField

    @property
    def staff(self) -> Staff:
        """Who was chosen."""
        return self._admins[self.cleaned_data["person"]]
