"""`manage.py prepare`: everything the database needs before the platform starts."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Migrates the public schema, then the hospitals. Safe to run at every start."""

    help = "Migrate the public schema and every hospital's."

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate both kinds of schema."""
        call_command("migrate_schemas", shared=True, interactive=False, verbosity=options["verbosity"])
        call_command("migrate_hospitals", verbosity=options["verbosity"], stdout=self.stdout)
