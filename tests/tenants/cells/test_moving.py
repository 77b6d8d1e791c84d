"""A hospital on its way from one database to another: nothing is lost, whoever writes or dies meanwhile."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import StringIO
from itertools import count
from threading import Event
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction
from django.utils.timezone import now

from accounts.models import User
from audit.models import Action, AuditLog
from core import schemas
from core.schemas import schema_context
from hospitals.models import Department, Staff
from tenants import hosts
from tenants import services as tenants
from tenants.archives import contents
from tenants.cells import moving
from tenants.cells.moving import Refused
from tenants.models import Hospital
from tests.conftest import browser
from tests.races.dying import lives

Sums = dict[str, contents.Sum]


def lotus() -> Hospital:
    return Hospital.objects.get(slug="lotus")


def move(to: str, **more: Any) -> moving.Moved:
    return moving.move(hospital=lotus(), to=to, now=now(), **more)


def lives_in(cell: str) -> None:
    """Its rows are in one database, and its pages and tables work."""
    hosts.forget_here()
    hospital = lotus()
    assert (hospital.cell, hospital.pause) == (cell, "")
    for other in schemas.cells():
        with schemas.as_owner(other):
            assert contents.exists(hospital.schema_name) is (other == cell)
    with schema_context(hospital.schema_name), transaction.atomic():
        assert Staff.objects.select_related("user").get().user.email == "kiran@lotus.example"
        Department.objects.create(name="Rays", slug="rays")
        transaction.set_rollback(True)
    site = browser("lotus.localhost", User.objects.get(email="kiran@lotus.example"))
    assert site.get("/office/staff/").status_code == 200


def sums() -> Sums:
    """What the hospital has, but for its log, which tells of its moves."""
    hospital = lotus()
    with contents.snapshot(schema=hospital.schema_name, cell=hospital.cell) as tables:
        return contents.sums(hospital.schema_name, [table for table in tables if table.name != "audit_auditlog"])


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One process alone knows everything at once."""
    monkeypatch.setattr(moving, "KNOWN_EVERYWHERE", 0.0)


def test_it_lives_where_it_was_moved_to_and_both_logs_say_so(north: str) -> None:
    before = sums()
    said = StringIO()
    call_command("move_hospital", "lotus", "north", stdout=said)
    assert "Lotus Clinic lives in the cell north now" in said.getvalue()
    lives_in("north")
    assert sums() == before
    for schema in ("public", lotus().schema_name):
        with schema_context(schema):
            assert AuditLog.objects.get(action=Action.HOSPITAL_MOVED).data == {"cell": ["default", "north"]}
    call_command("move_hospital", "lotus", "default", stdout=StringIO())
    lives_in("default")
    assert sums() == before


def test_nobody_can_write_where_it_was(north: str, at_once: None) -> None:
    moved = move("north")
    schema = lotus().schema_name
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(f'SET ROLE "{schema}"')
    with schemas.as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT has_schema_privilege(%s, %s, 'USAGE')", [schema, moved.left_behind])
        assert cursor.fetchone() == (False,)
    call_command("move_hospital", "lotus", "--drop-left-behind", stdout=StringIO())
    with schemas.as_owner():
        assert not contents.exists(moved.left_behind)
    lives_in("north")


