"""`manage.py prepare_cell`: make the database of a cell fit for hospitals."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.cells import preparing


class Command(BaseCommand):
    """Makes the cell's login and the way to the registry's shared tables. `prepare` does it for every cell."""

    help = "Make the database of a cell, one of CELLS, fit for hospitals. Safe to run again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the name."""
        parser.add_argument("cell", help="one of CELLS")

    def handle(self, *args: Any, cell: str, **options: Any) -> None:
        """Prepare it."""
        if cell not in settings.CELLS:
            raise CommandError(f"There is no cell {cell!r}. Those of CELLS are: {', '.join(settings.CELLS) or 'none'}.")
        made = preparing.prepare(cell)
        if options["verbosity"]:
            self.stdout.write(f"The cell {cell} is {'ready' if made else 'as it should be'}.")
