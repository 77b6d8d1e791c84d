"""Putting a hospital that was built from its archive into the living one's place."""

import time
from collections.abc import Callable
from datetime import datetime

from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection, transaction

from audit import services as audit
from audit.models import Action
from core import schemas
from core.queue import after_commit
from tenants import hosts, provisioning, roles
from tenants import services as tenants
from tenants.archives import contents, files
from tenants.archives.exporting import from_fields
from tenants.archives.manifest import Manifest, Refused
from tenants.archives.packing import Archive
from tenants.models import HOME_CELL, Domain, DomainClaim, Hospital

_PATIENCE = 60.0  # seconds for writers who are under way
# Shorter than Postgres takes to look for a deadlock: of a visitor and us, it is we who give way and try again.
_TAKE_LOCKS = "SET LOCAL lock_timeout TO '800ms'"


def swap(*, hospital: Hospital, archive: Archive, restored: str, now: datetime) -> str:
    """Replace the living hospital by the restored one; returns the name under which the old schema is kept, if any.

    The hospital is out of service while its schemas change their names. Whatever goes wrong before they have leaves the
    living one as it was.
    """
    _bring_up_to_date(restored, archive.manifest, cell=hospital.cell)
    _restore_files(archive)
    tenants.pause(hospital=hospital, why=Hospital.Pause.RESTORE, now=now)
    try:
        hospital.refresh_from_db()
        if hospital.pause == Hospital.Pause.MOVE:
            raise Refused(f"{hospital.name} is being moved to another cell: wait for that, then run this again.")
        replaced = _exchange(hospital, archive, restored, now)
        with transaction.atomic():
            Hospital.objects.filter(pk=hospital.pk).update(schema_version=provisioning.version())
            audit.record(action=Action.HOSPITAL_RESTORED, target=hospital, by=None, data=_said(archive))
    finally:
        tenants.unpause(hospital=hospital, why=Hospital.Pause.RESTORE)
    _tell_other_rooms(hospital)
    return replaced


def _bring_up_to_date(restored: str, manifest: Manifest, *, cell: str) -> None:
    """Migrate the restored schema, if it is of an older version, before anybody works in it."""
    if manifest.schema_version != provisioning.version():
        with schemas.as_owner(cell):
            call_command("migrate_schemas", schema_name=restored, interactive=False, verbosity=0)


def _restore_files(archive: Archive) -> None:
    """Write those that are missing or differ. Files that came later stay: no row names them."""
    for path, file in archive.manifest.files.items():
        if files.judge(path) != file:
            with archive.file(path) as content:
                files.put(path, content)


def _exchange(hospital: Hospital, archive: Archive, restored: str, now: datetime) -> str:
    """Rename both schemas in one transaction, in which nobody writes; tries again while somebody does."""
    replaced = f"{hospital.schema_name}_replaced_{now:%Y%m%d%H%M%S}"

    def exchange() -> str:
        with connection.cursor() as cursor:
            cursor.execute(_TAKE_LOCKS)
            if living := contents.tables(hospital.schema_name):
                cursor.execute(f"LOCK TABLE {contents.names(hospital.schema_name, living)} IN ACCESS EXCLUSIVE MODE")
        is_there = contents.exists(hospital.schema_name)
        if is_there:
            contents.rename_schema(old=hospital.schema_name, new=replaced)
            _shut(replaced, role=hospital.schema_name)
        _take_place(hospital, archive, restored)
        return replaced if is_there else ""

    with schemas.as_owner(hospital.cell):
        return _when_nobody_writes(exchange)


def _when_nobody_writes(work: Callable[[], str]) -> str:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            with transaction.atomic():
                return work()
        except OperationalError as refusal:  # the lock timeout, or a deadlock in which we were the one to give way
            if getattr(refusal.__cause__, "pgcode", "") not in ("55P03", "40P01"):
                raise
            if time.monotonic() > deadline:
                raise Refused(
                    "Somebody has been writing in the hospital for a minute and does not come to an end. It is as it was: "
                    "look for the transaction in pg_stat_activity, then run this again."
                ) from None
        time.sleep(0.2)


