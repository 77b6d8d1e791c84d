"""A task carries its hospital: without one it is refused, and it leaves nothing behind for the next."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from celery.exceptions import Reject
from django.conf import settings
from django.db import connections
from django.utils.timezone import now
from redis import Redis

from appointments import tasks
from core.schemas import schema_context
from hospitals.models import Department
from tenants import services as tenants
from tenants.models import Hospital
from tests.broker import broker_down, queued

LEAKS = (
    *("enter", "fail", "leave_transaction", "leave_broken", "leave_begun", "leave_manual"),
    *("move", "turn_clock", "own"),
)


class Worker:
    """A real worker, and what it says."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._redis: Any = Redis.from_url(settings.REDIS_URL, socket_timeout=60)

    def does(self, name: str, /, **arguments: Any) -> None:
        """Put a message into its queue, just as it is."""
        current_app.send_task(name, kwargs=arguments, ignore_result=True)

    def next(self) -> Any:
        """The next thing a task tells; AssertionError if none comes."""
        found: Any = self._redis.blpop(["errands"], timeout=30)
        assert found, self.log.read_text()[-4000:]
        return json.loads(found[1])

    def where(self, schema: str) -> Any:
        """Where a task of this schema stands."""
        self.does("errand.where", schema=schema, label=schema)
        return self.next()

    def lines(self, *words: str) -> list[str]:
        """The lines of its log with all these words."""
        return [line for line in self.log.read_text().splitlines() if all(word in line for word in words)]


