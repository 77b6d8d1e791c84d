"""Cells: a database with a login of its own, and the workers that go with it. `Hospital.cell` names a hospital's.

The registry's own database is the cell "default", where every hospital is opened. Further ones are named by the setting
CELLS: either another login to the registry's database, or a database elsewhere, which is `preparing` made fit for
hospitals. `moving` takes a hospital from one to another.
"""

from typing import Any

from django.db import connections

from tenants.hosts import cell_of
from tenants.models import HOME_CELL


def owner_of(cell: str) -> str:
    """The connection that makes and migrates schemas in the cell."""
    return "owner" if cell == HOME_CELL else f"{cell}_owner"


def share_database(one: str, other: str) -> bool:
    """Whether two cells are two logins to the same database."""
    here, there = (connections.settings[owner_of(cell)] for cell in (one, other))
    return all(here[key] == there[key] for key in ("HOST", "PORT", "NAME"))


def workers_of(
    name: str, args: object, kwargs: dict[str, Any], options: object, **_told: object
) -> dict[str, str] | None:
    """The queue for a task of a hospital in another cell, which that cell's workers listen to."""
    cell = cell_of(kwargs.get("schema", ""))
    return None if cell == HOME_CELL else {"queue": cell}
