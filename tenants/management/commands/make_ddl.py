"""`manage.py make_ddl`: write tenants/hospital.sql from the migrations."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants import provisioning


class Command(BaseCommand):
    """Writes the DDL of a hospital's schema; `--check` only tells whether the file is up to date."""

    help = "Write the DDL of a hospital's schema from the migrations."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --check."""
        parser.add_argument("--check", action="store_true", help="change nothing, fail if the file is out of date")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        """Write, or compare."""
        text = provisioning.generate_ddl()
        if check:
            if not provisioning.DDL.exists() or provisioning.DDL.read_text() != text:
                raise CommandError("tenants/hospital.sql is out of date. Run: python manage.py make_ddl")
        else:
            provisioning.DDL.write_text(text)
            self.stdout.write(f"Wrote {provisioning.DDL}")