def test_cedar_is_as_it_was(north: str, at_once: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    with contents.snapshot(schema=cedar.schema_name, cell="default") as tables:
        before = contents.sums(cedar.schema_name, tables)
    move("north")
    with contents.snapshot(schema=cedar.schema_name, cell="default") as tables:
        assert contents.sums(cedar.schema_name, tables) == before
    assert browser("cedar.localhost").get("/").status_code == 200


def test_killed_at_any_moment_it_goes_on_or_begins_anew(north: str, at_once: None) -> None:
    """There and back, each time killed by `kill -9` just before or just after a commit."""
    before, moments = sums(), {"north": 0, "default": 0}
    for moment in count():
        for target in moments:
            seen = lives(partial(move, target), dies_at=moment)
            hosts.forget_here()
            assert any(_is_there(cell) for cell in schemas.cells())
            if lotus().cell != target or lotus().pause:
                move(target)
            lives_in(target)
            assert sums() == before, f"killed at moment {moment} on the way to {target}"
            moments[target] = max(moments[target], seen or 0)
        if all(moments.values()):
            assert min(moments.values()) >= 10
            return


def _is_there(cell: str) -> bool:
    with schemas.as_owner(cell):
        return contents.exists(lotus().schema_name)


def test_a_move_that_died_can_be_called_off(north: str, at_once: None) -> None:
    lives(partial(move, "north", say=_die_when("copied")), dies_at=-1)
    assert lotus().pause == "move"
    assert browser("lotus.localhost").get("/").status_code == 503
    call_command("move_hospital", "lotus", "--call-off", stdout=StringIO())
    assert (lotus().cell, lotus().pause) == ("default", "")
    assert browser("lotus.localhost").get("/").status_code == 200


def _die_when(step: str) -> Callable[[str], None]:
    def say(said: str) -> None:
        if said == step:
            os.kill(os.getpid(), signal.SIGKILL)

    return say


def test_what_is_refused_half_way_leaves_it_where_it_was(north: str, at_once: None) -> None:
    def say(step: str) -> None:
        if step == "copied":
            raise Refused("No.")

    with pytest.raises(Refused):
        move("north", say=say)
    lives_in("default")


def test_of_two_movers_one_is_refused(north: str, at_once: None) -> None:
    refused = []

    def say(step: str) -> None:
        if step == "locked":
            with ThreadPoolExecutor(1) as pool:
                refused.append(pool.submit(_also).result())

    def _also() -> str:
        try:
            move("north")
        except Refused as refusal:
            return str(refusal)
        finally:
            connections.close_all()
        return ""

    move("north", say=say)
    assert refused == ["Lotus Clinic is being moved by somebody else."]
    lives_in("north")


def test_whoever_writes_meanwhile_loses_nothing(north: str) -> None:
    schema, done = lotus().schema_name, Event()

    def write(writer: int) -> list[str]:
        reported: list[str] = []
        try:
            for number in count():
                if done.is_set():
                    return reported
                name = f"{writer}-{number}"
                try:
                    with schema_context(schema):
                        Department.objects.create(name=name, slug=name)
                except DatabaseError:
                    continue  # it said so: nothing was promised
                reported.append(name)
        finally:
            connections.close_all()
        return reported

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, number) for number in range(4)]
        try:
            move("north")
            move("default")
        finally:
            done.set()
        reported = [name for writer in writers for name in writer.result()]
    with schema_context(schema):
        written = Counter(Department.objects.values_list("name", flat=True))
    assert len(reported) > 20
    assert {name: written[name] for name in reported} == dict.fromkeys(reported, 1)


def test_somebody_who_writes_for_long_is_waited_for_in_vain(
    north: str, at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_PATIENCE", 0.0)
    with schema_context(lotus().schema_name), transaction.atomic():
        Department.objects.create(name="Ear", slug="ear")
        with ThreadPoolExecutor(1) as pool, pytest.raises(Refused, match="has been writing in Lotus Clinic"):
            pool.submit(_in_thread, partial(move, "north")).result()
    lives_in("default")


def _in_thread(act: Callable[[], Any]) -> Any:
    try:
        return act()
    finally:
        connections.close_all()


@pytest.mark.parametrize(
    ("slug", "cell", "sentence"),
    [
        ("nobody", "north", "There is no open hospital with the subdomain 'nobody'"),
        ("lotus", "south", "There is no cell south. The cells are: default, north."),
        ("lotus", "default", "Lotus Clinic lives in the cell default already."),
        ("lotus", "", "Say to which cell"),
    ],
)
def test_the_command_says_why_not(north: str, slug: str, cell: str, sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence.replace(".", r"\.")):
        call_command("move_hospital", slug, *([cell] if cell else []))


def test_a_hospital_out_of_service_or_of_another_version_stays(north: str, at_once: None) -> None:
    tenants.pause(hospital=lotus(), why=Hospital.Pause.RESTORE, now=now())
    with pytest.raises(Refused, match="is out of service: It is being restored"):
        move("north")
    tenants.unpause(hospital=lotus(), why=Hospital.Pause.RESTORE)
    Hospital.objects.filter(slug="lotus").update(schema_version="older")
    with pytest.raises(Refused, match="manage.py migrate_hospitals"):
        move("north")


def test_the_list_tells_how_many_live_where(north: str, at_once: None) -> None:
    move("north")
    said = StringIO()
    call_command("move_hospital", "--list", stdout=said)
    assert said.getvalue() == "default: 1\nnorth: 1\n"
