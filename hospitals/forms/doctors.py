"""What doctors say of themselves, and what a hospital says of them."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from phonenumber_field.formfields import PhoneNumberField

from core import documents
from core.documents import Document
from core.errors import DomainError
from hospitals.forms.office import LinesField
from hospitals.models import Department, DoctorDocument
from hospitals.services.doctors import importing
from hospitals.services.doctors.details import Details
from hospitals.services.doctors.inviting import Invited


class DocumentField(forms.Field):
    """A PDF or a photo; its cleaned value is a `Document`, or None when none was sent."""

    widget = forms.FileInput

    def __init__(self, **options: Any) -> None:
        widget = forms.FileInput(attrs={"accept": "application/pdf,image/jpeg,image/png,image/webp"})
        super().__init__(**{"widget": widget, **options})

    def clean(self, value: Any) -> Document | None:
        """Judge the upload by its content."""
        super().clean(value)
        if not value:
            return None
        try:
            return documents.judge(value)
        except DomainError as error:
            raise forms.ValidationError(str(error)) from None


def _department(**options: Any) -> "forms.ModelChoiceField[Department]":
    """One of the hospital's active departments, by its code."""
    return forms.ModelChoiceField(
        **{
            "queryset": Department.objects.active().by_name(),
            "to_field_name": "code",
            "label": _("Department"),
            "empty_label": _("Choose a department"),
            "error_messages": {
                "required": _("Choose a department."),
                "invalid_choice": _("Choose one of your departments."),
            },
            **options,
        }
    )


class DetailsForm(forms.Form):
    """A doctor's profession. Until it `is_whole` nothing has to be filled in."""

    specialization = forms.CharField(
        label=_("Specialization"),
        help_text=_("Like Cardiology or General medicine."),
        max_length=120,
        error_messages={"required": _("Enter the specialization.")},
    )
    qualifications = forms.CharField(
        label=_("Qualifications"),
        help_text=_("Degrees, like MBBS, MD (Medicine)."),
        max_length=300,
        error_messages={"required": _("Enter the qualifications.")},
    )
    licence_number = forms.CharField(
        label=_("Licence number"),
        help_text=_("From the medical council’s register."),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
        error_messages={"required": _("Enter the licence number.")},
    )
    experience_years = forms.IntegerField(
        label=_("Years of experience"),
        help_text=_("Full years of practice."),
        min_value=0,
        max_value=80,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={
            "required": _("Enter the years of experience."),
            "invalid": _("Enter the years as a whole number, like 12."),
            "min_value": _("Enter the years as a whole number from 0 to 80."),
            "max_value": _("Enter the years as a whole number from 0 to 80."),
        },
    )
    department = _department(
        required=False,
        label=_("Department you would like"),
        help_text=_("The hospital decides in the end."),
        empty_label=_("No preference"),
    )

    needed = ("specialization", "qualifications", "licence_number", "experience_years")
    is_whole = False

    def full_clean(self) -> None:
        """Clean what was typed. The labels say what is needed in the end, not what is needed now."""
        for name in self.needed:
            self.fields[name].required = self.is_whole
        super().full_clean()
        for name in self.needed:
            self.fields[name].required = True

    def details(self) -> Details | None:
        """What the service takes; None while something typed is not right."""
        names = [*self.needed, "department"]
        if any(name in self.errors and not self.has_error(name, "required") for name in names):
            return None
        return Details(**{name: self.cleaned_data[name] for name in names if name in self.cleaned_data})


