"""What the API takes and gives about doctors' hours and free times."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from rest_framework import serializers

from appointments.models import Availability, Schedule
from appointments.services.displacing import Choice, Decision, Decisions
from appointments.services.hours import Stretch
from appointments.slots import Slot, by_day
from core.visits import VisitKind

_DAY = timedelta(days=1)
_A_WEEK, _A_MONTH = 7 * _DAY, 31 * _DAY
_EVERY = "all"


# --- Free times ------------------------------------------------------------------------------------------------------


class Asked(serializers.Serializer[Any]):
    """Which days: one `date`, or `from` and `to`; without them the next 7. At most 31 days; of one `kind` if given."""

    date = serializers.DateField(required=False)
    to = serializers.DateField(required=False)
    kind = serializers.ChoiceField(choices=VisitKind.choices, required=False)

    def get_fields(self) -> dict[str, Any]:
        """With `from`, which is a word of the language."""
        return {**super().get_fields(), "from": serializers.DateField(required=False)}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Settle the first and the last day."""
        today: date = self.context["today"]
        first = attrs.get("date") or attrs.get("from") or today
        last = attrs.get("date") or attrs.get("to") or first + _A_WEEK - _DAY
        if last < first:
            raise serializers.ValidationError({"to": _("The last day is before the first one.")})
        if last - first >= _A_MONTH:
            raise serializers.ValidationError({"to": _("Ask for 31 days at most.")})
        return {"first": first, "last": last, "kind": VisitKind(attrs["kind"]) if "kind" in attrs else None}


class FreeSlot(serializers.Serializer[Any]):
    """A time that can be booked. `places_left` is more than 1 only where patients share a time."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    date = serializers.DateField(help_text="By the hospital's clocks.")
    start_time = serializers.TimeField(format="%H:%M")
    end_time = serializers.TimeField(format="%H:%M")
    is_available = serializers.BooleanField(help_text="Always true: what is taken is not listed.")
    kinds = serializers.ListField(child=serializers.ChoiceField(choices=VisitKind.choices))
    places_left = serializers.IntegerField()


class FreeDay(serializers.Serializer[Any]):
    """A day with the times that can be booked on it."""

    date = serializers.DateField()
    slots = FreeSlot(many=True)


class FreeTimes(serializers.Serializer[Any]):
    """When a doctor can be booked; `free_times` writes it."""

    doctor = serializers.UUIDField()
    time_zone = serializers.CharField()
    days = FreeDay(many=True)


def free_times(*, doctor: UUID, zone: ZoneInfo, first: date, last: date, slots: list[Slot]) -> dict[str, Any]:
    """An answer in the shape of `FreeTimes`, with every day that was asked for.

    It is written as it is sent: a week has more than a hundred slots, and a serializer takes each field of each in hand.
    """
    found = by_day(slots, zone)
    days = [first + _DAY * number for number in range((last - first).days + 1)]
    shown = [{"date": day, "slots": [_slot(slot, zone) for slot in found.get(day, [])]} for day in days]
    return {"doctor": doctor, "time_zone": zone.key, "days": shown}


def _slot(slot: Slot, zone: ZoneInfo) -> dict[str, Any]:
    start, end = slot.starts_at.astimezone(zone), slot.ends_at.astimezone(zone)
    return {
        "start": start,
        "end": end,
        "date": start.date(),
        "start_time": f"{start:%H:%M}",
        "end_time": f"{end:%H:%M}",
        "is_available": True,
        "kinds": [kind for kind in VisitKind if kind in slot.kinds],
        "places_left": slot.left,
    }


# --- The hours themselves --------------------------------------------------------------------------------------------


class ScheduleOut(serializers.ModelSerializer[Schedule]):
    """How the hours are divided."""

    class Meta:
        model = Schedule
        fields = [
            "slot_minutes",
            "buffer_before",
            "buffer_after",
            "notice_minutes",
            "horizon_days",
            "max_per_day",
            "room",
        ]


class HoursOut(serializers.Serializer[Availability]):
    """Hours of every week (`weekday`, 0 is Monday), extra hours or leave. No kinds means every kind the doctor offers."""

    id = serializers.UUIDField(source="code")
    type = serializers.ChoiceField(choices=Availability.Kind.choices, source="kind")
    weekday = serializers.IntegerField(allow_null=True)
    valid_from = serializers.DateField(source="first_date", allow_null=True)
    valid_to = serializers.DateField(source="last_date", allow_null=True)
    start_time = serializers.TimeField(source="starts", format="%H:%M")
    end_time = serializers.TimeField(source="ends", format="%H:%M")
    ends_next_day = serializers.BooleanField()
    kinds = serializers.ListField(source="visit_kinds", child=serializers.ChoiceField(choices=VisitKind.choices))
    capacity = serializers.IntegerField()
    note = serializers.SerializerMethodField()

    def get_note(self, row: Availability) -> str:
        """The note, for who may change the hours."""
        return row.note if self.context["may"] else ""


class DoctorHours(serializers.Serializer[Any]):
    """All of a doctor's hours that count today or later."""

    doctor = serializers.UUIDField()
    time_zone = serializers.CharField()
    schedule = ScheduleOut()
    weekly = HoursOut(many=True)
    extra = HoursOut(many=True)
    leave = HoursOut(many=True)
    may = serializers.ListField(child=serializers.CharField())


class StretchIn(serializers.Serializer[Any]):
    """Hours, by the hospital's clocks."""

    start_time = serializers.TimeField()
    end_time = serializers.TimeField()
    ends_next_day = serializers.BooleanField(default=False)
    kinds = serializers.ListField(child=serializers.ChoiceField(choices=VisitKind.choices), default=list)
    capacity = serializers.IntegerField(min_value=1, max_value=100, default=1)
    note = serializers.CharField(max_length=200, allow_blank=True, default="")


