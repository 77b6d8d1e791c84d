"""Writing one hospital into an archive while it goes on working."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

from django.core import serializers
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model, QuerySet

from accounts.models import User
from audit import services as audit
from audit.models import Action
from tenants import provisioning
from tenants.archives import contents, files
from tenants.archives.contents import Sum, Table
from tenants.archives.manifest import Manifest, Refused, Rows, Stored
from tenants.archives.packing import Archive, Packer, packing
from tenants.models import Domain, DomainClaim, Hospital


@dataclass(frozen=True)
class Export:
    """An archive that was made, and the SHA-256 of its file."""

    manifest: Manifest
    digest: str


@dataclass
class _Read:
    """What was read in the snapshot."""

    tables: dict[str, Rows]
    sequences: dict[str, tuple[int, bool]]
    migrations: list[str]
    people: set[int]
    files: set[str]


def export(*, hospital: Hospital, path: Path, now: datetime) -> Export:
    """Write the hospital, as it is at this moment, to a new file at `path`, and check that file.

    Raises Refused for a hospital whose schema is not of this version, and for one that is upgraded meanwhile.
    """
    _require_current(hospital)
    with packing(path) as packer:
        schema = packer.add_schema(provisioning.ddl())
        read = _read(hospital, packer)
        stored = _add_files(packer, hospital, read.files)
        hospital.refresh_from_db()
        _require_current(hospital)  # nobody could alter its tables since, so it was current then
        people = dict(User.objects.filter(pk__in=read.people).values_list("pk", "code"))
        manifest = Manifest(
            exported_at=now.isoformat(),
            schema_version=hospital.schema_version,
            schema=schema,
            hospital=_fields(Hospital.objects.filter(pk=hospital.pk))[0],
            domains=_fields(Domain.objects.filter(tenant=hospital).order_by("pk")),
            claims=_fields(DomainClaim.objects.filter(hospital=hospital).order_by("pk")),
            migrations=read.migrations,
            people={str(pk): str(people.get(pk, "")) for pk in sorted(read.people)},
            tables=read.tables,
            sequences=read.sequences,
            files=stored,
            missing_files=sorted(read.files - stored.keys()),
        )
        packer.add_manifest(manifest)
    with Archive.reading(path) as archive:
        digest = archive.digest
    with transaction.atomic():
        said = {"archive": digest, "rows": manifest.rows, "files": len(stored)}
        audit.record(action=Action.HOSPITAL_EXPORTED, target=hospital, by=None, data=said)
    return Export(manifest, digest)


def known_migrations() -> set[str]:
    """The migrations that this version of the platform has."""
    return {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations or {}}


def _require_current(hospital: Hospital) -> None:
    if hospital.status not in (Hospital.Status.APPROVED, Hospital.Status.SUSPENDED):
        raise Refused(f"{hospital.name} has no data to export: it is {hospital.get_status_display().lower()}.")
    if hospital.schema_version != provisioning.version():
        raise Refused(
            f"The schema of {hospital.name} is not of this version. Run manage.py migrate_hospitals first, then export it."
        )


def _read(hospital: Hospital, packer: Packer) -> _Read:
    """Everything that is in the schema at one moment."""
    schema, folder = hospital.schema_name, str(hospital.code)
    with contents.snapshot(schema=schema, cell=hospital.cell) as tables:
        if not tables:
            raise Refused(f"The schema of {hospital.name}, {schema}, is not there: restore it from an archive.")
        migrations = contents.migrations(schema)
        if newer := set(migrations) - known_migrations():
            raise Refused(f"{hospital.name} was upgraded by a newer version, which has {', '.join(sorted(newer))}.")
        return _Read(
            tables={table.name: Rows.of(table, _add_table(packer, schema, table)) for table in tables},
            sequences=contents.sequences(schema),
            migrations=migrations,
            people=contents.people(schema, tables),
            files=contents.named_files(schema, tables, folder) | {path for path in [hospital.logo] if path},
        )


def _add_table(packer: Packer, schema: str, table: Table) -> Sum:
    def copy_to(sink: IO[bytes]) -> Sum:
        return contents.copy_out(schema, table, sink)

    return packer.add_table(table.name, copy_to)


def _add_files(packer: Packer, hospital: Hospital, named: set[str]) -> dict[str, Stored]:
    """The files that are there, whether a row names them or not. One that is deleted meanwhile is left out."""
    found = {}
    for path in sorted({*files.paths_below(str(hospital.code)), *named}):
        try:
            with default_storage.open(path) as file:
                found[path] = packer.add_file(path, file.size, cast("IO[bytes]", file))
        except FileNotFoundError:
            continue
    return found


def _fields(rows: QuerySet[Any, Any]) -> list[dict[str, Any]]:
    """Rows of the registry, without their numbers, which another installation has given to others."""
    # Not as JSON at once: Django would write times without their last three digits.
    return [json.loads(json.dumps(row["fields"], default=str)) for row in serializers.serialize("python", rows)]


def from_fields(model: type[Model], fields: dict[str, Any]) -> Any:
    """The row that `_fields` wrote, not yet saved. What an older version knew of it and this one does not is left out."""
    text = json.dumps([{"model": model._meta.label_lower, "fields": fields}])
    [row] = serializers.deserialize("json", text, ignorenonexistent=True)
    return row.object
