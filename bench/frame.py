"""What every measurement is made of: how much is measured, what is found, and taking turns.

Other work on the machine comes and goes. What is compared therefore takes turns in one loop, in another order each round, so
that all of it meets the same; trust the ratios ("times") further than the milliseconds.
"""

import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True)
class Size:
    """How much is measured. `tenants`: with how many hospitals. `effort`: what the numbers of rounds are multiplied by."""

    tenants: int = 100
    effort: float = 1.0

    @property
    def is_trial(self) -> bool:
        """Whether it is only to be seen that everything runs."""
        return self.effort < 0.1

    def rounds(self, usual: int) -> int:
        """How often, if a run of full effort does it `usual` times."""
        return max(round(usual * self.effort), 2)

    def seconds(self, usual: float) -> float:
        """How long, if a run of full effort takes `usual` seconds."""
        return max(usual * self.effort, 0.3)


def size_asked() -> Size:
    """What BENCH_TENANTS and BENCH_EFFORT ask for."""
    return Size(
        tenants=int(os.environ.get("BENCH_TENANTS", Size.tenants)),
        effort=float(os.environ.get("BENCH_EFFORT", Size.effort)),
    )


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    `times`: how many times what it is compared with. `most` and `least` are targets, for `times` where there is such a
    number and else for `value`; `most_p95` is one for `p95`.
    """

    name: str
    value: float
    unit: str = "ms"
    p95: float | None = None
    times: float | None = None
    most: float | None = None
    least: float | None = None
    most_p95: float | None = None

    @property
    def judged(self) -> float:
        """The number that the target is about."""
        if self.most_p95 is not None and self.p95 is not None:
            return self.p95
        return self.value if self.times is None else self.times

    @property
    def is_missed(self) -> bool:
        """Whether there is a target, and this is not within it."""
        limits = [limit for limit in (self.most, self.most_p95) if limit is not None]
        return any(self.judged > limit for limit in limits) or (self.least is not None and self.judged < self.least)


Act = Callable[[], float]


def in_turn(acts: Sequence[tuple[str, Act]], rounds: int) -> dict[str, list[float]]:
    """What each act returned in each round. An act that stands there several times has that many turns a round."""
    found: dict[str, list[float]] = {name: [] for name, _act in acts}
    order = list(acts)
    chance = random.Random(7)  # the same order in every run
    for _round in range(rounds):
        chance.shuffle(order)
        for name, act in order:
            found[name].append(act())
    return found


def timed(work: Callable[[], object]) -> float:
    """How many milliseconds it takes."""
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def p95(values: Sequence[float]) -> float:
    """What 95 of 100 do not exceed."""
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def figure(
    name: str,
    values: Sequence[float],
    *,
    of: Sequence[float] | None = None,
    by: Callable[[Sequence[float]], float] = median,
    most: float | None = None,
    most_p95: float | None = None,
) -> Figure:
    """The middle and the 95th of many milliseconds, beside those they are compared with `by` the middle of both."""
    times = by(values) / by(of) if of else None
    return Figure(name, median(values), p95=p95(values), times=times, most=most, most_p95=most_p95)
