"""`manage.py check_migrations`: refuse migrations that the running version would not survive."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants import expand_form


class Command(BaseCommand):
    """Looks through the rooms' migrations, and says what to write instead."""

    help = "Refuse migrations that are not in expand form (see tenants/expand_form.py)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Complain, or say nothing."""
        if faults := expand_form.faults():
            raise CommandError("\n".join(faults))
