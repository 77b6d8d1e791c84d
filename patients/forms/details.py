"""Who a patient is, how they are reached, and what must be known before a visit."""

from datetime import date
from typing import Any

from django import forms
from django.utils.timezone import localdate
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise
from phonenumber_field.formfields import PhoneNumberField

from accounts.models import Sex
from core.dates import BirthDateField
from patients.forms.known import KnownListField
from patients.models import BloodGroup, Patient

CONTACT = ["phone", "email", "address", "emergency_contact_name", "emergency_contact_phone"]
CLINICAL = ["blood_group", "allergies", "conditions"]


def _phone(label: StrPromise) -> PhoneNumberField:
    return PhoneNumberField(
        label=label,
        required=False,
        region="IN",
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "off"}),
        error_messages={"invalid": _("Enter a phone number, like 98450 12345.")},
    )


def present(patient: Patient, form: type[forms.Form]) -> dict[str, Any]:
    """What the form shows before anything was changed."""
    shown = {name: getattr(patient, name) for name in form.base_fields if hasattr(patient, name)}
    if patient.is_birth_date_estimated:
        shown |= {"birth_date": None, "age": patient.age_on(localdate())}
    else:
        shown.pop("age", None)
    return shown


class _Contact(forms.Form):
    """How a patient is reached, and whom to call."""

    phone = _phone(_("Phone number"))
    email = forms.EmailField(
        label=_("E-mail address"),
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "inputmode": "email", "spellcheck": "false"}),
        error_messages={"invalid": _("Enter an e-mail address, like name@example.com.")},
    )
    address = forms.CharField(
        label=_("Address"), required=False, max_length=400, widget=forms.Textarea(attrs={"rows": 3})
    )
    emergency_contact_name = forms.CharField(label=_("Emergency contact"), required=False, max_length=150)
    emergency_contact_phone = _phone(_("Their phone number"))

    def clean_address(self) -> str:
        """With the line ends that the database keeps, so that what was not changed is not taken for a change."""
        return str(self.cleaned_data["address"]).replace("\r\n", "\n")


class Clinical(forms.Form):
    """What a doctor must know before anything else."""

    blood_group = forms.ChoiceField(
        label=_("Blood group"), required=False, choices=[("", _("Not known")), *BloodGroup.choices]
    )
    allergies = KnownListField(label=_("Allergies"), help_text=_("One a line, like “Penicillin, rash and swelling”."))
    conditions = KnownListField(label=_("Conditions"), help_text=_("One a line, like “Diabetes since 2019”."))


class Details(_Contact):
    """Who a patient is and how they are reached: all that the desk keeps. Of many, only the age is known."""

    name = forms.CharField(
        label=_("Name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Enter the name.")},
    )
    birth_date = BirthDateField(label=_("Date of birth"), required=False)
    age = forms.IntegerField(
        label=_("or age in years"),
        required=False,
        min_value=0,
        max_value=130,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "maxlength": 3, "class": "patients-age"}),
        error_messages={
            "invalid": _("Enter the age in whole years."),
            "max_value": _("Enter an age under 131."),
            "min_value": _("Enter the age in whole years."),
        },
    )
    sex = forms.ChoiceField(
        label=_("Sex"),
        choices=Sex.choices,
        required=False,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the sex.")},
    )

    field_order = ["name", "birth_date", "age", "sex", *CONTACT]

    def clean(self) -> dict[str, Any]:
        """Make a date of the age, for who does not know the day."""
        said: dict[str, Any] = super().clean() or self.cleaned_data
        age = said.pop("age", None)
        if said.get("birth_date") and age is not None:
            self.add_error("age", _now("Enter the date of birth or the age, not both."))
        is_estimated = age is not None
        if is_estimated:
            said["birth_date"] = date(localdate().year - age, 1, 1)
        return {**said, "is_birth_date_estimated": is_estimated}


class Registration(Details):
    """A patient who stands at the desk. `is_new` says that it is nobody of those who look like them."""

    is_new = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sex"].required = True

    def clean(self) -> dict[str, Any]:
        """Somebody without any age could not be told from others of the same name."""
        said = super().clean()
        if not said.get("birth_date") and not {"birth_date", "age"} & set(self.errors):
            self.add_error("birth_date", _now("Enter the date of birth, or the age."))
        return said

    @property
    def details(self) -> dict[str, Any]:
        """What the service takes as details."""
        return {name: value for name, value in self.cleaned_data.items() if name != "is_new"}


class OwnDetails(_Contact, Clinical):
    """What people say of themselves and of their family."""

    name = forms.CharField(label=_("Name"), max_length=150, error_messages={"required": _("Enter the name.")})
    birth_date = BirthDateField(label=_("Date of birth"), required=False)
    sex = forms.ChoiceField(label=_("Sex"), choices=Sex.choices, required=False, widget=forms.RadioSelect)

    field_order = ["name", "birth_date", "sex", *CONTACT, *CLINICAL]

    def clean(self) -> dict[str, Any]:
        """Nobody takes back when they were born; who knows the day knows more than an age that somebody guessed."""
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if said.get("birth_date"):
            return {**said, "is_birth_date_estimated": False}
        said.pop("birth_date", None)
        return said