@contextmanager
def working(folder: Path, *options: str) -> Iterator[Worker]:
    """A worker on the test's database."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "rhms.settings"}
    for alias, variable in (("default", "DATABASE_URL"), ("owner", "DATABASE_OWNER_URL")):
        it = connections.settings[alias]
        environment[variable] = f"postgres://{it['USER']}:{it['PASSWORD']}@{it['HOST']}:{it['PORT']}/{it['NAME']}"
    log = folder / "worker.log"
    command = [sys.executable, "-m", "celery", "--quiet", "-A", "tests.core.errands", "worker", *options]
    with log.open("w") as out:
        process = subprocess.Popen(
            [*command, "--without-mingle", "--without-gossip", "--loglevel", "info"],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Worker(log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def cedar(committed: None) -> Hospital:
    return Hospital.objects.get(slug="cedar")


@pytest.fixture
def lotus(committed: None) -> Hospital:
    return Hospital.objects.get(slug="lotus")


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_nothing_leaks_into_the_next_task(cedar: Hospital, lotus: Hospital, tmp_path: Path, pool: str) -> None:
    with schema_context(lotus.schema_name):
        Department.objects.create(name="Of Lotus", slug="of-lotus")
    with working(tmp_path, "--pool", pool, "--concurrency", "1") as worker:
        clean = worker.where(cedar.schema_name)
        assert (clean["schema"], clean["role"]) == (cedar.schema_name, cedar.schema_name)
        assert clean["path"].split(", ")[0].strip('"') == cedar.schema_name
        assert (clean["rows"], clean["is_in_transaction"]) == (0, False)
        for leak in LEAKS:
            worker.does(f"errand.{leak}", schema=cedar.schema_name, other=lotus.schema_name)
            assert worker.where(cedar.schema_name) == clean, leak
            worker.does(f"errand.{leak}", schema=lotus.schema_name, other=cedar.schema_name)
            after = worker.where("public")
            assert (after["schema"], after["role"], after["path"]) == ("public", "rhms_portal", "public"), leak
            kept = ("zone", "patience", "is_in_transaction", "clock", "language")
            assert {name: after[name] for name in kept} == {name: clean[name] for name in kept}, leak
    for leak in ("leave_transaction", "leave_broken", "leave_begun", "leave_manual"):
        found = worker.lines(f"The task errand.{leak} left a transaction open: it was rolled back.")
        assert [line.split("[")[1].split()[0] for line in found] == [cedar.schema_name, lotus.schema_name]
    for hospital in (cedar, lotus):
        with schema_context(hospital.schema_name):
            assert not Department.objects.filter(name="lost").exists()
        assert worker.lines("ERROR", hospital.schema_name, "errand.fail", "raised unexpected: RuntimeError")


def test_a_task_without_a_place_is_refused_and_never_runs(cedar: Hospital, tmp_path: Path) -> None:
    wrong: dict[str, dict[str, object]] = {"none": {}, "empty": {"schema": ""}, "unknown": {"schema": "h_000000000000"}}
    wrong |= {"sql": {"schema": 'public"; DROP TABLE x; --'}, "catalogue": {"schema": "pg_catalog"}}
    wrong |= {"nothing": {"schema": None}, "list": {"schema": [cedar.schema_name]}}
    with working(tmp_path, "--pool", "threads", "--concurrency", "1") as worker:
        for label, place in wrong.items():
            worker.does("errand.where", label=label, **place)
        assert worker.where(cedar.schema_name)["label"] == cedar.schema_name  # nobody has reported before
    assert len(worker.lines("ERROR", "The task errand.where was refused: it names no hospital.")) == 3
    assert len(worker.lines("ERROR", "The task errand.where was refused: ", "is no hospital's schema")) == 4


def test_a_task_of_a_hospital_that_is_out_of_service_waits_until_it_is_back(
    cedar: Hospital, lotus: Hospital, tmp_path: Path
) -> None:
    tenants.pause(hospital=cedar, why=Hospital.Pause.MOVE, now=now())
    with working(tmp_path, "--pool", "threads", "--concurrency", "1") as worker:
        worker.does("errand.where", schema=cedar.schema_name, label="while away")
        assert worker.where(lotus.schema_name)["schema"] == lotus.schema_name  # which it keeps from nothing
        tenants.unpause(hospital=cedar, why=Hospital.Pause.MOVE)
        told = worker.next()
    assert (told["label"], told["schema"]) == ("while away", cedar.schema_name)
    assert worker.lines("errand.where waits 1 seconds", cedar.schema_name)


def test_two_hundred_tasks_of_two_hospitals_on_four_threads_each_write_at_home(
    cedar: Hospital, lotus: Hospital, tmp_path: Path
) -> None:
    with working(tmp_path, "--pool", "threads", "--concurrency", "4") as worker:
        for number in range(200):
            home, other = (cedar, lotus) if number % 2 else (lotus, cedar)
            worker.does("errand.add", schema=home.schema_name, name=f"{home.slug}-{number}")
            if number % 10 == 0:
                leak = LEAKS[number // 10 % len(LEAKS)]
                worker.does(f"errand.{leak}", schema=home.schema_name, other=other.schema_name)
        added = Counter(worker.next()["added"] for _number in range(200))
    assert set(added.values()) == {1}
    for hospital in (cedar, lotus):
        with schema_context(hospital.schema_name):
            names = list(Department.objects.values_list("name", flat=True))
        assert len(names) == 100
        assert {name.partition("-")[0] for name in names} == {hospital.slug}


def test_called_directly_it_runs_where_it_is_told_and_comes_back(cedar: Hospital, lotus: Hospital) -> None:
    with schema_context(lotus.schema_name):
        tasks.remind(schema="public")
        with pytest.raises(Reject, match="it names no hospital"):
            tasks.remind()
        with pytest.raises(Reject, match="'h_000000000000' is no hospital's schema"):
            tasks.remind(schema="h_000000000000")
        assert Department.objects.count() == 0  # still at Lotus


def test_a_paused_hospitals_task_is_kept_by_the_broker_when_it_cannot_be_sent_again(cedar: Hospital) -> None:
    tenants.pause(hospital=cedar, why=Hospital.Pause.MOVE, now=now())
    queued()
    with pytest.raises(Reject) as sent_again:
        tasks.refresh_times(schema=cedar.schema_name, doctor_id=1)
    assert sent_again.value.requeue is False  # type: ignore[attr-defined]
    arguments = {"schema": cedar.schema_name, "doctor_id": 1}
    assert queued() == [{"task": "appointments.refresh_times", "arguments": arguments}]
    with broker_down(), pytest.raises(Reject) as kept:
        tasks.refresh_times(schema=cedar.schema_name, doctor_id=1)
    assert kept.value.requeue is True  # type: ignore[attr-defined]
