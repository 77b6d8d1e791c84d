"""Building a hospital out of its archive beside the living one, and comparing the two.

Nothing here touches what lives: the copy is made in one transaction, in a schema that no role but the owner's may use.
"""

from dataclasses import dataclass

from django.db import IntegrityError, connection, transaction

from accounts.models import User
from core import schemas
from tenants.archives import contents, files
from tenants.archives.contents import Sum, Table
from tenants.archives.exporting import from_fields, known_migrations
from tenants.archives.manifest import Manifest, Refused, Rows
from tenants.archives.packing import Archive
from tenants.models import Domain, Hospital


@dataclass(frozen=True)
class Compared:
    """A table or the files: how many there are in the archive and here, None for a table that is not there."""

    name: str
    archived: int | None
    living: int | None
    is_same: bool


def beside(schema: str) -> str:
    """The name of the schema in which a hospital is built from its archive."""
    return f"{schema}_restored"


def hospital_of(manifest: Manifest) -> Hospital | None:
    """The hospital of an archive, if the registry knows it."""
    found = Hospital.objects.filter(code=manifest.folder).first()
    if found and found.status in (Hospital.Status.PENDING, Hospital.Status.REJECTED):
        raise Refused(f"{found.name} was never opened here: this archive is of another installation.")
    if found and found.schema_name != manifest.schema_name:
        raise Refused(f"The schema of {found.name} has another name here than in this archive. It cannot be restored.")
    return found


def is_living(hospital: Hospital | None) -> bool:
    """Whether it is open or suspended here, so that restoring replaces what it has."""
    return hospital is not None and hospital.status in (Hospital.Status.APPROVED, Hospital.Status.SUSPENDED)


def require_usable(archive: Archive, *, people_may_be_missing: bool) -> None:
    """Refuse an archive of a newer version, and one that names people who are not here or are somebody else.

    If people may be missing, nobody will ever be given their numbers, under which they stand in the hospital.
    """
    manifest = archive.manifest
    if newer := set(manifest.migrations) - known_migrations():
        raise Refused(
            f"This archive is of a newer version, which has {', '.join(sorted(newer))}. Install that version first."
        )
    here = {str(pk): str(code) for pk, code in User.objects.filter(pk__in=manifest.people).values_list("pk", "code")}
    others = [pk for pk, code in manifest.people.items() if here.get(pk, code) != code]
    if others:
        raise Refused(
            f"The people {', '.join(others)} of this archive are somebody else here, who would be given what is theirs. "
            "A hospital can only be restored where its people have their accounts."
        )
    missing = [pk for pk in manifest.people if pk not in here]
    if missing and not people_may_be_missing:
        raise Refused(
            f"The people {', '.join(missing)}, whom this archive names, have no account here. Restore the platform's own "
            "backup first. To go on without them, say --people-may-be-missing."
        )
    if missing:
        _use_up_numbers(max(map(int, missing)))


def _use_up_numbers(last: int) -> None:
    with schemas.as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [f"public.{User._meta.db_table}"])
        [sequence] = cursor.fetchone()
        cursor.execute("SELECT setval(%s::regclass, greatest(%s, nextval(%s::regclass)))", [sequence, last, sequence])


def build(archive: Archive, *, cell: str) -> str:
    """Make the hospital anew in a schema of its own, and prove that it holds what was exported; returns its name.

    What an earlier try left there is replaced.
    """
    schema = beside(archive.manifest.schema_name)
    with schemas.as_owner(cell):
        with transaction.atomic():
            contents.drop_schema(schema)
        try:
            with transaction.atomic():
                _fill(schema, archive)
        except IntegrityError as refusal:
            said = getattr(getattr(refusal.__cause__, "diag", None), "message_primary", None)  # without patients' rows
            raise Refused(f"The rows of this archive contradict each other: {said}. Nothing was changed.") from None
    return schema


def _fill(schema: str, archive: Archive) -> None:
    """The archive's tables, their rows, where the counters stand, and the proof."""
    manifest = archive.manifest
    made = _make(schema, archive)
    with contents.triggers_off(schema, made):
        contents.empty(schema, made)
        for table in made:
            with archive.table(table.name) as rows:
                contents.copy_in(schema, table, rows)
    contents.set_sequences(schema, manifest.sequences)
    contents.write_one_way()
    found = contents.sums(schema, made)
    wrong = [name for name, table in manifest.tables.items() if found[name] != table.sum]
    if wrong:
        raise Refused(f"What was restored is not what was exported, in {', '.join(wrong)}. Nothing was changed.")
    contents.mark(schema, archive.digest)


def _make(schema: str, archive: Archive) -> list[Table]:
    """The archive's own DDL in a new schema; returns its tables."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {connection.ops.quote_name(schema)}")
    with schemas.schema_context(schema), connection.cursor() as cursor:
        cursor.execute(archive.ddl)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    made = contents.tables(schema)
    if {table.name: list(table.columns) for table in made} != _columns(archive.manifest.tables):
        raise Refused("The tables of this archive are not those that its DDL makes. It cannot be restored.")
    return made


def _columns(tables: dict[str, Rows]) -> dict[str, list[str]]:
    return {name: table.columns for name, table in tables.items()}


def compare(archive: Archive, hospital: Hospital) -> list[Compared]:
    """The archive beside what the hospital has now: each table, and the files."""
    manifest = archive.manifest
    with contents.snapshot(schema=hospital.schema_name, cell=hospital.cell) as tables:
        living = contents.sums(hospital.schema_name, tables)
    names = sorted({*manifest.tables, *living})
    compared = [_compared(name, manifest.tables.get(name), living.get(name)) for name in names]
    stored = files.stored(manifest.folder)
    return [*compared, Compared("files", len(manifest.files), len(stored), stored == manifest.files)]


def _compared(name: str, archived: Rows | None, living: Sum | None) -> Compared:
    return Compared(
        name,
        archived=archived.rows if archived else None,
        living=living.rows if living else None,
        is_same=archived is not None and archived.sum == living,
    )


def registry_differences(manifest: Manifest) -> list[str]:
    """Names of what the registry says of a living hospital otherwise than when it was exported. Restoring leaves it."""
    hospital = Hospital.objects.get(code=manifest.folder)
    passing = {"pause", "paused_at", "pause_note", "deletion_due_at", "deletion_archive", "schema_version", "cell"}
    then = from_fields(Hospital, manifest.hospital)
    found = [
        str(field.verbose_name)
        for field in Hospital._meta.concrete_fields
        if field.name not in passing | {"id"} and getattr(then, field.attname) != getattr(hospital, field.attname)
    ]
    domains = sorted(Domain.objects.filter(tenant=hospital).values_list("domain", flat=True))
    return [*found, *(["domains"] if domains != sorted(domain["domain"] for domain in manifest.domains) else [])]


def leftovers(hospital: Hospital) -> list[str]:
    """Schemas that restoring or moving has left beside the hospital's own."""
    with schemas.as_owner(hospital.cell), connection.cursor() as cursor:
        cursor.execute(
            "SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname::text, %s) ORDER BY nspname",
            [f"{hospital.schema_name}_"],
        )
        return [name for (name,) in cursor.fetchall()]
