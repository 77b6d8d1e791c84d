"""Making a database fit for hospitals: its schema public is the registry's, reached through postgres_fdw.

Every shared table is a foreign table there. So a hospital's code joins, reads and writes people, sessions and the search
as it does at home, in its own transaction; the registry's commit is a moment earlier than the cell's.
"""

import hashlib
import json
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from core import schemas
from tenants import roles
from tenants.cells import share_database
from tenants.postgres.places import SHARED_ROLE

# In the registry: one view for each identity column, which gives the next number. A foreign table's own default
# would be worked out in the cell.
_NUMBERS = "cells"

_SHAPE = """
SELECT table_name, array_agg((column_name, data_type, udt_name, character_maximum_length, numeric_precision, numeric_scale,
    is_nullable, column_default, is_identity, generation_expression)::text ORDER BY ordinal_position)
FROM information_schema.columns JOIN pg_catalog.pg_class AS class ON class.oid = format('public.%I', table_name)::regclass
WHERE table_schema = 'public' AND relkind = 'r' AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend WHERE classid = 'pg_class'::regclass AND objid = class.oid AND deptype = 'e')
GROUP BY table_name ORDER BY table_name"""

_IDENTITIES = """
SELECT table_name, column_name, pg_get_serial_sequence(format('public.%I', table_name), column_name)
FROM information_schema.columns WHERE table_schema = 'public' AND is_identity = 'YES' ORDER BY table_name"""

_NEXT = f"""CREATE OR REPLACE FUNCTION {_NUMBERS}.next(table_name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  number bigint;
BEGIN
  EXECUTE format('SELECT number FROM {_NUMBERS}.%I', table_name) INTO STRICT number;
  RETURN number;
END $$"""  # noqa: S608  (a name of ours)

_RIGHTS = f"""
GRANT USAGE ON SCHEMA public, {_NUMBERS} TO {SHARED_ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {SHARED_ROLE};
REVOKE INSERT, UPDATE, DELETE ON public.django_migrations FROM {SHARED_ROLE};
GRANT SELECT ON ALL TABLES IN SCHEMA {_NUMBERS} TO {SHARED_ROLE};
REVOKE ALL ON FUNCTION public.tenants_admit(text, text) FROM PUBLIC;"""  # noqa: S608  (roles of ours)


def prepare(cell: str) -> bool:
    """Make the cell's login and, in a database of its own, the way to the shared tables; tell if anything was made.

    Has to be done again after each migration of the public schema.
    """
    with schemas.as_owner(cell), transaction.atomic():
        roles.make_shared(cell)
    if share_database("default", cell):
        return False
    with schemas.as_owner(), transaction.atomic():
        identities = _open_registry()
        shape = _rows(_SHAPE)
        extensions = [name for (name,) in _rows("SELECT extname FROM pg_extension ORDER BY extname")]
    with schemas.as_owner(cell), transaction.atomic():
        return _import(
            cell, tables=[table for table, _columns in shape], identities=identities, extensions=extensions, shape=shape
        )


def _open_registry() -> list[tuple[str, str]]:
    """Let the databases of cells sign in to the registry, with the rights of its shared tables; return identities."""
    way = settings.CELL_REGISTRY
    roles.make_login(way["USER"], way["PASSWORD"], SHARED_ROLE, inherits=True)
    quote = connection.ops.quote_name
    identities = []
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {_NUMBERS}")
        for table, column, sequence in _rows(_IDENTITIES):
            view = f"{_NUMBERS}.{quote(table)}"
            cursor.execute(f"CREATE OR REPLACE VIEW {view} AS SELECT nextval('{sequence}') AS number")
            identities.append((table, column))
        cursor.execute(f"GRANT USAGE ON SCHEMA {_NUMBERS} TO {SHARED_ROLE}")
        cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {_NUMBERS} TO {SHARED_ROLE}")
    return identities


def _import(
    cell: str, *, tables: list[str], identities: list[tuple[str, str]], extensions: list[str], shape: list[Any]
) -> bool:
    """Make the foreign tables, all at once, unless they are what they should be already."""
    quote = connection.ops.quote_name
    way = settings.CELL_REGISTRY
    options = {
        "host": way["HOST"],
        "port": str(way["PORT"] or 5432),
        "dbname": way["NAME"],
        "application_name": f"RHMS cell {cell}",
        "connect_timeout": "5",
        # Whoever holds a lock at home and enters a cell might wait there for themselves, and Postgres could not see it.
        "options": "-c lock_timeout=5s",
        # Without asking the registry, a join with a person would fetch everybody.
        "use_remote_estimate": "true",
        "batch_size": "100",
        "extensions": ",".join(name for name in extensions if name != "plpgsql"),
        **way.get("OPTIONS", {}),
    }
    login = {"user": way["USER"], "password": way["PASSWORD"]}
    digest = hashlib.sha256(json.dumps([shape, identities, options, login, _NEXT, _RIGHTS]).encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT obj_description(oid, 'pg_foreign_server') FROM pg_foreign_server WHERE srvname = 'registry'"
        )
        if cursor.fetchone() == (digest,):
            return False
        for extension in [*extensions, "postgres_fdw"]:
            cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {quote(extension)}")
        cursor.execute("DROP SERVER IF EXISTS registry CASCADE")
        cursor.execute(f"DROP SCHEMA IF EXISTS {_NUMBERS} CASCADE")
        cursor.execute(f"CREATE SCHEMA {_NUMBERS}")
        cursor.execute(roles.ADMIT)
        cursor.execute(_NEXT)
        cursor.execute(
            f"CREATE SERVER registry FOREIGN DATA WRAPPER postgres_fdw OPTIONS ({_named(options)})", [*options.values()]
        )
        # Everybody comes as the same login: what a hospital's role may do there, every other may do as well.
        cursor.execute(f"CREATE USER MAPPING FOR PUBLIC SERVER registry OPTIONS ({_named(login)})", [*login.values()])
        only = ", ".join(quote(table) for table in tables)
        cursor.execute(
            f"IMPORT FOREIGN SCHEMA public LIMIT TO ({only}) FROM SERVER registry INTO public"
            " OPTIONS (import_default 'true', import_generated 'true')"
        )
        cursor.execute(f"IMPORT FOREIGN SCHEMA {_NUMBERS} FROM SERVER registry INTO {_NUMBERS}")
        for table, column in identities:
            cursor.execute(
                f"ALTER FOREIGN TABLE public.{quote(table)} ALTER COLUMN {quote(column)}"
                f" SET DEFAULT {_NUMBERS}.next('{table}')"
            )
        cursor.execute(_RIGHTS)
        cursor.execute("COMMENT ON SERVER registry IS %s", [digest])
    return True


def _named(options: dict[str, str]) -> str:
    return ", ".join(f"{name} %s" for name in options)


def _rows(query: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())
