"""`make run`: the whole platform on this machine, from nothing but the Python packages. Not for production."""

import ctypes
import errno
import fcntl
import os
import secrets
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO

from dotenv import dotenv_values

from rhms.embedded import Postgres, Server, Valkey
from rhms.processes import PR_SET_PDEATHSIG, EndedError, Processes
from rhms.server_user import CannotStartError

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"
PYTHON = sys.executable
READY_WITHIN = 120.0
RAZORPAY_KEYS = {"RAZORPAY_KEY_ID", "RAZORPAY_KEY_SECRET", "RAZORPAY_WEBHOOK_SECRET"}


def main() -> int:
    """Run until asked to stop; 0 when somebody asked, 1 with one sentence when it could not go on."""
    for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(asked, _leave)
    _stop_with_make()
    os.umask(0o077)  # what is kept under var/ is nobody else's business
    try:
        with ExitStack() as stack:
            _serve(stack)
    except (CannotStartError, EndedError) as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.")
    return 0


def _leave(_asked: int, _frame: FrameType | None) -> NoReturn:
    """Stop once: impatient keys must not interrupt the stopping."""
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt


def _stop_with_make() -> None:
    """`kill -9` of make must not leave a platform without a terminal; the Makefile sets the variable."""
    if os.environ.pop("RHMS_STOP_WITH_PARENT", "") and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))


def _serve(stack: ExitStack) -> None:
    began = time.monotonic()
    port = _port()
    site = f"http://localhost:{port}"
    _make_var()
    _lock(stack, site=site)
    processes = Processes(records=VAR / "run", logs=VAR / "log", cwd=ROOT)
    processes.stop_leftovers()
    addresses = _free_addresses(port)
    given = _given()
    servers = _servers(given)
    env = _environment(given, site=site)
    payments = _payments(port, site=env["SITE_URL"]) if _wants_payments(given, debug=env["DEBUG"]) else None
    for variable, server in servers.items():
        _say(f"Starting {server.name} ...")
        stack.callback(server.stop)
        env[variable] = server.start()
        if isinstance(server, Postgres):
            env["DATABASE_OWNER_URL"] = server.owner_url

    stack.callback(_stop, processes)
    if payments:
        _say("Starting the payment sandbox ...")
        env |= payments.env
        processes.start(name="sandbox", command=payments.command, env=env)
    manage = [PYTHON, "manage.py"]
    _say("Preparing the database ...")
    processes.run(name="prepare", command=[*manage, "prepare"], env=env)
    _say("Loading the demo hospitals ...")
    with (VAR / "run" / "demo.txt").open("w+b") as demo:
        processes.run(name="demo", command=[*manage, "demo"], env=env, stdout=demo)
        processes.run(name="demo", command=[*manage, "demo_visits"], env=env, stdout=demo)
        demo.seek(0)
        sign_ins = demo.read().decode()
    _say("Starting web, worker and beat ...")
    for name, command in _commands(addresses).items():
        processes.start(name=name, command=command, env=env)
    _wait_until_ready(processes, port=port)
    _say(f"\n{sign_ins.rstrip()}\n")
    if payments:
        _say(f"Payments are test money: no money moves. Look behind them at {env['RAZORPAY_API_URL']}.")
    if "EMAIL_URL" not in given:
        _say(f"E-mails are not sent: they are kept in {VAR / 'mail'}.")
    _say(f"RHMS is ready at {site} after {time.monotonic() - began:.0f} s. Ctrl-C stops it.\n")
    processes.watch(until=lambda: _check(servers.values()))


def _commands(addresses: list[str]) -> dict[str, list[str]]:
    binds = [part for address in addresses for part in ("--bind", address)]
    calm = ["--graceful-timeout", "2", "--no-control-socket", "--log-level", "warning"]
    # That a worker should not be root is true of production; here root's whole container runs as root.
    celery = [PYTHON, "-W", "ignore:You're running the worker", "-m", "celery", "--quiet", "-A", "rhms"]
    worker = ["--pool", "threads", "--concurrency", "4", "--without-mingle", "--without-gossip"]  # it is the only one
    beat = ["--schedule", str(VAR / "celerybeat-schedule"), "--pidfile="]
    quiet = ["--loglevel", "warning"]  # a line for each task would push the sign-ins off the screen
    return {
        "web": [PYTHON, "-m", "gunicorn", "rhms.wsgi", *binds, "--workers", "2", "--threads", "4", *calm],
        "worker": [*celery, "worker", *worker, *quiet],
        "beat": [*celery, "beat", *beat, *quiet],
    }


def _port() -> int:
    given = os.environ.get("PORT") or "8000"
    if not given.isdecimal() or not 0 < int(given) < 65536:
        raise CannotStartError(f"PORT must be a number from 1 to 65535, not {given!r}, as in `PORT=8010 make run`.")
    return int(given)


def _make_var() -> None:
    """Make the folders, and let root's servers, which run as somebody else, through to theirs."""
    try:
        for folder in (VAR, VAR / "run", VAR / "log", VAR / "media"):
            folder.mkdir(exist_ok=True)
            (folder / ".writable").touch()
            (folder / ".writable").unlink()
        if os.geteuid() == 0:
            VAR.chmod(VAR.stat().st_mode | 0o011)
    except OSError as refusal:
        raise CannotStartError(
            f"RHMS keeps its data in {VAR} and may not write there ({refusal.strerror}): run `make run` as the user "
            "who owns this folder, or make it yours with chown."
        ) from None


