"""What a migration may do while the version before it goes on running: add, and nothing else.

`manage.py check_migrations` refuses the rest. A migration that takes away what nobody reads any more says so:
`contracts = "why, and since which release nobody reads it"`. One that keeps a table that grows locked while it is read or
written anew says why that is short enough: `locks = "why"`. The rules about SQL keep the way to Citus open
(docs/growth.md).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import singledispatch
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.migrations.utils import resolve_relation  # type: ignore[attr-defined]  # missing in the stubs
from django.db.models.expressions import Value
from django.db.models.functions import Now

from tenants import provisioning

# How many migrations of each room landed before there was this rule. Nothing is ever added here.
BEFORE_THE_RULE = {
    "accounts": 3,
    "appointments": 3,
    "audit": 4,
    "billing": 2,
    "directory": 2,
    "hospitals": 3,
    "notifications": 2,
    "patients": 1,
    "tenants": 3,
}
# They get a row with every visit, bill, payment, message or step that somebody takes.
GROWING = {
    *("appointments.appointment", "audit.auditlog", "directory.takentime", "notifications.notification"),
    *("billing.invoice", "billing.invoiceline", "billing.journalentry", "billing.payment", "billing.posting"),
    "patients.patient",
}
CONTRACTS = "contracts"
LOCKS = "locks"

# A fault: what to do instead, and which word on the migration excuses it, "" for none.
Fault = tuple[str, str]


def faults() -> list[str]:
    """One sentence for every fault in the rooms' migrations, with the migration's name."""
    graph = MigrationLoader(None).graph
    state = ProjectState()
    found = []
    for app, name in provisioning.in_order(graph):
        migration = graph.nodes[app, name]
        if _is_ours(app) and int(name[:4]) > BEFORE_THE_RULE.get(app, 0):
            found += [f"{app}.{name}: {fault}" for fault in faults_of(migration, state.clone())]
        state = migration.mutate_state(state, preserve=False)
    return found


def faults_of(migration: Migration, state: ProjectState) -> list[str]:
    """What is wrong with a migration that finds the models as they are in `state`, which is used up."""
    excuses = {word for word in (CONTRACTS, LOCKS) if getattr(migration, word, "").strip()}
    found = []
    if migration.replaces:
        found.append("Squash nothing: new hospitals are made from hospital.sql, however many migrations there are.")
    made: set[str] = set()  # tables that nobody uses yet
    for operation in migration.operations:
        for step in _steps(operation):
            for sentence, excuse in [*_look(step, migration.app_label, state, made), *_undoing(step)]:
                if excuse not in excuses:
                    hint = f' Or, if it must be: {excuse} = "..." on the migration.' if excuse else ""
                    found.append(f"{step.describe()}: {sentence}{hint}")
        operation.state_forwards(migration.app_label, state)
    return found


def _is_ours(app: str) -> bool:
    return Path(apps.get_app_config(app).path).parent == settings.BASE_DIR


def _steps(operation: Operation) -> Iterable[Operation]:
    """What the database is asked to do. The state may say more, as when a field goes before its column."""
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        return [step for inner in operation.database_operations for step in _steps(inner)]
    return [operation]


def _undoing(operation: Operation) -> Iterator[Fault]:
    if not operation.reversible:
        yield "Say how it is undone: reverse_sql or reverse_code, a noop if there is nothing to undo.", CONTRACTS


# --- One rule for each kind of operation -----------------------------------------------------------------------------


@singledispatch
def _look(operation: Operation, app: str, state: ProjectState, made: set[str]) -> Iterator[Fault]:
    """The faults of one operation. `made` are the models that the migration itself has made so far."""
    yield from ()


def _refuse(kind: type[Operation], sentence: str) -> None:
    def look(operation: Operation, app: str, state: ProjectState, made: set[str]) -> Iterator[Fault]:
        yield sentence, CONTRACTS

    _look.register(kind, look)


_refuse(migrations.RemoveField, "The running version reads it: stop using it now, and remove it in the release after.")
_refuse(migrations.DeleteModel, "The running version reads it: stop using it now, and delete it in the release after.")
_refuse(migrations.RenameField, "The running version knows it by its old name: keep the column, by db_column.")
_refuse(migrations.RenameModel, "The running version knows it by its old name: keep the table, by Meta.db_table.")
_refuse(migrations.AlterModelTable, "The running version knows the table by its old name: keep it.")
_refuse(migrations.AlterUniqueTogether, "Write a UniqueConstraint, which has a name.")
_refuse(migrations.AlterOrderWithRespectTo, "Add a column for the order.")


@_look.register
def _(operation: migrations.CreateModel, app: str, state: ProjectState, made: set[str]) -> Iterator[Fault]:
    made.add(f"{app}.{operation.name_lower}")
    for _name, field in operation.fields:
        yield from _pointing_out(field, app, operation.name_lower)


@_look.register
def _(operation: migrations.AddField, app: str, state: ProjectState, made: set[str]) -> Iterator[Fault]:
    field = operation.field
    yield from _pointing_out(field, app, operation.model_name_lower)
    if f"{app}.{operation.model_name_lower}" in made or isinstance(field, models.ManyToManyField):
        return
    if isinstance(field, models.GeneratedField):
        yield "It writes the whole table anew, locked: add a plain column, and fill it little by little.", LOCKS
        return
    if not (field.null or _has_db_default(field)):
        yield "The running version does not fill it: give it null=True, or a db_default.", CONTRACTS
    if _has_db_default(field) and not _is_constant(field.db_default):
        yield (
            "It writes the whole table anew, locked: add it with null=True, fill it little by little, then db_default.",
            LOCKS,
        )
    if field.unique:
        yield "Add it without unique=True, fill it, then add a UniqueConstraint.", CONTRACTS
    if _checks_itself(field, operation.name):
        yield (
            "ADD COLUMN with a CHECK is one step too many: use a field without (IntegerField), and a CheckConstraint.",
            "",
        )


@_look.register
def _(operation: migrations.AlterField, app: str, state: ProjectState, made: set[str]) -> Iterator[Fault]:
    before = state.models[app, operation.model_name_lower].fields[operation.name]
    after = operation.field
    yield from _pointing_out(after, app, operation.model_name_lower)
    kinds = [_kind(field, app, operation.model_name_lower) for field in (before, after)]
    if not _holds_all_of(*kinds):
        yield (
            f"{kinds[0]} becomes {kinds[1]}: add a column of the new type, write both, then read the new one.",
            CONTRACTS,
        )
    if before.null and not after.null:
        yield "The running version may write NULL: write values for a release, then forbid it.", CONTRACTS
    if after.unique and not before.unique:
        yield "Add a UniqueConstraint, once the running version keeps to it.", CONTRACTS


@_look.register
def _(operation: migrations.AddIndex, app: str, state: ProjectState, made: set[str]) -> Iterator[Fault]:
    if not isinstance(operation, AddIndexConcurrently):
        label = f"{app}.{operation.model_name_lower}"
        yield from _if_growing(label, made, "Nobody can write to the table while the index is made")


@_look.register
def _(operation: migrations.AddConstraint, app: str, state: ProjectState, made: set[str]) -> Iterator[Fault]:
    if not isinstance(operation, AddConstraintNotValid):
        label = f"{app}.{operation.model_name_lower}"
        yield from _if_growing(label, made, "Nobody can use the table while every row is checked")


def _if_growing(label: str, made: set[str], sentence: str) -> Iterator[Fault]:
    if label in GROWING - made:
        yield f"{sentence}, and this one grows with every day.", LOCKS


def _pointing_out(field: Any, app: str, model: str) -> Iterator[Fault]:
    """A hospital's schema stands alone: no foreign key leaves it."""
    if app not in settings.TENANT_APPS or not field.is_relation:
        return
    there, _name = resolve_relation(field.remote_field.model, app, model)
    is_many = isinstance(field, models.ManyToManyField)
    if there not in settings.TENANT_APPS and (is_many or field.db_constraint):
        yield "A hospital's table refers to public only softly: ForeignKey(..., db_constraint=False).", ""


