"""`make bench`: how long approving a hospital takes on the embedded servers, as `make run` has them, and what two pages take.

The servers live in a temporary folder and forget everything at the end.
"""

import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median, quantiles

import django
from django.db.backends.base.base import BaseDatabaseWrapper

from rhms.embedded import Postgres, Valkey

ROUNDS = 20
PAGE_ROUNDS = 60
TARGET = 1.0


def main() -> int:
    """Measure and print; 1 when the middle approval takes a second or more."""
    with servers() as environment:
        os.environ |= environment
        django.setup()
        return measure()


@contextmanager
def servers() -> Iterator[dict[str, str]]:
    """The default servers, writing to disk as they do for `make run`, and a production's environment."""
    with tempfile.TemporaryDirectory(prefix="rhms-bench-") as made, ExitStack() as stack:
        folder = Path(made)
        if os.geteuid() == 0:
            folder.chmod(0o711)  # root's servers run as somebody else
        urls = []
        for server in (Postgres(folder=folder / "postgres"), Valkey(folder=folder / "valkey")):
            stack.callback(server.stop)
            urls.append(server.start())
        yield {
            "DJANGO_SETTINGS_MODULE": "rhms.settings",
            "DATABASE_URL": urls[0],
            "REDIS_URL": urls[1],
            "DEBUG": "false",
            "SECRET_KEY": "for-this-measurement-only-" + "x" * 40,
            "SITE_URL": "https://rhms.example",
            "EMAIL_URL": "smtp://user:password@localhost:587/?tls=True",  # nobody delivers
            "MEDIA_ROOT": str(folder / "media"),
        }


def measure() -> int:
    """Everything, on an empty database."""
    # Only now are there settings.
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client, override_settings
    from django.utils.timezone import now

    from accounts.models import User
    from core import schemas
    from hospitals.services import joining
    from tenants.models import Hospital

    call_command("prepare", verbosity=0)
    usha = User.objects.create_superuser("usha@rhms.example", secrets.token_hex(), first_name="Usha", last_name="Menon")

    def pending(number: int) -> Hospital:
        return joining.register(
            registration=joining.Registration(
                name=f"Hospital {number}",
                registration_number=f"MH/{number:05d}",
                email=f"office{number}@hospital.example",
                phone_number="+919845012345",
                address="12 Lake Road",
                city="Pune",
                state="MH",
                contact_person="Meera Shah",
                slug=f"hospital-{number}",
            ),
            logo=None,
            address=f"visitor {number}",
        )

    def migrate(name: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA {connection.ops.quote_name(name)}")
        call_command("migrate_schemas", tenant=True, schema_name=name, interactive=False, verbosity=0)

    waiting = [pending(number) for number in range(ROUNDS)]
    approvals = [timed(partial(joining.approve, hospital=one, by=usha, now=now())) for one in waiting]
    migrations = [timed(partial(migrate, f"h_migrated_{number}")) for number in range(3)]
    schemas.enter_public()
    counts = [tables(connection, name) for name in (waiting[0].schema_name, "h_migrated_0")]
    if counts[0] != counts[1] or not counts[0]:
        raise SystemExit(f"What is compared differs: {counts[0]} tables and {counts[1]}.")

    files = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # none is collected
    static = Path(settings.MEDIA_ROOT).with_name("static")
    static.mkdir()
    with override_settings(STORAGES={**settings.STORAGES, **files}, STATIC_ROOT=static):
        pages = {
            "portal, list of hospitals": visits(Client(HTTP_HOST="rhms.example"), "/hospitals/"),
            "hospital, home page": visits(Client(HTTP_HOST="hospital-1.rhms.example"), "/"),
        }

    write(f"{'seconds':<34}{'p50':>8}{'p95':>8}{'max':>8}   n")
    row("approve a hospital", approvals)
    row("migrate_schemas for one schema", migrations)
    write(f"Approving is {median(migrations) / median(approvals):.1f} times as fast as migrating would be.")
    write(f"\n{'milliseconds, without the network':<34}{'p50':>8}{'p95':>8}{'max':>8}   n")
    for name, times in pages.items():
        row(name, [1000 * each for each in times], digits=1)
    if median(approvals) < TARGET:
        return 0
    write(f"\nThe middle approval took longer than {TARGET:.0f} s.")
    return 1


def tables(connection: BaseDatabaseWrapper, schema: str) -> int:
    """How many a schema has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = %s", [schema])
        return int(cursor.fetchone()[0])


def timed(work: Callable[[], object]) -> float:
    """How many seconds it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def visits(client: object, path: str) -> list[float]:
    """How long each of many requests takes, the first ones left out."""

    def visit() -> None:
        response = client.get(path, secure=True)  # type: ignore[attr-defined]  # Django's client, unknown before setup
        if response.status_code != 200:
            raise SystemExit(f"{path} answered {response.status_code}.")

    return [timed(visit) for _ in range(PAGE_ROUNDS)][5:]


def row(name: str, times: list[float], *, digits: int = 3, width: int = 34) -> None:
    """One line of the table."""
    p95 = quantiles(times, n=20, method="inclusive")[-1]
    figures = "".join(f"{each:>8.{digits}f}" for each in (median(times), p95, max(times)))
    write(f"{name:<{width}}{figures}   {len(times)}")


def write(line: str) -> None:
    """To the terminal."""
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
