"""`make matrix`: a plugin of pytest (`-p tests.house.writer`) with which test_matrix.py writes the matrix anew."""

from collections import defaultdict
from typing import Any

import pytest

_rows: dict[str, dict[str, Any]] = defaultdict(dict)
NAME = "tests.house.writer"


def note(column: str, outcomes: dict[str, Any]) -> None:
    """Keep what one column of the matrix met at each door."""
    for row, outcome in outcomes.items():
        _rows[row][column] = outcome


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the file, unless a door broke on the way."""
    from tests.house import matrix  # needs settings, which a plugin is loaded before

    if exitstatus == 0 and _rows:
        matrix.FILE.write_text(matrix.written(_rows))
