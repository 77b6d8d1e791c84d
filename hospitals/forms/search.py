"""What patients look for among the doctors of all hospitals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from core.languages import Language
from core.phrases import once_per_language
from core.visits import VisitKind
from directory.models import Wanted
from directory.specialties import SPECIALTIES

Choices = list[tuple[str, str]]


@once_per_language
def _choices() -> dict[str, Choices]:
    """The choices that are always the same, by name: sorted once, not for each visitor."""

    def by_name(choices: Iterable[tuple[Any, Any]]) -> Choices:
        return sorted(((str(value), str(label)) for value, label in choices), key=lambda choice: choice[1])

    return {
        "specialty": [("", _("Any specialty")), *by_name((one.slug, one.name) for one in SPECIALTIES)],
        "language": [("", _("Any language")), *by_name(Language.choices)],
        "kind": [("", _("Any kind")), *((str(value), str(label)) for value, label in VisitKind.choices)],
    }


@dataclass(frozen=True)
class Control:
    """A filter in plain words: two that are equal look the same in one language, and are drawn once.

    `kind` and `attributes` are those of an input; with `choices` it is a list.
    """

    name: str
    label: str = field(compare=False)  # in the language of the page
    value: str
    errors: tuple[str, ...]
    kind: str
    attributes: tuple[tuple[str, str], ...]
    choices: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, asked: forms.BoundField, choices: Choices | None) -> "Control":
        """A form's field. Django draws each by four templates, which took a tenth of the page."""
        widget, value = asked.field.widget, asked.value()
        if isinstance(widget, forms.DateInput):
            value = widget.format_value(value)
        return cls(
            name=asked.name,
            label=asked.field.label,  # type: ignore[arg-type]  # lazy: it is put into words when it is drawn
            value="" if value is None else str(value),
            errors=tuple(map(str, asked.errors)),
            kind=getattr(widget, "input_type", ""),
            attributes=tuple((name, str(said)) for name, said in widget.attrs.items() if name != "type"),
            choices=tuple(choices or ()),
        )


class DoctorSearch(forms.Form):
    """The search box and its filters. All of it stands in the address, so that a search can be shared."""

    q = forms.CharField(label=_lazy("Specialty, symptom, doctor or city"), required=False, max_length=100)
    # Callables: choices that are asked for are looked at when somebody has chosen.
    specialty = forms.ChoiceField(label=_lazy("Specialty"), required=False, choices=lambda: _choices()["specialty"])
    city = forms.CharField(label=_lazy("City"), required=False, max_length=80)
    hospital = forms.SlugField(required=False, widget=forms.HiddenInput)
    department = forms.CharField(label=_lazy("Department"), required=False, max_length=140)
    language = forms.ChoiceField(label=_lazy("Speaks"), required=False, choices=lambda: _choices()["language"])
    kind = forms.ChoiceField(label=_lazy("Kind of visit"), required=False, choices=lambda: _choices()["kind"])
    day = forms.DateField(
        label=_lazy("Free on"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    fee_from = forms.DecimalField(label=_lazy("Fee from, in rupees"), required=False, min_value=0, max_digits=10)
    fee_to = forms.DecimalField(label=_lazy("Fee up to, in rupees"), required=False, min_value=0, max_digits=10)
    experience = forms.IntegerField(
        label=_lazy("Years of experience at least"), required=False, min_value=0, max_value=80
    )

    def __init__(self, *args: Any, cities: Sequence[str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = _choices()
        if cities is not None:
            self.fields["city"].widget = forms.Select()
            offered = {**offered, "city": [("", _("Any city")), *((city, city) for city in sorted(cities))]}
        self.offered = offered

    @cached_property
    def asked(self) -> dict[str, str]:
        """What was asked for and makes sense, as it stands in the address; "" for what was not."""
        return {name: str(self.data.get(name, "")).strip() for name in self.fields if name in self.cleaned_data}

    def controls(self) -> list["Control"]:
        """The filters."""
        return [Control.of(field, self.offered.get(field.name)) for field in self.visible_fields() if field.name != "q"]

    def wanted(self) -> Wanted:
        """What it asks for. What makes no sense is passed over: the address may be an old one."""
        self.is_valid()
        asked = self.cleaned_data
        kind = asked.get("kind")
        return Wanted(
            words=asked.get("q", ""),
            specialty=asked.get("specialty", ""),
            city=asked.get("city", ""),
            hospital=asked.get("hospital", ""),
            department=asked.get("department", ""),
            language=asked.get("language", ""),
            kind=VisitKind(kind) if kind else None,
            fee_from=asked.get("fee_from"),
            fee_to=asked.get("fee_to"),
            experience=asked.get("experience"),
            day=asked.get("day"),
        )


class DoctorApiSearch(DoctorSearch):
    """The same for the API, where a hospital is also named by its id."""

    hospital_id = forms.UUIDField(required=False)
    date = forms.DateField(required=False)

    def wanted(self) -> Wanted:
        """What it asks for; `date` is `day` by the name the API's other lists have for it."""
        wanted = super().wanted()
        return replace(
            wanted,
            hospital_code=self.cleaned_data.get("hospital_id"),
            day=wanted.day or self.cleaned_data.get("date"),
        )