def _has_db_default(field: Any) -> bool:
    return bool(field.has_db_default())


def _is_constant(default: Any) -> bool:
    """Whether Postgres works it out once, and keeps it beside the table instead of in each row."""
    return not hasattr(default, "resolve_expression") or isinstance(default, (Value, Now))


def _checks_itself(field: Any, name: str) -> bool:
    if field.is_relation:
        return False
    named = field.clone()
    named.set_attributes_from_name(name)
    return bool(named.db_parameters(connection)["check"])


def _kind(field: Any, app: str, model: str) -> str:
    if field.is_relation:
        return "a reference to " + ".".join(resolve_relation(field.remote_field.model, app, model))
    return str(field.db_parameters(connection)["type"])


def _holds_all_of(before: str, after: str) -> bool:
    """Whether a column can become so without being written anew, and whatever the running version writes fits."""
    lengths = [re.fullmatch(r"varchar\((\d+)\)", kind) for kind in (before, after)]
    if lengths[0]:
        return after == "text" or bool(lengths[1] and int(lengths[1][1]) >= int(lengths[0][1]))
    return before == after


# --- SQL by hand -----------------------------------------------------------------------------------------------------

_NOT_CODE = re.compile(r"(\$(\w*)\$.*?\$\2\$)|'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_READS_A_TABLE = re.compile(r"(?<!distinct )\b(?:from|join|update|insert\s+into)\s+(?!%)\"?[a-z_]\w*", re.IGNORECASE)

