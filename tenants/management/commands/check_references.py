"""`manage.py check_references`: look for rows in hospitals' schemas that name people who do not exist."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.references import orphans


class Command(BaseCommand):
    """Fails, listing them, when a soft reference points at nothing."""

    help = "Look for soft references that point at nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Look."""
        found = orphans()
        if found:
            raise CommandError("\n".join(found))
        self.stdout.write("Every reference points at a row.")
