"""Deleting the data of a hospital that has left: after its export, after a waiting period, and never by surprise."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import InternalError, connection, transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from audit import services as audit
from audit.models import Action
from core import hosts as addresses
from core import schemas
from core.colour import PORTAL_ACCENT
from notifications import services as notifications
from tenants import hosts, roles
from tenants.archives import contents, files, restoring
from tenants.archives.manifest import Refused
from tenants.archives.packing import Archive
from tenants.models import Hospital


def plan(*, hospital: Hospital, archive: Archive, days: int, now: datetime) -> datetime:
    """Plan to delete a suspended hospital in so many days, and write to it when; returns when that is.

    Raises Refused unless the archive holds exactly what the hospital has.
    """
    _require_suspended(hospital)
    _require_same(hospital, archive)
    due = now + timedelta(days=days)
    free = Hospital.objects.filter(pk=hospital.pk, status=Hospital.Status.SUSPENDED, deletion_due_at=None)
    with transaction.atomic():
        if not free.update(deletion_due_at=due, deletion_archive=archive.digest):
            raise Refused(f"Somebody else has just decided about {hospital.name}. Look at it again.")
        hospital.deletion_due_at, hospital.deletion_archive = due, archive.digest
        said = {"archive": archive.digest, "due_at": due.isoformat()}
        audit.record(action=Action.HOSPITAL_DELETION_PLANNED, target=hospital, by=None, data=said)
        _write(hospital, due)
    return due


def delete(*, hospital: Hospital, archive: Archive, now: datetime) -> list[str]:
    """Delete the hospital's data for good when that is due; returns what could not be deleted, in sentences.

    Its row stays, closed, for the log. Everything else of it goes: hosts, search, schema, rights, files. Raises Refused
    unless this is the archive that was given when the deletion was planned, and nothing was written since. Should it die
    half-way, the next call goes on.
    """
    if hospital.deletion_archive != archive.digest:
        raise Refused(
            f"This is not the archive with which the deletion of {hospital.name} was planned. That one has the SHA-256 "
            f"{hospital.deletion_archive}."
        )
    if hospital.status != Hospital.Status.CLOSED:
        _require_suspended(hospital)
        if hospital.deletion_due_at is None or hospital.deletion_due_at > now:
            raise Refused(f"The deletion of {hospital.name} is not due yet.")
        _require_same(hospital, archive)
        _close(hospital)
    drop_leftovers(hospital)
    said = _drop_schema(hospital)
    files.delete_below(str(hospital.code))
    return said


def drop_leftovers(hospital: Hospital) -> list[str]:
    """Delete the schemas that restoring and moving have left beside the hospital's own; returns their names."""
    dropped = []
    for cell in schemas.cells():
        with schemas.as_owner(cell):
            for schema in restoring.leftovers(hospital):
                with transaction.atomic():
                    contents.drop_schema(schema)
                dropped.append(schema)
    return dropped


def _require_suspended(hospital: Hospital) -> None:
    if hospital.status != Hospital.Status.SUSPENDED:
        raise Refused(
            f"{hospital.name} is {hospital.get_status_display().lower()}. Only a suspended hospital is deleted."
        )


def _require_same(hospital: Hospital, archive: Archive) -> None:
    if archive.manifest.folder != str(hospital.code):
        raise Refused(f"This is an archive of {archive.manifest.name}, not of {hospital.name}.")
    differing = [compared.name for compared in restoring.compare(archive, hospital) if not compared.is_same]
    if differing:
        raise Refused(
            f"{hospital.name} is not what this archive holds: {', '.join(differing)} differ. Export it again while it is "
            "suspended. If its deletion is planned with this archive, call that off first."
        )


def _write(hospital: Hospital, due: datetime) -> None:
    """Tell the hospital at its own address."""
    notifications.notify(
        to_address=hospital.email,
        to_name=hospital.contact_person,
        template="hospital_deletion_planned",
        subject=_("Your hospital's data will be deleted"),
        brand_name=addresses.PORTAL_NAME,
        accent=PORTAL_ACCENT,
        context={
            "hospital_name": hospital.name,
            "host": hospital.host,
            "reference": hospital.reference,
            "due_date": date_format(due.astimezone(ZoneInfo(hospital.time_zone)), "j F Y"),
            "link": addresses.portal_url("home"),
            "contact": settings.SUPPORT_EMAIL,
        },
    )


@transaction.atomic
def _close(hospital: Hospital) -> None:
    """Close its row, and delete whatever else in public is the hospital's alone: hosts, search, when people are there."""
    gone = {"deletion_due_at": None, "schema_version": "", "logo": "", "logo_thumb": ""}
    said = {"archive": hospital.deletion_archive}
    audit.move(hospital, Hospital.Status.CLOSED, by=None, data=said, also=gone)
    hosts.changed(hospital)  # while its hosts are known
    for field in Hospital._meta.get_fields(include_hidden=True):
        if field.auto_created and not field.concrete:  # a row elsewhere that names the hospital
            field.related_model._base_manager.filter(**{field.field.name: hospital}).delete()  # type: ignore[union-attr]


def _drop_schema(hospital: Hospital) -> list[str]:
    """Drop the schema and its role, which other databases of the same server may still need."""
    role, said = connection.ops.quote_name(hospital.schema_name), []
    for cell in schemas.cells():
        with schemas.as_owner(cell):
            with transaction.atomic():
                contents.drop_schema(hospital.schema_name)
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute(roles.LOCK)
                    cursor.execute(f"DROP ROLE IF EXISTS {role}")
            except InternalError as refusal:
                if getattr(refusal.__cause__, "pgcode", "") != "2BP01":
                    raise
                said.append(f"The role {role} stays: another database of this server gives it rights.")
    return said
