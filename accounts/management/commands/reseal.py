"""`manage.py reseal`: encrypt the secrets of authenticator apps with the present SECRET_KEY."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from accounts.services import keys


class Command(BaseCommand):
    """For the day on which SECRET_KEY is replaced, see docs/runbook.md."""

    help = "Encrypt the secrets of authenticator apps with the present SECRET_KEY."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --old-key-file."""
        parser.add_argument(
            "--old-key-file", type=Path, help="holds a key that is not in SECRET_KEY_FALLBACKS any more"
        )

    def handle(self, *args: Any, old_key_file: Path | None, **options: Any) -> None:
        """Seal anew, and say how many."""
        if old_key_file:
            settings.SECRET_KEY_FALLBACKS = [*settings.SECRET_KEY_FALLBACKS, old_key_file.read_text().strip()]
        done, lost = keys.reseal()
        self.stdout.write(f"{done} sealed with the present key, {lost} cannot be read with any known key.")
