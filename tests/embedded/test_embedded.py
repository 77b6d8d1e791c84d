"""The embedded Postgres and Valkey start, stop, survive, and touch nothing but their own folder."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from rhms.embedded import Postgres, Server, Valkey
from rhms.server_user import CannotStartError

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run its servers as somebody else")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not tmp_path: pytest keeps root's folders to root, and the servers of root run as somebody else."""
    made = Path(tempfile.mkdtemp(prefix="rhms-test-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


def ask(url: str, question: str) -> str:
    """The answer, or the complaint, of psql."""
    psql = Postgres(folder=Path("unused"))._programs()[2]
    asked = subprocess.run([psql, "-XqAt", "-c", question, url], capture_output=True, text=True, check=False)
    return (asked.stdout or asked.stderr).strip()


def pid_of(server: Server) -> int:
    assert server._process is not None
    return server._process.pid


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() == b""
    except OSError:
        return True


def modes_above(path: Path) -> list[tuple[Path, int, int]]:
    return [(parent, parent.stat().st_mode, parent.stat().st_uid) for parent in path.parents]


class TestPostgres:
    def test_data_address_and_port_survive_a_stop(self, folder: Path) -> None:
        first = Postgres(folder=folder / "postgres")
        given = first.start()
        url = first.owner_url
        ask(url, "CREATE TABLE visit AS SELECT 'Asha' AS patient")
        assert first.start() == given, "starting what runs changes nothing"
        first.stop()
        first.stop()

        second = Postgres(folder=folder / "postgres")
        try:
            assert second.start() == given
            assert ask(url, "SELECT patient FROM visit") == "Asha"
            assert ask(url, "SHOW fsync") == "on"
            assert ask(url, "SELECT upper('é') || pg_encoding_to_char(encoding) FROM pg_database LIMIT 1") == "ÉUTF8"
        finally:
            second.stop()

    def test_a_killed_server_starts_again_although_its_pid_belongs_to_somebody_else_now(self, folder: Path) -> None:
        first = Postgres(folder=folder / "postgres")
        first.start()
        ask(first.owner_url, "CREATE TABLE visit AS SELECT 'Asha' AS patient")
        os.kill(pid_of(first), signal.SIGKILL)
        first.stop()
        pid_file = first.data / "postmaster.pid"
        pid_file.write_text(pid_file.read_text().replace(pid_file.read_text().split()[0], str(os.getpid()), 1))

        second = Postgres(folder=folder / "postgres")
        try:
            second.start()
            assert ask(second.owner_url, "SELECT patient FROM visit") == "Asha"
        finally:
            second.stop()

    def test_for_tests_it_is_fast_instead_of_durable(self, folder: Path) -> None:
        server = Postgres(folder=folder / "postgres", durable=False)
        url = server.start()
        try:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                assert ask(url, f"SHOW {setting}") == "off"
            assert ask(url, "SHOW listen_addresses") == "127.0.0.1"
        finally:
            server.stop()

    def test_a_port_taken_meanwhile_is_replaced_unless_it_was_asked_for(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as somebody:
            taken = somebody.getsockname()[1]
            server = Postgres(folder=folder / "postgres", durable=False)
            server.folder.mkdir()
            (server.folder / "port").write_text(str(taken))
            server.start()
            server.stop()
            assert server.port != taken
            with pytest.raises(CannotStartError, match="already in use"):
                Postgres(folder=folder / "postgres", port=taken, durable=False).start()

    def test_the_password_is_kept_to_the_server_and_the_caller(self, folder: Path) -> None:
        server = Postgres(folder=folder / "postgres", durable=False)
        old = os.umask(0o077)
        try:
            server.start()
            url = server.owner_url
            assert stat.S_IMODE((server.folder / "password").stat().st_mode) == 0o600
            assert "password authentication failed" in ask(url.replace(server.password, "guess"), "SELECT 1")
            assert server.password not in server.url, "the platform does not get the owner's"
            assert server.password not in " ".join(server._command()), "everybody may read a command line"
        finally:
            os.umask(old)
            server.stop()

    def test_data_of_another_major_version_is_refused_in_a_sentence(self, folder: Path) -> None:
        server = Postgres(folder=folder / "postgres", durable=False)
        server.data.mkdir(parents=True)
        (server.data / "PG_VERSION").write_text("15\n")
        with pytest.raises(CannotStartError, match="was made by Postgres 15 and this is 18"):
            server.start()


class TestValkey:
    def test_data_address_and_port_survive_a_stop(self, folder: Path) -> None:
        for expected in (None, b"1"):
            server = Valkey(folder=folder / "valkey")
            with redis.Redis.from_url(server.start()) as client:
                assert client.get("queued") == expected
                client.set("queued", "1")
            server.stop()

    def test_for_tests_it_forgets(self, folder: Path) -> None:
        for _ in range(2):
            server = Valkey(folder=folder / "valkey", durable=False)
            with redis.Redis.from_url(server.start()) as client:
                assert client.get("queued") is None
                client.set("queued", "1")
            server.stop()

    def test_it_asks_for_the_password(self, folder: Path) -> None:
        server = Valkey(folder=folder / "valkey", durable=False)
        server.start()
        try:
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as stranger:
                stranger.sendall(b"PING\r\n")
                assert stranger.recv(100).startswith(b"-NOAUTH")
        finally:
            server.stop()


START_AND_WAIT = """
import sys, time
from pathlib import Path
from rhms import embedded
server = getattr(embedded, sys.argv[1])(folder=Path(sys.argv[2]), durable=False)
server.start()
print(server._process.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("kind", [Postgres, Valkey])
class TestBoth:
    def test_it_ends_with_a_starter_that_was_killed_and_never_blocks_the_next(
        self, folder: Path, kind: type[Server]
    ) -> None:
        command = [sys.executable, "-c", START_AND_WAIT, kind.__name__, str(folder / "server")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
            assert starter.stdout is not None
            pid = int(starter.stdout.readline())
            starter.kill()
        server = kind(folder=folder / "server", durable=False)
        server.start()
        server.stop()
        assert is_gone(pid)

    def test_an_orphan_is_stopped_first(self, folder: Path, kind: type[Server]) -> None:
        orphan = kind(folder=folder / "server", durable=False)
        orphan.start()
        pid, orphan_process = pid_of(orphan), orphan._process
        orphan._process = None  # forgotten, as by a starter that the kernel could not tie it to
        record = (folder / "server" / "server.process").read_text()
        orphan.stop()
        (folder / "server" / "server.process").write_text(record)

        server = kind(folder=folder / "server", durable=False)
        server.start()
        server.stop()
        assert orphan_process is not None
        assert orphan_process.wait(0.1) == 0, f"process {pid} was asked gently"

    def test_one_folder_has_one_starter(self, folder: Path, kind: type[Server]) -> None:
        server = kind(folder=folder / "server", durable=False)
        server.start()
        try:
            with pytest.raises(CannotStartError, match="already runs in"):
                kind(folder=folder / "server", durable=False).start()
        finally:
            server.stop()

    def test_no_folder_above_its_own_is_changed(self, folder: Path, kind: type[Server]) -> None:
        before = [modes_above(folder / "server"), modes_above(Path(sys.prefix) / "bin")]
        server = kind(folder=folder / "server", durable=False)
        server.start()
        server.stop()
        assert [modes_above(folder / "server"), modes_above(Path(sys.prefix) / "bin")] == before

    @root_only
    def test_root_is_told_which_folder_the_server_cannot_enter(self, folder: Path, kind: type[Server]) -> None:
        private = folder / "private"
        private.mkdir(mode=0o700)
        with pytest.raises(CannotStartError, match=f"needs to get through {private} and may not"):
            kind(folder=private / "server", durable=False).start()
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
