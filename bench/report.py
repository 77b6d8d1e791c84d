"""The table: on the terminal, as JSON, and in docs/performance.md."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.cluster import ROOT
from bench.frame import Figure, Size

DOCS = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- made by `make bench` -->", "<!-- end of what `make bench` made -->"


@dataclass
class Part:
    """What one row found, or why it could not run."""

    name: str
    title: str
    seconds: float = 0.0
    figures: list[Figure] = field(default_factory=list)
    failure: str = ""

    @property
    def is_missed(self) -> bool:
        """Whether anything is not as it should be."""
        return bool(self.failure) or any(figure.is_missed for figure in self.figures)


@dataclass
class Report:
    """A whole run."""

    size: Size
    machine: dict[str, Any]
    parts: list[Part] = field(default_factory=list)

    @property
    def missed(self) -> list[str]:
        """The targets that were missed, and the rows that could not run."""
        lines = [f"{part.title}: {part.failure}" for part in self.parts if part.failure]
        return lines + [
            f"{part.title}: {figure.name}: {_number(figure.judged)}, {_target(figure)}"
            for part in self.parts
            for figure in part.figures
            if figure.is_missed
        ]

    def as_json(self) -> str:
        """Everything, for programs."""
        parts = [
            asdict(part) | {"figures": [asdict(one) | {"is_missed": one.is_missed} for one in part.figures]}
            for part in self.parts
        ]
        return json.dumps(
            {"size": asdict(self.size), "machine": self.machine, "parts": parts, "missed": self.missed}, indent=2
        )

    def write_docs(self) -> None:
        """Put the table where docs/performance.md has it."""
        before, _, rest = DOCS.read_text().partition(BEGIN)
        _, _, after = rest.partition(END)
        DOCS.write_text(before + "\n".join([BEGIN, "", *self._markdown(), "", END]) + after)

    def _markdown(self) -> Iterator[str]:
        yield from self.machine_lines()
        for part in self.parts:
            yield f"\n### {part.title}\n"
            if part.failure:
                yield f"Could not be measured: {part.failure}\n"
            if part.figures:
                yield "| | middle | 95 of 100 | times | target | |"
                yield "|---|--:|--:|--:|---|---|"
                yield from (f"| {' | '.join(_cells(figure))} |" for figure in part.figures)

    def machine_lines(self) -> list[str]:
        """The machine and the size of the run, in words."""
        it = self.machine
        packages = ", ".join(f"{name} {version}" for name, version in it["packages"].items())
        settings = ", ".join(f"{name} {value}" for name, value in sorted(it["postgres_settings"].items()))
        computer = f"{it['cores']} cores of {it['cpu']}, {it['memory_gib']} GiB, {it['system']}"
        run = f"{self.size.tenants} hospitals, effort {self.size.effort:g}, revision {it['revision'] or 'unknown'}"
        return [
            f"{computer}; the disk takes {it['disk_sync_ms']} ms to keep a page.",
            f"Python {it['python']}, Postgres {it['postgres']} ({settings}), {packages}.",
            f"{run}, {it['began']}, {it['minutes']} minutes.",
            f"Programs that wanted a core: {it['load_before']} before, {it['load_after']} after.",
        ]


def lines(part: Part) -> Iterator[str]:
    """One row's figures for the terminal."""
    yield f"\n{part.title:<60}{'middle':>12}{'95 of 100':>11}{'times':>9}   target"
    for figure in part.figures:
        name, value, high, times, target, verdict = _cells(figure)
        yield f"  {name:<58}{value:>12}{high:>11}{times:>9}   {target}{'   ' if verdict else ''}{verdict}"
    if part.failure:
        yield f"  could not be measured: {part.failure}"


def write_json(report: Report, path: Path) -> None:
    """Keep it for programs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report.as_json() + "\n")


def _cells(figure: Figure) -> list[str]:
    high = "" if figure.p95 is None else _number(figure.p95)
    times = "" if figure.times is None else _number(figure.times)
    verdict = "" if not _target(figure) else "MISSED" if figure.is_missed else "met"
    return [figure.name, f"{_number(figure.value)} {figure.unit}".strip(), high, times, _target(figure), verdict]


def _target(figure: Figure) -> str:
    bounds = (("at most", figure.most), ("at least", figure.least), ("95 of 100 at most", figure.most_p95))
    return " and ".join(f"{word} {_number(bound)}" for word, bound in bounds if bound is not None)


def _number(value: float) -> str:
    """With three figures that count."""
    if abs(value) >= 100 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"