class DocumentForm(forms.Form):
    """One certificate more. Beside an application it may be missing; where it `is_alone` it must be there."""

    kind = forms.ChoiceField(
        label=_("What it shows"),
        choices=[("", _("Choose what it shows")), *DoctorDocument.Kind.choices],
        error_messages={"required": _("Choose what the document shows.")},
    )
    document = DocumentField(
        label=_("File"),
        help_text=_("PDF, JPEG, PNG or WebP, at most 8 MB."),
        error_messages={"required": _("Choose the file.")},
    )

    is_alone = False

    def full_clean(self) -> None:
        """Clean what was sent. The labels do not call optional what one has to give to add a document."""
        self._require("kind", "document", required=self.is_alone)
        super().full_clean()
        self._require("kind", "document", required=True)

    def _require(self, *names: str, required: bool) -> None:
        for name in names:
            self.fields[name].required = required

    def clean(self) -> dict[str, Any]:
        """A document comes with what it shows. A kind alone is what is left of a document that was kept before."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if given.get("document") and "kind" in given and not given["kind"]:
            self.add_error("kind", _now("Choose what the document shows, then choose the file again."))
        return given

    def given(self) -> dict[str, Any]:
        """What the service takes of it, whatever is wrong elsewhere."""
        kind, document = self.cleaned_data.get("kind"), self.cleaned_data.get("document")
        return {"kind": kind, "document": document} if kind and document else {}


class ApplicationForm(DetailsForm, DocumentForm):
    """The whole application: every button of its page keeps everything that is right."""

    field_order = [*DetailsForm.needed, "department", "kind", "document"]

    def given(self) -> dict[str, Any]:
        """What the service takes, without what is wrong."""
        return {"details": self.details(), **super().given()}


class Approval(forms.Form):
    """Where a verified doctor works."""

    department = _department()

    def __init__(self, data: Any = None, *, present: Department | None = None) -> None:
        super().__init__(data, initial={"department": present})
        if present and not present.is_active:  # what is set stays possible, though no patient sees it
            field = self.fields["department"]
            field.queryset = Department.objects.filter(pk=present.pk) | Department.objects.active()  # type: ignore[attr-defined]


class Asking(forms.Form):
    """What is missing in an application; the doctor reads it."""

    answer = LinesField(
        label=_("What is missing"),
        min_length=3,
        max_length=1000,
        error_messages={
            "required": _("Write what is missing. The doctor reads it."),
            "min_length": _("Write in a few words what is missing. The doctor reads it."),
            "max_length": _("Keep it under 1000 characters."),
        },
    )


class Rejection(forms.Form):
    """Why an application is not accepted; the doctor reads it."""

    reason = LinesField(
        label=_("Reason"),
        min_length=3,
        max_length=1000,
        error_messages={
            "required": _("Write a reason. The doctor reads it."),
            "min_length": _("Write a reason in a few words. The doctor reads it."),
            "max_length": _("Keep the reason under 1000 characters."),
        },
    )


class Invitation(DetailsForm):
    """A doctor whom the hospital knows."""

    name = forms.CharField(label=_("Name"), max_length=120, error_messages={"required": _("Enter the doctor’s name.")})
    email = forms.EmailField(
        label=_("E-mail address"),
        help_text=_("The invitation goes there."),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={
            "required": _("Enter an e-mail address."),
            "invalid": _("Enter an e-mail address, like rao@example.com."),
        },
    )
    phone = PhoneNumberField(
        label=_("Phone number"),
        help_text=_("For your office, not for patients."),
        region="IN",
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off", "inputmode": "tel"}),
        error_messages={"invalid": _("Enter a mobile or landline number, like 98450 12345.")},
    )
    department = _department(help_text=_("Where the doctor works."))

    field_order = ["name", "email", "phone", *DetailsForm.needed, "department"]
    is_whole = True

    def invited(self) -> Invited:
        """What the service takes."""
        given = self.cleaned_data
        details = self.details() or Details()
        return Invited(given["email"], given["name"], str(given["phone"] or ""), details)


class Import(forms.Form):
    """A list of doctors: a file, or the text of one that was looked at before."""

    csv = forms.FileField(
        label=_("CSV file"),
        help_text=_("At most 500 rows and 256 KB."),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )
    text = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def full_clean(self) -> None:
        """Clean what was sent. The label does not call the file optional, though the text may stand in for it."""
        self.fields["csv"].required = False
        super().full_clean()
        self.fields["csv"].required = True

    def clean(self) -> dict[str, Any]:
        """The text, from wherever it comes; a file that was chosen counts more."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        upload = given.get("csv")
        try:
            if upload:
                given["text"] = importing.decode(upload.read(importing.MAX_BYTES + 1))
        except DomainError as error:
            self.add_error("csv", str(error))
            return given
        if not given.get("text") and "csv" in given:
            self.add_error("csv", _now("Choose the file with your doctors."))
        return given