class WeeklyIn(StretchIn):
    """Hours of every week; `weekday` 0 is Monday."""

    weekday = serializers.IntegerField(min_value=0, max_value=6)
    valid_from = serializers.DateField(required=False, allow_null=True)
    valid_to = serializers.DateField(required=False, allow_null=True)


class ScheduleIn(serializers.Serializer[Any]):
    """How the hours are divided; what is left out stays."""

    slot_minutes = serializers.IntegerField(min_value=5, max_value=480, required=False)
    buffer_before = serializers.IntegerField(min_value=0, max_value=240, required=False)
    buffer_after = serializers.IntegerField(min_value=0, max_value=240, required=False)
    notice_minutes = serializers.IntegerField(min_value=0, max_value=43_200, required=False)
    horizon_days = serializers.IntegerField(min_value=1, max_value=180, required=False)
    max_per_day = serializers.IntegerField(min_value=1, max_value=500, required=False, allow_null=True)
    room = serializers.CharField(max_length=40, allow_blank=True, required=False)


class LeaveIn(serializers.Serializer[Any]):
    """Time off, from `from_time` of the day `from` until `to_time` of the day `to`; whole days without times."""

    to = serializers.DateField(required=False)
    from_time = serializers.TimeField(required=False, allow_null=True)
    to_time = serializers.TimeField(required=False, allow_null=True)
    note = serializers.CharField(max_length=200, allow_blank=True, default="")

    def get_fields(self) -> dict[str, Any]:
        """With `from`, which is a word of the language."""
        return {"from": serializers.DateField(), **super().get_fields()}


class Affected(serializers.Serializer[Any]):
    """What becomes of visits that would lose their time, by their ids, and of `all` others.

    `move` (to the next free time), `cancel`, `keep`, or a time to move to, like 2026-11-23T10:00:00+05:30.
    """

    affected = serializers.DictField(child=serializers.CharField(), required=False)

    def validate_affected(self, given: dict[str, str]) -> dict[str, str]:
        """Refuse what is no decision and what is no visit."""
        faults = [name for name, what in given.items() if not _is_name(name) or _choice(what) is None]
        if faults:
            raise serializers.ValidationError(_("Say move, cancel, keep or a time with its offset, by a visit's id."))
        return given


class Change(WeeklyIn, Affected):
    """Other hours of every week in place of these."""


class Copy(Affected):
    """A day of the week whose hours others get, in place of theirs."""

    weekday = serializers.IntegerField(min_value=0, max_value=6)
    to = serializers.ListField(child=serializers.IntegerField(min_value=0, max_value=6), allow_empty=False)


class Added(StretchIn):
    """The same hours on several days of the week; 0 is Monday."""

    weekdays = serializers.ListField(child=serializers.IntegerField(min_value=0, max_value=6), allow_empty=False)
    valid_from = serializers.DateField(required=False, allow_null=True)
    valid_to = serializers.DateField(required=False, allow_null=True)


class AvailabilityIn(Affected):
    """One of three: a stretch of one day, the whole week and how it is divided, or leave.

    * `date`, `start_time`, `end_time` and `is_available`: extra hours, or, when false, time off on that day;
    * `weekly`, all hours of every week in place of the present ones, and `schedule`, or one of them;
    * `leave`.
    """

    date = serializers.DateField(required=False)
    start_time = serializers.TimeField(required=False)
    end_time = serializers.TimeField(required=False)
    is_available = serializers.BooleanField(required=False)
    ends_next_day = serializers.BooleanField(required=False)
    kinds = serializers.ListField(child=serializers.ChoiceField(choices=VisitKind.choices), required=False)
    capacity = serializers.IntegerField(min_value=1, max_value=100, required=False)
    note = serializers.CharField(max_length=200, allow_blank=True, required=False)
    weekly = WeeklyIn(many=True, required=False)
    schedule = ScheduleIn(required=False)
    leave = LeaveIn(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one of the three, and all of the first."""
        given = ["date" in attrs, "weekly" in attrs or "schedule" in attrs, "leave" in attrs]
        if sum(given) != 1:
            raise serializers.ValidationError({"date": _("Send a date, or weekly hours, or leave: one of them.")})
        if "date" in attrs:
            missing = [name for name in ("start_time", "end_time", "is_available") if name not in attrs]
            if missing:
                raise serializers.ValidationError({name: _("This field is required.") for name in missing})
        return attrs


def stretch_of(asked: Mapping[str, Any]) -> Stretch:
    """The hours that were sent."""
    return Stretch(
        starts=asked["start_time"],
        ends=asked["end_time"],
        ends_next_day=asked.get("ends_next_day", False),
        visit_kinds=asked.get("kinds", []),
        capacity=asked.get("capacity", 1),
        first_date=asked.get("valid_from"),
        last_date=asked.get("valid_to"),
        note=asked.get("note", ""),
    )


def decisions_of(asked: Mapping[str, Any]) -> Decisions:
    """The decisions that were sent."""
    given = dict(asked.get("affected") or {})
    others = given.pop(_EVERY, None)
    each = {UUID(name): choice for name, what in given.items() if (choice := _choice(what))}
    return Decisions(each=each, others=_choice(others) if others else None)


def _choice(what: str) -> Choice | None:
    if what in set(Decision):
        return Choice(Decision(what))
    try:
        at = serializers.DateTimeField().to_internal_value(what)
    except serializers.ValidationError:
        return None
    return Choice(Decision.MOVE, at)


def _is_name(name: str) -> bool:
    if name == _EVERY:
        return True
    try:
        UUID(name)
    except ValueError:
        return False
    return True
