"""Processes that never outlive us, and a small manager that runs several of them side by side."""

import ctypes
import json
import os
import selectors
import signal
import subprocess
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO

PR_SET_PDEATHSIG = 1
COLOURS = (36, 33, 35, 32, 34)


class EndedError(Exception):
    """A process ended although nobody asked it to; says which, how, and what it last said."""

    def __init__(self, *, name: str, code: int, last_lines: Sequence[str], log: Path) -> None:
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        super().__init__(
            "\n".join(
                [
                    *last_lines,
                    f"{name} {how}; its last lines are above, all of them in {log}.",
                ]
            )
        )


@dataclass(frozen=True)
class Account:
    """Whom a process runs as, when that is not ourselves."""

    uid: int
    gid: int


def start(
    command: Sequence[str],
    *,
    record: Path,
    stdout: int | IO[bytes],
    stderr: int | IO[bytes],
    cwd: Path,
    env: Mapping[str, str],
    gentle: signal.Signals = signal.SIGTERM,
    account: Account | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process that does not outlive us, in a session of its own so that Ctrl-C reaches only us.

    On Linux the kernel sends it `gentle` when the thread that called this ends, even by kill -9: call it from a thread
    that stays. Everywhere else, and for what ignores that, `record` lets `stop_leftover` end it at the next start.
    """
    with warnings.catch_warnings():
        # Python 3.12 warns that a fork may meet another thread's lock; the child takes none between fork and exec.
        warnings.simplefilter("ignore", DeprecationWarning)
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            env=env,
            start_new_session=True,
            preexec_fn=_tie_to_parent(gentle),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=() if account else None,
        )
    record.write_text(json.dumps({"pid": process.pid, "command": " ".join(command)}))
    return process


def _tie_to_parent(gentle: signal.Signals) -> Callable[[], None] | None:
    if sys.platform == "linux":
        prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

        def in_the_child() -> None:
            prctl(PR_SET_PDEATHSIG, int(gentle))
            if os.getppid() != parent:  # it died before the line above
                os._exit(1)

        return in_the_child
    else:  # noqa: RET505 (mypy leaves out what is another system's, by branch)
        return None


def stop_leftover(record: Path, *, gentle: signal.Signals = signal.SIGTERM, patience: float = 5) -> None:
    """End the process that an earlier start recorded, if it still runs; a stranger with its pid is left alone."""
    try:
        kept = json.loads(record.read_text())
        pid, command = int(kept["pid"]), str(kept["command"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    deadline = time.monotonic() + patience
    asked = False
    while _command_line(pid) == command:
        with suppress(ProcessLookupError):
            if time.monotonic() > deadline:
                os.killpg(pid, signal.SIGKILL)
            elif not asked:
                os.kill(pid, gentle)
                asked = True
        time.sleep(0.02)
    record.unlink(missing_ok=True)


def _command_line(pid: int) -> str:
    """What a process was started with; empty when it has ended, even if nobody has collected its exit code yet."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    asked = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip()


@dataclass
class _Child:
    name: str
    process: subprocess.Popen[bytes]
    output: IO[bytes]
    log: BinaryIO
    record: Path
    label: str
    unfinished: bytes = b""
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=8))