def _shut(schema: str, *, role: str) -> None:
    """Nobody but the owner looks into a schema that was replaced."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is not None:
            quote = connection.ops.quote_name
            cursor.execute(f"REVOKE ALL ON SCHEMA {quote(schema)} FROM {quote(role)}")


def _take_place(hospital: Hospital, archive: Archive, restored: str) -> None:
    """Give the restored schema the hospital's name and rights, and its log a row that says so."""
    if contents.mark_of(restored) != archive.digest:
        raise Refused("Another restore has taken its place meanwhile: run this again.")
    contents.rename_schema(old=restored, new=hospital.schema_name)
    roles.admit(schema=hospital.schema_name, cell=hospital.cell)
    with schemas.schema_context(hospital.schema_name):
        audit.record(action=Action.HOSPITAL_RESTORED, target=hospital, by=None, data=_said(archive))


def _said(archive: Archive) -> dict[str, str]:
    return {"archive": archive.digest, "exported_at": archive.manifest.exported_at}


def _tell_other_rooms(hospital: Hospital) -> None:
    """The search and people's lists of visits are written anew from the hospital's own rows, by a worker."""
    with schemas.schema_context(hospital.schema_name), transaction.atomic():
        after_commit("appointments.settle_restored")


# --- A hospital that does not live here any more ----------------------------------------------------------------------


def reopen(*, archive: Archive, gone: Hospital | None, restored: str) -> Hospital:
    """Let a hospital live here again that was deleted, or comes from another installation. It begins suspended.

    Row, domains, schema and rights come into being together. Domains of its own that somebody else holds now are left
    out. Raises Refused when its registration number or its subdomain is somebody else's.
    """
    manifest = archive.manifest
    with schemas.as_owner():
        if contents.exists(manifest.schema_name):
            raise Refused(
                f"The schema {manifest.schema_name} is there, and no hospital's. Look what is in it, and drop it."
            )
    _bring_up_to_date(restored, manifest, cell=HOME_CELL)
    _restore_files(archive)
    try:
        with schemas.as_owner(), transaction.atomic():
            hospital = _row_again(manifest, gone, archive)
            _domains_again(manifest, hospital)
            _take_place(hospital, archive, restored)
    except IntegrityError:
        raise Refused(
            f"Somebody else is registered under the number or the subdomain of {manifest.name} now. Nothing was changed."
        ) from None
    _tell_other_rooms(hospital)
    return hospital


def _row_again(manifest: Manifest, gone: Hospital | None, archive: Archive) -> Hospital:
    fresh = {
        "schema_version": provisioning.version(),
        "cell": HOME_CELL,
        "deletion_due_at": None,
        "deletion_archive": "",
    }
    suspended = Hospital.Status.SUSPENDED
    if gone is not None:
        logos = {name: manifest.hospital[name] for name in ("logo", "logo_thumb")}
        audit.move(gone, suspended, by=None, data=_said(archive), also={**fresh, **logos})
        audit.record(action=Action.HOSPITAL_RESTORED, target=gone, by=None, data=_said(archive))
        return gone
    hospital: Hospital = from_fields(Hospital, manifest.hospital)
    for name, value in {**fresh, "status": suspended, "pause": "", "paused_at": None, "pause_note": ""}.items():
        setattr(hospital, name, value)
    hospital.save(force_insert=True)
    audit.record(action=Action.HOSPITAL_RESTORED, target=hospital, by=None, new=suspended, data=_said(archive))
    return hospital


def _domains_again(manifest: Manifest, hospital: Hospital) -> None:
    tenants.assign_subdomain(hospital=hospital)
    for fields in manifest.domains:
        if not Domain.objects.filter(domain=fields["domain"]).exists() and not fields["is_primary"]:
            domain: Domain = from_fields(Domain, {**fields, "tenant": hospital.pk})
            domain.save()
    for fields in manifest.claims:
        claim: DomainClaim = from_fields(DomainClaim, {**fields, "hospital": hospital.pk})
        claim.save()
    hosts.changed(hospital)