def _lock(stack: ExitStack, *, site: str) -> None:
    """One platform per folder."""
    lock: TextIO = stack.enter_context((VAR / "run" / "lock").open("a+"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        raise CannotStartError(
            f"RHMS already runs from this folder ({lock.read().strip() or 'starting'}): use that one, or stop it first "
            "with Ctrl-C in its terminal."
        ) from None
    lock.truncate(0)
    lock.write(f"{site}, process {os.getpid()}\n")
    lock.flush()


def _free_addresses(port: int) -> list[str]:
    """Both loopbacks, as browsers try ::1 first for `localhost`; only 127.0.0.1 on a machine without IPv6."""
    addresses = []
    for family, host, address in (
        (socket.AF_INET, "127.0.0.1", f"127.0.0.1:{port}"),
        (socket.AF_INET6, "::1", f"[::1]:{port}"),
    ):
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except PermissionError:
            raise CannotStartError(f"Port {port} is root's: choose one from 1024 on, `PORT=8010 make run`.") from None
        except OSError as refusal:
            if refusal.errno == errno.EADDRINUSE:
                other = 8010 if port != 8010 else 8020
                raise CannotStartError(
                    f"Port {port} is taken by another program: choose another with `PORT={other} make run`."
                ) from None
            if family == socket.AF_INET:
                raise
            continue
        addresses.append(address)
    return addresses


def _given() -> dict[str, str]:
    """What is set already, in the environment or else in `.env`; an empty value is none, as in `rhms.env`."""
    pairs = [*dotenv_values(ROOT / ".env").items(), *os.environ.items()]
    return {name: value for name, value in pairs if value}


def _servers(given: dict[str, str]) -> dict[str, Server]:
    """The servers that nobody else provides, by the variable their address belongs in."""
    servers: dict[str, Server] = {}
    if not given.keys() & {"DATABASE_URL", "DB_HOST"}:
        servers["DATABASE_URL"] = Postgres(folder=VAR / "postgres")
    if "REDIS_URL" not in given:
        servers["REDIS_URL"] = Valkey(folder=VAR / "valkey")
    return servers


def _environment(given: dict[str, str], *, site: str) -> dict[str, str]:
    """What the platform reads beside the servers' addresses; what is given wins."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": given.get("DJANGO_SETTINGS_MODULE", "rhms.settings"),
        "DEBUG": given.get("DEBUG", "true"),
        "SITE_URL": given.get("SITE_URL", site),
        "SECRET_KEY": given.get("SECRET_KEY") or _secret_key(),
        # On the terminal every message would be a screenful, and push the addresses away. (Parsing eats one slash.)
        "EMAIL_URL": given.get("EMAIL_URL", f"file:///{VAR / 'mail'}"),
        "PYTHONUNBUFFERED": "1",
    }


@dataclass(frozen=True)
class _Payments:
    """The payment sandbox: how it is started, and what the platform must know of it."""

    command: list[str]
    env: dict[str, str]


def _wants_payments(given: dict[str, str], *, debug: str) -> bool:
    """Test payments stand in when nobody gave keys to real ones, and never outside development."""
    return not given.keys() & RAZORPAY_KEYS and debug.lower() in ("1", "true", "yes", "on")


def _payments(port: int, *, site: str) -> _Payments:
    """Test payments at the port beside ours, with keys that stay the same."""
    beside = port + 1 if port < 65535 else port - 1
    try:
        _free_addresses(beside)
    except CannotStartError:
        raise CannotStartError(
            f"Port {beside}, where the test payments belong, is taken by another program: choose another pair with "
            f"`PORT={8010 if port != 8010 else 8020} make run`."
        ) from None
    secret = sha256(f"payments {_secret_key()}".encode()).hexdigest()
    webhooks = f"{site.rstrip('/')}/webhooks/razorpay/"
    data = str(VAR / "sandbox.sqlite3")
    return _Payments(
        command=[PYTHON, "-m", "sandbox", "--port", str(beside), "--data", data, "--webhook-url", webhooks],
        env={
            "RAZORPAY_KEY_ID": f"rzp_test_sandbox{secret[:14]}",
            "RAZORPAY_KEY_SECRET": secret[14:38],
            "RAZORPAY_WEBHOOK_SECRET": secret[38:],
            "RAZORPAY_API_URL": f"http://localhost:{beside}",
        },
    )


def _check(servers: Iterable[Server]) -> bool:
    """Never enough: raises EndedError when one of them has ended."""
    for server in servers:
        server.check()
    return False


def _secret_key() -> str:
    path = VAR / "secret_key"
    path.touch(mode=0o600)
    if not path.read_text():
        path.write_text(secrets.token_urlsafe(64))
    return path.read_text()


def _wait_until_ready(processes: Processes, *, port: int) -> None:
    url = f"http://localhost:{port}/readyz"
    deadline = time.monotonic() + READY_WITHIN
    # Loopback only: a proxy of the environment must not be asked.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    last = "no answer"

    def is_ready() -> bool:
        nonlocal last
        if time.monotonic() > deadline:
            raise CannotStartError(f"{url} did not answer 200 within {READY_WITHIN:.0f} s ({last}): see {VAR / 'log'}.")
        try:
            with opener.open(url, timeout=2) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as refusal:
            last = f"{refusal.code}: {refusal.read(300).decode(errors='replace').strip()}"
        except OSError as refusal:
            last = str(refusal)
        return False

    processes.watch(until=is_ready)


def _stop(processes: Processes) -> None:
    _say("Stopping ...")
    processes.stop()


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
