"""`manage.py migrate_hospitals`: bring every hospital's schema up to date."""

import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from core import schemas
from tenants.fleet import planning, running
from tenants.fleet.progress import Progress
from tenants.fleet.upgrading import Outcome
from tenants.models import Hospital

_JOBS = 2


class LeftBehindError(CommandError):
    """Some hospitals are out of service, all others work."""


class Command(BaseCommand):
    """Migrates hospitals whose schema is behind, several at a time; one that fails does not stop the rest."""

    help = "Migrate the schemas of hospitals that are behind. Nothing to do costs one query."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --plan, --jobs and --only."""
        parser.add_argument("--plan", action="store_true", help="only say which hospitals lack what, and show the SQL")
        parser.add_argument("--jobs", type=int, default=_JOBS, help=f"hospitals at the same time (default: {_JOBS})")
        parser.add_argument(
            "--only", nargs="+", metavar="SLUG", default=[], help="only the hospitals of these subdomains"
        )

    def handle(self, *args: Any, plan: bool, jobs: int, only: list[str], **options: Any) -> None:
        """Migrate, and list those that failed."""
        if jobs < 1:
            raise CommandError("--jobs must be 1 or more.")
        hospitals = planning.behind()
        if only:
            self._require(only)
            hospitals = [hospital for hospital in hospitals if hospital.slug in only]
        if not hospitals:
            if options["verbosity"]:
                self.stdout.write("Every hospital is up to date." if not only else "They are up to date.")
        elif plan:
            for line in _planned(hospitals):
                self.stdout.write(line)
        else:
            self._migrate(hospitals, jobs, is_quiet=not options["verbosity"])

    def _require(self, slugs: Sequence[str]) -> None:
        known = Hospital.objects.with_schema().filter(slug__in=slugs).values_list("slug", flat=True)
        if unknown := sorted(set(slugs) - set(known)):
            raise CommandError(f"No open hospital has this subdomain: {', '.join(unknown)}.")

    def _migrate(self, hospitals: Sequence[Hospital], jobs: int, *, is_quiet: bool) -> None:
        progress = Progress(self.stdout, total=len(hospitals))
        began = time.monotonic()
        try:
            refused = running.migrate(
                hospitals=hospitals, jobs=jobs, tell=(lambda _outcome: None) if is_quiet else progress.tell, now=now()
            )
        except running.ReleaseAtFaultError as fault:
            raise CommandError(
                f"{len(fault.refused):,} hospitals could not be migrated, so the release is at fault. None was taken out of "
                "service: do not start the new version, the one that runs may go on.\n"
                f"{_listed(fault.refused)}"
            ) from fault
        if refused:
            raise LeftBehindError(
                f"{len(refused):,} of {len(hospitals):,} hospitals could not be migrated and are out of service:\n"
                f"{_listed(refused)}\n"
                "Put right what it says, then run: python manage.py migrate_hospitals (docs/runbook.md)."
            )
        if not is_quiet:
            self.stdout.write(f"They are up to date, after {time.monotonic() - began:.1f} seconds.")


def _planned(hospitals: Sequence[Hospital]) -> Iterator[str]:
    """What would be done, as lines."""
    by_cell = attrgetter("cell")
    for cell, members in groupby(sorted(hospitals, key=by_cell), key=by_cell):
        with schemas.as_owner(cell):
            groups, lost = planning.plan(cell=cell, hospitals=members)
        for group in groups:
            lacking = ", ".join(f"{migration.app_label}.{migration.name}" for migration in group.lacking)
            yield f"-- These lack {lacking or 'nothing but the note that they are up to date'}:"
            yield from (
                f"--   {hospital.name} ({hospital.slug}, {hospital.schema_name})" for hospital in group.hospitals
            )
            if group.statements is None:
                yield "-- More than SQL that is the same everywhere: each migration runs in Python, hospital by hospital."
            yield from group.statements or ()
        yield from (f"-- {hospital.name} ({hospital.schema_name}) has no schema, or no record." for hospital in lost)


def _listed(refused: Sequence[Outcome]) -> str:
    return "\n".join(
        f"  {one.hospital.name} ({one.hospital.slug}, {one.hospital.schema_name}): {one.error}" for one in refused
    )
