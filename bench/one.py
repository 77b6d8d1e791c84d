"""`python -m bench.one <row> <file>`: one measurement, in a process of its own; its figures go into the file, one a line.

`fleet` makes the database with many hospitals.
"""

import json
import logging
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

import django

from bench.frame import size_asked


def main(name: str, file: str) -> None:
    """Measure."""
    django.setup()
    # Only now are there settings.
    from django.core.cache import cache

    logging.disable(logging.WARNING)  # refusals are measured, too
    cache.clear()  # of the measurement before
    if name == "fleet":
        from bench import fleet

        fleet.fill(size_asked().tenants)
        return
    with Path(file).open("w") as found:
        for figure in import_module(f"bench.rows.{name}").measure(size_asked()):
            found.write(json.dumps(asdict(figure)) + "\n")
            found.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
