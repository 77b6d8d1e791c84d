"""What a hospital's schema holds, as text that is the same for the same rows wherever they lie.

All of this is the owner's work (core.schemas.as_owner), within a transaction.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Protocol

from django.db import connection, transaction

from core import schemas
from tenants.references import soft_references

# Whatever the session's own settings are, a value is written out in one way.
_ONE_WAY = (
    "SET LOCAL datestyle TO ISO, YMD; SET LOCAL intervalstyle TO postgres; SET LOCAL timezone TO UTC; "
    "SET LOCAL extra_float_digits TO 1; SET LOCAL bytea_output TO hex; SET LOCAL xmloption TO content"
)

_TABLES = """SELECT c.relname,
    array_agg(a.attname::text ORDER BY a.attname) FILTER (WHERE a.attgenerated = ''),
    coalesce(array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attnum = ANY (i.indkey)), '{}')
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind = 'r'
GROUP BY c.oid, c.relname ORDER BY c.relname"""


class Sink(Protocol):
    """Whatever takes bytes."""

    def write(self, data: bytes, /) -> object:
        """Take them."""


@dataclass(frozen=True)
class Table:
    """A table, its columns but for those that Postgres works out itself, and its primary key."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


@dataclass(frozen=True)
class Sum:
    """How many rows a table has, and the SHA-256 of their text in the order of the key."""

    rows: int
    sha256: str


class Summing:
    """Sums up what is written to it, and passes it on to `sink` if there is one. Nothing is kept in memory."""

    def __init__(self, sink: Sink | None = None) -> None:
        self._sink = sink
        self._digest = hashlib.sha256()
        self._rows = 0

    def write(self, data: bytes) -> int:
        """Take a piece of a table's text, in which a line is a row."""
        self._digest.update(data)
        self._rows += data.count(b"\n")
        if self._sink is not None:
            self._sink.write(data)
        return len(data)

    @property
    def sum(self) -> Sum:
        """Of all that was written so far."""
        return Sum(self._rows, self._digest.hexdigest())


@contextmanager
def snapshot(*, schema: str, cell: str) -> Iterator[list[Table]]:
    """Read the schema as it is at one moment, whoever writes meanwhile; gives its tables, which nobody alters so long.

    The tables are locked against changes of their columns before the moment that is read: a table that was altered in
    between would be read in its new form, with its old rows.
    """
    with schemas.as_owner(cell):
        before = tables(schema)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute(_ONE_WAY)
            if before:
                cursor.execute(f"LOCK TABLE {names(schema, before)} IN ACCESS SHARE MODE")
            found = tables(schema)
            if found != before:
                raise RuntimeError(f"The tables of {schema} were changed just now: run this again.")
            yield found


def write_one_way() -> None:
    """Write values out in one way until the present transaction ends. `snapshot` does so itself."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE_WAY)


def tables(schema: str) -> list[Table]:
    """The schema's tables by name; none if there is no such schema."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES, [schema])
        found = [Table(name, tuple(columns), tuple(key)) for name, columns, key in cursor.fetchall()]
    for table in found:
        if not table.key:
            raise RuntimeError(f"The table {table.name} has no primary key, so that its rows have no order.")
    return found


def names(schema: str, of: list[Table]) -> str:
    """The tables' names for a statement."""
    return ", ".join(_named(schema, table.name) for table in of)


def copy_out(schema: str, table: Table, sink: Sink | None = None) -> Sum:
    """Write a table's rows to `sink`, in the order of its key, and sum them up."""
    summing = Summing(sink)
    key = ", ".join(map(_quoted, table.key))
    query = f"SELECT {_columns(table)} FROM {_named(schema, table.name)} ORDER BY {key}"  # noqa: S608  (quoted names)
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY ({query}) TO STDOUT", summing)
    return summing.sum


def copy_in(schema: str, table: Table, source: IO[bytes]) -> None:
    """Add rows that `copy_out` wrote."""
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {_named(schema, table.name)} ({_columns(table)}) FROM STDIN", source)


def sums(schema: str, of: list[Table]) -> dict[str, Sum]:
    """Each table's sum."""
    return {table.name: copy_out(schema, table) for table in of}


@contextmanager
def triggers_off(schema: str, of: list[Table]) -> Iterator[None]:
    """Let rows in as they once were: no trigger of ours judges them. Foreign keys do, at the end of the block."""
    with connection.cursor() as cursor:
        for table in of:
            cursor.execute(f"ALTER TABLE {_named(schema, table.name)} DISABLE TRIGGER USER")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in of:
            cursor.execute(f"ALTER TABLE {_named(schema, table.name)} ENABLE TRIGGER USER")