class Processes:
    """Runs processes side by side: labels their lines, keeps them in log files, and stops all of them together.

    Why not honcho: after a kill -9 it leaves its processes running, and they hold the port at the next start. This
    one has the kernel end them, and records them so that the next start can end what is left anyhow.
    One thread only, because Linux ties a child to the thread that started it.
    """

    def __init__(self, *, records: Path, logs: Path, cwd: Path) -> None:
        self._records, self._logs, self._cwd = records, logs, cwd
        self._children: list[_Child] = []
        self._selector = selectors.DefaultSelector()

    def stop_leftovers(self) -> None:
        """End whatever an earlier manager with the same records left running."""
        for record in sorted(self._records.glob("*.process")):
            stop_leftover(record)

    def start(
        self,
        *,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str],
        stdout: BinaryIO | None = None,
    ) -> None:
        """Start one process; with `stdout` only its stderr is shown, and the rest goes there."""
        record = self._records / f"{name}.process"
        reading, writing = os.pipe()
        output = os.fdopen(reading, "rb", buffering=0)
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            process = start(command, record=record, stdout=stdout or pipe, stderr=pipe, cwd=self._cwd, env=env)
        label = f"{name:<8}| "
        if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
            label = f"\033[{COLOURS[len(self._children) % len(COLOURS)]}m{label}\033[0m"
        log = (self._logs / f"{name}.log").open("wb")
        child = _Child(name=name, process=process, output=output, log=log, record=record, label=label)
        self._children.append(child)
        self._selector.register(output, selectors.EVENT_READ, child)

    def run(
        self,
        *,
        name: str,
        command: Sequence[str],
        env: Mapping[str, str],
        stdout: BinaryIO | None = None,
    ) -> None:
        """Run one process to its end, beside the others; raises EndedError unless it ends well."""
        self.start(name=name, command=command, env=env, stdout=stdout)
        child = self._children[-1]
        while child.process.poll() is None:
            self._pass_on(seconds=0.05)
        if child.process.returncode == 0:
            self._forget(child)
        self._check()

    def watch(self, *, until: Callable[[], bool]) -> None:
        """Pass their lines on until `until` says so; raises EndedError as soon as one of them ends."""
        while not until():
            self._check()
            self._pass_on(seconds=0.2)

    def stop(self, *, patience: float = 3.5) -> None:
        """Ask all of them to end, in the order they were started, and kill what has not ended in time."""
        for child in self._children:
            with suppress(ProcessLookupError):
                child.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + patience
        while any(child.process.poll() is None for child in self._children) and time.monotonic() < deadline:
            self._pass_on(seconds=0.05)
        for child in list(self._children):
            self._forget(child)
        self._selector.close()

    def _check(self) -> None:
        for child in self._children:
            code = child.process.poll()
            if code is not None:
                self._drain(child)
                # Alone, its last lines stand right above; repeated they are when others may have spoken since.
                again = child.last_lines if len(self._children) > 1 else ()
                raise EndedError(name=child.name, code=code, last_lines=again, log=Path(child.log.name))

    def _forget(self, child: _Child) -> None:
        with suppress(ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
            os.killpg(child.process.pid, signal.SIGKILL)  # its own children too
        child.process.wait()
        self._drain(child)
        child.record.unlink(missing_ok=True)
        self._children.remove(child)
        with suppress(KeyError):
            self._selector.unregister(child.output)
        child.output.close()
        child.log.close()

    def _drain(self, child: _Child) -> None:
        """Hand over what an ended process has said to its end; not for ever, should another one hold its output open."""
        deadline = time.monotonic() + 0.5
        while child.output in self._selector.get_map() and time.monotonic() < deadline:
            self._pass_on(seconds=0.01)

    def _pass_on(self, *, seconds: float) -> None:
        """Hand over the lines that arrive within `seconds`, labelled."""
        for key, _ in self._selector.select(seconds):
            child: _Child = key.data
            read = os.read(key.fd, 65536)
            if not read:
                self._selector.unregister(child.output)
            child.log.write(read)
            child.log.flush()
            *lines, child.unfinished = (child.unfinished + read).split(b"\n")
            if not read and child.unfinished:
                lines, child.unfinished = [child.unfinished], b""
            for line in lines:
                text = line.decode(errors="replace")
                child.last_lines.append(text)
                self._say(child.label + text)
        if not self._selector.get_map():
            time.sleep(seconds)  # every output is closed: select() would return at once

    def _say(self, line: str) -> None:
        try:
            print(line, flush=True)
        except BrokenPipeError:  # `make run | head`: nobody reads on, but the log files and the platform go on
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
