"""What is said about a doctor's hours, schedule and leave; and about visits that lose their time."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from appointments.models import Availability, Schedule
from appointments.services.displacing import Choice, Decision, Decisions
from appointments.services.hours import Stretch
from core.visits import VisitKind
from hospitals.models import Doctor

_NOTICE = [
    (0, _("None")),
    (30, _("30 minutes")),
    (60, _("1 hour")),
    (120, _("2 hours")),
    (240, _("4 hours")),
    (720, _("12 hours")),
    (1440, _("1 day")),
    (2880, _("2 days")),
    (10080, _("1 week")),
]

# What the fields of hours are called on the row.
_COLUMNS = {
    "start_time": "starts",
    "end_time": "ends",
    "ends_next_day": "ends_next_day",
    "visit_kinds": "visit_kinds",
    "capacity": "capacity",
    "valid_from": "first_date",
    "valid_to": "last_date",
    "note": "note",
}
# Which fields stand beside each other.
_MORE = [("visit_kinds",), ("capacity",)]


def _weekdays() -> list[tuple[str, Any]]:
    return [(str(number), name) for number, name in sorted(WEEKDAYS.items())]


class ClockField(forms.TimeField):
    """A time of the day by the hospital's clocks, like 09:30."""

    def __init__(self, **kwargs: Any) -> None:
        faults = {"required": _("Enter a time, like 09:30."), "invalid": _("Enter a time, like 09:30.")}
        super().__init__(
            widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), error_messages=faults, **kwargs
        )


class DayField(forms.DateField):
    """A day of the calendar."""

    def __init__(self, **kwargs: Any) -> None:
        faults = {"required": _("Choose a day."), "invalid": _("Enter a day, like 2026-11-23.")}
        super().__init__(
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), error_messages=faults, **kwargs
        )


class StretchForm(forms.Form):
    """What all hours have in common."""

    start_time = ClockField(label=_("From"))
    end_time = ClockField(label=_("To"))
    ends_next_day = forms.BooleanField(label=_("Ends after midnight"), required=False)
    visit_kinds = forms.MultipleChoiceField(
        label=_("Kinds of visit"),
        help_text=_("Tick none to allow every kind the doctor offers."),
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "choices hours-choices"}),
    )
    capacity = forms.IntegerField(
        label=_("Patients at the same time"),
        help_text=_("More than one only where patients share a time, as in a group."),
        min_value=1,
        max_value=100,
        initial=1,
        error_messages={
            "required": _("Enter a number from 1 to 100."),
            "invalid": _("Enter a number from 1 to 100."),
            "min_value": _("Enter a number from 1 to 100."),
            "max_value": _("Enter a number from 1 to 100."),
        },
    )
    note = forms.CharField(
        label=_("Note"), help_text=_("For the hospital. Patients never see it."), required=False, max_length=200
    )

    def __init__(self, data: Any = None, *, doctor: Doctor, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=dict(initial or {}))
        offered = doctor.kinds or list(VisitKind)
        self.fields["visit_kinds"].choices = [(kind.value, kind.label) for kind in offered]  # type: ignore[attr-defined]

    def stretch(self) -> Stretch:
        """The hours that were entered."""
        entered = self.cleaned_data
        return Stretch(**{column: entered[name] for name, column in _COLUMNS.items() if name in entered})


class WeeklyForm(StretchForm):
    """Hours of every week, on one day or several."""

    layout = [("days",), ("start_time", "end_time"), ("ends_next_day",), *_MORE, ("valid_from", "valid_to"), ("note",)]

    days = forms.MultipleChoiceField(
        label=_("Days"),
        choices=_weekdays,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "choices hours-choices"}),
        error_messages={"required": _("Choose at least one day.")},
    )
    valid_from = DayField(label=_("First day"), help_text=_("Empty: from now on."), required=False)
    valid_to = DayField(label=_("Last day"), help_text=_("Empty: until you change it."), required=False)

    def weekdays(self) -> list[int]:
        """The days of the week, Monday is 0."""
        return [int(day) for day in self.cleaned_data["days"]]


class ChangeForm(WeeklyForm):
    """Other hours in place of these."""

    layout = [("weekday",), *WeeklyForm.layout[1:]]

    days = None  # type: ignore[assignment]  # one day instead of several
    weekday = forms.TypedChoiceField(label=_("Day"), choices=_weekdays, coerce=int)

    def __init__(self, data: Any = None, *, doctor: Doctor, row: Availability) -> None:
        present = {name: getattr(row, column) for name, column in _COLUMNS.items()}
        super().__init__(data, doctor=doctor, initial={"weekday": row.weekday, **present})


class ExtraForm(StretchForm):
    """Hours on one day only."""

    layout = [("date",), ("start_time", "end_time"), ("ends_next_day",), *_MORE, ("note",)]

    date = DayField(label=_("Day"))


