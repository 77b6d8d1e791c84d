"""What one database session keeps of every hospital it has worked for. Nothing gives it back but the end of the session."""

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from django.db import connection

from bench import fleet
from bench.frame import Figure, Size, figure, timed
from core.schemas import schema_context
from hospitals.models import Department
from patients.models import Patient

CELL, ROOM = 200, 50.0  # hospitals, and the MiB that a session which works for them may take


def measure(size: Size) -> Iterator[Figure]:
    """Touch one hospital after the other as a list and a new row do, then every table of a few."""
    schemas = [hospital.schema_name for hospital in fleet.hospitals()]
    before = memory()
    cold, warm, after = [], [], [before]
    for schema in schemas:
        with schema_context(schema):
            cold.append(timed(touch))
            warm.append(timed(touch))
        after.append(memory())
    for number in sorted({1, 10, 100, len(schemas)}):
        if number <= len(schemas):
            yield Figure(f"a session that has worked for {number}", after[number], unit="MiB")
    first = min(10, len(schemas) - 1)  # the first ones load what all share
    each = (after[-1] - after[first]) / max(len(schemas) - first, 1)
    yield Figure("each further hospital", 1024 * each, unit="KiB")
    yield Figure(f"so a session that works for {CELL}", after[first] + CELL * each, unit="MiB", most=ROOM)
    yield figure("a list and a new row: the second time", warm)
    yield figure("the first time", cold, of=warm)
    few = schemas[: min(20, len(schemas))]
    full = memory()
    for schema in few:
        touch_all(schema)
    yield Figure("each hospital, if every table of it is touched", 1024 * (memory() - full) / len(few), unit="KiB more")


def touch() -> None:
    """What somebody at a desk does."""
    list(Patient.objects.select_related("user").order_by("pk")[:50])
    name = uuid4().hex
    Department.objects.create(name=name, slug=name)


def touch_all(schema: str) -> None:
    """Read a row of every table."""
    with schema_context(schema), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)} LIMIT 1")


def memory() -> float:
    """MiB that the session's process on the server has to itself."""
    connection.ensure_connection()
    status = Path(f"/proc/{connection.connection.info.backend_pid}/status").read_text()
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    if found is None:
        raise RuntimeError("This system does not tell what a process has to itself.")
    return int(found[1]) / 1024
