"""Where the bars of a chart stand. Pure: amounts in, places out, in percent of the height."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.services.figures import Day

STEPS = 4  # lines across the chart


@dataclass(frozen=True)
class Piece:
    """One part of a bar; `tone` is its colour."""

    tone: str
    top: str
    height: str


@dataclass(frozen=True)
class Bar:
    """A day and its bar."""

    day: Day
    pieces: list[Piece]


@dataclass(frozen=True)
class Chart:
    """Bars beside a scale, whose labels stand from top to bottom."""

    scale: list[Decimal]
    bars: list[Bar]
    is_empty: bool


def bars(days: Sequence[Day]) -> Chart:
    """What was received on each day, by where it came from."""
    top = _round_up(max((day.received for day in days), default=Decimal()))
    scale = [top * step / STEPS for step in range(STEPS, -1, -1)]
    return Chart(scale, [Bar(day, _pieces(day, top)) for day in days], is_empty=not any(day.received for day in days))


def _pieces(day: Day, top: Decimal) -> list[Piece]:
    pieces, below = [], Decimal()
    for tone, amount in (("desk", day.desk), ("online", day.online), ("insurers", day.insurers)):
        if amount:
            height = 100 * amount / top
            below += height
            pieces.append(Piece(tone, f"{100 - below:.2f}", f"{height:.2f}"))
    return pieces


def _round_up(most: Decimal) -> Decimal:
    """The end of a scale that people read easily: 4, 8, 20, 40 or 80 with zeros."""
    unit = Decimal(100)
    while True:
        for step in (1, 2, 5):
            if most <= unit * step * STEPS:
                return unit * step * STEPS
        unit *= 10
