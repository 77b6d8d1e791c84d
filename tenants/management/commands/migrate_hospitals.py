"""`manage.py migrate_hospitals`: bring every hospital's schema up to date."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from tenants import provisioning
from tenants.models import Hospital


class Command(BaseCommand):
    """Migrates hospitals whose schema is behind, one after the other; one that fails does not stop the rest."""

    help = "Migrate the schemas of hospitals that are behind. Nothing to do costs one query."

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, and list those that failed."""
        behind = Hospital.objects.with_schema().exclude(schema_version=provisioning.version()).order_by("pk")
        failed = []
        for hospital in behind:
            try:
                # Never for all schemas at once: a pending hospital has none, and its tables would land in public.
                call_command("migrate_schemas", schema_name=hospital.schema_name, interactive=False, verbosity=0)
            except Exception as error:  # noqa: BLE001  whatever it is, the other hospitals must not wait for it
                failed.append(f"{hospital.name} ({hospital.schema_name}): {error}")
                continue
            Hospital.objects.filter(pk=hospital.pk).update(schema_version=provisioning.version())
            self.stdout.write(f"Migrated {hospital.name}")
        if failed:
            raise CommandError("These hospitals could not be migrated:\n" + "\n".join(failed))
