"""What the office says about the hospital itself."""

import re
import zoneinfo
from functools import cache
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from phonenumber_field.formfields import PhoneNumberField

from core.forms import PictureField
from core.hosts import is_portal
from hospitals.forms.office import LinesField
from hospitals.models import BookingPolicy
from tenants.states import State

_HEX = re.compile(r"^#?([0-9a-f]{3}|[0-9a-f]{6})$")
_HOST = re.compile(r"^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$")
_FIRST_ZONE = "Asia/Kolkata"


@cache
def _zones() -> list[tuple[str, str]]:
    """Time zones by their names, India's first."""
    names = sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))
    return [(name, name.replace("_", " ")) for name in [_FIRST_ZONE, *(n for n in names if n != _FIRST_ZONE), "UTC"]]


class AccentField(forms.CharField):
    """A colour as people write it, `0B6` or `#00bb66`; cleaned to `#00bb66`."""

    widget = forms.ColorInput

    def clean(self, value: str) -> str:
        """Lower case, six digits, with the hash."""
        found = _HEX.match(super().clean(value).lower())
        if found is None:
            raise ValidationError(_now("Enter a colour like #0b6e6e, or pick one."))
        digits = found[1]
        return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


class AccentForm(forms.Form):
    """A colour to look at before it is saved."""

    accent = AccentField(required=False)


class BrandForm(forms.Form):
    """Name, colour and logo. Without a new logo the present one stays."""

    name = forms.CharField(
        label=_("Name"), max_length=160, error_messages={"required": _("Enter the hospital's name.")}
    )
    accent = AccentField(
        label=_("Colour"),
        help_text=_("For buttons and links. Any colour works: it is adjusted where text on it could not be read."),
        error_messages={"required": _("Enter a colour like #0b6e6e, or pick one.")},
    )
    logo = PictureField(
        label=_("Logo"),
        help_text=_("PNG, JPEG, WebP or GIF, at most 5 MB. A square picture looks best."),
        required=False,
    )


class ContactForm(forms.Form):
    """How patients reach the hospital, and the zone its times are shown in."""

    email = forms.EmailField(
        label=_("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": _("Enter an e-mail address."),
            "invalid": _("Enter an e-mail address, like office@example.com."),
        },
    )
    phone_number = PhoneNumberField(
        label=_("Phone number"),
        error_messages={
            "required": _("Enter a phone number."),
            "invalid": _("Enter a phone number, like 98450 12345 or 020 2612 3456."),
        },
    )
    address = LinesField(
        label=_("Address"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Enter the address.")},
    )
    city = forms.CharField(label=_("City"), max_length=80, error_messages={"required": _("Enter the city.")})
    state = forms.ChoiceField(label=_("State"), choices=State.choices)
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        help_text=_("Times on your pages and in your messages are shown in it."),
        choices=_zones,
    )


class WelcomeForm(forms.Form):
    """What the public home page says."""

    welcome = LinesField(
        label=_("Welcome text"),
        help_text=_("One or two sentences that tell patients who you are."),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 5, "data-count": 1000}),
    )
    opening_hours = forms.CharField(
        label=_("Opening hours"),
        help_text=_("In your own words, like “Mon to Sat, 08:00 to 20:00. Emergencies day and night.”"),
        required=False,
        max_length=200,
    )
    emergency_phone = forms.CharField(
        label=_("Emergency number"),
        help_text=_("The number patients call when it cannot wait. 112 works everywhere in India."),
        max_length=20,
        error_messages={"required": _("Enter the number to call in an emergency.")},
        widget=forms.TextInput(attrs={"inputmode": "tel"}),
    )

    def clean_emergency_phone(self) -> str:
        """Digits, spaces and the signs people put between them."""
        number = str(self.cleaned_data["emergency_phone"]).strip()
        if not re.fullmatch(r"\+?[0-9][0-9 ()-]+", number):
            raise ValidationError(_now("Enter a phone number, like 112 or 020 2612 3456."))
        return number


def _number(label: Any, help_text: Any, most: int) -> forms.IntegerField:
    sentence = _("Enter a whole number from 0 to %(most)d.") % {"most": most}
    return forms.IntegerField(
        label=label,
        help_text=help_text,
        min_value=0,
        max_value=most,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), sentence),
    )


class BookingForm(forms.Form):
    """The rules of booking."""

    confirmation = forms.ChoiceField(
        label=_("A booked visit is confirmed"),
        help_text=_("Until then it is held for the patient. What the front desk books is confirmed at once."),
        choices=BookingPolicy.Confirmation.choices,
        widget=forms.RadioSelect(attrs={"class": "choices"}),
        error_messages={
            "required": _("Choose how visits are confirmed."),
            "invalid_choice": _("Choose how visits are confirmed."),
        },
    )
    free_cancellation_hours = _number(
        _("Free to cancel until, in hours before the visit"),
        _("0 means until it begins. 720 hours are 30 days."),
        720,
    )
    late_cancellation_percent = _number(
        _("Cancelling later costs, in percent of the fee"), _("0 means that it costs nothing."), 100
    )
    no_show_percent = _number(
        _("A missed visit costs, in percent of the fee"), _("0 means that it costs nothing."), 100
    )
    no_show_limit = _number(
        _("Missed visits in a year until bookings have to be confirmed"),
        _("After so many, what the patient books waits until you confirm it. 0 means never."),
        20,
    )
    check_in_minutes = _number(
        _("Patients can check in, in minutes before the visit"),
        _("On their telephone, when they are in the building."),
        240,
    )


class SignInForm(forms.Form):
    """What is asked of staff when they sign in."""

    requires_two_factor = forms.BooleanField(
        label=_("Staff must use two-factor"),
        help_text=_("Besides the password, an app on their telephone or a passkey. Patients are not asked."),
        required=False,
    )


class DomainForm(forms.Form):
    """A domain of the hospital's own, however it is pasted."""

    domain = forms.CharField(
        label=_("Domain"),
        help_text=_("Like www.cedarhospital.in, without https://."),
        max_length=300,
        widget=forms.TextInput(
            attrs={"inputmode": "url", "autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}
        ),
        error_messages={"required": _("Enter a domain, like www.cedarhospital.in.")},
    )

    def clean_domain(self) -> str:
        """The bare host, in the letters the DNS uses."""
        typed = str(self.cleaned_data["domain"]).strip().lower()
        host = re.sub(r"^[a-z]+://", "", typed).split("/")[0].split(":")[0].rstrip(".")
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            host = ""
        if is_portal(host) or host.endswith(f".{settings.BASE_DOMAIN}"):
            raise ValidationError(_now("This address belongs to the platform. Enter a domain of your own."))
        if not _HOST.match(host):
            raise ValidationError(_now("Enter a domain, like www.cedarhospital.in."))
        return host


class VerifyForm(forms.Form):
    """A press of the button; it carries what the DNS said instead."""
