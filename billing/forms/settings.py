"""What the hospital decides about its bills and taxes."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from billing.forms.cash import money
from billing.models import BillingRules


def whole(label: Any, help_text: Any = "", *, least: int = 0, most: int, **also: Any) -> forms.IntegerField:
    """A whole number that is typed."""
    sentence = _("Enter a whole number from %(least)d to %(most)d.") % {"least": least, "most": most}
    return forms.IntegerField(
        label=label,
        help_text=help_text,
        min_value=least,
        max_value=most,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), sentence),
        **also,
    )


def day(label: Any, **also: Any) -> forms.DateField:
    """A day that is chosen."""
    sentence = _("Enter a day, like 1 April 2027.")
    return forms.DateField(
        label=label,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": sentence, "invalid": sentence},
        **also,
    )


class Capitals(forms.CharField):
    """A code that is the same however it is typed."""

    def to_python(self, value: Any) -> str:
        """In capitals, without the spaces people put between groups."""
        return "".join(str(super().to_python(value)).upper().split())


def _capitals(**attrs: Any) -> forms.TextInput:
    return forms.TextInput(
        attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", **attrs}
    )


class Rules(forms.Form):
    """Who the hospital is on its bills, and what its people may do alone."""

    legal_name = forms.CharField(
        label=_("Name on bills"),
        help_text=_("The name under which you are registered. Without one, the hospital’s name stands there."),
        max_length=160,
        required=False,
    )
    gstin = Capitals(
        label=_("GSTIN"),
        help_text=_("Leave it empty if you are not registered for GST."),
        max_length=15,
        required=False,
        widget=_capitals(dir="ltr"),
        error_messages={"max_length": _("A GSTIN has 15 characters, like 27AAPFU0939F1ZV.")},
    )
    series = Capitals(
        label=_("Letters before bill numbers"),
        help_text=_("1 to 3 letters. Bills that are issued keep theirs, and the numbers go on."),
        max_length=3,
        validators=[RegexValidator(r"^[A-Z]{1,3}$", _("Enter 1 to 3 letters, like INV."))],
        widget=_capitals(dir="ltr"),
        error_messages=dict.fromkeys(("required", "max_length"), _("Enter 1 to 3 letters, like INV.")),
    )
    footer = forms.CharField(
        label=_("Line at the foot of bills"),
        help_text=_("Like your bank account, or until when a bill is to be paid."),
        max_length=300,
        required=False,
    )
    discount_limit_percent = whole(
        _("Discount without approval, in percent of a line"),
        _("Up to here the front desk and billing decide alone. A larger one waits for an admin."),
        most=100,
    )
    discount_cap_percent = whole(
        _("Largest discount, in percent of a line"),
        _("Nobody gives more, promo codes included."),
        most=100,
    )
    refund_limit = money(
        _("Largest refund without approval, ₹"),
        help_text=_("What somebody asks back by hand above it waits for an admin."),
        min_value=Decimal(),
    )
    takes_online = forms.BooleanField(
        label=_("Patients pay online"),
        help_text=_("On their telephone, before or after the visit. Otherwise they pay at the front desk."),
        required=False,
    )

    @classmethod
    def of(cls, rules: BillingRules) -> dict[str, Any]:
        """What stands in it now."""
        return {name: getattr(rules, name) for name in cls.base_fields} | {
            "refund_limit": f"{rules.refund_limit:.2f}".removesuffix(".00")
        }


class Rate(forms.Form):
    """How much tax, and from when on."""

    percent = forms.DecimalField(
        label=_("GST in percent"),
        help_text=_("CGST and SGST together. 0 for what is exempt."),
        min_value=Decimal(),
        max_value=Decimal(100),
        max_digits=5,
        decimal_places=2,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value", "max_decimal_places", "max_digits"),
            _("Enter a percentage, like 5 or 0.25."),
        ),
    )
    valid_from = day(_("From"), help_text=_("Today or a later day. Bills of earlier days keep their rate."))


class Category(Rate):
    """A kind of goods or services, and its first rate."""

    name = forms.CharField(
        label=_("Name"),
        help_text=_("Like “Ambulance”. Whoever writes a bill chooses it for a line."),
        max_length=80,
        error_messages={"required": _("Enter a name.")},
    )
    hsn_sac = forms.CharField(
        label=_("HSN or SAC code"),
        help_text=_("4 to 8 digits. It stands on the bill and in the GST return."),
        max_length=8,
        validators=[RegexValidator(r"^[0-9]{4,8}$", _("Enter 4 to 8 digits, like 999311."))],
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "dir": "ltr"}),
        error_messages=dict.fromkeys(("required", "max_length"), _("Enter 4 to 8 digits, like 999311.")),
    )

    field_order = ("name", "hsn_sac", "percent", "valid_from")


class Step(forms.Form):
    """A step that needs no words."""
