"""Attempts to read or write another hospital's rows: every way we could think of, mixed by chance.

One is made of who tries, what happened to the connection before, how the other's tables are named, what is done to
them and by which means. It may be refused, or it may find the trier's own rows instead; anything else is a breach.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from io import StringIO
from random import Random
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import Model, QuerySet
from django.db.transaction import atomic
from psycopg2.extras import execute_batch, execute_values

from appointments.models import Appointment
from core import queue
from core.schemas import schema_context
from hospitals.models import Department, Doctor
from patients.models import Patient
from tests.tenants.places import forget, standing, undone

CANARY = "canary of "
# Tables of a hospital, each with a column of text that may be anything.
TABLES = {
    "appointments_appointment": "reason",
    "django_migrations": "name",
    "hospitals_department": "description",
    "hospitals_doctor": "qualifications",
    "patients_patient": "address",
}
MODELS: dict[str, type[Model]] = {
    "appointments_appointment": Appointment,
    "hospitals_department": Department,
    "hospitals_doctor": Doctor,
    "patients_patient": Patient,
}
REFUSALS = {
    "42501",  # may not
    "42P01",  # finds no such table
    "0A000",  # behind a pooler: would outlast the transaction
}


@dataclass(frozen=True)
class Attempt:
    """One way to try. `place` is the trier's schema; empty is the login alone."""

    place: str
    moment: str
    reach: str
    verb: str
    table: str


@dataclass
class Found:
    """What came of it: how it was refused, or the tables whose rows it touched and the words it was given."""

    refused: str = ""
    tables: set[int] = field(default_factory=set)
    words: str = ""

    def note(self, rows: list[tuple[Any, ...]]) -> None:
        """Rows whose first column tells the table, and the others what stands in it."""
        for table, *words in rows:
            self.tables.add(int(table))
            self.words += str(words)


# --- What is done ---


def _rows(cursor: Any, statement: str, found: Found) -> None:
    cursor.execute(statement)
    found.note(cursor.fetchall())


def select(cursor: Any, table: str, column: str, found: Found) -> None:
    _rows(cursor, f"SELECT t.tableoid, t::text FROM {table} AS t ORDER BY id DESC LIMIT 9", found)


def select_beside_own(cursor: Any, table: str, column: str, found: Found) -> None:
    _rows(cursor, f"SELECT t.tableoid, t.{column} FROM accounts_user, {table} AS t LIMIT 9", found)


def lock(cursor: Any, table: str, column: str, found: Found) -> None:
    _rows(cursor, f"SELECT t.tableoid, t.{column} FROM {table} AS t ORDER BY id LIMIT 1 FOR UPDATE", found)


def update(cursor: Any, table: str, column: str, found: Found) -> None:
    _rows(cursor, f"UPDATE {table} AS t SET {column} = 'touched' WHERE id > 0 RETURNING t.tableoid, t::text", found)


def delete(cursor: Any, table: str, column: str, found: Found) -> None:
    _rows(cursor, f"DELETE FROM {table} AS t WHERE {column} LIKE '{CANARY}%' RETURNING t.tableoid, t::text", found)


def insert(cursor: Any, table: str, column: str, found: Found) -> None:
    schema = table.rpartition(".")[0]
    record = f"{schema}.django_migrations" if schema else "django_migrations"
    _rows(cursor, f"INSERT INTO {record} (app, name, applied) VALUES ('x', 'touched', now()) RETURNING tableoid", found)


def truncate(cursor: Any, table: str, column: str, found: Found) -> None:
    cursor.execute(f"TRUNCATE {table} CASCADE")
    found.words = CANARY  # nobody may, not even the own ones


def as_text(cursor: Any, table: str, column: str, found: Found) -> None:
    """By a function of Postgres that takes a query as a text."""
    query = f"SELECT to_tsvector('simple', {column}) FROM {table} LIMIT 9"
    cursor.execute("SELECT word FROM ts_stat(%s)", [query])
    found.words = " ".join(f"{CANARY}{word}" for (word,) in cursor.fetchall())


