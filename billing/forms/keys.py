"""What the hospital types to be paid with its own keys to Razorpay, and the proof that it is still the admin who sits there.

Secrets are never shown again, not even after a slip in another field.
"""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from accounts.forms.two_factor import Prove


def _secret(label: Any, help_text: Any, missing: Any) -> forms.CharField:
    sentence = _("This is not a secret of Razorpay’s. Copy it from there.")
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=200,
        validators=[RegexValidator(r"^[!-~]+$", sentence)],
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false", "dir": "ltr"}),
        error_messages={"required": missing, "max_length": sentence},
    )


def _webhook_secret() -> forms.CharField:
    return _secret(
        _("Webhook secret"),
        _("What you typed beside the webhook in Razorpay’s dashboard. At least 12 characters that nobody guesses."),
        _("Enter the webhook secret."),
    )


class Keys(Prove):
    """A key with its secret, and the secret that messages are signed with."""

    key_id = forms.CharField(
        label=_("Key id"),
        help_text=_("It begins with rzp_live_."),
        max_length=60,
        validators=[
            RegexValidator(
                r"^rzp_(live|test)_[A-Za-z0-9_]+$",
                _("Enter the key id as Razorpay shows it. It begins with rzp_live_."),
            )
        ],
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "dir": "ltr"}
        ),
        error_messages={"required": _("Enter the key id.")},
    )
    key_secret = _secret(
        _("Key secret"), _("Razorpay shows it once, when the key is made."), _("Enter the key secret.")
    )
    webhook_secret = _webhook_secret()

    field_order = ("key_id", "key_secret", "webhook_secret", "password", "code")


class WebhookSecret(Prove):
    """Another secret that messages are signed with."""

    webhook_secret = _webhook_secret()

    field_order = ("webhook_secret", "password", "code")
