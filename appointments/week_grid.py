"""Where stretches of time stand in a week that is drawn by the clock: rows of five minutes, and lanes side by side.

A place is said in classes of the stylesheet (design/css/screens/week.css): `h` and `m` are the hours and the rows of five
minutes from the top to where a stretch begins, `t` and `u` those to where it ends. Nothing here knows the database.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

LANES = 3  # as many stand side by side and can still be read
_USUAL = range(9, 18)  # hours that every week shows
_ROW, _HOUR, _DAY = 5, 60, 24 * 60  # minutes
_HEIGHTS = (20, 15, 10)


@dataclass(frozen=True)
class Span:
    """A stretch of a day, in minutes of its clocks since midnight."""

    start: int
    end: int

    @classmethod
    def on(cls, day: date, starts: datetime, ends: datetime) -> "Span":
        """What of a stretch, whose ends are told as clocks show them, lies on this day; of no length if nothing does."""
        start, end = (_minutes(shown, day) for shown in (starts, ends))
        return cls(start, max(start, end))

    def __bool__(self) -> bool:
        """Whether it has any length."""
        return self.end > self.start

    @property
    def is_whole_day(self) -> bool:
        """Whether nothing of the day is left."""
        return self == Span(0, _DAY)


def _minutes(shown: datetime, day: date) -> int:
    minutes = (shown.date() - day).days * _DAY + shown.hour * _HOUR + shown.minute
    return min(max(minutes, 0), _DAY)


@dataclass(frozen=True)
class Lane:
    """Which of how many columns a stretch has among those at the same time; `lanes` may be more than can be shown."""

    lane: int = 0
    lanes: int = 1

    @property
    def is_beyond(self) -> bool:
        """Whether it has no room: where there are too many, the last lane says how many more there are."""
        return self.lanes > LANES and self.lane >= LANES - 1


@dataclass(frozen=True)
class Grid:
    """The hours that a week shows, the first one and the one that ends it, and how high its rows are."""

    first: int
    last: int
    height: int

    @classmethod
    def around(cls, spans: Iterable[Span], *, slot: int) -> "Grid":
        """Hours that show all of these; rows so high that the shortest of them, or `slot` minutes, can be pressed."""
        spans = [span for span in spans if span]
        first = min([_USUAL.start, *(span.start // _HOUR for span in spans)])
        last = max([_USUAL.stop, *(-(-span.end // _HOUR) for span in spans)])
        shortest = min([slot, *(span.end - span.start for span in spans)])
        return cls(first, last, next((height for height in _HEIGHTS if shortest >= height), _ROW))

    @property
    def hours(self) -> range:
        """The hours from top to bottom."""
        return range(self.first, self.last)

    def shows(self, span: Span) -> bool:
        """Whether it begins in these hours."""
        return self.first * _HOUR <= span.start < self.last * _HOUR

    def place(self, span: Span, lane: Lane | None = None) -> str:
        """The classes that put a stretch where it belongs. It is at least one row high."""
        top = self._row(span.start)
        bottom = max(self._row(span.end), top + 1)
        rows = _HOUR // _ROW
        classes = f"h{top // rows} m{top % rows} t{bottom // rows} u{bottom % rows}"
        if lane is None or lane.lanes == 1:
            return classes
        return f"{classes} lane{min(lane.lane, LANES - 1)} of{min(lane.lanes, LANES)}"

    def _row(self, minutes: int) -> int:
        # To the nearest: one that begins when another ends begins in the row where the other ends.
        within = min(max(minutes, self.first * _HOUR), self.last * _HOUR)
        return round((within - self.first * _HOUR) / _ROW)


def together(spans: Sequence[Span]) -> list[list[int]]:
    """The positions of stretches, in the order in which they begin, in groups that overlap no other group."""
    groups: list[list[int]] = []
    until = 0
    for position in sorted(range(len(spans)), key=lambda each: (spans[each].start, each)):
        span = spans[position]
        if groups and span.start < until:
            groups[-1].append(position)
        else:
            groups.append([position])
        until = max(until, span.end)
    return groups


def lanes(spans: Sequence[Span]) -> list[Lane]:
    """A lane for each stretch, such that no two that overlap have the same."""
    found = [Lane()] * len(spans)
    for group in together(spans):
        free_from: list[int] = []
        chosen = {}
        for position in group:
            span = spans[position]
            lane = next((lane for lane, free in enumerate(free_from) if free <= span.start), len(free_from))
            free_from[lane : lane + 1] = [max(span.end, span.start + 1)]
            chosen[position] = lane
        for position, lane in chosen.items():
            found[position] = Lane(lane, len(free_from))
    return found
