"""`make bench` at the smallest size: whether everything runs. How fast anything is, no test says."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bench import report
from bench.frame import Figure, Size, in_turn
from bench.report import Part, Report
from bench.rows import ROWS

MACHINE = {
    "cpu": "a processor",
    "cores": 2,
    "memory_gib": 8,
    "system": "Linux",
    "python": "3.11",
    "postgres": "18",
    "postgres_settings": {"fsync": "on"},
    "packages": {"Django": "5.2"},
    "disk_sync_ms": 1.0,
    "revision": "",
    "began": "today",
    "minutes": 1.0,
    "load_before": 0.1,
    "load_after": 0.2,
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, Any], str]:
    """One run: what it ended with, the figures it kept, and what it said."""
    file = tmp_path_factory.mktemp("bench") / "bench.json"
    size = {"BENCH_TENANTS": "2", "BENCH_EFFORT": "0.005", "BENCH_JSON": str(file)}
    ended = subprocess.run(
        [sys.executable, "-m", "bench"],
        cwd=Path(__file__).parents[2],
        env=os.environ | size,
        capture_output=True,
        text=True,
        check=False,
    )
    assert file.exists(), ended.stderr[-3000:]
    return ended.returncode, json.loads(file.read_text()), ended.stdout + ended.stderr


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_measurement_runs(row: Any, ran: tuple[int, dict[str, Any], str]) -> None:
    _code, kept, said = ran
    [part] = [part for part in kept["parts"] if part["name"] == row.name]
    assert part["figures"]
    assert part["failure"] == "", said[-5000:]


def test_a_missed_target_is_named_and_ends_it_with_one(ran: tuple[int, dict[str, Any], str]) -> None:
    code, kept, said = ran
    assert code == (1 if kept["missed"] else 0)
    assert all(sentence in said for sentence in kept["missed"])


def test_the_machine_is_described(ran: tuple[int, dict[str, Any], str]) -> None:
    _code, kept, _said = ran
    assert set(MACHINE) <= set(kept["machine"])


def test_a_measurement_that_nobody_knows_is_refused() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "bench"],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"BENCH_ONLY": "requests,speed"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "There is no measurement speed." in ended.stderr


@pytest.mark.parametrize(
    ("figure", "is_missed"),
    [
        (Figure("a page", 5.0), False),
        (Figure("a page", 5.0, most=5.0), False),
        (Figure("a page", 5.1, most=5.0), True),
        (Figure("a page", 5.1, times=1.0, most=1.05), False),
        (Figure("a page", 1.0, times=1.1, most=1.05), True),
        (Figure("a page", 1.0, p95=11.0, most_p95=10.0), True),
        (Figure("bookings", 9.0, times=2.9, least=3.0), True),
    ],
)
def test_a_target_is_met_or_missed(figure: Figure, is_missed: bool) -> None:
    assert figure.is_missed is is_missed


def test_what_is_compared_takes_turns() -> None:
    turns: list[str] = []

    def act(name: str) -> float:
        turns.append(name)
        return 1.0

    found = in_turn([(name, partial(act, name)) for name in "abb"], 4)
    assert sorted(turns[:3]) == ["a", "b", "b"]
    assert {name: len(values) for name, values in found.items()} == {"a": 4, "b": 8}


def test_a_row_that_could_not_run_counts_as_missed() -> None:
    told = Report(Size(), MACHINE, [Part("search", "Finding a doctor", failure="it ended with 1.")])
    assert told.missed == ["Finding a doctor: it ended with 1."]


def test_the_table_replaces_only_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"Before.\n{report.BEGIN}\nold\n{report.END}\nAfter.\n")
    monkeypatch.setattr(report, "DOCS", page)
    Report(
        Size(), MACHINE, [Part("search", "Finding a doctor", figures=[Figure("by name", 3.2, most=10)])]
    ).write_docs()
    text = page.read_text()
    assert text.startswith(f"Before.\n{report.BEGIN}\n")
    assert text.endswith(f"{report.END}\nAfter.\n")
    assert "old" not in text
    assert "| by name | 3.20 ms |  |  | at most 10 | met |" in text
    assert "2 cores of a processor" in text


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_page_about_performance_tells_of_every_measurement(row: Any) -> None:
    assert f"`{row.name}`" in report.DOCS.read_text()
