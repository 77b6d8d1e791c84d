"""Bringing all hospitals to the next release: every one by itself, and none kept waiting for another's sake."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from audit.models import Action, AuditLog
from core.schemas import as_owner, schema_context
from patients.models import Patient
from tenants import provisioning
from tenants.fleet import planning, running, upgrading
from tenants.fleet.progress import Progress
from tenants.fleet.upgrading import Outcome, Patience
from tenants.management.commands.migrate_hospitals import LeftBehindError
from tenants.models import HOME_CELL, Hospital
from tests import factories
from tests.conftest import browser, maintenance
from tests.tenants.releases import next_release

QUICK = (Patience("20ms", "5s"), Patience("40ms", "5s"), Patience("60ms", "5s"))


@pytest.fixture
def cedar(committed: None) -> Hospital:
    """Hari's hospital, in a database in which this test commits."""
    return Hospital.objects.get(slug="cedar")


@pytest.fixture
def lotus(committed: None) -> Hospital:
    """Kiran's hospital, likewise."""
    return Hospital.objects.get(slug="lotus")


def owner(*statements: str) -> list[Any]:
    """What the last of the statements finds, by the owner's hand."""
    with as_owner(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def columns(hospital: Hospital, table: str = "patients_patient") -> set[str]:
    return columns_of(hospital.schema_name, table)


def columns_of(schema: str, table: str) -> set[str]:
    found = owner(
        "SELECT attname FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid"
        f" WHERE relnamespace = '{schema}'::regnamespace AND relname = '{table}' AND NOT attisdropped"
    )
    return {name for (name,) in found}


def recorded(hospital: Hospital, name: str) -> int:
    [[count]] = owner(f"SELECT count(*) FROM {hospital.schema_name}.django_migrations WHERE name = '{name}'")
    return int(count)


def is_current(hospital: Hospital) -> bool:
    hospital.refresh_from_db()
    return hospital.schema_version == provisioning.version()


def settle(tell: running.Told = lambda _outcome: None, jobs: int = 1) -> list[Outcome]:
    """What the command does."""
    return running.migrate(hospitals=planning.behind(), jobs=jobs, tell=tell, now=now())


def sabotage(hospital: Hospital) -> None:
    """Somebody has added by hand what the next release will add."""
    owner(f"ALTER TABLE {hospital.schema_name}.patients_patient ADD COLUMN nickname integer")


def prepare(**options: Any) -> None:
    """As at a deployment. It makes roles, which all databases of the tests' server share."""
    with maintenance() as cursor:
        cursor.execute("SELECT pg_advisory_lock(1)")
        call_command("prepare", verbosity=0, **options)


# --- What is done ----------------------------------------------------------------------------------------------------


def test_every_hospital_gets_what_the_release_adds_and_a_pending_one_has_no_schema(
    cedar: Hospital, lotus: Hospital, tmp_path: Path
) -> None:
    factories.pending()
    public = columns_of("public", "tenants_hospital")
    with next_release(tmp_path) as name:
        out = StringIO()
        call_command("migrate_hospitals", stdout=out)
        for hospital in (cedar, lotus):
            assert "nickname" in columns(hospital)
            assert recorded(hospital, name) == 1
            assert is_current(hospital)
        assert "2 of 2 hospitals" in out.getvalue()
    assert columns_of("public", "tenants_hospital") == public


def test_hospitals_that_are_up_to_date_cost_one_query(committed: None) -> None:
    with CaptureQueriesContext(connection) as queries:
        call_command("migrate_hospitals", verbosity=0)
    assert len(queries) == 1


def test_a_hospital_is_migrated_by_one_message(cedar: Hospital, lotus: Hospital, tmp_path: Path) -> None:
    with next_release(tmp_path), as_owner():
        [group], lost = planning.plan(cell=HOME_CELL, hospitals=[cedar, lotus])
        assert (group.hospitals, lost) == ((cedar, lotus), [])
        with CaptureQueriesContext(connections["default"]) as queries:
            outcome = upgrading.upgrade(hospital=cedar, group=group, patience=QUICK[0])
        assert not outcome.error
        assert len([query for query in queries if query["sql"] not in ("BEGIN", "COMMIT")]) == 1


def test_the_plan_says_which_hospitals_which_migrations_and_the_sql_and_changes_nothing(
    cedar: Hospital, lotus: Hospital, tmp_path: Path
) -> None:
    out = StringIO()
    with next_release(tmp_path) as name:
        call_command("migrate_hospitals", plan=True, stdout=out)
        assert not is_current(cedar)
    assert f"lack patients.{name}:" in out.getvalue()
    assert f"--   Cedar Hospital (cedar, {cedar.schema_name})" in out.getvalue()
    assert out.getvalue().count('ALTER TABLE "patients_patient" ADD COLUMN "nickname"') == 1
    assert "nickname" not in columns(cedar)


def test_one_hospital_alone_can_be_migrated(cedar: Hospital, lotus: Hospital, tmp_path: Path) -> None:
    with next_release(tmp_path):
        call_command("migrate_hospitals", only=["cedar"], verbosity=0)
        assert (is_current(cedar), is_current(lotus)) == (True, False)
        with pytest.raises(CommandError, match="No open hospital has this subdomain: cedra."):
            call_command("migrate_hospitals", only=["cedra", "cedar"])


def test_what_only_concerns_the_portal_is_just_recorded(cedar: Hospital, lotus: Hospital, tmp_path: Path) -> None:
    body = 'operations = [migrations.AddField("user", "nickname", models.TextField(null=True))]'
    with next_release(tmp_path, body, room="accounts") as name:
        with as_owner():
            [group], _lost = planning.plan(cell=HOME_CELL, hospitals=[cedar])
        assert group.statements == ()
        call_command("migrate_hospitals", verbosity=0)
        assert recorded(cedar, name) == 1
        assert is_current(lotus)


def test_several_releases_are_made_up_for_at_once_by_each_what_it_lacks(
    cedar: Hospital, lotus: Hospital, tmp_path: Path
) -> None:
    second = 'operations = [migrations.AddField("patient", "motto", models.TextField(db_default=""))]'
    with next_release(tmp_path):
        call_command("migrate_hospitals", only=["cedar"], verbosity=0)
        with next_release(tmp_path, second):
            with as_owner():
                groups, _lost = planning.plan(cell=HOME_CELL, hospitals=[cedar, lotus])
            assert sorted(len(group.lacking) for group in groups) == [1, 2]
            call_command("migrate_hospitals", verbosity=0)
            for hospital in (cedar, lotus):
                assert {"nickname", "motto"} <= columns(hospital)
                assert is_current(hospital)


# --- What SQL cannot say ---------------------------------------------------------------------------------------------

IN_PYTHON = """
    def mark(apps, editor):
        Patient = apps.get_model("patients", "Patient")
        Patient.objects.create(number="P-9", name=editor.connection.schema_name)

    operations = [
        migrations.AddField("patient", "nickname", models.TextField(null=True)),
        migrations.RunPython(mark, migrations.RunPython.noop),
    ]
"""


def test_a_migration_in_python_runs_in_each_hospital(cedar: Hospital, lotus: Hospital, tmp_path: Path) -> None:
    with next_release(tmp_path, IN_PYTHON) as name:
        with as_owner():
            [group], _lost = planning.plan(cell=HOME_CELL, hospitals=[cedar])
        assert group.statements is None
        call_command("migrate_hospitals", verbosity=0)
        for hospital in (cedar, lotus):
            assert owner(f"SELECT name FROM {hospital.schema_name}.patients_patient") == [(hospital.schema_name,)]
            assert recorded(hospital, name) == 1
            assert is_current(hospital)


def test_a_migration_that_must_look_before_it_knows_its_sql_does_so_in_each_hospital(
    cedar: Hospital, lotus: Hospital, tmp_path: Path
) -> None:
    body = """operations = [migrations.AlterField("invitation", "staff", models.ForeignKey(
        "hospitals.Staff", models.CASCADE, db_constraint=False))]"""
    keys = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = '{}.hospitals_invitation'::regclass"
    [[before]] = owner(keys.format(cedar.schema_name))
    with next_release(tmp_path, body, room="hospitals"):
        call_command("migrate_hospitals", verbosity=0)
        assert owner(keys.format(cedar.schema_name)) == owner(keys.format(lotus.schema_name)) == [(before - 1,)]


def test_what_refuses_to_share_a_transaction_has_none(cedar: Hospital, lotus: Hospital, tmp_path: Path) -> None:
    body = """atomic = False
    operations = [migrations.RunSQL(
        ["CREATE INDEX CONCURRENTLY next ON patients_patient (sex)"], ["DROP INDEX next"])]"""
    with next_release(tmp_path, body):
        call_command("migrate_hospitals", verbosity=0)
        assert owner(f"SELECT to_regclass('{lotus.schema_name}.next') IS NOT NULL") == [(True,)]
        assert is_current(lotus)
        assert "CREATE INDEX next ON patients_patient (sex)" in provisioning.ddl()  # a new hospital's tables are empty


# --- One that cannot -------------------------------------------------------------------------------------------------


def test_a_hospital_that_fails_is_alone_out_of_service_until_it_succeeds(
    cedar: Hospital, lotus: Hospital, tmp_path: Path
) -> None:
    sabotage(cedar)
    with next_release(tmp_path) as name:
        with pytest.raises(LeftBehindError, match=r"1 of 2 .*\n  Cedar Hospital \(cedar, .*nickname.* already exists"):
            call_command("migrate_hospitals", verbosity=0)
        assert (is_current(cedar), is_current(lotus)) == (False, True)
        assert recorded(cedar, name) == 0
        assert (cedar.pause, lotus.pause) == (Hospital.Pause.UPGRADE, "")
        assert "already exists" in cedar.pause_note
        assert browser("cedar.localhost").get("/").status_code == 503
        assert browser("lotus.localhost").get("/").status_code == 200

        owner(f"ALTER TABLE {cedar.schema_name}.patients_patient DROP COLUMN nickname")
        call_command("migrate_hospitals", verbosity=0)
        assert is_current(cedar)
        assert (cedar.pause, cedar.pause_note) == ("", "")
        assert browser("cedar.localhost").get("/").status_code == 200
    told = AuditLog.objects.about(cedar).filter(action__in=[Action.HOSPITAL_PAUSED, Action.HOSPITAL_UNPAUSED])
    assert {(row.actor, row.user_id) for row in told} == {("The platform", None)}
    assert told.count() == 2


def test_a_hospital_that_fails_again_stays_out_of_service_with_the_new_reason(
    cedar: Hospital, lotus: Hospital, tmp_path: Path
) -> None:
    sabotage(cedar)
    with next_release(tmp_path):
        [outcome] = settle()
        owner(f"DROP TABLE {cedar.schema_name}.patients_patient CASCADE")
        [outcome] = settle()
    cedar.refresh_from_db()
    assert cedar.pause_note == outcome.error
    assert "does not exist" in outcome.error


def test_the_platform_starts_although_a_hospital_was_left_behind(
    cedar: Hospital, lotus: Hospital, tmp_path: Path
) -> None:
    sabotage(cedar)
    with next_release(tmp_path):
        errors = StringIO()
        prepare(stderr=errors)
        assert "1 of 2 hospitals could not be migrated and are out of service" in errors.getvalue()
        assert is_current(lotus)


def test_a_release_that_fits_nobody_takes_nobody_out_of_service_and_does_not_start(
    cedar: Hospital, lotus: Hospital, tmp_path: Path
) -> None:
    for hospital in (cedar, lotus):
        sabotage(hospital)
    with next_release(tmp_path), pytest.raises(CommandError, match="do not start the new version") as refusal:
        prepare()
    assert not isinstance(refusal.value, LeftBehindError)
    assert not Hospital.objects.exclude(pause="").exists()


def test_a_release_that_does_not_fit_many_takes_nobody_out_of_service(
    cedar: Hospital, lotus: Hospital, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(running, "_FEW", 0)
    sabotage(lotus)
    with next_release(tmp_path):
        with pytest.raises(running.ReleaseAtFaultError):
            settle()
        assert is_current(cedar)
    assert not Hospital.objects.exclude(pause="").exists()


def test_a_hospital_without_a_schema_is_named(cedar: Hospital, lotus: Hospital, tmp_path: Path) -> None:
    owner(f"DROP SCHEMA {cedar.schema_name} CASCADE")
    with next_release(tmp_path):
        [outcome] = settle()
    assert (outcome.hospital, outcome.error) == (cedar, "It has no schema, or no record of its migrations.")


def test_a_table_that_a_hospital_has_lost_is_not_looked_for_in_public(
    cedar: Hospital, lotus: Hospital, tmp_path: Path
) -> None:
    owner(f"DROP TABLE {cedar.schema_name}.audit_auditlog CASCADE")
    body = 'operations = [migrations.AddField("auditlog", "mood", models.TextField(null=True))]'
    with next_release(tmp_path, body, room="audit"):
        [outcome] = settle()
        assert (outcome.hospital, outcome.error) == (cedar, "One of its tables is missing: audit_auditlog.")
    assert "mood" not in columns_of("public", "audit_auditlog")


def test_the_reason_quotes_no_patient(cedar: Hospital, lotus: Hospital, tmp_path: Path) -> None:
    with schema_context(cedar.schema_name):
        for number in (1, 2):
            Patient.objects.create(number=f"P-{number}", name="Asha Patel")
    body = """operations = [migrations.AddConstraint(
        "patient", models.UniqueConstraint(fields=["name"], name="one_of_each_name"))]"""
    with next_release(tmp_path, body):
        [outcome] = settle()
    assert "one_of_each_name" in outcome.error
    assert "Asha" not in outcome.error


# --- Locks, and other runs -------------------------------------------------------------------------------------------


@pytest.fixture
def clerk(cedar: Hospital) -> Any:
    """Somebody at Cedar whose transaction holds the table of patients."""
    target = connections.settings["owner"]
    link = psycopg2.connect(
        dbname=target["NAME"],
        user=target["USER"],
        password=target["PASSWORD"],
        host=target["HOST"],
        port=target["PORT"],
    )
    with link.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {cedar.schema_name}.patients_patient")
    yield link
    link.close()


def test_a_hospital_whose_table_is_in_use_is_tried_again_when_the_others_are_done(
    cedar: Hospital, lotus: Hospital, clerk: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(running, "PATIENCE", QUICK)
    settled = []

    def tell(outcome: Outcome) -> None:
        settled.append(outcome.hospital)
        clerk.rollback()

    with next_release(tmp_path):
        assert settle(tell) == []
        assert settled == [lotus, cedar]
        assert is_current(cedar)


def test_a_hospital_whose_table_stays_in_use_is_given_up_after_three_tries(
    cedar: Hospital, lotus: Hospital, clerk: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(running, "PATIENCE", QUICK)
    with next_release(tmp_path):
        [outcome] = settle()
        assert (outcome.hospital, outcome.error) == (cedar, "canceling statement due to lock timeout")
        assert (is_current(cedar), is_current(lotus)) == (False, True)


def test_two_runs_at_once_do_everything_once(cedar: Hospital, lotus: Hospital, tmp_path: Path) -> None:
    refused = []

    def run(work: Callable[[], list[Outcome]]) -> None:
        refused.extend(work())
        connections.close_all()

    with next_release(tmp_path) as name:
        threads = [Thread(target=run, args=[lambda: settle(jobs=2)]) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert refused == []
        for hospital in (cedar, lotus):
            assert recorded(hospital, name) == 1
            assert is_current(hospital)


def test_a_run_that_was_overtaken_changes_nothing(cedar: Hospital, lotus: Hospital, tmp_path: Path) -> None:
    with next_release(tmp_path) as name:
        with as_owner():
            [group], _lost = planning.plan(cell=HOME_CELL, hospitals=[cedar])
        assert settle() == []
        with as_owner():
            outcome = upgrading.upgrade(hospital=cedar, group=group, patience=QUICK[0])
        assert (outcome.error, outcome.may_pass) == ("Another run has migrated it at the same time.", True)
        assert recorded(cedar, name) == 1


def test_a_run_that_was_stopped_half_way_is_gone_on_with(cedar: Hospital, lotus: Hospital, tmp_path: Path) -> None:
    def stop(_outcome: Outcome) -> None:
        raise KeyboardInterrupt

    with next_release(tmp_path):
        with pytest.raises(KeyboardInterrupt):
            settle(stop)
        assert settle() == []
        assert is_current(cedar)
        assert is_current(lotus)


def test_a_terminal_shows_how_far_it_is() -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    progress = Progress(OutputWrapper(terminal), total=2)
    progress.tell(Outcome(Hospital()))
    assert terminal.getvalue() == "\r[###############...............] 1 of 2 hospitals"
    progress.tell(Outcome(Hospital(), error="No."))
    assert terminal.getvalue().endswith("] 2 of 2 hospitals, 1 refused\n")
