"""`manage.py delete_hospital`: plan to delete what a hospital has left behind, call that off, and do it when it is due."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import localtime, now

from core.errors import DomainError
from tenants import services as tenants
from tenants.archives import deleting
from tenants.archives.packing import Archive
from tenants.models import Hospital

_SHORTEST = 7


class Command(BaseCommand):
    """The same words plan the deletion, and carry it out once it is due."""

    help = "Delete a suspended hospital for good, some time after it was exported."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which hospital, and what with it."""
        parser.add_argument("slug", help="its subdomain")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--archive", type=Path, help="an archive that holds exactly what the hospital has")
        what.add_argument("--call-off", action="store_true", help="do not delete it after all")
        what.add_argument("--leftovers", action="store_true", help="only drop what restoring and moving left beside it")
        parser.add_argument("--days", type=int, default=30, help="how long to wait, at least 7 (default 30)")

    def handle(self, *args: Any, slug: str, archive: Path | None, days: int, **options: Any) -> None:
        """Do the next step, and say what it was."""
        try:
            if archive is not None:
                self._next_step(slug, archive, days)
            elif options["call_off"]:
                hospital = _with_schema(slug)
                tenants.call_off_deletion(hospital=hospital, by=None)
                self.stdout.write(f"The deletion of {hospital.name} is called off. It stays suspended.")
            else:
                dropped = deleting.drop_leftovers(_with_schema(slug))
                self.stdout.write("\n".join(f"Dropped {schema}" for schema in dropped) or "There was nothing to drop.")
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal

    def _next_step(self, slug: str, path: Path, days: int) -> None:
        with Archive.reading(path) as archive:
            # By the archive: somebody else may have the subdomain of a closed hospital by now.
            hospital = Hospital.objects.filter(slug=slug, code=archive.manifest.folder).first()
            if hospital is None:
                raise CommandError(
                    f"This is an archive of {archive.manifest.name}, which does not have the subdomain {slug}."
                )
            if hospital.status != Hospital.Status.CLOSED and hospital.deletion_due_at is None:
                self._plan(hospital, archive, days)
                return
            if hospital.deletion_due_at is not None and hospital.deletion_due_at > now():
                self.stdout.write(
                    f"Nothing was deleted: that is due on {localtime(hospital.deletion_due_at):%-d %B %Y}."
                )
                return
            left = deleting.delete(hospital=hospital, archive=archive, now=now())
        self.stdout.write("\n".join([*left, f"{hospital.name} is closed and its data deleted. Keep {path}."]))

    def _plan(self, hospital: Hospital, archive: Archive, days: int) -> None:
        if days < _SHORTEST:
            raise CommandError(f"A hospital is given at least {_SHORTEST} days to change its mind.")
        due = deleting.plan(hospital=hospital, archive=archive, days=days, now=now())
        self.stdout.write(
            f"{hospital.name} will be deleted from {localtime(due):%-d %B %Y, %H:%M} on, when this command is run again "
            f"with the same archive. It has been written to at {hospital.email}. To call it off, resume the hospital or "
            f"run: manage.py delete_hospital {hospital.slug} --call-off"
        )


def _with_schema(slug: str) -> Hospital:
    hospital = Hospital.objects.with_schema().filter(slug=slug).first()
    if hospital is None:
        raise CommandError(f"No open or suspended hospital has the subdomain {slug}.")
    return hospital
