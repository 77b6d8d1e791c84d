"""What somebody says of a person they look after."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Relation, Sex
from core.dates import BirthDateField


class FamilyForm(forms.Form):
    """A member of one's family, as hospitals ask for it. What it cleans is what `family.add` and `family.change` take."""

    name = forms.CharField(
        label=_("Name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Enter the name.")},
    )
    relation = forms.ChoiceField(
        label=_("Who they are to you"),
        choices=[("", _("Choose")), *Relation.choices],
        error_messages={"required": _("Choose who they are to you.")},
    )
    birth_date = BirthDateField(label=_("Date of birth"))
    sex = forms.ChoiceField(
        label=_("Sex"),
        choices=Sex.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the sex.")},
    )
