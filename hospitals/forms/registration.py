"""The form by which a hospital asks to join."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from phonenumber_field.formfields import PhoneNumberField

from core.forms import PictureField
from hospitals.services import joining
from tenants.models import SLUG
from tenants.states import State

MAX_SLUG = 40
SLUG_RULE = gettext_lazy("Use small letters, digits and single hyphens, and begin with a letter, like cedar-pune.")


class Registration(forms.Form):
    """What a hospital says of itself. Without a subdomain one is made from the name."""

    name = forms.CharField(
        label=gettext_lazy("Name of the hospital"),
        help_text=gettext_lazy("As patients know it."),
        max_length=160,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
        error_messages={"required": gettext_lazy("Enter the name of the hospital.")},
    )
    registration_number = forms.CharField(
        label=gettext_lazy("Registration number"),
        help_text=gettext_lazy("From the certificate of your state, for example MH/2019/04512."),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
        error_messages={"required": gettext_lazy("Enter the number on your registration certificate.")},
    )
    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        choices=[("", gettext_lazy("Choose a state")), *State.choices],
        widget=forms.Select(attrs={"autocomplete": "address-level1"}),
        error_messages={"required": gettext_lazy("Choose the state where the hospital is registered.")},
    )
    city = forms.CharField(
        label=gettext_lazy("City or town"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "address-level2"}),
        error_messages={"required": gettext_lazy("Enter the city or town.")},
    )
    address = forms.CharField(
        label=gettext_lazy("Street address"),
        help_text=gettext_lazy("Building, street and PIN code."),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "street-address"}),
        error_messages={"required": gettext_lazy("Enter the street address.")},
    )
    contact_person = forms.CharField(
        label=gettext_lazy("Your name"),
        help_text=gettext_lazy("You will be the hospital’s first admin."),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": gettext_lazy("Enter your name.")},
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        help_text=gettext_lazy(
            "Our messages go there. Patients see it once your hospital is open; you can change that."
        ),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email", "spellcheck": "false"}),
        error_messages={
            "required": gettext_lazy("Enter an e-mail address."),
            "invalid": gettext_lazy("Enter an e-mail address, like office@cedar.example."),
        },
    )
    phone_number = PhoneNumberField(
        label=gettext_lazy("Phone number"),
        help_text=gettext_lazy("Patients see it once your hospital is open."),
        region="IN",
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
        error_messages={
            "required": gettext_lazy("Enter a phone number."),
            "invalid": gettext_lazy("Enter a mobile or landline number, like 98450 12345."),
        },
    )
    slug = forms.CharField(
        label=gettext_lazy("Subdomain"),
        help_text=gettext_lazy("The first word of your own address. Leave it empty and we make one from the name."),
        max_length=MAX_SLUG,
        required=False,
        validators=[RegexValidator(SLUG, SLUG_RULE)],
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    logo = PictureField(
        label=gettext_lazy("Logo"),
        help_text=gettext_lazy("PNG, JPEG or WebP, up to 5 MB. You can change it later."),
        required=False,
    )
    # A trap for programs that fill every field. The template hides it and always shows it empty.
    website = forms.CharField(required=False)

    def clean_registration_number(self) -> str:
        """As it is compared."""
        return joining.normal_number(self.cleaned_data["registration_number"])

    def clean_phone_number(self) -> str:
        """In international form."""
        return str(self.cleaned_data["phone_number"])

    def clean(self) -> dict[str, Any]:
        """Say which unique value is taken, make the subdomain, and stop programs."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if given.get("website"):
            raise forms.ValidationError(_("This looks as if a program had filled it in. Send it once more."))
        number, state = given.get("registration_number"), given.get("state")
        if number and state and joining.is_number_taken(number=number, state=state):
            self.add_error("registration_number", joining.number_taken())
        if "slug" in given and "name" in given:
            self._find_slug(given)
        return given

    def _find_slug(self, given: dict[str, Any]) -> None:
        wished = given["slug"]
        given["slug"] = wished or joining.suggest_slug(given["name"])
        if not given["slug"]:
            self.add_error("slug", _("Choose a subdomain: none can be made from the name."))
        elif not joining.is_slug_free(given["slug"]):
            self.add_error("slug", joining.slug_taken())

    def registration(self) -> joining.Registration:
        """What the service takes."""
        return joining.Registration(
            **{name: value for name, value in self.cleaned_data.items() if name not in ("logo", "website")}
        )
