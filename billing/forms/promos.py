"""What the hospital types about a promo code."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from billing.forms.cash import money
from billing.forms.settings import Capitals, day, whole
from billing.models import PromoCode

_MOST = 1_000_000
_MOST_RUPEES = Decimal("99999999.99")


class Terms(forms.Form):
    """When and how often a code counts."""

    description = forms.CharField(
        label=_("What it is for"), help_text=_("Only your staff read it."), max_length=200, required=False
    )
    first_date = day(_("From"))
    last_date = day(_("Until"), help_text=_("The last day, included. Empty: until you stop it."), required=False)
    minimum = money(
        _("On bills from, ₹"),
        help_text=_("Before discount and tax."),
        min_value=Decimal(),
        max_value=_MOST_RUPEES,
        required=False,
    )
    cap = money(
        _("At most, ₹"),
        help_text=_("So that a percentage does not become too much."),
        min_value=Decimal(1),
        max_value=_MOST_RUPEES,
        required=False,
    )
    most_uses = whole(_("Uses in all"), _("Empty: as often as you like."), least=1, most=_MOST, required=False)
    most_uses_each = whole(
        _("Uses for each patient"), _("Empty: as often as you like."), least=1, most=_MOST, required=False
    )

    def __init__(self, *args: Any, promo: PromoCode | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if promo and promo.amount is not None:  # rupees are no more than they are
            del self.fields["cap"]

    def clean_minimum(self) -> Decimal:
        """Nothing is asked for where nothing was typed."""
        return self.cleaned_data["minimum"] or Decimal()

    @classmethod
    def of(cls, promo: PromoCode) -> dict[str, Any]:
        """What stands in it now."""
        said = {name: getattr(promo, name) for name in Terms.base_fields}
        for name in ("minimum", "cap"):
            said[name] = f"{said[name]:.2f}".removesuffix(".00") if said[name] else ""
        return said


class New(Terms):
    """A code: its word, what it takes off, and its terms."""

    word = Capitals(
        label=_("Code"),
        help_text=_("3 to 24 letters, digits and hyphens, like MONSOON-10."),
        max_length=24,
        validators=[
            RegexValidator(r"^[A-Z0-9-]{3,24}$", _("Enter 3 to 24 letters, digits and hyphens, like MONSOON-10."))
        ],
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "dir": "ltr"}
        ),
        error_messages={"required": _("Enter the code, like MONSOON-10.")},
    )
    kind = forms.ChoiceField(
        label=_("It takes off"),
        choices=[("percent", _("A percentage")), ("amount", _("Rupees"))],
        widget=forms.RadioSelect(attrs={"class": "choices"}),
        error_messages={"required": _("Choose what it takes off.")},
    )
    worth = forms.DecimalField(
        label=_("How much"),
        help_text=_("10 is 10 percent, or ₹10. With discounts by hand it is never above your largest discount."),
        max_digits=10,
        decimal_places=2,
        min_value=Decimal("0.01"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages=dict.fromkeys(("required", "invalid", "min_value"), _("Enter how much, like 10.")),
    )

    field_order = ("word", "kind", "worth", "cap", "minimum", "first_date", "last_date")

    def clean(self) -> dict[str, Any]:
        """`kind` and `worth` become a percentage or an amount."""
        said = dict(self.cleaned_data)
        kind, worth = said.pop("kind", None), said.pop("worth", None)
        if kind == "percent" and worth is not None and (worth > 100 or worth != int(worth)):
            self.add_error("worth", _now("Enter a whole percentage from 1 to 100."))
        if kind == "amount" and said.get("cap") is not None:
            self.add_error("cap", _now("Only a percentage needs this. Leave it empty."))
        return said | {
            "percent": int(worth) if kind == "percent" and worth is not None else None,
            "amount": worth if kind == "amount" else None,
        }
