"""`make run`, on a stand-in of the platform in a folder of its own: real servers and gunicorn, stub commands."""

import os
import random
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from rhms import run

MANAGE = """
import os, sys
if sys.argv[1] == "demo":
    print("Asha signs in at", os.environ["SITE_URL"])
assert len(os.environ["SECRET_KEY"]) > 50 and os.environ["DEBUG"] == "true"
assert os.environ["DATABASE_URL"].startswith("postgres://") and os.environ["REDIS_URL"].startswith("redis://")
"""
WSGI = """
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"ready"]
"""
CELERY = """
import time
time.sleep(60)
"""


@pytest.fixture
def platform() -> Iterator[Path]:
    """The code under test, and stubs for everything else."""
    made = Path(tempfile.mkdtemp(prefix="rhms-test-"))
    made.chmod(0o755)
    (made / "rhms").mkdir()
    for name in ("embedded.py", "server_user.py", "processes.py", "run.py"):
        shutil.copy(Path(run.__file__).parent / name, made / "rhms")
    shutil.copytree(run.ROOT / "sandbox", made / "sandbox")
    (made / "rhms" / "__init__.py").touch()
    (made / "rhms" / "wsgi.py").write_text(WSGI)
    (made / "manage.py").write_text(MANAGE)
    (made / "celery.py").write_text(CELERY)
    yield made
    shutil.rmtree(made)


