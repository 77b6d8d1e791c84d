"""What is typed about money that goes back."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.forms.cash import money, plain
from billing.models import Method


class Ask(forms.Form):
    """How much of a payment goes back, and why. `key` lets a form that is sent twice ask once."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=80)
    amount = money(_("Amount, ₹"), min_value=Decimal("0.01"))
    reason = forms.CharField(
        max_length=200,
        label=_("Reason"),
        help_text=_("It stands on the credit note, where the patient reads it."),
        error_messages={"required": _("Say why.")},
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, left: Decimal) -> None:
        super().__init__(data, initial={"key": uuid4().hex, "amount": plain(left)})


class Decline(forms.Form):
    """Why a refund is refused."""

    reason = forms.CharField(max_length=200, label=_("Reason"), error_messages={"required": _("Say why.")})


class PayOut(forms.Form):
    """How granted money is handed out."""

    method = forms.TypedChoiceField(
        coerce=Method, label=_("How"), error_messages={"required": _("Choose how the money goes back.")}
    )
    reference = forms.CharField(
        required=False,
        max_length=80,
        label=_("Number on the slip or in the app"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr"}),
    )

    def __init__(self, *args: Any, ways: list[Method], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        method = self.fields["method"]
        method.choices = [(way, way.label) for way in ways]  # type: ignore[attr-defined]
        method.widget = forms.HiddenInput() if len(ways) == 1 else forms.RadioSelect(choices=method.choices)  # type: ignore[attr-defined]
        method.initial = ways[0] if ways else None
        if ways == [Method.CASH]:
            del self.fields["reference"]

    def clean_reference(self) -> str:
        """Cash has none."""
        said = self.cleaned_data
        return "" if said.get("method") == Method.CASH else str(said["reference"])


class Step(forms.Form):
    """A step that needs no words."""