def copy_out(cursor: Any, table: str, column: str, found: Found) -> None:
    out = StringIO()
    cursor.copy_expert(f"COPY (SELECT {column} FROM {table} LIMIT 9) TO STDOUT", out)
    found.words = out.getvalue()


def copy_in(cursor: Any, table: str, column: str, found: Found) -> None:
    schema = table.rpartition(".")[0]
    record = f"{schema}.django_migrations" if schema else "django_migrations"
    cursor.copy_expert(f"COPY {record} (app, name, applied) FROM STDIN", StringIO("x\ttouched\tnow\n"))


def many(cursor: Any, table: str, column: str, found: Found) -> None:
    cursor.executemany(f"UPDATE {table} SET {column} = %s WHERE id > 0", [["touched"], ["touched"]])


def batch(cursor: Any, table: str, column: str, found: Found) -> None:
    execute_batch(cursor.cursor, f"SELECT t.tableoid, t.{column} FROM {table} AS t WHERE id > %s", [(1,), (0,)])
    found.note(cursor.fetchall())


def values(cursor: Any, table: str, column: str, found: Found) -> None:
    statement = f"SELECT t.tableoid, t.{column} FROM {table} AS t JOIN (VALUES %s) AS v (low) ON id > low"
    found.note(execute_values(cursor.cursor, statement, [(0,), (1,), (2,)], fetch=True))


def in_a_block(cursor: Any, table: str, column: str, found: Found) -> None:
    cursor.execute(f"DO $$ BEGIN UPDATE {table} SET {column} = 'touched' WHERE id > 0; END $$")


def on_the_server(cursor: Any, table: str, column: str, found: Found) -> None:
    with atomic(), connection.chunked_cursor() as named:
        named.execute(f"SELECT t.tableoid, t.{column} FROM {table} AS t LIMIT 9")
        found.note(named.fetchall())


def orm(cursor: Any, table: str, column: str, found: Found) -> None:
    """All that an ordinary QuerySet can do; it never names a schema."""
    name = table.rpartition(".")[2].strip('"')
    rows: QuerySet[Any] = MODELS.get(name, Patient)._default_manager.all()
    column = TABLES[name] if name in MODELS else TABLES["patients_patient"]
    found.words = str(list(rows.values_list(column, flat=True)[:9]))
    found.words += str(list(rows.filter(**{f"{column}__startswith": CANARY}).values_list(column, flat=True)))
    rows.filter(pk__gt=0).update(**{column: "touched"})
    rows.filter(**{f"{column}__startswith": CANARY})._raw_delete(rows.db)


def orm_raw(cursor: Any, table: str, column: str, found: Found) -> None:
    name = table.rpartition(".")[2].strip('"')
    model = MODELS.get(name, Patient)
    table = table if name in MODELS else table.replace(name, "patients_patient")
    found.words = str([row.__dict__ for row in model._default_manager.raw(f"SELECT * FROM {table} LIMIT 9")])


Verb = Callable[[Any, str, str, Found], None]
READS: list[Verb] = [select, select_beside_own, lock, as_text, copy_out, batch, values, on_the_server, orm_raw]
WRITES: list[Verb] = [update, delete, insert, truncate, copy_in, many, in_a_block, orm]
VERBS = {verb.__name__: verb for verb in (*READS, *WRITES)}

# --- How the other's tables are named ---

PATHS = {
    "set": "SET search_path TO {}, public",
    "set session": "SET SESSION search_path = {}",
    "set local": "SET LOCAL search_path TO {}, public",
    "set schema": "SET SCHEMA '{}'",
    "set_config": "SELECT set_config('search_path', '{}, public', false)",
    "set_config local": "SELECT set_config('search_path', '{}', true)",
    "in a block": "DO $$ BEGIN EXECUTE 'SET search_path TO {}'; END $$",
    "hidden": "SELECT pg_catalog.set_config(lower('SEARCH_') || 'path', '{}', false)",
    "reset": "RESET search_path",
}
REACHES = ["qualified", "qualified", "same message", *PATHS]

# --- What happened before ---


def nothing(place: str, other: str) -> None:
    """A connection that has worked for the place all along."""


