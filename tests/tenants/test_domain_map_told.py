"""Every change of a hospital reaches all processes within a second, whoever dies in between."""

import ast
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.models import User
from core.schemas import Standing, schema_context, standing
from hospitals.services import joining
from hospitals.services import settings as hospital_settings
from tenants import hosts
from tenants import services as tenants
from tenants.models import Domain, Hospital
from tests import factories
from tests.tenants.domain_map import HOST, forked, name_of, redis_away, rename, rename_aloud

OnCommit = Callable[..., Any]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What time it is for the map: it stands still."""
    hands = [100.0]
    monkeypatch.setattr(hosts, "monotonic", lambda: hands[0])
    return hands


# --- Telling ---------------------------------------------------------------------------------------------------------


def test_every_change_of_a_hospital_is_told(
    cedar: Hospital, usha: User, hari: User, django_capture_on_commit_callbacks: OnCommit
) -> None:
    def after(change: Callable[..., object], **arguments: Any) -> Hospital:
        hosts.hospital_at(HOST)  # so that the old answer lies in Redis
        with django_capture_on_commit_callbacks(execute=True):
            change(**arguments)
        hosts.forget_here()
        with CaptureQueriesContext(connection) as queries:
            found = hosts.hospital_at(HOST)
        assert found is not None
        assert not queries.captured_queries
        return found

    assert after(joining.suspend, hospital=cedar, by=usha, reason="Unpaid").status == "suspended"
    assert after(joining.resume, hospital=cedar, by=usha, reason="Paid").status == "approved"
    assert after(tenants.pause, hospital=cedar, why=Hospital.Pause.UPGRADE, now=now()).pause == "upgrade"
    assert after(tenants.unpause, hospital=cedar, why=Hospital.Pause.UPGRADE).pause == ""
    with schema_context(cedar.schema_name):
        strict = after(
            hospital_settings.require_two_factor, hospital=cedar, is_required=True, is_two_factor=True, by=hari
        )
    assert strict.requires_two_factor


# These change what no request asks its hospital for, or a hospital that has no host yet or is told of by its caller.
NOT_TOLD = {
    *("tenants.provisioning.provision", "tenants.fleet.running._settle"),
    *("hospitals.services.joining.confirm_email", "hospitals.services.joining.reject"),
    "tenants.archives.swapping",
}
CHANGES = re.compile(
    r"\bHospital\.objects\b[^\n]*\.update\(|\baudit\.move\(\s*hospital\b|\bhospital\.save\(|\bDomain\.objects\.create\("
    r"|\bdomain\.(?:delete|save)\("
)


def test_whoever_changes_a_hospital_or_its_hosts_tells() -> None:
    silent = []
    for room in ("tenants", "hospitals", "directory", "accounts", "patients", "billing", "appointments"):
        for file in Path(settings.BASE_DIR, room).rglob("*.py"):
            if "migrations" in file.parts or "demo" in file.parts:
                continue
            text = file.read_text()
            module = ".".join(file.relative_to(settings.BASE_DIR).with_suffix("").parts)
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef):
                    body = ast.get_source_segment(text, node) or ""
                    name = f"{module}.{node.name}"
                    if CHANGES.search(body) and not re.search(r"\bhosts\.(?:changed|forgotten)\(", body):
                        silent.append(name)
    assert {name for name in silent if not {name, name.rpartition(".")[0]} & NOT_TOLD} == set()


def test_a_new_hospital_answers_at_once_although_its_host_was_asked_for(
    usha: User, django_capture_on_commit_callbacks: OnCommit
) -> None:
    assert hosts.hospital_at("banyan.localhost") is None
    with django_capture_on_commit_callbacks(execute=True):
        hospital = factories.opened(usha, slug="banyan", name="Banyan")
    assert name_of("banyan.localhost") == "Banyan"
    assert standing(hospital.schema_name) is Standing.OPEN


def test_a_domain_that_was_removed_answers_no_more(
    cedar: Hospital, hari: User, django_capture_on_commit_callbacks: OnCommit
) -> None:
    domain = Domain.objects.create(tenant=cedar, domain="www.cedar.example", is_primary=False)
    assert name_of("www.cedar.example") == "Cedar Hospital"
    with django_capture_on_commit_callbacks(execute=True):
        tenants.remove_domain(domain=domain, by=hari)
    assert name_of("www.cedar.example") is None


def test_a_slow_reader_does_not_put_an_old_answer_over_a_new_one(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    look_up = hosts._look_up

    def slowly(key: str) -> Hospital | None:
        before = look_up(key)
        with monkeypatch.context() as fast:
            fast.setattr(hosts, "_look_up", look_up)
            rename_aloud(cedar, "Cedar and Oak")
        return before

    monkeypatch.setattr(hosts, "_look_up", slowly)
    hosts.hospital_at(HOST)
    monkeypatch.setattr(hosts, "_look_up", look_up)
    hosts.forget_here()
    assert name_of(HOST) == "Cedar and Oak"


def test_a_slow_writer_does_not_put_an_old_answer_over_a_later_ones(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    look_up = hosts._look_up

    def slowly(key: str) -> Hospital | None:
        before = look_up(key)
        monkeypatch.setattr(hosts, "_look_up", look_up)
        rename_aloud(cedar, "Cedar the third")  # somebody else's whole change, while the first one tells
        return before

    monkeypatch.setattr(hosts, "_look_up", slowly)
    rename_aloud(cedar, "Cedar the second")
    hosts.forget_here()
    assert name_of(HOST) == "Cedar the third"


def test_while_a_change_is_under_way_everybody_asks_the_database_and_keeps_nothing(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    assert name_of(HOST) == "Cedar Hospital"

    def ask() -> str | None:
        try:
            hosts.forget_here()
            return name_of(HOST)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as other, transaction.atomic():
        rename(cedar, "Cedar and Oak")
        hosts.changed(cedar)
        assert other.submit(ask).result() == "Cedar Hospital"
        assert (hosts._redis().get(hosts._name(f"host:{HOST}")) or "").startswith("changing ")
    hosts.forget_here()
    assert name_of(HOST) == "Cedar and Oak"


def test_after_a_rollback_the_old_truth_is_served_and_the_mark_runs_out(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    hosts.hospital_at(HOST)
    with pytest.raises(RuntimeError), transaction.atomic():
        rename_aloud(cedar, "Never")
        raise RuntimeError
    assert name_of(HOST) == "Cedar Hospital"
    assert 0 < hosts._redis().ttl(hosts._name(f"host:{HOST}")) <= 120


def test_a_writer_killed_between_commit_and_telling_leaves_nobody_with_the_old_answer(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    usha = User.objects.get(email="usha@rhms.example")
    assert hosts.hospital_at(HOST) == cedar

    def suspend_and_die() -> None:
        with transaction.atomic():
            transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
            joining.suspend(hospital=cedar, by=usha, reason="Licence expired")

    assert forked(suspend_and_die) == -signal.SIGKILL
    hosts.forget_here()
    found = hosts.hospital_at(HOST)
    assert found is not None
    assert found.status == Hospital.Status.SUSPENDED


def test_with_redis_away_a_change_is_kept_and_the_old_answer_lives_four_minutes_at_most(
    committed: None, caplog: pytest.LogCaptureFixture
) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    hosts.hospital_at(HOST)
    with redis_away():
        rename_aloud(cedar, "Cedar and Oak")
        assert name_of(HOST) == "Cedar and Oak"
    assert "hosts are up to date again in 240 seconds" in caplog.text
    key = hosts._name(f"host:{HOST}")
    assert 0 < hosts._redis().ttl(key) <= 120
    hosts._redis().delete(key)  # two minutes later
    hosts.forget_here()
    assert name_of(HOST) == "Cedar and Oak"


def test_with_redis_away_only_while_telling_nothing_is_stale(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    hosts.hospital_at(HOST)
    with transaction.atomic():
        rename(cedar, "Cedar and Oak")
        hosts.changed(cedar)
        gone = redis_away()
        transaction.on_commit(lambda: gone.__exit__(None, None, None))
        connection.run_on_commit.insert(-2, (set(), lambda: gone.__enter__(), False))  # type: ignore[arg-type]
    hosts.forget_here()
    assert name_of(HOST) == "Cedar and Oak"


# --- Two processes ---------------------------------------------------------------------------------------------------

SECOND = """
import sys
import django
django.setup()
from tenants.hosts import hospital_at
for line in sys.stdin:
    print(hospital_at(line.strip()).status, flush=True)
"""


def test_a_second_process_sees_a_suspension_within_a_second(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    usha = User.objects.get(email="usha@rhms.example")
    target = connection.settings_dict
    url = f"postgres://{target['USER']}:{target['PASSWORD']}@{target['HOST']}:{target['PORT']}/{target['NAME']}"
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "rhms.settings"}
    with subprocess.Popen(
        [sys.executable, "-c", SECOND],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=settings.BASE_DIR,
        env=environment,
    ) as second:
        assert second.stdin is not None and second.stdout is not None

        def asked() -> str:
            assert second.stdin is not None and second.stdout is not None
            second.stdin.write(f"{HOST}\n")
            second.stdin.flush()
            return second.stdout.readline().strip()

        assert asked() == "approved"
        joining.suspend(hospital=cedar, by=usha, reason="Licence expired")
        committed_at = asked_at = monotonic()
        while asked() == "approved":
            assert asked_at < committed_at + 1, "the second process still believes that it is open"
            asked_at = monotonic()
        second.stdin.close()
