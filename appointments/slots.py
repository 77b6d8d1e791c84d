"""Which times of a doctor are free: computed, never stored. Nothing here knows the database or the clock.

Hours are wall-clock times in the hospital's own zone. Each stretch is turned into two instants first, and divided in
real minutes after that, so that a change to or from summer time neither shifts nor doubles a slot: where a wall-clock
time does not exist, or exists twice, the reading that keeps slots inside the hours is taken.

Each stretch has a grid of its own, which nothing shifts: neither leave, nor visits, nor the days that were asked for.
What a time looks like today it looks like tomorrow, and whoever asks twice is told the same.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.visits import VisitKind

EVERY_KIND = frozenset(VisitKind)
_DAY = timedelta(days=1)
# Hours last at most a day and pauses a few hours: what began earlier than this before a day bears on it no more.
LOOK_BACK = 2 * _DAY


@dataclass(frozen=True)
class Rules:
    """How hours are divided and how early and late one may book (see models.Schedule)."""

    length: timedelta
    buffer_before: timedelta = timedelta()
    buffer_after: timedelta = timedelta()
    notice: timedelta = timedelta()
    horizon_days: int = 30
    max_per_day: int | None = None


@dataclass(frozen=True)
class Hours:
    """A stretch in which visits may be booked: every week on `weekday`, or once, on `first_date`, if that is None."""

    starts: time
    ends: time
    weekday: int | None = None
    first_date: date | None = None
    last_date: date | None = None
    ends_next_day: bool = False
    kinds: frozenset[VisitKind] = EVERY_KIND
    capacity: int = 1

    def begins_on(self, day: date) -> bool:
        """Whether the stretch begins on this day."""
        if self.weekday is None:
            return day == self.first_date
        if self.weekday != day.weekday():
            return False
        return (self.first_date is None or self.first_date <= day) and (self.last_date is None or day <= self.last_date)

    def opens_on(self, day: date) -> datetime:
        """When it begins, by the clocks, if it begins on this day."""
        return datetime.combine(day, self.starts)

    def closes_on(self, day: date) -> datetime:
        """When it ends, by the clocks, if it begins on this day."""
        return datetime.combine(day + _DAY if self.ends_next_day else day, self.ends)


def overlap(one: Hours, other: Hours, *, since: date) -> bool:
    """Whether two stretches of hours overlap by the clocks, where the first one begins on `since` or later."""
    return any(_minutes_overlap(one, other, days) and _both_begin(one, other, days, since) for days in (-1, 0, 1))


def _minutes_overlap(one: Hours, other: Hours, days: int) -> bool:
    """Whether they overlap where the other one begins so many days later."""
    day = date(2000, 1, 2)
    later = day + _DAY * days
    return one.opens_on(day) < other.closes_on(later) and other.opens_on(later) < one.closes_on(day)


def _both_begin(one: Hours, other: Hours, days: int, since: date) -> bool:
    """Whether there is a day from `since` on, on which the one begins, and the other so many days later."""
    if one.first_date and one.weekday is None:
        return one.first_date >= since and other.begins_on(one.first_date + _DAY * days)
    if other.first_date and other.weekday is None:
        day = other.first_date - _DAY * days
        return day >= since and one.begins_on(day)
    if one.weekday is None or other.weekday is None or (one.weekday + days) % 7 != other.weekday:
        return False
    first = max(since, one.first_date or since, _shifted(other.first_date, -days) or since)
    first += _DAY * ((one.weekday - first.weekday()) % 7)
    return all(last is None or first <= last for last in (one.last_date, _shifted(other.last_date, -days)))


def _shifted(day: date | None, days: int) -> date | None:
    return day and day + _DAY * days


@dataclass(frozen=True)
class Leave:
    """A stretch in which nothing may be booked, in wall-clock time."""

    starts: datetime
    ends: datetime


@dataclass(frozen=True)
class Taken:
    """A live visit: when the doctor is busy with it, and which places of that time it takes (see models.Appointment)."""

    busy_from: datetime
    busy_until: datetime
    starts_at: datetime
    first_place: int = 1
    last_place: int | None = None

    def takes(self, place: int) -> bool:
        """Whether it takes this place."""
        return self.first_place <= place and (self.last_place is None or place <= self.last_place)


@dataclass(frozen=True)
class Slot:
    """A time that can be booked. `busy_from` and `busy_until` include the buffers; `place` is the first free one.

    `left` is how many places are free.
    """

    starts_at: datetime
    ends_at: datetime
    busy_from: datetime
    busy_until: datetime
    kinds: frozenset[VisitKind]
    capacity: int = 1
    place: int = 1
    left: int = 1


@dataclass(frozen=True)
class Timetable:
    """All that is known of a doctor's time, in the hospital's `zone`."""

    zone: ZoneInfo
    rules: Rules
    hours: Sequence[Hours] = ()
    leave: Sequence[Leave] = ()
    taken: Sequence[Taken] = ()

    def offered(self, first: date, last: date) -> list[Slot]:
        """Every slot that begins on a day from `first` to `last`, whether it is taken or not, the earliest first.

        Slots never overlap, pauses included: of two stretches that meet, the one that begins earlier keeps its slots.
        """
        found: list[Slot] = []
        leave = deque(self._merged_leave())
        step = self.rules.length + self.rules.buffer_before + self.rules.buffer_after
        reach = datetime.min.replace(tzinfo=UTC)  # until when the slots of earlier stretches keep the doctor busy
        for opens, closes, hours in self._stretches(first - LOOK_BACK, last):
            skipped = max(0, -((opens - self.rules.buffer_before - reach) // step))
            for slot in self._divide(opens + step * skipped, closes, step, hours):
                while leave and leave[0][1] <= slot.starts_at:
                    leave.popleft()
                if leave and leave[0][0] < slot.ends_at:
                    continue
                if first <= slot.starts_at.astimezone(self.zone).date() <= last:
                    found.append(slot)
            number = (closes - opens - self.rules.length) // step + 1
            if number > 0:
                reach = max(reach, opens + step * number - self.rules.buffer_before)
        return found

    def covers(self, starts: datetime, ends: datetime, kind: VisitKind) -> bool:
        """Whether a visit of this kind from `starts` to `ends` lies in the hours, and outside all leave."""
        if any(since < ends and until > starts for since, until in self._merged_leave()):
            return False
        day = starts.astimezone(self.zone).date()
        reach = starts
        for opens, closes, hours in self._stretches(day - _DAY, day + _DAY):
            if kind in hours.kinds and opens <= reach:
                reach = max(reach, closes)
        return reach >= ends

    def free(
        self, first: date, last: date, *, now: datetime, kind: VisitKind | None = None, any_notice: bool = False
    ) -> list[Slot]:
        """The slots of these days that can be booked now, each with its first free place.

        `any_notice` leaves out the shortest notice and the horizon, for the front desk; what has passed never counts.
        """
        earliest = now if any_notice else now + self.rules.notice
        today = now.astimezone(self.zone).date()
        last = last if any_notice else min(last, today + _DAY * self.rules.horizon_days)
        full = self._full_days()
        found = []
        coming = deque(sorted(self.taken, key=lambda visit: visit.busy_from))
        near: list[Taken] = []  # visits that may meet the slot; slots come in order, so each visit is looked at once
        for slot in self.offered(max(first, today), last):
            while coming and coming[0].busy_from < slot.busy_until:
                near.append(coming.popleft())
            near = [visit for visit in near if visit.busy_until > slot.busy_from]
            if slot.starts_at < earliest or (kind and kind not in slot.kinds):
                continue
            if slot.starts_at.astimezone(self.zone).date() in full:
                continue
            places = _free_places(slot, near)
            if places:
                found.append(slot if slot.capacity == 1 else replace(slot, place=places[0], left=len(places)))
        return found

    def _stretches(self, first: date, last: date) -> list[tuple[datetime, datetime, Hours]]:
        """The hours that begin on these days, from when until when, the earliest first."""
        days = [first + _DAY * number for number in range((last - first).days + 1)]
        found = [(*self._instants(hours, day), hours) for day in days for hours in self.hours if hours.begins_on(day)]
        return sorted(found, key=lambda stretch: stretch[:2])

    def _merged_leave(self) -> list[tuple[datetime, datetime]]:
        """All leave as instants, the earliest first, what overlaps made one."""
        merged: list[tuple[datetime, datetime]] = []
        for since, until in sorted(
            (self._instant(one.starts, early=True), self._instant(one.ends)) for one in self.leave
        ):
            if merged and since <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(until, merged[-1][1]))
            else:
                merged.append((since, until))
        return merged

    def _instants(self, hours: Hours, day: date) -> tuple[datetime, datetime]:
        return self._instant(hours.opens_on(day)), self._instant(hours.closes_on(day), early=True)

    def _instant(self, wall: datetime, *, early: bool = False) -> datetime:
        """The later (or earlier) of the instants that a wall-clock time may mean; most mean one."""
        readings = [wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        return min(readings) if early else max(readings)

    def _divide(self, starts: datetime, closes: datetime, step: timedelta, hours: Hours) -> Iterator[Slot]:
        rules = self.rules
        while starts + rules.length <= closes:
            ends = starts + rules.length
            yield Slot(
                starts, ends, starts - rules.buffer_before, ends + rules.buffer_after, hours.kinds, hours.capacity
            )
            starts += step

    def _full_days(self) -> set[date]:
        limit = self.rules.max_per_day
        if limit is None:
            return set()
        visits = Counter(visit.starts_at.astimezone(self.zone).date() for visit in self.taken)
        return {day for day, number in visits.items() if number >= limit}


def _free_places(slot: Slot, rivals: list[Taken]) -> Sequence[int]:
    """The places of the slot that no rival takes."""
    if slot.capacity == 1:
        return () if rivals else (1,)
    places = range(1, slot.capacity + 1)
    return [place for place in places if not any(rival.takes(place) for rival in rivals)] if rivals else places


def by_day(slots: Iterable[Slot], zone: ZoneInfo) -> dict[date, list[Slot]]:
    """Slots by the day on which they begin, in the order given."""
    days: dict[date, list[Slot]] = {}
    for slot in slots:
        days.setdefault(slot.starts_at.astimezone(zone).date(), []).append(slot)
    return days
