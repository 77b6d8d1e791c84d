"""What a patient says about a bill of theirs."""

from django import forms
from django.utils.translation import gettext_lazy as _


class Promo(forms.Form):
    """A promo code; an empty field takes back the one that was used."""

    promo_code = forms.CharField(
        label=_("Promo code"),
        max_length=24,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
