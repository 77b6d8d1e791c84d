"""`manage.py prepare`: everything the database needs before the platform starts."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import OperationalError, transaction

from core import schemas
from tenants import roles
from tenants.cells import preparing
from tenants.management.commands.migrate_hospitals import LeftBehindError


class Command(BaseCommand):
    """Makes the roles, migrates the public schema, prepares the cells, then migrates the hospitals. Safe at every start."""

    help = "Make the roles, and migrate the public schema and every hospital's."

    def handle(self, *args: Any, **options: Any) -> None:
        """Roles, then the public schema, the cells' ways to it, and the hospitals."""
        with schemas.as_owner():
            with transaction.atomic():
                roles.make_shared()
            call_command("migrate_schemas", shared=True, interactive=False, verbosity=options["verbosity"])
            with transaction.atomic():
                roles.grant_shared()
                roles.admit_all()
        for cell in settings.CELLS:
            try:
                preparing.prepare(cell)
            except OperationalError as error:  # the other cells need not wait for its database
                self.stderr.write(
                    f"The cell {cell} could not be prepared, and its hospitals may not work with this version. When its "
                    f"database answers, run: manage.py prepare_cell {cell}\n{error}"
                )
        try:
            call_command("migrate_hospitals", verbosity=options["verbosity"], stdout=self.stdout)
        except LeftBehindError as left_behind:
            # All others must not wait for them: the new version starts, and tells these hospitals' visitors so.
            self.stderr.write(str(left_behind))
