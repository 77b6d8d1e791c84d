"""Lists of which an empty one says something: "none known" is another answer than "not asked yet"."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.text import one_line

_LONGEST, _MOST = 120, 30


class KnownListInput(forms.Widget):
    """A text with one thing a line, and a tick for "none known". A program may send a list, or null, instead."""

    template_name = "patients/widgets/known_list.html"
    use_fieldset = True

    def id_for_label(self, id_: str) -> str:
        """None: the label belongs to both parts."""
        return ""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """What was typed before, or what is known."""
        context = super().get_context(name, value, attrs)
        lines, is_none = value if isinstance(value, tuple) else ("\n".join(value or []), value == [])
        is_invalid = "aria-invalid" in context["widget"]["attrs"]
        context["widget"] |= {"lines": lines, "is_none": is_none, "is_invalid": is_invalid}
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """A list or null as it came from a program; otherwise the text and the tick."""
        sent = data.get(name)
        if name in data and not isinstance(sent, str):
            return sent
        return sent or "", f"{name}_none" in data

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Whether neither came."""
        return name not in data and f"{name}_none" not in data


class KnownListField(forms.Field):
    """A list of things; empty when it was asked and there is none, None when nobody has asked."""

    widget = KnownListInput
    default_error_messages = {
        "invalid": _("Send a list of words, an empty list for none, or null for not asked."),
        "both": _("Write what is known, or tick that there is none: not both."),
        "long": _("Keep each line under %(longest)s characters.") % {"longest": _LONGEST},
        "many": _("Write at most %(most)s lines.") % {"most": _MOST},
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def to_python(self, value: Any) -> list[str] | None:
        """The lines without blank and doubled ones."""
        if value is None:
            return None
        if isinstance(value, tuple):
            text, is_none = value
            lines = text.splitlines()
        elif isinstance(value, list) and all(isinstance(line, str) for line in value):
            lines, is_none = value, not value
        else:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        found = list({line.casefold(): line for line in reversed([one_line(line) for line in lines]) if line}.values())
        if found and is_none:
            raise forms.ValidationError(self.error_messages["both"], code="both")
        if any(len(line) > _LONGEST for line in found):
            raise forms.ValidationError(self.error_messages["long"], code="long")
        if len(found) > _MOST:
            raise forms.ValidationError(self.error_messages["many"], code="many")
        return found[::-1] if found else [] if is_none else None
