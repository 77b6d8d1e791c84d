"""`manage.py move_hospital`: take a hospital to another cell."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count
from django.utils.timezone import now

from core import schemas
from tenants.cells import moving
from tenants.models import Hospital

AT_MOST = 250  # hospitals per login: taking a role gets dearer with every role that a login may take


class Command(BaseCommand):
    """Moves a hospital, which is out of service for a few seconds. Run again after a failure, it goes on or begins anew."""

    help = "Move a hospital to another cell; --list tells how many live in each."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the hospital, the cell and what else can be asked for."""
        parser.add_argument("slug", nargs="?", help="the hospital's subdomain")
        parser.add_argument("cell", nargs="?", help="where it is to live: default, or one of CELLS")
        parser.add_argument("--list", action="store_true", help="tell how many hospitals live in each cell")
        parser.add_argument(
            "--call-off", action="store_true", help="put a hospital back into service whose move has died"
        )
        parser.add_argument("--drop-left-behind", action="store_true", help="drop the schemas in which it lived before")

    def handle(self, *args: Any, slug: str | None, cell: str | None, **options: Any) -> None:
        """Do what was asked for."""
        if options["list"]:
            return self._list()
        hospital = Hospital.objects.with_schema().filter(slug=slug).first()
        if hospital is None:
            raise CommandError(f"There is no open hospital with the subdomain {slug!r}.")
        try:
            if options["call_off"]:
                moving.call_off(hospital=hospital)
                self.stdout.write(f"{hospital.name} is back in service in the cell {hospital.cell}.")
            elif options["drop_left_behind"]:
                dropped = moving.drop_left_behind(hospital=hospital)
                self.stdout.write(f"Dropped: {', '.join(dropped) or 'nothing'}.")
            elif cell:
                self._move(hospital, cell)
            else:
                raise CommandError("Say to which cell, like: manage.py move_hospital cedar north")
        except moving.Refused as refusal:
            raise CommandError(str(refusal)) from None
        return None

    def _move(self, hospital: Hospital, cell: str) -> None:
        moved = moving.move(hospital=hospital, to=cell, now=now())
        self.stdout.write(f"{hospital.name} lives in the cell {cell} now. Moved {moved.rows} rows.")
        self.stdout.write(f"It was out of service for {moved.pause_seconds:.1f} seconds.")
        if moved.left_behind:
            self.stdout.write(
                f"What it left behind is kept as {moved.left_behind}. When all is well, drop it: "
                f"manage.py move_hospital {hospital.slug} --drop-left-behind"
            )

    def _list(self) -> None:
        counts = dict(Hospital.objects.with_schema().values_list("cell").annotate(count=Count("pk")))
        for cell in [*schemas.cells(), *sorted(counts.keys() - set(schemas.cells()))]:
            count = counts.get(cell, 0)
            advice = f"  More than {AT_MOST}: make another cell." if count > AT_MOST else ""
            self.stdout.write(f"{cell}: {count}{advice}")
