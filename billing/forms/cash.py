"""What a cashier types: the float, a count, and money that is handed over."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.models import Method
from billing.services.payments import Taking
from core.money import shown

FACES = [500, 200, 100, 50, 20, 10, 5, 2, 1]  # notes and coins in use in India


def money(label: Any, **also: Any) -> forms.DecimalField:
    """An amount in rupees that is typed."""
    attrs = {"inputmode": "decimal", "autocomplete": "off", "class": "cash-amount"} | also.pop("attrs", {})
    sentence = _("Enter an amount, like 150.")
    return forms.DecimalField(
        label=label,
        max_digits=12,
        decimal_places=2,
        widget=forms.TextInput(attrs=attrs),
        error_messages={"required": sentence, "invalid": sentence},
        **also,
    )


def plain(rupees: Decimal) -> str:
    """An amount as somebody would type it."""
    return f"{rupees:.2f}".removesuffix(".00")


class Open(forms.Form):
    """With what the day begins."""

    opening_float = money(_("Cash in the drawer, ₹"), min_value=Decimal(), attrs={"autofocus": True})


class Close(forms.Form):
    """What was counted. `seen` and `told` are what the clerk was shown: what is expected, for which count."""

    counted = money(_("Counted, ₹"), min_value=Decimal())
    note = forms.CharField(required=False, max_length=300, label=_("Why it differs"))
    seen = forms.DecimalField(widget=forms.HiddenInput, required=False)
    told = forms.DecimalField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for face in FACES:
            self.fields[f"n{face}"] = forms.IntegerField(
                required=False,
                min_value=0,
                max_value=99_999,
                label=shown(Decimal(face)),
                widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "class": "cash-count"}),
                error_messages={"invalid": _("Enter a number."), "min_value": _("Enter a number.")},
            )

    @property
    def faces(self) -> Iterator[forms.BoundField]:
        """How many of each note and coin: a help for counting, not kept."""
        return (self[f"n{face}"] for face in FACES)

    @property
    def in_notes(self) -> Decimal:
        """What the notes and coins come to."""
        return sum((Decimal(face) * (self.cleaned_data.get(f"n{face}") or 0) for face in FACES), Decimal())

    @property
    def is_agreed(self) -> bool:
        """Whether the clerk was shown the difference of this very count."""
        said = self.cleaned_data
        return said["seen"] is not None and said["told"] == said["counted"]


class Take(forms.Form):
    """Money that is handed over. `key` lets a form that is sent twice take it once; `received` is for the change."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=80)
    method = forms.TypedChoiceField(
        choices=[(method, method.label) for method in (Method.CASH, Method.CARD, Method.UPI, Method.INSURANCE)],
        coerce=Method,
        label=_("How"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose how the patient pays."),
            "invalid_choice": _("Choose how the patient pays."),
        },
    )
    amount = money(_("Amount, ₹"), min_value=Decimal("0.01"))
    received = money(_("Cash given, ₹"), required=False)
    reference = forms.CharField(
        required=False,
        max_length=80,
        label=_("Number on the slip or in the app"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr"}),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, owed: Decimal, method: Method) -> None:
        super().__init__(data, initial={"key": uuid4().hex, "amount": plain(owed), "method": method})
        if not self.is_bound:  # what is typed next: the rest is filled in
            self.fields["received" if method == Method.CASH else "reference"].widget.attrs["autofocus"] = True

    def clean(self) -> dict[str, Any]:
        """What was given is at least what is taken."""
        said = super().clean() or self.cleaned_data
        given, asked = said.get("received"), said.get("amount")
        if said.get("method") == Method.CASH and given is not None and asked is not None and given < asked:
            self.add_error("received", _("That is %(less)s too little.") % {"less": shown(asked - given)})
        return said

    @property
    def taking(self) -> Taking:
        """What was typed, as the services take it."""
        said = self.cleaned_data
        is_cash = said["method"] == Method.CASH
        return Taking(said["method"], said["amount"], "" if is_cash else said["reference"], said["key"])

    @property
    def change(self) -> Decimal:
        """What is to be given back of the cash that was given."""
        said = self.cleaned_data
        if said["method"] != Method.CASH or said["received"] is None:
            return Decimal()
        return Decimal(said["received"] - said["amount"])
