"""What people type about their second factor."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import present_password_field
from accounts.models import User
from accounts.permissions import has_second_factor
from accounts.services import two_factor


def _factor_field() -> forms.CharField:
    """Six digits of an app, or a recovery code."""
    return forms.CharField(
        label=_("Code"),
        help_text=_("The 6 digits your authenticator app shows, or a recovery code."),
        max_length=20,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "none",
                "spellcheck": "false",
                "class": "code-input",
            }
        ),
        error_messages={"required": _("Enter the code.")},
    )


class SecondFactor(forms.Form):
    """The code that ends a sign-in."""

    code = _factor_field()


class FirstCode(forms.Form):
    """The first code of an app that is being set up."""

    code = forms.CharField(
        label=_("Code from the app"),
        help_text=_("The 6 digits it shows now."),
        max_length=20,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "class": "code-input",
                "spellcheck": "false",
            }
        ),
        error_messages={"required": _("Enter the code.")},
    )


class Prove(forms.Form):
    """The proof that it is still the person who sits there: what they have, their password first."""

    password = present_password_field()
    code = _factor_field()

    def __init__(self, data: Any = None, *, request: Any, user: User, **options: Any) -> None:
        super().__init__(data, **options)
        is_on = two_factor.is_on(user)
        by_password = user.has_own_password and (has_second_factor(request) or not is_on)
        if not by_password:
            del self.fields["password"]
        if by_password or not is_on:
            del self.fields["code"]


class NewPasskey(Prove):
    """What the passkey is to be called, and the proof."""

    name = forms.CharField(
        label=_("Name"),
        help_text=_("So that you recognise it, like “My telephone” or “Laptop at work”."),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Enter a name.")},
    )

    field_order = ["name", "password", "code"]


class Credential(forms.Form):
    """What a passkey answered. The browser writes it."""

    credential = forms.CharField(max_length=20_000, widget=forms.HiddenInput)
