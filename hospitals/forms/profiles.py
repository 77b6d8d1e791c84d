"""What patients read about a doctor, as the doctor and the office write it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Self

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from core.forms import PictureField
from core.languages import Language
from hospitals.forms.doctors import DetailsForm
from hospitals.forms.office import LinesField
from hospitals.models import Doctor
from hospitals.services.doctors.profile import Facts, Profile

MOST = 100_000


def _fee(label: Any) -> forms.DecimalField:
    sentence = _("Enter rupees as a number, like 700. Leave it empty if this is not offered.")
    return forms.DecimalField(
        label=label,
        required=False,
        min_value=Decimal(),
        max_value=Decimal(MOST),
        decimal_places=2,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={
            "invalid": sentence,
            "min_value": sentence,
            "max_value": _("Enter at most 100000 rupees."),
            "max_decimal_places": _("Enter rupees with at most two places after the point, like 99.50."),
        },
    )


class ProfileForm(forms.Form):
    """What a doctor says to patients. Without a new photo the present one stays."""

    photo = PictureField(
        label=_("Photo"),
        help_text=_("PNG, JPEG, WebP or GIF, at most 5 MB. It is cut square, a little above the middle."),
        required=False,
    )
    without_photo = forms.BooleanField(label=_("Remove the present photo"), required=False)
    bio = LinesField(
        label=_("About"),
        help_text=_("What patients come for, training and interests, in plain words."),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 6, "data-count": 2000}),
    )
    languages = forms.MultipleChoiceField(
        label=_("Languages"),
        help_text=_("Those in which a visit is possible."),
        choices=Language.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "choices doctor-languages"}),
        error_messages={"invalid_choice": _("Choose languages of the list.")},
    )
    fee_in_person = _fee(_("In person"))
    fee_video = _fee(_("Video"))
    fee_chat = _fee(_("Chat"))
    is_available = forms.BooleanField(
        label=_("Takes bookings"),
        help_text=_("Turned off, patients no longer find the doctor. Visits that are booked stay."),
        required=False,
    )

    @classmethod
    def of_api(cls, sent: Mapping[str, Any], files: Any, before: Mapping[str, Any]) -> Self:
        """The form for a request of the API: what it does not send is taken from `before`, bookings are else taken."""
        given = dict(sent.items())
        if isinstance(sent, QueryDict) and "languages" in sent:
            given["languages"] = sent.getlist("languages")
        return cls({"is_available": True, **before, **given}, files)

    fees = ("fee_in_person", "fee_video", "fee_chat")

    def profile(self) -> Profile:
        """What the service takes."""
        given = self.cleaned_data
        names = ["bio", *self.fees, "is_available"]
        return Profile(languages=_in_order(given["languages"]), **{name: given[name] for name in names})

    def asked(self) -> dict[str, Any]:
        """All that the service takes."""
        given = self.cleaned_data
        return {"profile": self.profile(), "photo": given["photo"], "without_photo": given.get("without_photo", False)}


class CheckedProfileForm(ProfileForm):
    """The same with what the hospital has checked, which it alone corrects."""

    specialization = DetailsForm.base_fields["specialization"]
    qualifications = DetailsForm.base_fields["qualifications"]
    experience_years = DetailsForm.base_fields["experience_years"]

    facts_of = ("specialization", "qualifications", "experience_years")

    def asked(self) -> dict[str, Any]:
        """With the corrected facts."""
        return {**super().asked(), "facts": Facts(**{name: self.cleaned_data[name] for name in self.facts_of})}


def present(doctor: Doctor, form: type[ProfileForm]) -> dict[str, Any]:
    """The doctor's profile as the form shows it: fees without paise when they are whole."""
    known = {name: getattr(doctor, name) for name in form.base_fields if hasattr(doctor, name) and name != "photo"}
    return known | {name: _plain(known[name]) for name in form.fees}


def _plain(fee: Decimal | None) -> Decimal | None:
    return fee.to_integral_value() if fee is not None and fee == fee.to_integral_value() else fee


def _in_order(codes: list[str]) -> list[str]:
    return [language for language in Language.values if language in codes]