def worked_for_the_other(place: str, other: str) -> None:
    with schema_context(other):
        standing()


def rolled_back(place: str, other: str) -> None:
    with schema_context(other):
        standing()
        with undone(), schema_context(place):
            standing()


def rolled_back_to_a_savepoint(place: str, other: str) -> None:
    with atomic():
        with schema_context(place), undone():
            standing()
            with schema_context(other), undone():
                standing()


def failed(place: str, other: str) -> None:
    with schema_context(other), suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")


def failed_to_commit(place: str, other: str) -> None:
    with suppress(DatabaseError), atomic(), schema_context(other):
        standing()
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")


def connected_anew(place: str, other: str) -> None:
    with schema_context(other):
        standing()
    connection.close()


MOMENTS = [nothing, worked_for_the_other, rolled_back, rolled_back_to_a_savepoint, failed, failed_to_commit]
SITUATIONS = ["at once", "in a transaction", "in a savepoint", "beside a cursor of the other", "in a task"]


def attempts(seed: int, count: int, *, places: list[str]) -> Iterator[Attempt]:
    """As many, mixed by chance, and the same ones for the same seed."""
    chance = Random(seed)
    for _ in range(count):
        moment = connected_anew if chance.random() < 0.01 else chance.choice(MOMENTS)
        yield Attempt(
            place=chance.choice(places),
            moment=f"{moment.__name__}, {chance.choice(SITUATIONS)}",
            reach=chance.choice(REACHES),
            verb=chance.choice(list(VERBS)),
            table=chance.choice(list(TABLES)),
        )


def make(attempt: Attempt, *, other: str) -> Found:
    """Try it."""
    found = Found()
    moment, _, situation = attempt.moment.partition(", ")
    place = attempt.place or "public"
    {m.__name__: m for m in (*MOMENTS, connected_anew)}[moment](place, other)
    try:
        if situation == "in a task":
            with schema_context(other):
                standing()
                with connection.wrap_database_errors:
                    _in_a_task(schema=place, attempt=attempt, other=other, found=found)
        else:
            # Django does not translate the errors of COPY and of the driver's own helpers.
            with _situation(situation, other), schema_context(place), connection.wrap_database_errors:
                _strike(attempt, other, found)
    except DatabaseError as refusal:
        found.refused = getattr(refusal.__cause__, "pgcode", None) or "0A000"
        if found.refused == "23503" and refusal.__cause__.diag.schema_name == place:  # type: ignore[union-attr]
            found.refused = ""  # it would have deleted its own row, to which another of its own refers
        if connection.connection and not connection.in_atomic_block:
            connection.rollback()
    return found


@contextmanager
def _situation(situation: str, other: str) -> Iterator[None]:
    with ExitStack() as stack:
        if situation != "at once":
            stack.enter_context(atomic())
        if situation == "in a savepoint":
            standing()
            stack.enter_context(atomic())
        if situation == "beside a cursor of the other":
            with schema_context(other):
                cursor = stack.enter_context(connection.chunked_cursor())
                cursor.execute("SELECT app FROM django_migrations")
                cursor.fetchone()
        yield


@queue.task("tests.attempt")
def _in_a_task(*, attempt: Attempt, other: str, found: Found) -> None:
    _strike(attempt, other, found)


def _strike(attempt: Attempt, other: str, found: Found) -> None:
    verb, table, column = VERBS[attempt.verb], attempt.table, TABLES[attempt.table]
    with connection.cursor() as cursor:
        if not attempt.place:
            cursor.execute("SELECT 1")
            cursor.cursor.send("RESET ROLE")
            forget()
            cursor.cursor.send(f"SELECT t.tableoid, t.{column} FROM {other}.{table} AS t")
            found.note(cursor.fetchall())
        elif attempt.reach == "qualified":
            verb(cursor, f"{other}.{table}", column, found)
        elif attempt.reach == "same message":
            cursor.execute(f"SET search_path TO {other}; SELECT t.tableoid, t::text FROM {table} AS t LIMIT 9")
            found.note(cursor.fetchall())
        else:
            cursor.execute(PATHS[attempt.reach].format(other))
            verb(cursor, table, column, found)
