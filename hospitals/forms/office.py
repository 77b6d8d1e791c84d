"""What somebody types who comes in by an invitation."""

from django import forms

from accounts.forms import new_password_field, present_password_field


class FirstPassword(forms.Form):
    """For somebody who has no account yet."""

    password = new_password_field()


class PresentPassword(forms.Form):
    """For somebody who has one: they prove that the invitation is theirs."""

    password = present_password_field()
