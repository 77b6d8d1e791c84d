"""Whom a waitlist is for, and what they wait for."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.timezone import localdate, localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import FamilyMember, User
from appointments.models import Appointment
from appointments.services.waiting import Wish
from core.visits import VisitKind
from hospitals.models import Doctor

_SELF, _BESIDES = "self", "none"
_DAYS = timedelta(days=14)


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class Join(forms.Form):
    """Oneself or somebody of one's family; from which day to which; and which visit it would take the place of."""

    instead_of = forms.ChoiceField(
        label=gettext_lazy("Instead of an appointment you have?"),
        help_text=gettext_lazy("You keep it until you have taken an earlier time."),
        widget=forms.RadioSelect(attrs={"class": "choices"}),
        error_messages={
            "required": gettext_lazy("Choose one of these appointments, or a new one."),
            "invalid_choice": gettext_lazy("Choose one of these appointments."),
        },
    )
    who = forms.ChoiceField(
        label=gettext_lazy("Who is it for?"),
        widget=forms.RadioSelect(attrs={"class": "choices"}),
        error_messages={
            "required": gettext_lazy("Choose who it is for."),
            "invalid_choice": gettext_lazy("Choose one of these people."),
        },
    )
    first_date = forms.DateField(
        label=gettext_lazy("From"),
        widget=_day(),
        error_messages={
            "required": gettext_lazy("Choose the first day that suits you."),
            "invalid": gettext_lazy("Enter a date."),
        },
    )
    last_date = forms.DateField(
        label=gettext_lazy("To"),
        widget=_day(),
        error_messages={
            "required": gettext_lazy("Choose the last day that suits you."),
            "invalid": gettext_lazy("Enter a date."),
        },
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Kinds of visit"),
        help_text=gettext_lazy("Choose none if any is fine."),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "choices"}),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose one of the kinds this doctor offers.")},
    )

    def __init__(self, data: Any = None, *, user: User, doctor: Doctor) -> None:
        mine = Appointment.objects.to_come().filter(patient__user=user, doctor=doctor)
        self._visits = {str(visit.code): visit for visit in mine.select_related("patient", "doctor").by_time()}
        self._members = {str(member.code): member for member in FamilyMember.objects.of(user)}
        today = localdate()
        first = next(iter(self._visits), _BESIDES)
        until = localtime(self._visits[first].starts_at).date() if self._visits else today + _DAYS
        initial = {"who": _SELF, "instead_of": first, "first_date": today, "last_date": until}
        super().__init__(data, initial=initial)
        self._choose("kinds", [(kind.value, kind.label) for kind in doctor.kinds], is_asked=len(doctor.kinds) > 1)
        oneself = _("%(name)s (you)") % {"name": user}
        people = [(_SELF, oneself), *((code, member.name) for code, member in self._members.items())]
        self._choose("who", people, is_asked=bool(self._members))
        visits = [(code, self._shown(visit)) for code, visit in self._visits.items()]
        if visits and self._members:
            self.fields["who"].help_text = _("For a new appointment. One that is exchanged stays whose it is.")
        self._choose("instead_of", [*visits, (_BESIDES, _("No, a new one"))], is_asked=bool(visits))

    def _choose(self, name: str, choices: list[tuple[str, Any]], *, is_asked: bool) -> None:
        """What there is to choose from; where there is nothing to choose, nobody is asked."""
        if is_asked:
            self.fields[name].choices = choices  # type: ignore[attr-defined]
        else:
            del self.fields[name]

    def _shown(self, visit: Appointment) -> str:
        starts = localtime(visit.starts_at)
        words = {"day": date_format(starts, "D j M"), "time": f"{starts:%H:%M}", "name": visit.patient}
        if visit.patient:
            words["name"] = visit.patient.name
        return _("%(day)s, %(time)s (%(name)s)") % words

    @property
    def asked(self) -> dict[str, Any]:
        """What the form says, once it is valid, as `services.waiting.join` takes it."""
        said = self.cleaned_data
        kinds = [VisitKind(kind) for kind in said.get("kinds", [])]
        replaced = self._visits.get(said.get("instead_of", ""))
        return {
            "member": self._members.get(said.get("who", "")),
            "wish": Wish(said["first_date"], said["last_date"], kinds, instead_of=replaced),
        }


class Answer(forms.Form):
    """Take the time that is offered, or not."""

    answer = forms.ChoiceField(choices=[("take", ""), ("leave", "")])

    @property
    def is_wanted(self) -> bool:
        """Whether they take it."""
        return str(self.cleaned_data["answer"]) == "take"
