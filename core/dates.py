"""Dates that people know by heart, such as the day they were born: typed as day, month and year, not picked."""

from datetime import date
from typing import Any

from django import forms
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _

_OLDEST = 130  # years


class DatePartsInput(forms.MultiWidget):
    """Three short fields. A program may send the whole date as one value instead, `1984-03-27`."""

    template_name = "core/widgets/date_parts.html"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        numeric = {"inputmode": "numeric", "autocomplete": "off"}
        lengths = {"day": 2, "month": 2, "year": 4}
        super().__init__(
            {name: forms.TextInput({**numeric, "maxlength": length}) for name, length in lengths.items()}, attrs
        )

    def decompress(self, value: Any) -> list[Any]:
        """The parts of a date."""
        return [value.day, value.month, value.year] if isinstance(value, date) else [None, None, None]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """The whole date if that came, otherwise the parts."""
        return data[name] if name in data else super().value_from_datadict(data, files, name)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Whether neither came."""
        return name not in data and super().value_omitted_from_data(data, files, name)


class BirthDateField(forms.Field):
    """The day somebody was born: not in the future, and not so long ago that it must be a mistake."""

    widget = DatePartsInput
    default_error_messages = {
        "required": _("Enter the date of birth."),
        "invalid": _("Enter a day, a month and a year, like 27 3 1984."),
        "future": _("A date of birth is in the past. Check the year."),
        "past": _("Nobody is that old. Check the year."),
    }

    def to_python(self, value: Any) -> date | None:
        """The date; None when nothing was typed."""
        if isinstance(value, list):
            parts = [str(part or "").strip() for part in value]
            if not any(parts):
                return None
            value = "-".join(part.zfill(length) for part, length in zip(reversed(parts), (4, 2, 2), strict=True))
        if value in (None, ""):
            return None
        try:
            born = value if isinstance(value, date) else date.fromisoformat(str(value))
        except ValueError:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None
        if born > localdate():
            raise forms.ValidationError(self.error_messages["future"], code="future")
        if born.year < localdate().year - _OLDEST:
            raise forms.ValidationError(self.error_messages["past"], code="past")
        return born
