"""What somebody says about what does not match, and the gateway's settlement file."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from billing.services import discrepancies, settlement_files


class Explanation(forms.Form):
    """How it came about."""

    explanation = forms.CharField(
        label=_("How did it come about?"),
        help_text=_("It is kept with your name, and takes this off the list."),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say in a sentence how it came about.")},
    )


class Owner(forms.Form):
    """Who looks after it."""

    owner = forms.ModelChoiceField(
        label=_("Hand it to"),
        queryset=User.objects.none(),
        to_field_name="code",
        empty_label=_("Choose a colleague"),
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose a colleague who sees all money.")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = keepers()  # type: ignore[attr-defined]  # of the ModelChoiceField


def keepers() -> QuerySet[User]:
    """Those whom it can be given to."""
    keys = [staff.user_id for staff in discrepancies.keepers()]
    return User.objects.filter(pk__in=keys).order_by("first_name", "last_name", "pk")


class SettlementFile(forms.Form):
    """The settlement report, as Razorpay's dashboard exports it."""

    file = forms.FileField(
        label=_("CSV file"),
        help_text=_("At most 20,000 rows and 8 MB."),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
        error_messages=dict.fromkeys(
            ("required", "invalid", "missing"), _("Choose the settlement report that you exported.")
        )
        | {"empty": _("This file is empty. Choose the settlement report that you exported.")},
    )

    def clean_file(self) -> bytes:
        """What stands in it; of a file that is too large only the beginning, which is refused for its length."""
        upload: UploadedFile = self.cleaned_data["file"]
        content: bytes = upload.read(settlement_files.MAX_BYTES + 1)
        return content
