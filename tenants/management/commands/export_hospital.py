"""`manage.py export_hospital`: write one hospital, with its files, into an archive."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from core.errors import DomainError
from tenants.archives import exporting
from tenants.models import Hospital


class Command(BaseCommand):
    """The hospital goes on working: the archive holds one moment of it."""

    help = "Write one hospital, with its files, into an archive that restore_hospital reads."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which hospital, and where to."""
        parser.add_argument("slug", help="its subdomain")
        parser.add_argument("file", type=Path, help="a file that does not exist yet")

    def handle(self, *args: Any, slug: str, file: Path, **options: Any) -> None:
        """Export, and say what is in the archive."""
        hospital = Hospital.objects.with_schema().filter(slug=slug).first()
        if hospital is None:
            raise CommandError(f"No open or suspended hospital has the subdomain {slug}.")
        try:
            made = exporting.export(hospital=hospital, path=file, now=now())
        except (DomainError, OSError) as refusal:
            raise CommandError(str(refusal)) from refusal
        manifest = made.manifest
        self.stdout.write(
            f"{hospital.name} is in {file}: {manifest.rows} rows of {len(manifest.tables)} tables and "
            f"{len(manifest.files)} files.\nSHA-256 {made.digest}\nIt holds patients' data and is not encrypted: keep "
            "it where only you can read it."
        )
        for path in manifest.missing_files:
            self.stderr.write(f"A row names {path}, which is not in the storage.")
