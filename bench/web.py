"""The platform behind gunicorn, and somebody who asks it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from bench.cluster import HOST

PATIENCE = 60.0


@contextmanager
def gunicorn(environment: dict[str, str], *, workers: int = 1, threads: int = 4) -> Iterator[tuple[int, list[int]]]:
    """Serve as production does, with something more in the environment; gives the port and the workers' process ids."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    how = [
        "--config",
        "python:rhms.serving",
        "--worker-class",
        "gthread",
        "--no-control-socket",
        "--log-level",
        "warning",
    ]
    much = ["--workers", str(workers), "--threads", str(threads), "--keep-alive", "60", "--bind", f"127.0.0.1:{port}"]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "rhms.wsgi", *how, *much], env=os.environ | environment
    )
    try:
        await_answer(port)
        yield port, _children(server.pid, workers)
    finally:
        server.terminate()
        server.wait(30)


def await_answer(port: int) -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("gunicorn did not start.")


def _children(server: int, workers: int) -> list[int]:
    """The workers, who come a little later than the port."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = [int(pid) for pid in Path(f"/proc/{server}/task/{server}/children").read_text().split()]
        if len(found) >= workers:
            return found
        time.sleep(0.1)
    raise RuntimeError("gunicorn's workers did not start.")


def cpu_seconds(processes: list[int]) -> float:
    """The CPU seconds that processes have used."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0
    for pid in processes:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / ticks


class Visitor:
    """Somebody who asks one server, over one connection that stays open."""

    def __init__(self, port: int) -> None:
        self._link = HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(
        self,
        path: str,
        *,
        host: str = HOST,
        method: str = "GET",
        body: str | bytes | None = None,
        headers: dict[str, str] | None = None,
        status: int = 200,
    ) -> float:
        """Milliseconds until the whole answer is there. Raises RuntimeError for another status than the wanted one."""
        said = {"X-Forwarded-Proto": "https", **(headers or {}), "Host": host}
        began = time.perf_counter()
        self._link.request(method, path, body, said)
        answer = self._link.getresponse()
        words = answer.read()
        took = 1000 * (time.perf_counter() - began)
        if answer.status != status:
            raise RuntimeError(f"{method} {host}{path} answered {answer.status}: {words[:300]!r}")
        return took

    def leave(self) -> None:
        """Hang up."""
        self._link.close()
