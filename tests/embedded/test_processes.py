"""The process manager stops everything together, whatever ends it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rhms.processes import EndedError, Processes, stop_leftover

SLEEP = [sys.executable, "-c", "print('here', flush=True); import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(60)",
]
MANAGER = """
import sys, time
from pathlib import Path
from rhms.processes import Processes
folder = Path(sys.argv[1])
processes = Processes(records=folder, logs=folder, cwd=folder)
for name in ("web", "worker"):
    processes.start(name=name, command=[sys.executable, "-c", "import time; time.sleep(60)"], env={})
print("started", flush=True)
processes.watch(until=lambda: False)
"""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    manager = Processes(records=tmp_path, logs=tmp_path, cwd=tmp_path)
    yield manager
    manager.stop()


def pids(folder: Path) -> list[int]:
    return [int(record.read_text().split('"pid": ')[1].split(",")[0]) for record in folder.glob("*.process")]


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            # A process that nobody collects yet is over all the same.
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except OSError:
            return
        time.sleep(0.01)
    raise AssertionError(f"process {pid} still runs")


def test_lines_are_labelled_and_kept(processes: Processes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    processes.run(name="prepare", command=[sys.executable, "-c", "print('one\\ntwo', end='')"], env={})
    assert capsys.readouterr().out == "prepare | one\nprepare | two\n"
    assert (tmp_path / "prepare.log").read_text() == "one\ntwo"


def test_output_can_go_to_a_file_while_complaints_are_shown(
    processes: Processes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    speak = "import sys; print('sign in as Asha'); print('careful', file=sys.stderr)"
    with (tmp_path / "out").open("w+b") as out:
        processes.run(name="demo", command=[sys.executable, "-c", speak], env={}, stdout=out)
    assert (tmp_path / "out").read_text() == "sign in as Asha\n"
    assert capsys.readouterr().out == "demo    | careful\n"


FAIL = [sys.executable, "-c", "import sys; print('no such table'); sys.exit(3)"]


def test_a_step_that_fails_is_named(processes: Processes, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EndedError, match=r"^prepare ended with exit code 3; .*prepare\.log\.$"):
        processes.run(name="prepare", command=FAIL, env={})
    assert capsys.readouterr().out == "prepare | no such table\n"


def test_among_others_its_last_lines_are_repeated(processes: Processes) -> None:
    processes.start(name="web", command=SLEEP, env={})
    with pytest.raises(EndedError, match=r"(?s)^no such table\nworker ended with exit code 3"):
        processes.run(name="worker", command=FAIL, env={})


def test_one_that_dies_is_named_and_the_others_are_stopped(processes: Processes, tmp_path: Path) -> None:
    processes.start(name="web", command=SLEEP, env={})
    processes.start(name="worker", command=SLEEP, env={})
    running = pids(tmp_path)
    os.kill(running[0], signal.SIGKILL)
    with pytest.raises(EndedError, match=r"(web|worker) was killed by SIGKILL"):
        processes.watch(until=lambda: False)
    processes.stop()
    for pid in running:
        wait_until_gone(pid)
    assert pids(tmp_path) == []


def test_one_that_does_not_listen_is_killed_in_time(
    processes: Processes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    processes.start(name="web", command=STUBBORN, env={})
    processes.watch(until=lambda: "here" in capsys.readouterr().out)
    (pid,) = pids(tmp_path)
    began = time.monotonic()
    processes.stop(patience=0.3)
    assert time.monotonic() - began < 2
    wait_until_gone(pid)


def test_a_killed_manager_leaves_nothing_running(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", MANAGER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as manager:
        assert manager.stdout is not None
        assert manager.stdout.readline() == "started\n"
        manager.kill()
    running = pids(tmp_path)
    assert len(running) == 2
    if sys.platform != "linux":  # there the next start does it
        Processes(records=tmp_path, logs=tmp_path, cwd=tmp_path).stop_leftovers()
    for pid in running:
        wait_until_gone(pid)


def test_a_leftover_is_stopped_but_a_stranger_with_its_pid_is_not(tmp_path: Path) -> None:
    with subprocess.Popen(SLEEP, stdout=subprocess.PIPE, start_new_session=True) as leftover:
        assert leftover.stdout is not None
        leftover.stdout.readline()
        record = tmp_path / "web.process"
        record.write_text(f'{{"pid": {leftover.pid}, "command": "gunicorn rhms.wsgi"}}')
        stop_leftover(record)
        assert leftover.poll() is None
        assert not record.exists()

        record.write_text(f'{{"pid": {leftover.pid}, "command": "{" ".join(SLEEP)}"}}')
        stop_leftover(record)
        assert leftover.wait(1) == -signal.SIGTERM
    record.write_text("half a rec")
    stop_leftover(record)
