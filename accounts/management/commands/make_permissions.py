"""`manage.py make_permissions`: write docs/permissions.md from accounts/permissions.py."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.permissions import ROLES, SUPPORT, Permission, Role

PAGE = Path(settings.BASE_DIR) / "docs" / "permissions.md"
HEAD = """# Who may do what

Made by `manage.py make_permissions` from `accounts/permissions.py`. Do not edit: change the roles there.

The superadmin has power on the portal only. Every other role is a row in one hospital's schema and counts on that
hospital's host only. `public` doors are open to everybody, `signed_in` and `own_account` ones to every person with an
account, about themselves. Where two-factor is required and missing, a role gives nothing.

The last column is a superadmin who acts in a hospital admin's name, for 30 minutes and with a reason.
"""


def text() -> str:
    """The page: one row for each permission, one column for each role."""
    columns = [(str(role.label), ROLES[role]) for role in Role]
    columns.append(("Acting for support", SUPPORT & ROLES[Role.HOSPITAL_ADMIN]))
    lines = [
        "| Permission | " + " | ".join(name for name, _held in columns) + " |",
        "|---" * (len(columns) + 1) + "|",
        *(
            f"| `{permission}` | " + " | ".join("yes" if permission in held else "" for _name, held in columns) + " |"
            for permission in Permission
            if permission not in (Permission.PUBLIC, Permission.SIGNED_IN, Permission.OWN_ACCOUNT)
        ),
    ]
    return HEAD + "\n" + "\n".join(lines) + "\n"


class Command(BaseCommand):
    """Writes the page; `--check` only tells whether it is up to date."""

    help = "Write docs/permissions.md from the roles."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --check."""
        parser.add_argument("--check", action="store_true", help="change nothing, fail if the page is out of date")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        """Write, or compare."""
        if not check:
            PAGE.write_text(text())
        elif not PAGE.exists() or PAGE.read_text() != text():
            raise CommandError("docs/permissions.md is out of date. Run: python manage.py make_permissions")
