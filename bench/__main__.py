"""`make bench`: all measurements on throw-away servers of their own; ends with 1 when a target is missed.

BENCH_TENANTS=1000 make bench          with that many hospitals
BENCH_ONLY=requests,search make bench  some of them
BENCH_EFFORT=0.01 make bench           only to see whether everything runs: hardly any rounds, and no waiting for the disk
BENCH_JSON=path make bench             where the figures go (var/bench.json)
make bench ARGS=--write-docs           and put the table into docs/performance.md
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench import cluster
from bench.frame import Figure, size_asked
from bench.machine import load, machine
from bench.report import Part, Report, lines, write_json
from bench.rows import ROWS, Row

FLEET = "fleet"


def main() -> int:
    """Measure everything that was asked for, one after the other."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))  # and the servers with us
    rows = chosen()
    began, load_before = time.monotonic(), load()
    size = size_asked()
    with cluster.servers(durable=not size.is_trial) as environment:
        facts = {"began": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "load_before": load_before}
        report = Report(size, machine(environment) | facts)
        for part in parts(environment, rows):
            report.parts.append(part)
            say("\n".join(lines(part)))
        report.machine |= {"load_after": load(), "minutes": round((time.monotonic() - began) / 60, 1)}
    say("\n" + "\n".join(report.machine_lines()))
    path = Path(os.environ.get("BENCH_JSON") or cluster.ROOT / "var" / "bench.json")
    write_json(report, path)
    say(f"The figures are in {path}.")
    if "--write-docs" in sys.argv:
        report.write_docs()
    if report.missed:
        say("\nMissed:\n" + "\n".join(report.missed))
    return 1 if report.missed else 0


def chosen() -> list[Row]:
    """The rows that BENCH_ONLY names, or all."""
    names = [name.strip() for name in os.environ.get("BENCH_ONLY", "").split(",") if name.strip()]
    known = {row.name: row for row in ROWS}
    if strange := [name for name in names if name not in known]:
        raise SystemExit(f"There is no measurement {', '.join(strange)}. There are: {', '.join(known)}.")
    return [row for row in ROWS if not names or row.name in names]


def parts(environment: dict[str, str], rows: list[Row]) -> Iterator[Part]:
    """What each row finds; one that cannot run does not stop the others."""
    say("Preparing a database …")
    cluster.run(environment, str(cluster.ROOT / "manage.py"), "prepare", "--verbosity", "0")
    if any(row.on_fleet for row in rows):
        say(f"Opening {size_asked().tenants} hospitals …")
        cluster.make_database(environment, FLEET)
        cluster.run(cluster.of_database(environment, FLEET), "-m", "bench.one", "fleet", "")
    for row in rows:
        part = Part(row.name, row.title)
        database = FLEET if row.on_fleet else f"of_{row.name}"
        if not row.on_fleet:
            cluster.make_database(environment, database)
        there = cluster.of_database(environment, database)
        if row.has_cell:
            there |= cluster.cell(there)
        file = Path(environment["MEDIA_ROOT"]).with_name(f"{row.name}.figures")
        began = time.monotonic()
        try:
            cluster.run(there, "-m", "bench.one", row.name, str(file))
        except subprocess.CalledProcessError as error:
            part.failure = f"it ended with {error.returncode}; its words are above."
        part.seconds = round(time.monotonic() - began, 1)
        if file.exists():
            part.figures = [Figure(**json.loads(line)) for line in file.read_text().splitlines()]
        if not row.on_fleet:
            cluster.drop_database(environment, database)
        yield part


def say(line: str) -> None:
    """To the terminal."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError:
        sys.exit("Nothing could be measured, as the databases could not be prepared: see above.")
