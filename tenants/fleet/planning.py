"""What has to be done: which hospitals are behind, what they lack, and the SQL of it, worked out once for all alike."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Q

from core import schemas
from tenants import provisioning
from tenants.models import Hospital

# Everything a schema has recorded, in one word: two hospitals with the same one lack the same.
RECORD = """md5(string_agg(app || '.' || name, ',' ORDER BY (app || '.' || name) COLLATE "C"))"""

# A migration is judged at its end by what Postgres would otherwise leave for the commit.
_END_OF_MIGRATION = ("SET CONSTRAINTS ALL IMMEDIATE;", "SET CONSTRAINTS ALL DEFERRED;")
_AT_ONCE = 200  # schemas in one query: it holds locks in each of them until it ends


@dataclass(frozen=True)
class Group:
    """Hospitals of one cell that lack the same migrations.

    `record` is what they have recorded, `before` what Django makes of it. `statements` is all the SQL that one of them
    needs, without any schema's name; None if a migration says it in Python or without a transaction.
    """

    cell: str
    hospitals: tuple[Hospital, ...]
    record: str
    lacking: tuple[Migration, ...]
    before: ProjectState
    statements: tuple[str, ...] | None


def behind() -> list[Hospital]:
    """Hospitals whose schema is not this release's, or that an earlier upgrade has left out of service. One query."""
    is_behind = ~Q(schema_version=provisioning.version()) | Q(pause=Hospital.Pause.UPGRADE)
    return list(Hospital.objects.with_schema().filter(is_behind).order_by("pk"))


def plan(*, cell: str, hospitals: Iterable[Hospital]) -> tuple[list[Group], list[Hospital]]:
    """Group hospitals of a cell by what they lack; second, those whose schema is not there. As the cell's owner."""
    hospitals = list(hospitals)
    records = dict(_records(_existing(hospital.schema_name for hospital in hospitals)))
    alike = defaultdict(list)
    lost = []
    for hospital in hospitals:
        if record := records.get(hospital.schema_name):
            alike[record].append(hospital)
        else:
            lost.append(hospital)
    loader = MigrationLoader(None)
    return [_group(cell, tuple(members), record, loader) for record, members in alike.items()], lost


def is_for_hospitals(migration: Migration) -> bool:
    """Whether it does anything in a hospital's schema. The portal's are only recorded there."""
    return migration.app_label in settings.TENANT_APPS


def shared_tables(state: ProjectState) -> list[str]:
    """Tables that every hospital has, and public too."""
    both = set(settings.SHARED_APPS) & set(settings.TENANT_APPS)
    return [
        model.options.get("db_table") or f"{app}_{name}" for (app, name), model in state.models.items() if app in both
    ]


def _group(cell: str, hospitals: tuple[Hospital, ...], record: str, loader: MigrationLoader) -> Group:
    recorded = _recorded(hospitals[0].schema_name)
    before = ProjectState(real_apps=loader.unmigrated_apps)
    lacking = []
    for key in provisioning.in_order(loader.graph):
        migration = loader.graph.nodes[key]
        if key in recorded:
            before = migration.mutate_state(before, preserve=False)
        else:
            lacking.append(migration)
    statements = _statements(lacking, before.clone())
    return Group(cell, hospitals, record, tuple(lacking), before, statements)


def _statements(migrations: Sequence[Migration], state: ProjectState) -> tuple[str, ...] | None:
    """The SQL of these migrations, or None if it is not the same whatever a schema holds."""
    collected: list[str] = []
    try:
        with schemas.schema_context(provisioning.ANY_HOSPITAL), connection.execute_wrapper(_refuse_to_look):
            for migration in migrations:
                if not is_for_hospitals(migration):
                    state = migration.mutate_state(state, preserve=False)
                    continue
                if not (migration.atomic and _is_sql(migration.operations)):
                    return None
                with connection.schema_editor(collect_sql=True) as editor:
                    state = migration.apply(state, editor)
                collected += [*(_END_OF_MIGRATION if collected else ()), *editor.collected_sql]
    except _LooksIntoTheSchemaError:
        return None
    return tuple(collected)


def _is_sql(operations: Iterable[Operation]) -> bool:
    return all(
        operation.reduces_to_sql and _is_sql(getattr(operation, "database_operations", ())) for operation in operations
    )


class _LooksIntoTheSchemaError(Exception):
    """An operation asks the database before it knows what to do, as for the name of a constraint."""


def _refuse_to_look(*_arguments: Any) -> NoReturn:
    raise _LooksIntoTheSchemaError


def _existing(schemas_wanted: Iterable[str]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nspname FROM pg_namespace JOIN pg_class ON relnamespace = pg_namespace.oid"
            " WHERE relname = 'django_migrations' AND nspname = ANY(%s)",
            [list(schemas_wanted)],
        )
        return [schema for (schema,) in cursor.fetchall()]


def _records(names: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    quote = connection.ops.quote_name
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        one = f"SELECT %s, {RECORD} FROM"
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(f"{one} {quote(name)}.django_migrations" for name in some), some)
            yield from cursor.fetchall()


def _recorded(schema: str) -> set[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT app, name FROM {connection.ops.quote_name(schema)}.django_migrations")  # noqa: S608
        return set(cursor.fetchall())
