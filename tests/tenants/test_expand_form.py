"""A migration adds, so that the version before it goes on running; everything else is refused with what to write instead."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.core.management import CommandError, call_command
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models.functions import Lower, Now

from tenants import expand_form
from tests.tenants.releases import next_release

CHECK = models.CheckConstraint(condition=models.Q(sex="x"), name="a_check")
INDEX = models.Index(fields=["sex"], name="an_index")
READS_BY_PATH = (
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SELECT 1 FROM patients_patient; END $$"
)


def add(field: models.Field[Any, Any], model: str = "patient") -> migrations.AddField:
    return migrations.AddField(model, "extra", field)


def alter(name: str, field: models.Field[Any, Any], model: str = "patient") -> migrations.AlterField:
    return migrations.AlterField(model, name, field)


def sql(*statements: str) -> migrations.RunSQL:
    return migrations.RunSQL(list(statements), [])


REFUSED = [
    (migrations.RemoveField("patient", "sex"), "remove it in the release after"),
    (migrations.DeleteModel("Merge"), "delete it in the release after"),
    (migrations.RenameField("patient", "sex", "gender"), "db_column"),
    (migrations.RenameModel("Merge", "Joining"), "Meta.db_table"),
    (migrations.AlterModelTable("patient", "people"), "keep it"),
    (alter("name", models.IntegerField(null=True)), "becomes integer: add a column of the new type"),
    (alter("name", models.CharField(max_length=3)), "becomes varchar(3)"),
    (alter("birth_date", models.DateField()), "may write NULL"),
    (alter("name", models.CharField(max_length=300, unique=True)), "UniqueConstraint"),
    (add(models.TextField()), "or a db_default"),
    (add(models.TextField(default="")), "or a db_default"),
    (add(models.UUIDField(db_default=RandomUUID())), "fill it little by little"),
    (add(models.UUIDField(null=True, db_default=RandomUUID())), "fill it little by little"),
    (
        add(models.GeneratedField(expression=Lower("name"), output_field=models.IntegerField(), db_persist=True)),
        "the whole table anew",
    ),
    (add(models.TextField(null=True, unique=True)), "without unique=True"),
    (add(models.PositiveIntegerField(null=True)), "ADD COLUMN with a CHECK"),
    (add(models.ForeignKey("accounts.User", models.PROTECT, null=True)), "db_constraint=False"),
    (
        migrations.CreateModel("Note", [("by", models.ForeignKey("accounts.User", models.PROTECT))]),
        "db_constraint=False",
    ),
    (add(models.ManyToManyField("accounts.User")), "db_constraint=False"),
    (migrations.AddIndex("patient", INDEX), "Nobody can write"),
    (migrations.AddConstraint("patient", CHECK), "Nobody can use the table"),
    (migrations.RunPython(migrations.RunPython.noop), "how it is undone"),
    (migrations.RunSQL(["SELECT 1"]), "how it is undone"),
    (migrations.RunSQL("SELECT 1", []), "One long string"),
    (migrations.RunSQL(["SELECT 1"], "SELECT 2"), "One long string"),
    (sql("SELECT 1; SELECT 2"), "Several statements"),
    (sql("ALTER TABLE a ADD CONSTRAINT b CHECK (c > 1), ADD CONSTRAINT d CHECK (e > 1)"), "one ALTER for each"),
    (sql("ALTER TABLE a ADD COLUMN b int CHECK (b > 1)"), "add the column, then the constraint"),
    (sql("ALTER TABLE a RENAME CONSTRAINT b TO c"), "then drop the old one"),
    (sql("ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES public.accounts_user"), "without REFERENCES"),
    (sql("ALTER TABLE a DROP COLUMN b"), "in the release after"),
    (sql("DROP TABLE a"), "in the release after"),
    (sql("SELECT set_config('a.b', 'c', false)"), "SET LOCAL"),
    (sql("SET CONSTRAINTS ALL DEFERRED"), "SET CONSTRAINTS"),
    (sql(READS_BY_PATH), "TG_TABLE_SCHEMA"),
    (sql(READS_BY_PATH.replace("patients_patient", "public.accounts_user")), "may be in another database"),
    (migrations.SeparateDatabaseAndState([migrations.RemoveField("patient", "sex")]), "the release after"),
]
KEPT = [
    add(models.TextField(null=True)),
    add(models.TextField(default="", db_default="")),
    add(models.DateTimeField(db_default=Now())),
    add(models.ForeignKey("accounts.User", models.PROTECT, null=True, db_constraint=False)),
    add(models.ForeignKey("hospitals.Department", models.PROTECT, null=True)),
    migrations.CreateModel("Note", [("id", models.BigAutoField(primary_key=True)), ("text", models.TextField())]),
    alter("name", models.CharField("full name", max_length=300)),
    alter("name", models.TextField()),
    migrations.AddIndex("merge", models.Index(fields=["id"], name="an_index")),
    AddIndexConcurrently("patient", INDEX),
    AddConstraintNotValid("patient", CHECK),
    migrations.RemoveIndex("patient", "patient_by_phone"),
    migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop),
    migrations.RunSQL(["SELECT ';'"], migrations.RunSQL.noop),
    sql("SELECT 1 -- one; only"),
    sql("ALTER TABLE a ADD COLUMN b int", "ALTER TABLE a ADD CONSTRAINT c CHECK (b > 1)"),
    migrations.RunSQL(["CREATE TABLE a (b int)"], ["DROP TABLE a"]),
    sql(READS_BY_PATH.replace("AS $$", "SET search_path = h, pg_temp AS $$")),
    sql(
        READS_BY_PATH, "DO $$ BEGIN EXECUTE format('ALTER FUNCTION f() SET search_path = %I', current_schema()); END $$"
    ),
    sql(
        READS_BY_PATH.replace("SELECT 1 FROM patients_patient", "EXECUTE format('SELECT 1 FROM %I.a', TG_TABLE_SCHEMA)")
    ),
    migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("patient", "sex")]),
]


@pytest.fixture(scope="module")
def today() -> ProjectState:
    """The models as all migrations leave them."""
    state: ProjectState = MigrationLoader(None).project_state()
    return state


def faults(operation: Any, state: ProjectState, **said: Any) -> str:
    made = type("Migration", (migrations.Migration,), {"operations": [operation], **said})
    return "\n".join(expand_form.faults_of(made("0009_next", "patients"), state.clone()))


@pytest.mark.parametrize(("operation", "advice"), REFUSED)
def test_what_the_running_version_or_citus_would_not_survive_is_refused(
    today: ProjectState, operation: Any, advice: str
) -> None:
    assert advice in faults(operation, today)


@pytest.mark.parametrize("operation", KEPT)
def test_what_only_adds_is_let_through(today: ProjectState, operation: Any) -> None:
    assert faults(operation, today) == ""


def test_a_migration_may_contract_when_it_says_why(today: ProjectState) -> None:
    removal = migrations.RemoveField("patient", "sex")
    assert 'contracts = "..."' in faults(removal, today)
    assert faults(removal, today, contracts="Nobody reads it since 2.4.") == ""
    assert faults(removal, today, contracts=" ") != ""
    assert faults(removal, today, locks="Nobody reads it since 2.4.") != ""


def test_a_migration_may_lock_a_table_that_grows_when_it_says_why(today: ProjectState) -> None:
    index = migrations.AddIndex("patient", INDEX)
    assert 'locks = "..."' in faults(index, today)
    assert faults(index, today, locks="A hospital has 100,000 patients at most: 80 ms.") == ""


def test_nothing_excuses_sql_that_citus_refuses(today: ProjectState) -> None:
    assert faults(sql("SELECT 1; SELECT 2"), today, contracts="Why not.", locks="Why not.") != ""


def test_a_table_that_the_migration_makes_itself_may_be_shaped_at_will(today: ProjectState) -> None:
    state = today.clone()
    made = migrations.Migration("0009_next", "patients")
    made.operations = [  # type: ignore[misc]
        migrations.CreateModel("Note", [("id", models.BigAutoField(primary_key=True))]),
        migrations.AddField("note", "text", models.TextField()),
    ]
    assert expand_form.faults_of(made, state) == []


def test_squashed_migrations_are_refused(today: ProjectState) -> None:
    assert "Squash nothing" in faults(sql(), today, replaces=[("patients", "0001_initial")])


def test_all_migrations_of_today_are_in_expand_form() -> None:
    call_command("check_migrations")


def test_the_command_says_which_migration_is_at_fault(committed: None, tmp_path: Any) -> None:
    body = 'operations = [migrations.RemoveField("patient", "sex")]'
    with (
        next_release(tmp_path, body) as name,
        pytest.raises(CommandError, match=rf"patients\.{name}: Remove field sex"),
    ):
        call_command("check_migrations")


def test_every_table_that_is_said_to_grow_exists() -> None:
    for label in expand_form.GROWING:
        assert apps.get_model(label)
