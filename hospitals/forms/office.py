"""What somebody types who comes in by an invitation, and text of several lines."""

from typing import Any

from django import forms

from accounts.forms import new_password_field, present_password_field


class LinesField(forms.CharField):
    """Text of several lines; a line ends as the database keeps it, not as browsers send it."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        """Line ends made equal, so that what was not changed is not taken for a change."""
        return str(super().to_python(value)).replace("\r\n", "\n")


class FirstPassword(forms.Form):
    """For somebody who has no account yet."""

    password = new_password_field()


class PresentPassword(forms.Form):
    """For somebody who has one: they prove that the invitation is theirs."""

    password = present_password_field()


class NoPassword(forms.Form):
    """For somebody who has signed in a moment ago: pressing the button is enough."""