def start(platform: Path, port: int | str, **given: str) -> subprocess.Popen[str]:
    own = (
        "DATABASE_URL",
        "DATABASE_OWNER_URL",
        "REDIS_URL",
        "SECRET_KEY",
        "DEBUG",
        "SITE_URL",
        "DB_HOST",
        "DJANGO_SETTINGS_MODULE",
    )
    env = {name: value for name, value in os.environ.items() if name not in own} | {"PORT": str(port)} | given
    command = [sys.executable, "-m", "rhms.run"]
    return subprocess.Popen(command, cwd=platform, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def until_ready(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    said = ""
    for line in running.stdout:
        said += line
        if "RHMS is ready at" in line:
            return said
    raise AssertionError(said)


def refusal(platform: Path, port: int | str, **given: str) -> str:
    """What it says when it does not start: one sentence on one line."""
    with start(platform, port, **given) as refused:
        said, _ = refused.communicate(timeout=20)
    assert refused.returncode == 1
    assert said.count("\n") == 1
    return said


@pytest.fixture
def port() -> int:
    """A free one whose neighbour is free too, below those that systems give to outgoing connections."""
    while True:
        port = random.randrange(20_000, 32_000)
        with (
            suppress(OSError),
            socket.create_server(("127.0.0.1", port)),
            socket.create_server(("127.0.0.1", port + 1)),
        ):
            return port


def processes_of(platform: Path) -> list[str]:
    """Every living process that works in this folder, apart from ours."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink().is_relative_to(platform):
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def test_it_runs_says_where_refuses_a_second_survives_a_kill_and_stops_cleanly(platform: Path, port: int) -> None:
    with start(platform, port) as first:
        said = until_ready(first)
        assert f"Asha signs in at http://localhost:{port}\n" in said
        with urllib.request.urlopen(f"http://localhost:{port}/", timeout=5) as answer:
            assert answer.read() == b"ready"
        assert f"RHMS already runs from this folder (http://localhost:{port}" in refusal(platform, port)
        secret = (platform / "var" / "secret_key").read_text()
        assert stat.S_IMODE((platform / "var" / "secret_key").stat().st_mode) == 0o600
        first.kill()

    with start(platform, port) as second:
        until_ready(second)
        assert (platform / "var" / "secret_key").read_text() == secret
        second.send_signal(signal.SIGTERM)
        said, _ = second.communicate(timeout=10)
        assert said.endswith("Stopped.\n")
        assert second.returncode == 0
    assert processes_of(platform) == []


def test_ctrl_c_during_the_start_stops_it_too(platform: Path, port: int) -> None:
    with start(platform, port) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "Starting Postgres ...\n"
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=10)
        assert running.returncode == 0
    assert processes_of(platform) == []


def test_a_process_that_dies_takes_the_rest_along_and_is_named(platform: Path, port: int) -> None:
    (platform / "celery.py").write_text("import sys; sys.exit('cannot reach the broker' if 'beat' in sys.argv else 0)")
    servers = {"DATABASE_URL": "postgres://elsewhere", "REDIS_URL": "redis://elsewhere"}
    with start(platform, port, **servers) as running:
        said, _ = running.communicate(timeout=20)
    assert running.returncode == 1
    assert "beat ended with exit code 1" in said or "worker ended with exit code 0" in said
    assert not (platform / "var" / "postgres").exists(), "the given servers were used"
    assert processes_of(platform) == []


def test_a_busy_port_is_one_sentence_with_the_way_out(platform: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        taken = somebody.getsockname()[1]
        said = refusal(platform, taken)
    assert said == f"Port {taken} is taken by another program: choose another with `PORT=8010 make run`.\n"


@pytest.mark.parametrize("nonsense", ["eighty", "0", "65536", "-1"])
def test_a_port_that_is_none_is_one_sentence(platform: Path, nonsense: str) -> None:
    assert "PORT must be a number from 1 to 65535" in refusal(platform, nonsense)


def test_a_var_that_cannot_be_written_is_one_sentence(platform: Path, port: int) -> None:
    (platform / "var").write_text("a file where the folder should be")
    assert f"RHMS keeps its data in {platform / 'var'} and may not write there" in refusal(platform, port)


def test_a_database_that_dies_is_named_and_stops_the_rest(platform: Path, port: int) -> None:
    with start(platform, port) as running:
        until_ready(running)
        os.kill(int((platform / "var" / "postgres" / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
        said, _ = running.communicate(timeout=10)
    assert running.returncode == 1
    assert "Postgres ended with exit code" in said
    assert processes_of(platform) == []


def test_servers_named_in_dotenv_are_used(platform: Path, port: int) -> None:
    (platform / ".env").write_text("DATABASE_URL=postgres://elsewhere\nREDIS_URL=redis://elsewhere\nSECRET_KEY=\n")
    with start(platform, port) as running:
        # The stub of manage.py sees no DATABASE_URL in its environment: it is left to `.env`.
        said, _ = running.communicate(timeout=20)
    assert "KeyError: 'DATABASE_URL'" in said
    assert not (platform / "var" / "postgres").exists()


def test_without_keys_payments_are_the_sandboxs_and_outlive_a_kill(platform: Path, port: int) -> None:
    (platform / "manage.py").write_text(f"{MANAGE}\nprint('key', os.environ['RAZORPAY_KEY_ID'], file=sys.stderr)\n")
    with start(platform, port) as first:
        said = until_ready(first)
        assert f"Payments are test money: no money moves. Look behind them at http://localhost:{port + 1}." in said
        with urllib.request.urlopen(f"http://localhost:{port + 1}/", timeout=5) as answer:
            page = answer.read().decode()
        assert f"http://localhost:{port}/webhooks/razorpay/" in page
        first.kill()
    with start(platform, port) as second:
        again = until_ready(second)
        second.send_signal(signal.SIGTERM)
        second.communicate(timeout=10)
    [key] = set(re.findall(r"rzp_test_sandbox\w+", said + again + page))
    assert len(key) == 30, "the same key at every start"
    assert processes_of(platform) == []


def test_with_keys_no_sandbox_is_started(platform: Path, port: int) -> None:
    with start(platform, port, RAZORPAY_KEY_ID="rzp_live_1") as running:
        said = until_ready(running)
        assert "test money" not in said
        assert not (platform / "var" / "sandbox.sqlite3").exists()
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=10)


def test_a_busy_port_beside_it_is_one_sentence_too(platform: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", port + 1)):
        said = refusal(platform, port)
    assert said.startswith(f"Port {port + 1}, where the test payments belong, is taken by another program: choose")
