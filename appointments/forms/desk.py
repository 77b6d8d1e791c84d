"""What the staff say about a visit while they run their day, and about somebody who stands at the desk."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from phonenumber_field.formfields import PhoneNumberField

from appointments.forms.office import InstantField
from appointments.models import Appointment
from appointments.services.queue import Counter
from audit import services as audit
from patients.forms.details import Registration
from patients.models import Patient

# Said after the register has warned; an empty choice is somebody of whom nobody has been thought yet.
_SOMEBODY_ELSE = "new"


class Act(forms.Form):
    """A step of a visit. `was` is the state its page showed: a step taken twice, or on an old page, is refused."""

    was = forms.CharField(required=False, max_length=12)
    reason = forms.CharField(required=False, max_length=500)

    def __init__(self, data: Any, *, visit: Appointment) -> None:
        super().__init__(data)
        self.visit = visit

    def clean(self) -> dict[str, Any]:
        """Refuse what was meant for another state."""
        was = self.cleaned_data.get("was")
        if was and was != self.visit.status:
            raise forms.ValidationError(audit.already(self.visit) or _now("Somebody else changed this first."))
        return self.cleaned_data


class Telephone(forms.Form):
    """What a walk-in is asked first."""

    phone = PhoneNumberField(
        label=_("Phone number"),
        region="IN",
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "off", "autofocus": True}),
        error_messages={
            "required": _("Enter a phone number, or go on without one."),
            "invalid": _("Enter a phone number, like 98450 12345."),
        },
    )


class Newcomer(Registration):
    """The four things that are asked at the desk; the rest can be added later."""

    email = None  # type: ignore[assignment]  # so a form drops a field
    address = None  # type: ignore[assignment]
    emergency_contact_name = None  # type: ignore[assignment]
    emergency_contact_phone = None


class WalkIn(Newcomer):
    """Who has come, to whom, and why. Nothing is asked about a patient who is in the register."""

    patient = forms.ChoiceField(required=False, label=_("Who has come?"))
    doctor = forms.ChoiceField(
        label=_("Doctor"),
        error_messages={"required": _("Choose a doctor."), "invalid_choice": _("Choose one of the doctors.")},
    )
    reason = forms.CharField(
        label=_("Reason for the visit"),
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"max_length": _("Keep it under 300 characters.")},
    )

    _OURS = ("patient", "doctor", "reason", "is_new")

    def __init__(self, data: Any = None, *, known: list[Patient], counters: list[Counter], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self._known = {str(patient.code): patient for patient in known}
        self._doctors = {str(counter.doctor.code): counter.doctor for counter in counters}
        self.fields["patient"].choices = [*((code, code) for code in self._known), (_SOMEBODY_ELSE, "")]  # type: ignore[attr-defined]
        self.fields["doctor"].choices = [(code, code) for code in self._doctors]  # type: ignore[attr-defined]
        self.is_known = self.data.get("patient", "") not in ("", _SOMEBODY_ELSE)
        if self.is_known:
            for name in [name for name in self.fields if name not in self._OURS]:
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """Of somebody new, what the register needs."""
        said = self.cleaned_data if self.is_known else super().clean()
        said["doctor"] = self._doctors.get(said.get("doctor", ""))
        said["is_new"] = said.get("patient") == _SOMEBODY_ELSE
        said["patient"] = self._known.get(said.get("patient", ""))
        return said

    @property
    def details(self) -> dict[str, Any]:
        """What the register takes of somebody new."""
        return {name: value for name, value in self.cleaned_data.items() if name not in self._OURS}


class Booking(forms.Form):
    """A time for a patient, and why."""

    starts_at = InstantField(error_messages={"required": _("Choose a time.")})
    reason = forms.CharField(
        label=_("Reason for the visit"),
        help_text=_("Only the doctor and the front desk read it."),
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"max_length": _("Keep it under 300 characters.")},
    )
