"""A connection of the test's own, and where it stands."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg2
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.transaction import atomic

from tenants.models import Hospital
from tenants.postgres.base import DatabaseWrapper


@contextmanager
def own_connection(**settings: object) -> Iterator[None]:
    """Whatever uses the database in here has a connection of its own, outside the test's transaction."""
    before = connections[DEFAULT_DB_ALIAS]
    own = connections.create_connection(DEFAULT_DB_ALIAS)
    own.settings_dict = {**own.settings_dict, **settings}
    connections[DEFAULT_DB_ALIAS] = own
    try:
        yield
    finally:
        own.close()
        connections[DEFAULT_DB_ALIAS] = before


def _wrapper() -> DatabaseWrapper:
    return cast(DatabaseWrapper, connection)


def go_to(schema: str) -> None:
    """Work there from the next statement on."""
    _wrapper().set_schema(schema)


def forget() -> None:
    """Let the connection believe nothing about where it stands."""
    _wrapper().forget()


def schema_of(slug: str) -> str:
    """The schema of a hospital; the connection's place stays what it is."""
    return Hospital.objects.values_list("schema_name", flat=True).get(slug=slug)


def standing() -> tuple[str, str | None]:
    """Whose rights the next statement has, and in which schema it looks first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_schema()")
        user, schema = cursor.fetchone()
    return user, schema


class Undo(Exception):
    """Ends a transaction without an error."""


@contextmanager
def undone() -> Iterator[None]:
    """A transaction, or a savepoint of the present one, that is rolled back at its end."""
    try:
        with atomic():
            yield
            raise Undo
    except Undo:
        pass


def sent(cursor: Any) -> str:
    """The message of the cursor's last statement."""
    return str(cursor.cursor.query.decode())


def hang_up() -> None:
    """The server's end of the connection is gone, and nobody has noticed yet."""
    link = connection.connection
    with psycopg2.connect(**link.get_dsn_parameters(), password=connection.settings_dict["PASSWORD"]) as other:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [link.info.backend_pid])
    other.close()
