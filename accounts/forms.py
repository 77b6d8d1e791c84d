"""What people type to come in."""

from django import forms
from django.utils.translation import gettext_lazy as _


def email_field() -> forms.EmailField:
    """An e-mail address that password managers know as the name of the account."""
    return forms.EmailField(
        label=_("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "username", "inputmode": "email"}),
        error_messages={
            "required": _("Enter your e-mail address."),
            "invalid": _("Enter an e-mail address, like name@example.com."),
        },
    )


def present_password_field() -> forms.CharField:
    """A password somebody already has."""
    return forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("Enter your password.")},
    )


def new_password_field() -> forms.CharField:
    """A password somebody chooses now, with the rules it must keep."""
    return forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=128,
        # What AUTH_PASSWORD_VALIDATORS asks for, in one breath; the page's test compares the two.
        help_text=_("At least 10 characters; not a common password, not only digits, nothing close to your name."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": _("Choose a password.")},
    )


class SignIn(forms.Form):
    """E-mail address and password."""

    email = email_field()
    password = present_password_field()


class Forgotten(forms.Form):
    """Whose password is forgotten."""

    email = email_field()


class NewPassword(forms.Form):
    """The password from now on."""

    password = new_password_field()
