"""What is asked of a report."""

from datetime import date
from typing import Any

from django import forms
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _

from billing.models import Report


def _day(label: Any, error: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, widget=widget, error_messages={"required": error, "invalid": error})


class Choice(forms.Form):
    """Which report, over which days, both included."""

    kind = forms.ChoiceField(label=_("Report"), choices=Report.Kind.choices)
    first = _day(_("From"), _("Choose the first day."))
    last = _day(_("Until"), _("Choose the last day."))


class Ask(Choice):
    """The same as a file."""

    file_format = forms.ChoiceField(label=_("File"), choices=Report.Format.choices)


def this_month() -> tuple[date, date]:
    """From the first of the month up to today, on the hospital's calendar."""
    today = localdate()
    return today.replace(day=1), today
