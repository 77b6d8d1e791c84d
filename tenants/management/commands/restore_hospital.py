"""`manage.py restore_hospital`: check an archive, build the hospital beside the living one, and put it in its place."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from core.errors import DomainError
from tenants.archives import restoring, swapping
from tenants.archives.packing import Archive
from tenants.models import HOME_CELL, Hospital


class Command(BaseCommand):
    """Without --swap nothing that lives is touched, which makes it the drill as well."""

    help = "Build a hospital from its archive beside the living one, compare the two, and with --swap replace it."

    def add_arguments(self, parser: CommandParser) -> None:
        """The archive, and how far to go."""
        parser.add_argument("file", type=Path, help="an archive of export_hospital")
        parser.add_argument("--check", action="store_true", help="only check the archive; needs no database")
        parser.add_argument("--swap", action="store_true", help="replace the living hospital, or open it again")
        parser.add_argument("--unsigned-is-fine", action="store_true", help="take an archive that was signed elsewhere")
        parser.add_argument("--people-may-be-missing", action="store_true", help="go on without accounts it names")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        """Check, build, compare, and replace if asked to."""
        try:
            with Archive.reading(file, unsigned_is_fine=options["unsigned_is_fine"]) as archive:
                self._say_what_it_is(archive)
                if not options["check"]:
                    self._restore(archive, may_miss=options["people_may_be_missing"], swap=options["swap"])
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal

    def _say_what_it_is(self, archive: Archive) -> None:
        manifest = archive.manifest
        self.stdout.write(
            f"The archive is whole: {manifest.name} as it was at {manifest.exported_at}, {manifest.rows} rows of "
            f"{len(manifest.tables)} tables and {len(manifest.files)} files.\nSHA-256 {archive.digest}"
        )
        for path in manifest.missing_files:
            self.stderr.write(f"{path} was missing from the storage when it was exported.")

    def _restore(self, archive: Archive, *, may_miss: bool, swap: bool) -> None:
        hospital = restoring.hospital_of(archive.manifest)
        restoring.require_usable(archive, people_may_be_missing=may_miss)
        restored = restoring.build(archive, cell=hospital.cell if hospital else HOME_CELL)
        self.stdout.write(f"Restored into the schema {restored}: every checksum is that of the export.")
        if hospital is not None and restoring.is_living(hospital):
            self._compare(archive, hospital)
            if swap:
                self._swap(archive, hospital, restored)
        elif swap:
            self._reopen(archive, hospital, restored)
        if not swap:
            self.stdout.write(
                "Nothing that lives was touched. To put the restored one in its place, run this again with --swap; to "
                f"drop it, run: manage.py delete_hospital {archive.manifest.hospital['slug']} --leftovers"
            )

    def _compare(self, archive: Archive, hospital: Hospital) -> None:
        compared = restoring.compare(archive, hospital)
        for one in compared:
            if not one.is_same:
                archived, living = ("none" if count is None else count for count in (one.archived, one.living))
                self.stdout.write(f"  {one.name}: {archived} in the archive, {living} now")
        same = sum(one.is_same for one in compared)
        self.stdout.write(f"{same} of {len(compared)} tables, the files being counted as one, are the same as now.")
        for name in restoring.registry_differences(archive.manifest):
            self.stdout.write(f"  The portal's own record differs in: {name}. Restoring leaves it as it is now.")

    def _swap(self, archive: Archive, hospital: Hospital, restored: str) -> None:
        replaced = swapping.swap(hospital=hospital, archive=archive, restored=restored, now=now())
        self.stdout.write(f"{hospital.name} is what it was at {archive.manifest.exported_at}.")
        if replaced:
            self.stdout.write(
                f"What it had until now is kept in the schema {replaced}. To drop it, run: "
                f"manage.py delete_hospital {hospital.slug} --leftovers"
            )
        hospital.refresh_from_db()
        if hospital.pause:
            self.stdout.write(
                f"It is still out of service: {hospital.get_pause_display()}. Run: manage.py migrate_hospitals --only "
                f"{hospital.slug}"
            )

    def _reopen(self, archive: Archive, gone: Hospital | None, restored: str) -> None:
        hospital = swapping.reopen(archive=archive, gone=gone, restored=restored)
        self.stdout.write(
            f"{hospital.name} lives here again, suspended. Open it on the portal, at Hospitals; its domains are back."
        )
