"""Which database and schema the code works in. The only place that talks to django-tenants' connection.

All code says "default". A hospital of another cell is entered by letting "default" be that cell's connection; there the
shared tables are the registry's own, reached through the cell's database (tenants.cells).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any, Protocol, cast

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.utils.module_loading import import_string

PUBLIC = "public"
HOME_CELL = DEFAULT_DB_ALIAS  # the cell of the registry itself, where every hospital begins


class Standing(Enum):
    """What may happen in a schema now."""

    OPEN = "open"
    PAUSED = "paused"  # for a moment: later
    UNKNOWN = "unknown"  # no hospital's, or not any more: never


class _TenantConnection(Protocol):
    schema_name: str
    tenant: Any
    alias: str
    in_atomic_block: bool
    settings_dict: dict[str, Any]
    commits: int
    home: "_TenantConnection"  # of a cell's connection: the registry's, which waits behind it

    def set_tenant(self, tenant: Any) -> None: ...

    def set_schema(self, schema_name: str) -> None: ...

    def set_schema_to_public(self) -> None: ...

    def forget(self) -> None: ...


def _connection() -> _TenantConnection:
    return cast(_TenantConnection, connections[DEFAULT_DB_ALIAS])


def active() -> str:
    """The name of the schema that is active now."""
    return _connection().schema_name


def standing(name: str) -> Standing:
    """Whether a task may work in the schema now; a room above this one knows (settings.SCHEMA_STANDING)."""
    if name == PUBLIC:
        return Standing.OPEN
    known: Standing = import_string(settings.SCHEMA_STANDING)(name)
    return known


def enter(hospital: Any) -> None:
    """Work in the hospital's schema from now on; a block of code uses `schema_context` instead."""
    _go_to(hospital.cell)
    _connection().set_tenant(hospital)


def enter_public() -> None:
    """Work in the registry's public schema from now on, whatever went on before."""
    _go_to(HOME_CELL)
    _connection().set_schema_to_public()
    _connection().forget()


def let_go() -> bool:
    """End what this thread has left: it stands in public, as the platform, with no transaction open.

    True if there was anything to end but a change of place; a transaction is rolled back.
    """
    enter_public()
    was_left = False
    for alias in connections:
        there = connections[alias]
        link = there.connection
        is_busy = link is not None and not link.closed and not link.is_idle
        if there.in_atomic_block or is_busy or there.settings_dict is not connections.settings[alias]:
            was_left = True
            if link is not None:
                link.close()
            del connections[alias]  # a closed connection would believe in its transaction for ever
    return was_left


@contextmanager
def schema_context(name: str) -> Iterator[None]:
    """Work in the schema of that name, as a block or as a decorator.

    Within a transaction of another cell's database the block is a transaction of its own: all or nothing by itself, and
    committed at its end, before the one around it. The public schema is the same in every cell: nobody moves for it.
    """
    before = _connection()
    tenant = before.tenant
    if name != PUBLIC and settings.CELLS:
        _go_to(_cell_of()(name))
    there = _connection()
    there_before = there.tenant
    there.set_schema(name)
    try:
        if there is not before and before.in_atomic_block:
            with transaction.atomic():
                yield
        else:
            yield
    finally:
        there.set_tenant(there_before)
        connections[DEFAULT_DB_ALIAS] = before  # type: ignore[assignment]  # see _connection
        before.set_tenant(tenant)


def cells() -> list[str]:
    """All cells, the registry's own first."""
    return [HOME_CELL, *settings.CELLS]


def is_away() -> bool:
    """Whether "default" is a database other than the registry's."""
    return hasattr(_connection(), "home")


def commits() -> int:
    """How many transactions the present connection has committed."""
    return _connection().commits


@contextmanager
def cell_context(cell: str) -> Iterator[None]:
    """Work in the public schema of a cell's database: to look for what only its own catalogue knows."""
    before = _connection()
    _go_to(cell)
    there = _connection()
    tenant = there.tenant
    there.set_schema_to_public()
    try:
        yield
    finally:
        there.set_tenant(tenant)
        connections[DEFAULT_DB_ALIAS] = before  # type: ignore[assignment]  # see _connection


def _go_to(cell: str) -> None:
    """Let "default" be the connection of that cell. Who works as an owner stays where they are."""
    now = _connection()
    if not now.settings_dict.get("SWITCHES_ROLE", True):
        return
    home = getattr(now, "home", now)
    there = home if cell == HOME_CELL else cast(_TenantConnection, connections[cell])
    if there is not home:
        there.alias, there.home = DEFAULT_DB_ALIAS, home
    connections[DEFAULT_DB_ALIAS] = there  # type: ignore[assignment]  # see _connection


def _cell_of() -> Callable[[str], str]:
    """Who knows in which cell the hospital of a schema lives: a room above this one."""
    return cast(Callable[[str], str], import_string(settings.CELL_OF_SCHEMA))


@contextmanager
def as_owner(cell: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Work as the owner of a cell's schemas, who may make, change and drop them: for commands, never for a request.

    Everything that uses the default connection uses the owner's in here. Raises RuntimeError within a transaction,
    which the owner could not see.
    """
    login = "owner" if cell == DEFAULT_DB_ALIAS else f"{cell}_owner"
    if connection.settings_dict is connections.settings[login]:
        yield  # already
        return
    if connection.in_atomic_block:
        raise RuntimeError("The owner's connection does not see what this transaction has changed: commit it first.")
    before = connections[DEFAULT_DB_ALIAS]
    owner = connections.create_connection(login)
    owner.alias = DEFAULT_DB_ALIAS
    connections[DEFAULT_DB_ALIAS] = owner
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = before
        owner.close()
