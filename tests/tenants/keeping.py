"""Looking at hospitals as the owner of the database does: what each schema holds, and how to damage one."""

from pathlib import Path

from django.db import connection, transaction

from core.schemas import as_owner
from tenants.archives import contents
from tenants.archives.contents import Sum
from tenants.archives.packing import Archive
from tenants.models import Hospital

Sums = dict[str, Sum]
LOG = "audit_auditlog"


def sums_of(schema: str) -> Sums:
    """What each table of the schema holds."""
    with contents.snapshot(schema=schema, cell="default") as tables:
        return contents.sums(schema, tables)


def sums_of_others(hospital: Hospital) -> dict[str, Sums]:
    """The same for public, whose log tells of everything, and for all other hospitals."""
    names = Hospital.objects.with_schema().exclude(pk=hospital.pk).values_list("schema_name", flat=True)
    found = {schema: sums_of(schema) for schema in ["public", *names]}
    del found["public"][LOG]
    return found


def without_log(sums: Sums) -> Sums:
    return {name: found for name, found in sums.items() if name != LOG}


def rows_of(archive: Path, table: str) -> list[str]:
    """The lines of a table in an archive."""
    with Archive.reading(archive) as found, found.table(table) as rows:
        return rows.read().decode().splitlines()


def as_the_owner(*statements: str) -> None:
    """What somebody with the database's keys may do, past every guard."""
    with as_owner(), transaction.atomic(), connection.cursor() as cursor:
        for statement in ("SET LOCAL session_replication_role TO replica", *statements):
            cursor.execute(statement)


def schemas_of(hospital: Hospital) -> list[str]:
    """The hospital's own schema and those beside it."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT nspname FROM pg_namespace WHERE starts_with(nspname::text, %s) ORDER BY nspname",
            [hospital.schema_name],
        )
        return [name for (name,) in cursor.fetchall()]
