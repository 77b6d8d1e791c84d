"""A real PgBouncer in front of the tests' Postgres: many clients, two sessions, handed out for a transaction each."""

import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2

from rhms.processes import start
from rhms.server_user import ENVIRONMENT, account_for

PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
SESSIONS = 2
PATIENCE = 20.0

_CONFIGURATION = """
[databases]
* = host={host} port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {sessions}
max_client_conn = 60
"""


@contextmanager
def running_pooler(target: dict[str, Any]) -> Iterator[int]:
    """PgBouncer for the login and the server of a database's settings; gives its port."""
    with tempfile.TemporaryDirectory(prefix="rhms-pooler-") as made:
        folder = Path(made)
        account = account_for(folder / "users")  # it refuses root, as Postgres does
        port = _free_port()
        # It signs in to Postgres by itself, so that it needs the password, and not only what proves it.
        (folder / "users").write_text(f'"{target["USER"]}" "{target["PASSWORD"]}"\n')
        (folder / "pooler.ini").write_text(
            _CONFIGURATION.format(
                host=target["HOST"], server_port=target["PORT"], port=port, folder=folder, sessions=SESSIONS
            )
        )
        if account:
            for path in (folder, folder / "users", folder / "pooler.ini"):
                os.chown(path, account.uid, account.gid)
        with (folder / "log").open("wb") as log:
            process = start(
                [str(PROGRAM), str(folder / "pooler.ini")],
                record=folder / "process",
                stdout=log,
                stderr=log,
                cwd=folder,
                env=ENVIRONMENT,
                gentle=signal.SIGINT,
                account=account,
            )
        try:
            _wait_for(port, target, folder / "log")
            yield port
        finally:
            process.kill()
            process.wait()


def _wait_for(port: int, target: dict[str, Any], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            link = psycopg2.connect(
                host="127.0.0.1", port=port, dbname="postgres", user=target["USER"], password=target["PASSWORD"]
            )
        except psycopg2.OperationalError:
            if time.monotonic() > deadline:
                raise AssertionError(f"PgBouncer does not answer: {log.read_text()}") from None
            time.sleep(0.05)
        else:
            link.close()
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
