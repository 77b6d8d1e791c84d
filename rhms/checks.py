"""The part of `make check` that needs settings or a database: migrations, deployment settings, generated files.

`python -m rhms.checks --write` (`make generate`) writes the generated files instead.
"""

import os
import secrets
import subprocess
import sys
from pathlib import Path

from rhms.embedded import Addresses, temporary_servers
from rhms.server_user import CannotStartError

ROOT = Path(__file__).resolve().parent.parent
MANAGE = (sys.executable, str(ROOT / "manage.py"))
WRITERS = (
    (*MANAGE, "make_ddl"),
    (*MANAGE, "make_permissions"),
    (sys.executable, "-m", "design.build"),
)
CHECKS = (
    (*MANAGE, "prepare", "--verbosity", "0"),  # the roles that whoever asks the database takes
    (*MANAGE, "makemigrations", "--check", "--dry-run"),
    (*MANAGE, "check_migrations"),
    (*MANAGE, "check", "--deploy", "--fail-level", "WARNING"),
    *((*writer, "--check") for writer in WRITERS),
)


def main() -> int:
    """Run all of them, so that one run shows every fault; 0 when there is none."""
    failed = []
    try:
        with temporary_servers() as servers:
            for command in WRITERS if "--write" in sys.argv else CHECKS:
                title = " ".join(Path(part).name if Path(part).is_absolute() else part for part in command)
                print(f"-- {title}", flush=True)
                # Not in ROOT: a developer's own `.env` there has no say in this.
                if subprocess.run(command, cwd="/", env=production_like(servers), check=False).returncode != 0:
                    failed.append(title)
    except CannotStartError as reason:
        print(reason, file=sys.stderr)
        return 1
    if failed:
        print(f"\nFailed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def production_like(servers: Addresses) -> dict[str, str]:
    """A production environment as an operator would write it, on throw-away servers."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "rhms.settings",
        "DEBUG": "false",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "SITE_URL": "https://rhms.example",
        "DATABASE_URL": servers.database_url,
        "DATABASE_OWNER_URL": servers.database_owner_url,
        "REDIS_URL": servers.redis_url,
        "EMAIL_URL": "smtp://user:password@localhost:587/?tls=True",
    }


if __name__ == "__main__":
    sys.exit(main())