class LeaveForm(forms.Form):
    """Time off."""

    layout = [("first_date", "from_time"), ("to", "to_time"), ("note",)]

    first_date = DayField(label=_("First day"))
    to = DayField(label=_("Last day"), help_text=_("Empty: the same day."), required=False)
    from_time = ClockField(label=_("From, on the first day"), help_text=_("Empty: from its beginning."), required=False)
    to_time = ClockField(label=_("To, on the last day"), help_text=_("Empty: to its end."), required=False)
    note = forms.CharField(
        label=_("Note"), help_text=_("For the hospital. Patients never see it."), required=False, max_length=200
    )


class CopyForm(forms.Form):
    """Which days become like this one."""

    layout = [("days",)]

    days = forms.MultipleChoiceField(
        label=_("Copy to"),
        help_text=_("Their hours of every week are replaced."),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "choices hours-choices"}),
        error_messages={"required": _("Choose at least one day.")},
    )

    def __init__(self, data: Any = None, *, weekday: int) -> None:
        super().__init__(data)
        others = [(number, name) for number, name in _weekdays() if number != str(weekday)]
        self.fields["days"].choices = others  # type: ignore[attr-defined]


class RemovalForm(forms.Form):
    """Hours that go. It has no fields; a refusal of the service stands on it."""


def _count(label: Any, least: int, most: int, fault: Any, **kwargs: Any) -> forms.IntegerField:
    faults = dict.fromkeys(("required", "invalid", "min_value", "max_value"), fault)
    return forms.IntegerField(label=label, min_value=least, max_value=most, error_messages=faults, **kwargs)


def notice_in_words(minutes: int) -> Any:
    """The shortest notice as people say it."""
    other = ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    return dict(_NOTICE).get(minutes, other)


class ScheduleForm(forms.Form):
    """How a doctor's hours are divided."""

    layout = [
        ("slot_minutes",),
        ("buffer_before", "buffer_after"),
        ("notice_minutes",),
        ("horizon_days", "max_per_day"),
        ("room",),
    ]

    slot_minutes = _count(_("Length of a visit, in minutes"), 5, 480, _("Enter 5 to 480 minutes."))
    buffer_before = _count(_("Pause before a visit, in minutes"), 0, 240, _("Enter 0 to 240 minutes."))
    buffer_after = _count(_("Pause after a visit, in minutes"), 0, 240, _("Enter 0 to 240 minutes."))
    notice_minutes = forms.TypedChoiceField(
        label=_("Shortest notice"),
        help_text=_("How long before a visit patients can still book it themselves. The front desk always can."),
        coerce=int,
    )
    horizon_days = _count(
        _("Days ahead"),
        1,
        180,
        _("Enter 1 to 180 days."),
        help_text=_("How far in the future patients can book."),
    )
    max_per_day = _count(
        _("Visits a day at most"),
        1,
        500,
        _("Enter a number, or leave it empty."),
        help_text=_("Empty: as many as fit."),
        required=False,
    )
    room = forms.CharField(
        label=_("Room"),
        help_text=_("Shown on the board in the waiting area and on tokens."),
        required=False,
        max_length=40,
    )

    def __init__(self, data: Any = None, *, schedule: Schedule) -> None:
        super().__init__(data, initial={name: getattr(schedule, name) for name in self.base_fields})
        present = schedule.notice_minutes
        choices = sorted({**dict(_NOTICE), present: notice_in_words(present)}.items())
        self.fields["notice_minutes"].choices = choices  # type: ignore[attr-defined]


# --- What becomes of visits ------------------------------------------------------------------------------------------

FOR_ALL = "all"
SEEN = "seen"
OF_VISIT = "visit-"
TIME_OF_VISIT = "time-"


def decisions_in(data: Mapping[str, Any]) -> Decisions:
    """What a page says about each visit (`visit-<id>`, for a move with `time-<id>`) and about all; nonsense is nothing."""
    each = {}
    for name in data:
        code = _code(name.removeprefix(OF_VISIT)) if name.startswith(OF_VISIT) else None
        choice = choice_in(data[name], data.get(f"{TIME_OF_VISIT}{code}")) if code else None
        if code and choice:
            each[code] = choice
    others = choice_in(data.get(FOR_ALL))
    return Decisions(each={} if others else each, others=others)


def choice_in(what: Any, time: Any = None) -> Choice | None:
    """A decision as it was sent: move, to `time` if there is one, cancel or keep."""
    if what not in set(Decision):
        return None
    return Choice(Decision(what), instant(time) if what == Decision.MOVE else None)


def instant(text: Any) -> datetime | None:
    """A time with its offset, like 2026-11-23T10:00:00+05:30."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _code(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
