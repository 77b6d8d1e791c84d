"""Bringing one hospital up to date: all of it or nothing, and without keeping its people waiting."""

from contextlib import nullcontext
from dataclasses import dataclass
from threading import Lock

from django.db import OperationalError, connection, transaction
from django.db.migrations.migration import Migration

from core import schemas
from tenants import provisioning
from tenants.fleet import planning
from tenants.fleet.planning import Group
from tenants.models import HOME_CELL, Hospital


@dataclass(frozen=True)
class Patience:
    """How long an upgrade waits for a lock, and how long one of its statements may take, as Postgres writes times.

    While a migration waits for a table, everybody else who wants that table waits behind it.
    """

    for_lock: str
    for_statement: str


@dataclass(frozen=True)
class Outcome:
    """How it went: without an `error` the hospital is up to date. `may_pass`: the error may be gone next time."""

    hospital: Hospital
    error: str = ""
    may_pass: bool = False


# Django renders the models of the past for whoever writes migrations in Python; one thread at a time does that.
_in_python = Lock()


def upgrade(*, hospital: Hospital, group: Group, patience: Patience) -> Outcome:
    """Bring the hospital from the group's record up to date, as the owner of its schema. Never raises."""
    try:
        if group.statements is None:
            with _in_python:
                _step_by_step(hospital, group, patience)
        else:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_message(hospital, group, patience, group.statements))
    except Exception as error:  # noqa: BLE001  whatever it is, the other hospitals must not wait for it
        connection.close()
        return failed(hospital, error)
    return Outcome(hospital)


def failed(hospital: Hospital, error: Exception) -> Outcome:
    """What went wrong, in words that name nobody: the details of a refusal may quote a patient's row."""
    said = getattr(getattr(error.__cause__, "diag", None), "message_primary", None)
    return Outcome(hospital, said or f"{type(error).__name__}: {error}", isinstance(error, OperationalError))


def _message(hospital: Hospital, group: Group, patience: Patience, statements: tuple[str, ...]) -> str:
    """Everything in one text, which is one round trip."""
    schema = connection.ops.quote_name(hospital.schema_name)
    return "\n".join(
        [
            f"SET LOCAL lock_timeout = '{patience.for_lock}';",
            f"SET LOCAL statement_timeout = '{patience.for_statement}';",
            f"SET LOCAL search_path TO {schema}, public, pg_temp;",  # public has the extensions
            f"SELECT pg_advisory_xact_lock({_lock_of(hospital)});",
            _as_planned(group),
            *statements,
            *map(_record, group.lacking),
            *_registry(hospital, group),
        ]
    )


def _step_by_step(hospital: Hospital, group: Group, patience: Patience) -> None:
    """Each migration in its own transaction, as Django's executor does it, and recorded with it."""
    state = group.before.clone()
    with schemas.schema_context(hospital.schema_name):
        try:
            _execute(
                f"SET lock_timeout = '{patience.for_lock}'",
                f"SET statement_timeout = '{patience.for_statement}'",
                f"SELECT pg_advisory_lock({_lock_of(hospital)})",
                _as_planned(group),
            )
            for migration in group.lacking:
                with transaction.atomic() if migration.atomic else nullcontext():
                    if planning.is_for_hospitals(migration):
                        with connection.schema_editor(atomic=migration.atomic) as editor:
                            state = migration.apply(state, editor)
                    else:
                        state = migration.mutate_state(state, preserve=False)
                    _execute(_record(migration))
            _execute(*_registry(hospital, group))
        finally:
            connection.close()  # and with it the lock and the session's timeouts


def _execute(*statements: str) -> None:
    for statement in statements:
        with connection.cursor() as cursor:
            cursor.execute(statement)


def _lock_of(hospital: Hospital) -> str:
    return f"hashtextextended('migration of {hospital.schema_name}', 0)"


def _as_planned(group: Group) -> str:
    """Refuse, unless the hospital is what the group was planned for: as something that may pass, or as damage.

    A table that public has too would be changed there if it were missing here.
    """
    shared = ", ".join(f"'{table}'" for table in planning.shared_tables(group.before))
    return f"""DO $check$
DECLARE
lost text;
BEGIN
IF (SELECT {planning.RECORD} FROM django_migrations) IS DISTINCT FROM '{group.record}' THEN
RAISE EXCEPTION 'Another run has migrated it at the same time.' USING ERRCODE = 'serialization_failure';
END IF;
SELECT string_agg(name, ', ') INTO lost FROM unnest(ARRAY[{shared}]::text[]) AS name
WHERE to_regclass(format('%I.%I', current_schema(), name)) IS NULL;
IF lost IS NOT NULL THEN
RAISE EXCEPTION 'One of its tables is missing: %.', lost USING ERRCODE = 'undefined_table';
END IF;
END $check$;"""  # noqa: S608  (all of it is ours)


def _record(migration: Migration) -> str:
    row = f"'{migration.app_label}', '{migration.name}', now()"
    return f"INSERT INTO django_migrations (app, name, applied) VALUES ({row});"  # noqa: S608  (names of ours)


def _registry(hospital: Hospital, group: Group) -> list[str]:
    """Note in the registry that the hospital is up to date. From another cell that is said afterwards (`running`)."""
    if group.cell != HOME_CELL:
        return []
    change = f"SET schema_version = '{provisioning.version()}' WHERE schema_name = '{hospital.schema_name}'"
    return [f"UPDATE public.tenants_hospital {change};"]
