"""What the office types about a bill."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast
from uuid import uuid4

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from billing.forms.cash import plain
from billing.models import Invoice, TaxCategory
from billing.models.rules import GSTIN
from billing.services import drafts
from billing.services.drafts import MOST_LINES
from billing.services.invoices import Charge, Draft
from hospitals.models import Department, Doctor
from patients.models import Patient
from tenants.models import Hospital
from tenants.states import State


class _Capitals(forms.CharField):
    """A code that is the same however it is typed."""

    def to_python(self, value: Any) -> str:
        """In capitals."""
        return str(super().to_python(value)).upper()


class Bill(forms.Form):
    """Whom a bill is to and what it says beside its lines. `key` lets a form that is sent twice make one bill."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=80, required=False)
    doctor = forms.ModelChoiceField(
        queryset=Doctor.objects.none(), to_field_name="code", required=False, label=_("Doctor"), empty_label=_("None")
    )
    department = forms.ModelChoiceField(
        queryset=Department.objects.none(),
        to_field_name="code",
        required=False,
        label=_("Department"),
        empty_label=_("None"),
    )
    promo_code = _Capitals(
        required=False,
        max_length=24,
        label=_("Promo code"),
        help_text=_("As the patient has it."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
    discount_reason = forms.CharField(
        required=False,
        max_length=200,
        label=_("Reason for the discount"),
        help_text=_("It is not on the bill."),
    )
    bill_to = forms.CharField(
        required=False,
        max_length=200,
        label=_("Bill to"),
        help_text=_("If it is not the patient."),
    )
    bill_to_address = forms.CharField(
        required=False, max_length=400, label=_("Address"), widget=forms.Textarea(attrs={"rows": 2})
    )
    bill_to_gstin = _Capitals(
        required=False,
        max_length=15,
        label=_("GSTIN of the payer"),
        help_text=_("If it is a company."),
        validators=[RegexValidator(GSTIN, _("Enter a GSTIN of 15 characters, like 27AAPFU0939F1ZV."))],
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "dir": "ltr"}),
    )
    place_of_supply = forms.ChoiceField(
        choices=State.choices,
        label=_("Place of supply"),
        help_text=_("In another state than the hospital’s, IGST is due in place of CGST and SGST."),
    )
    note = forms.CharField(required=False, max_length=300, label=_("Note on the bill"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["doctor"].queryset = drafts.doctors()  # type: ignore[attr-defined]
        self.fields["department"].queryset = Department.objects.by_name()  # type: ignore[attr-defined]


class Line(forms.Form):
    """One thing that is billed."""

    description = forms.CharField(
        max_length=200, label=_("What"), error_messages={"required": _("Say what is billed.")}
    )
    quantity = forms.DecimalField(
        min_value=Decimal("0.001"),
        max_digits=9,
        decimal_places=3,
        label=_("Quantity"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"required": _("Enter how many."), "min_value": _("Enter more than nothing.")},
    )
    unit_price = forms.DecimalField(
        min_value=Decimal(),
        max_digits=10,
        decimal_places=2,
        label=_("Price of one, ₹"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"required": _("Enter the price of one.")},
    )
    discount = forms.DecimalField(
        required=False,
        min_value=Decimal(),
        max_digits=12,
        decimal_places=2,
        label=_("Discount, ₹"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    category = forms.ChoiceField(label=_("Tax"), error_messages={"required": _("Choose how it is taxed.")})

    def __init__(self, *args: Any, categories: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].choices = categories  # type: ignore[attr-defined]

    @property
    def charge(self) -> Charge:
        """What was typed, as the services take it."""
        said = self.cleaned_data
        return Charge(
            description=said["description"],
            unit_price=said["unit_price"],
            category=said["category"],
            quantity=said["quantity"],
            discount=said["discount"] or Decimal(),
        )


# What a new row says: one that says no more is left out.
_EMPTY: dict[str, Any] = {"quantity": Decimal(1), "category": TaxCategory.CONSULTATION}


class _Lines(forms.BaseFormSet[Line]):
    """The lines of a bill; those nobody wrote anything into are left out."""

    def _construct_form(self, i: int, **kwargs: Any) -> Line:
        if self.is_bound:
            kwargs |= {"initial": _EMPTY, "empty_permitted": True}
        return cast(Line, super()._construct_form(i, **kwargs))  # type: ignore[misc]  # the stubs leave it out

    @property
    def charges(self) -> list[Charge]:
        """What is billed."""
        return [form.charge for form in self.forms if form.has_changed()]

    def clean(self) -> None:
        """A bill is over something."""
        if not any(form.has_changed() for form in self.forms):
            raise forms.ValidationError(_("A bill needs at least one line."))


_factory = forms.formset_factory(Line, formset=_Lines, extra=0, max_num=MOST_LINES, absolute_max=MOST_LINES)


def _lines(*args: Any, **kwargs: Any) -> _Lines:
    return cast(_Lines, _factory(*args, **kwargs))


class WholeBill:
    """The two forms of the page together: what the bill says, and its lines."""

    def __init__(
        self, hospital: Hospital, invoice: Invoice | None = None, data: Mapping[str, Any] | None = None
    ) -> None:
        categories = drafts.categories()
        self._labels = {"categories": [(one.key, _label(one)) for one in categories]}
        if data is None:
            said = drafts.said_of(invoice) if invoice else {"place_of_supply": hospital.state, "key": uuid4().hex}
            self.form = Bill(initial=said)
            self._show(_lines_of(invoice) if invoice else [_EMPTY])
        else:
            self.form = Bill(data)
            self.lines = _lines(data, prefix="line", form_kwargs=self._labels)

    def _show(self, rows: list[dict[str, Any]]) -> None:
        self.lines = _lines(prefix="line", initial=rows, form_kwargs=self._labels)

    def keep(self, data: Mapping[str, Any], *, add: bool, remove: int | None) -> None:
        """Show what was typed, judged by nobody yet, with a row more or less."""
        self.form = Bill(initial={name: data.get(name, "") for name in Bill.base_fields})
        rows = _typed_rows(data)
        if remove is not None and remove < len(rows):
            del rows[remove]
        if not rows or (add and len(rows) < MOST_LINES):
            rows.append(_EMPTY)
        self._show(rows)
        if add:
            self.lines.forms[-1].fields["description"].widget.attrs["data-focus"] = ""

    def is_valid(self) -> bool:
        """Whether both can be taken as they are; what is wrong with the lines is said above the form, too."""
        is_valid = self.form.is_valid()
        if not self.lines.is_valid():
            faults = self.lines.non_form_errors() or [_now("Correct the lines that are marked.")]
            self.form.add_error(None, list(faults))
            return False
        if not is_valid:
            return False
        if any(charge.discount for charge in self.lines.charges) and not self.form.cleaned_data["discount_reason"]:
            self.form.add_error("discount_reason", _now("Say why the discount is given."))
            return False
        return True

    def draft(self, patient: Patient) -> Draft:
        """What was typed, as the services take it."""
        said = dict(self.form.cleaned_data)
        return Draft(
            patient=patient,
            charges=self.lines.charges,
            promo_word=said.pop("promo_code"),
            idempotency_key=said.pop("key"),
            **said,
        )


def _filled(kind: Any, rows: list[dict[str, Any]], kwargs: dict[str, Any]) -> Any:
    """Unbound rows that already say something."""
    made = kind(prefix="line", form_kwargs=kwargs)
    for form, said in zip(made.forms, rows, strict=True):
        form.initial = said
    return made


def _label(category: TaxCategory) -> str:
    percent = cast(Any, category).percent.normalize()
    if not percent:
        return _now("No GST: %(name)s") % {"name": category.name}
    return _now("%(percent)s %%: %(name)s") % {"name": category.name, "percent": f"{percent:f}"}


def _lines_of(invoice: Invoice) -> list[dict[str, Any]]:
    return [
        {
            "description": charge.description,
            "quantity": f"{charge.quantity.normalize():f}",
            "unit_price": plain(charge.unit_price),
            "discount": plain(charge.discount) if charge.discount else "",
            "category": charge.category,
        }
        for charge in drafts.charges_of(invoice)
    ]


def _typed_rows(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    try:
        count = min(int(data.get("line-TOTAL_FORMS", 0)), MOST_LINES)
    except ValueError:
        count = 0
    return [{name: data.get(f"line-{row}-{name}", "") for name in Line.base_fields} for row in range(count)]


# --- Steps -----------------------------------------------------------------------------------------------------------


class Reason(forms.Form):
    """Why."""

    reason = forms.CharField(max_length=200, label=_("Reason"), error_messages={"required": _("Say why.")})


class Credit(Reason):
    """How much of the bill is taken back, and why."""

    amount = forms.DecimalField(
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        label=_("Amount, tax included, ₹"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"required": _("Enter an amount, like 150."), "invalid": _("Enter an amount, like 150.")},
    )
    reason = forms.CharField(
        max_length=200,
        label=_("Reason"),
        help_text=_("It stands on the credit note."),
        error_messages={"required": _("Say why.")},
    )
    field_order = ("amount", "reason")


class Step(forms.Form):
    """A step that needs no words."""
