"""Which times of a doctor are free: computed, never stored. Nothing here knows the database or the clock.

Hours are wall-clock times in the hospital's own zone. Each stretch is turned into two instants first, and divided in
real minutes after that, so that a change to or from summer time neither shifts nor doubles a slot: where a wall-clock
time does not exist, or exists twice, the reading that keeps slots inside the hours is taken.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.visits import VisitKind

EVERY_KIND = frozenset(VisitKind)
_DAY = timedelta(days=1)


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
    """A time that can be booked. `busy_from` and `busy_until` include the buffers; `place` is the first free one."""

    starts_at: datetime
    ends_at: datetime
    busy_from: datetime
    busy_until: datetime
    kinds: frozenset[VisitKind]
    capacity: int = 1
    place: int = 1


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

        Of two stretches that overlap, the one that begins earlier goes on; slots never overlap one another.
        """
        found: list[Slot] = []
        before = first - _DAY  # hours that end after midnight begin the day before
        days = [before + _DAY * number for number in range((last - before).days + 1)]
        leave = [(self._instant(stretch.starts, early=True), self._instant(stretch.ends)) for stretch in self.leave]
        stretches = sorted(
            ((*self._instants(hours, day), hours) for day in days for hours in self.hours if hours.begins_on(day)),
            key=lambda stretch: stretch[:2],
        )
        free_from = datetime.min.replace(tzinfo=UTC)
        for opens, closes, hours in stretches:
            for slot in self._divide(max(opens, free_from), closes, hours, leave):
                free_from = slot.busy_until + self.rules.buffer_before
                if first <= slot.starts_at.astimezone(self.zone).date() <= last:
                    found.append(slot)
        return found

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
            place = _free_place(slot, near)
            if place:
                found.append(slot if place == 1 else replace(slot, place=place))
        return found

    def _instants(self, hours: Hours, day: date) -> tuple[datetime, datetime]:
        opens = datetime.combine(day, hours.starts)
        closes = datetime.combine(day + _DAY if hours.ends_next_day else day, hours.ends)
        return self._instant(opens), self._instant(closes, early=True)

    def _instant(self, wall: datetime, *, early: bool = False) -> datetime:
        """The later (or earlier) of the instants that a wall-clock time may mean; most mean one."""
        readings = [wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        return min(readings) if early else max(readings)

    def _divide(
        self, opens: datetime, closes: datetime, hours: Hours, leave: list[tuple[datetime, datetime]]
    ) -> Iterator[Slot]:
        rules = self.rules
        starts = opens
        while starts + rules.length <= closes:
            ends = starts + rules.length
            away = max((until for since, until in leave if since < ends and until > starts), default=None)
            if away is not None:
                # The grid of the stretch goes on after leave, so that times look as they do on other days.
                step = rules.length + rules.buffer_before + rules.buffer_after
                starts += step * max(1, -((starts - away) // step))
                continue
            busy_from, busy_until = starts - rules.buffer_before, ends + rules.buffer_after
            yield Slot(starts, ends, busy_from, busy_until, hours.kinds, hours.capacity)
            starts = busy_until + rules.buffer_before

    def _full_days(self) -> set[date]:
        limit = self.rules.max_per_day
        if limit is None:
            return set()
        days = [visit.starts_at.astimezone(self.zone).date() for visit in self.taken]
        return {day for day in days if days.count(day) >= limit}


def _free_place(slot: Slot, rivals: list[Taken]) -> int | None:
    """The first place of the slot that no rival takes."""
    if not rivals:
        return 1
    if slot.capacity == 1:
        return None
    places = range(1, slot.capacity + 1)
    return next((place for place in places if not any(rival.takes(place) for rival in rivals)), None)


def by_day(slots: Iterable[Slot], zone: ZoneInfo) -> dict[date, list[Slot]]:
    """Slots by the day on which they begin, in the order given."""
    days: dict[date, list[Slot]] = {}
    for slot in slots:
        days.setdefault(slot.starts_at.astimezone(zone).date(), []).append(slot)
    return days
