"""A Postgres and a Valkey that write to disk as `make run`'s do, in a temporary folder that forgets everything at the end.

`rhms` is an empty database after `manage.py prepare`. Every measurement gets a copy of it, or the one with many hospitals.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from rhms.embedded import Postgres, Valkey

ROOT = Path(__file__).resolve().parent.parent
PREPARED = "rhms"
CELL = "north"
HOST = "rhms.example"


@contextmanager
def servers(*, durable: bool) -> Iterator[dict[str, str]]:
    """The servers, `durable` or without waiting for the disk, and a production's environment that leads there."""
    with tempfile.TemporaryDirectory(prefix="rhms-bench-") as made, ExitStack() as stack:
        folder = Path(made)
        if os.geteuid() == 0:
            folder.chmod(0o711)  # root's servers run as somebody else
        postgres, valkey = Postgres(folder=folder / "postgres", durable=durable), Valkey(folder=folder / "valkey")
        postgres.shared_buffers = "1GB"  # who has a thousand hospitals has more memory than a laptop spares
        for server in (postgres, valkey):
            stack.callback(server.stop)
            server.start()
        (folder / "static").mkdir()
        yield {
            **{name: value for name, value in os.environ.items() if name.startswith("BENCH_")},
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "bench.settings",
            "DATABASE_URL": postgres.url,
            "DATABASE_OWNER_URL": postgres.owner_url,
            "REDIS_URL": valkey.url,
            "DEBUG": "false",
            "SECRET_KEY": "for-this-measurement-only-" + "x" * 40,
            "SITE_URL": f"https://{HOST}",
            "TRUSTED_PROXIES": "1",
            "EMAIL_URL": "smtp://user:password@localhost:587/?tls=True",  # nobody delivers
            "MEDIA_ROOT": str(folder / "media"),
        }


def run(environment: dict[str, str], *arguments: str) -> None:
    """Run Python in that environment; its words go where ours go. Raises CalledProcessError when it fails."""
    # Not in the project's folder: a developer's own `.env` there has no say in this.
    subprocess.run([sys.executable, *arguments], cwd="/", env=environment, check=True)


def of_database(environment: dict[str, str], name: str) -> dict[str, str]:
    """The same environment with another database."""
    urls = {key: at_database(environment[key], name) for key in ("DATABASE_URL", "DATABASE_OWNER_URL")}
    return environment | urls


def at_database(url: str, name: str) -> str:
    """The address of another database of the same server."""
    scheme, place, _path, query, fragment = urlsplit(url)
    return urlunsplit((scheme, place, f"/{name}", query, fragment))


def cell(environment: dict[str, str]) -> dict[str, str]:
    """A further database, empty, and the settings that make it the cell "north" of the environment's."""
    make_database(environment, CELL, copy_of=None)
    owner = urlsplit(environment["DATABASE_OWNER_URL"])
    place = f"{owner.hostname}:{owner.port}"
    return {
        "CELLS": f"{CELL}=postgres://rhms_{CELL}:bench@{place}/{CELL}",
        "CELL_OWNERS": f"{CELL}={at_database(owner.geturl(), CELL)}",
        "CELL_REGISTRY_URL": f"postgres://rhms_cells:bench@{place}{owner.path}",
    }


def make_database(environment: dict[str, str], name: str, *, copy_of: str | None = PREPARED) -> None:
    """An empty database, or a copy of one that nobody is connected to."""
    source = f'TEMPLATE "{copy_of}" STRATEGY FILE_COPY' if copy_of else ""
    with maintenance(environment) as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" {source}')


def drop_database(environment: dict[str, str], name: str) -> None:
    """Remove a database."""
    with maintenance(environment) as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def maintenance(environment: dict[str, str]) -> Iterator[Any]:
    """The owner's cursor in the server's own database, for what concerns the whole server."""
    link = psycopg2.connect(at_database(environment["DATABASE_OWNER_URL"], "postgres"))
    link.autocommit = True
    try:
        with link.cursor() as cursor:
            yield cursor
    finally:
        link.close()
