"""Which of two entries is right, where they differ."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.template.defaultfilters import date as shown_date
from django.utils.text import capfirst

from core.templatetags.ui import phone as shown_phone
from patients.models import Patient
from patients.services.merging import CHOSEN

KEPT, GONE = "kept", "gone"


def differing(kept: Patient, gone: Patient) -> list[str]:
    """The fields of which both know something, and not the same."""
    return [
        name
        for name in CHOSEN
        if getattr(kept, name) and getattr(gone, name) and getattr(kept, name) != getattr(gone, name)
    ]


class Merge(forms.Form):
    """For each field on which two entries differ: whose value stays."""

    def __init__(self, data: Any = None, *, kept: Patient, gone: Patient) -> None:
        super().__init__(data)
        for name in differing(kept, gone):
            choices = [(KEPT, _shown(kept, name)), (GONE, _shown(gone, name))]
            self.fields[name] = forms.ChoiceField(
                label=capfirst(str(Patient._meta.get_field(name).verbose_name)),  # type: ignore[union-attr]
                choices=choices,
                initial=KEPT,
                widget=forms.RadioSelect(attrs={"class": "choices"}),
            )

    @property
    def take(self) -> Sequence[str]:
        """The fields whose value comes from the entry that goes."""
        return [name for name, whose in self.cleaned_data.items() if whose == GONE]


def _shown(patient: Patient, name: str) -> str:
    value = getattr(patient, name)
    if name == "birth_date":
        return patient.age if patient.is_birth_date_estimated else shown_date(value, "j F Y")
    if name == "sex":
        return patient.get_sex_display()
    return shown_phone(value) if name.endswith("phone") else str(value)
