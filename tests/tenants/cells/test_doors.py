"""Cedar lives in the cell north: every door answers as it does at home."""

import pytest
from django.db import connections, transaction

from core import schemas
from tests.house import matrix
from tests.house.cast import PATIENT, VISITOR, Stage
from tests.house.test_matrix import compare, full
from tests.house.walk import Outcome, doors, knock, outcome


def met(stage: Stage, name: str) -> dict[str, Outcome]:
    """What somebody meets at each door of Cedar. The transaction around a knock is begun where Cedar lives."""
    seen = {}
    for door in doors("hospital"):
        if door.is_admin:
            continue
        path = door.path(stage.arguments(door, stage.cedar, name))
        client = stage.client("cedar", name)
        with schemas.cell_context("north"), transaction.atomic():
            there = connections["default"]
            answer = knock(client, door, path)
            connections["default"] = there  # the knock ends at home
            transaction.set_rollback(True)
        seen[matrix.key(door)] = outcome(door, path, answer)
    return seen


@pytest.mark.parametrize("column", [VISITOR, PATIENT, "hospital_admin", "doctor"])
def test_every_door_answers_as_it_does_at_home(stage: Stage, column: str) -> None:
    seen = met(stage, full("hospital", column))
    assert [row for row, outcome in seen.items() if outcome is Outcome.BROKEN] == []
    compare("hospital", column, seen, all_doors=False)
