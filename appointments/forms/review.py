"""Whom a visit is for, and why."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.forms.family import FamilyForm
from accounts.models import FamilyMember, User

_SELF, _NEW = "self", "new"


class Review(FamilyForm):
    """Oneself, a member of one's family, or somebody who is added to it now; and the reason for the visit."""

    who = forms.ChoiceField(
        label=gettext_lazy("Who is it for?"),
        widget=forms.RadioSelect(attrs={"class": "choices"}),
        error_messages={
            "required": gettext_lazy("Choose who the visit is for."),
            "invalid_choice": gettext_lazy("Choose one of these people."),
        },
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason for the visit"),
        help_text=gettext_lazy("Only the doctor and the front desk read it."),
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data, initial={"who": _SELF})
        members = [(str(member.code), member.name) for member in FamilyMember.objects.of(user)]
        oneself = _("%(name)s (you)") % {"name": user}
        self.fields["who"].choices = [  # type: ignore[attr-defined]
            (_SELF, oneself),
            *members,
            (_NEW, _("Somebody else in my family")),
        ]

    def clean(self) -> dict[str, Any] | None:
        """What stands in the fields for somebody new counts only if it is for them."""
        if self.cleaned_data.get("who") == _NEW:
            return super().clean()
        for name in FamilyForm.base_fields:
            self.errors.pop(name, None)
        return self.cleaned_data

    @property
    def asked(self) -> dict[str, Any]:
        """What the form says, once it is valid, as `services.own.book` takes it."""
        who = self.cleaned_data["who"]
        said = {name: self.cleaned_data.get(name) for name in FamilyForm.base_fields}
        return {
            "member": None if who in (_SELF, _NEW) else UUID(who),
            "newcomer": said if who == _NEW else None,
            "reason": self.cleaned_data["reason"],
        }
