"""What the office types about an insurer."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.forms.bills import Reason, Step
from billing.steps import ClaimStep


def _amount(label: Any, **also: Any) -> forms.DecimalField:
    return forms.DecimalField(
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        label=label,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"required": _("Enter an amount, like 1500."), "invalid": _("Enter an amount, like 1500.")},
        **also,
    )


class Cover(forms.Form):
    """Who insures the patient, and how much of the bill is claimed."""

    payer = forms.CharField(
        max_length=120,
        label=_("Insurer"),
        error_messages={"required": _("Enter the name of the insurer.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    policy_number = forms.CharField(
        max_length=60,
        label=_("Policy number"),
        error_messages={"required": _("Enter the number of the policy.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    member_id = forms.CharField(
        max_length=60, required=False, label=_("Member number"), widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    amount = _amount(_("Claimed, ₹"))
    note = forms.CharField(max_length=300, required=False, label=_("Note"), help_text=_("For your colleagues."))


class PreauthGiven(forms.Form):
    """The number of a pre-authorisation."""

    preauth_number = forms.CharField(
        max_length=60,
        label=_("Pre-authorisation number"),
        error_messages={"required": _("Enter the number that the insurer gave.")},
    )


class ClaimSent(forms.Form):
    """The number of a claim, if the insurer has given one."""

    claim_number = forms.CharField(max_length=60, required=False, label=_("Claim number"))


class Approved(forms.Form):
    """What the insurer takes over."""

    amount = _amount(_("Approved, ₹"), help_text=_("The patient owes what is left of the bill."))


class Settled(forms.Form):
    """The insurer's payment."""

    reference = forms.CharField(
        max_length=80,
        label=_("Reference"),
        help_text=_("What the bank statement calls it, like a UTR number."),
        error_messages={"required": _("Enter the reference of the payment.")},
    )


# What is asked at each step.
FORMS: dict[ClaimStep, type[forms.Form]] = {
    ClaimStep.ASK_PREAUTH: Step,
    ClaimStep.GIVE_PREAUTH: PreauthGiven,
    ClaimStep.REFUSE_PREAUTH: Reason,
    ClaimStep.SUBMIT: ClaimSent,
    ClaimStep.APPROVE: Approved,
    ClaimStep.REJECT: Reason,
    ClaimStep.SETTLE: Settled,
}