def empty(schema: str, of: list[Table]) -> None:
    """Delete the rows that the schema was made with. Its triggers must be off."""
    if of:
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {names(schema, of)}")


def sequences(schema: str) -> dict[str, tuple[int, bool]]:
    """Where each sequence stands: its last value, and whether that one was given out."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relkind = 'S'", [schema]
        )
        for (name,) in sorted(cursor.fetchall()):
            cursor.execute(f"SELECT last_value, is_called FROM {_named(schema, name)}")  # noqa: S608  (quoted names)
            found[name] = cursor.fetchone()
    return found


def set_sequences(schema: str, values: dict[str, tuple[int, bool]]) -> None:
    """Let the sequences go on where they stood."""
    with connection.cursor() as cursor:
        for name, (last, is_called) in values.items():
            cursor.execute("SELECT setval(%s::regclass, %s, %s)", [_named(schema, name), last, is_called])


def migrations(schema: str) -> list[str]:
    """The migrations that the schema has, like `audit.0001_initial`."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT app || '.' || name FROM {_named(schema, 'django_migrations')} ORDER BY id")  # noqa: S608
        return [name for (name,) in cursor.fetchall()]


def people(schema: str, of: list[Table]) -> set[int]:
    """The numbers of all people whom the schema's rows name."""
    columns = {table.name: table.columns for table in of}
    found: set[int] = set()
    with connection.cursor() as cursor:
        for field in soft_references():
            table = field.model._meta.db_table
            if field.column in columns.get(table, ()):
                name = _quoted(field.column)
                cursor.execute(f"SELECT DISTINCT {name} FROM {_named(schema, table)} WHERE {name} IS NOT NULL")  # noqa: S608
                found |= {pk for (pk,) in cursor.fetchall()}
    return found


def named_files(schema: str, of: list[Table], folder: str) -> set[str]:
    """The paths below `folder` that stand in the schema's rows, in whatever column."""
    found: set[str] = set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, array_agg(a.attname::text) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
            " AND a.attgenerated = '' AND a.atttypid IN ('varchar'::regtype, 'text'::regtype) GROUP BY c.relname",
            [schema],
        )
        columns = dict(cursor.fetchall())
        for table in of:
            if table.name in columns:
                values = ", ".join(f"({_quoted(column)})" for column in columns[table.name])
                cursor.execute(
                    f"SELECT DISTINCT v.path FROM {_named(schema, table.name)}, LATERAL (VALUES {values}) AS v (path)"  # noqa: S608
                    " WHERE starts_with(v.path, %s)",
                    [f"{folder}/"],
                )
                found |= {path for (path,) in cursor.fetchall()}
    return found


def rename_schema(*, old: str, new: str) -> None:
    """Rename a schema, and with it the search paths of its functions, which Postgres would leave at the old name."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER SCHEMA {_quoted(old)} RENAME TO {_quoted(new)}")
        cursor.execute(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = to_regnamespace(%s)"
            " AND EXISTS (SELECT FROM unnest(proconfig) AS setting WHERE starts_with(setting, 'search_path='))",
            [new],
        )
        for (function,) in cursor.fetchall():
            cursor.execute(f"ALTER FUNCTION {function} SET search_path = {_quoted(new)}, pg_temp")


def exists(schema: str) -> bool:
    """Whether there is such a schema."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace(%s) IS NOT NULL", [schema])
        [found] = cursor.fetchone()
        return bool(found)


def mark(schema: str, words: str) -> None:
    """Note on the schema where it comes from."""
    with connection.cursor() as cursor:
        cursor.execute(f"COMMENT ON SCHEMA {_quoted(schema)} IS %s", [words])


def mark_of(schema: str) -> str:
    """What was noted on it last."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(obj_description(to_regnamespace(%s), 'pg_namespace'), '')", [schema])
        [words] = cursor.fetchone()
        return str(words)


def drop_schema(schema: str) -> None:
    """Delete a schema with all that is in it, if there is one."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {_quoted(schema)} CASCADE")


def _columns(table: Table) -> str:
    return ", ".join(map(_quoted, table.columns))


def _named(schema: str, name: str) -> str:
    return f"{_quoted(schema)}.{_quoted(name)}"


def _quoted(name: Any) -> str:
    return connection.ops.quote_name(name)