_Rule = tuple[Callable[[str], object], str]


def _has(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL).search


# About a statement without its function bodies, strings and comments.
_OUTSIDE: tuple[_Rule, ...] = (
    (_has(r";\s*\S"), "Several statements in one entry: write a list with one in each."),
    (
        _has(r"\badd\s+constraint\b.*\badd\s+constraint\b"),
        "Several ADD CONSTRAINT in one ALTER: write one ALTER for each.",
    ),
    (_has(r"\badd\s+column\b.*\bcheck\b"), "ADD COLUMN together with CHECK: add the column, then the constraint."),
    (_has(r"\brename\s+constraint\b"), "RENAME CONSTRAINT: add one by the new name, then drop the old one."),
    (_has(r"\breferences\s+\"?public\b"), "A hospital's table refers to public only softly: without REFERENCES."),
    (_has(r"\b(drop|rename)\s+column\b|\bdrop\s+table\b|\brename\s+to\b"), CONTRACTS),
)
# About all of it.
_ANYWHERE: tuple[_Rule, ...] = (
    (_has(r"\bset_config\s*\("), "set_config outlives its transaction behind a pooler: use SET LOCAL."),
    (_has(r"\bset\s+constraints\b"), "Let nothing depend on SET CONSTRAINTS: make the constraint deferrable or not."),
)


@_look.register
def _(operation: migrations.RunSQL, app: str, state: ProjectState, made: set[str]) -> Iterator[Fault]:
    for sql in (operation.sql, operation.reverse_sql):
        if isinstance(sql, str):
            if sql:
                yield "One long string: write a list with one statement in each entry.", ""
            continue
        for entry in sql or ():
            yield from _of_statement(entry if isinstance(entry, str) else entry[0], is_forward=sql is operation.sql)
    yield from _of_functions([entry if isinstance(entry, str) else entry[0] for entry in operation.sql])


def _of_statement(text: str, *, is_forward: bool) -> Iterator[Fault]:
    outside = _NOT_CODE.sub(" ", text)
    for is_so, sentence in _OUTSIDE:
        if is_so(outside):
            if sentence != CONTRACTS:
                yield sentence, ""
            elif is_forward:
                yield "The running version needs it: take it away in the release after.", CONTRACTS
    for is_so, sentence in _ANYWHERE:
        if is_so(text):
            yield sentence, ""


def _of_functions(statements: Iterable[str]) -> Iterator[Fault]:
    """A function reads the tables of its own schema, whoever calls it from wherever."""
    together = "\n".join(statements)
    for made in re.finditer(
        r"create\s+(?:or\s+replace\s+)?function\s+\"?(\w+).*?\$(\w*)\$(.*?)\$\2\$", together, re.I | re.S
    ):
        name, body = made[1], made[3]
        if re.search(r"\bpublic\.", body, re.IGNORECASE):
            yield f"{name} reads a table of public, which may be in another database: give it what it needs.", ""
        is_kept = re.search(
            rf"set\s+search_path|alter\s+function\s+\"?{name}\b.*set\s+search_path", made[0] + together, re.I | re.S
        )
        if _READS_A_TABLE.search(body) and not is_kept:
            yield (
                f"{name} finds its tables by the caller's path: use TG_TABLE_SCHEMA, or SET search_path on the function.",
                "",
            )
