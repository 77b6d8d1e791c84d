"""A replayed schema is the same as a migrated one, down to the catalogue."""

from django.core.management import call_command
from django.db import connection
from django_tenants.utils import schema_context

from accounts.models import User
from tenants import provisioning
from tenants.models import Hospital
from tests import factories

CATALOGUE = {
    "tables": """SELECT c.relname, c.relkind FROM pg_class c WHERE c.relnamespace = %s::regnamespace
        AND c.relkind IN ('r', 'v', 'm', 'S', 'p')""",
    "columns": """SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
        pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relnamespace = %s::regnamespace AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r'""",
    "constraints": """SELECT r.conrelid::regclass::text, r.conname, pg_get_constraintdef(r.oid) FROM pg_constraint r
        WHERE r.connamespace = %s::regnamespace""",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = %s",
    "triggers": """SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t
        JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = %s::regnamespace AND NOT t.tgisinternal""",
    "functions": """SELECT proname, prosrc, replace(proconfig::text, pronamespace::regnamespace::text, 'its own schema')
        FROM pg_proc WHERE pronamespace = %s::regnamespace""",
}


def catalogue(schema: str) -> dict[str, list[str]]:
    """What Postgres knows of a schema, without the schema's own name."""
    found = {}
    with connection.cursor() as cursor:
        for kind, query in CATALOGUE.items():
            cursor.execute(query, [schema])
            found[kind] = sorted(str(row).replace(f"{schema}.", "") for row in cursor.fetchall())
        cursor.execute(f'SELECT app, name FROM "{schema}".django_migrations')
        found["migrations"] = sorted(str(row) for row in cursor.fetchall())
    return found


def test_replaying_gives_what_migrating_gives(committed: None) -> None:
    replayed = Hospital.objects.get(slug="cedar").schema_name
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA h_migrated")
    call_command("migrate_schemas", schema_name="h_migrated", interactive=False, verbosity=0)
    with schema_context("public"):
        ours, theirs = catalogue(replayed), catalogue("h_migrated")
    for kind in theirs:
        assert ours[kind] == theirs[kind], kind
        assert ours[kind], kind


def test_the_committed_ddl_is_what_the_migrations_say(db: None) -> None:
    assert provisioning.generate_ddl() == provisioning.DDL.read_text()


def test_a_hospitals_schema_refers_to_nothing_outside_itself(in_cedar: Hospital) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT conname FROM pg_constraint JOIN pg_class t ON t.oid = confrelid
               WHERE connamespace = %s::regnamespace AND contype = 'f' AND t.relnamespace <> connamespace""",
            [in_cedar.schema_name],
        )
        assert cursor.fetchall() == []


def test_hospitals_that_are_up_to_date_cost_one_query(usha: User, django_assert_num_queries: object) -> None:
    Hospital.objects.exists()  # the first statement of a test also sets the search path
    with django_assert_num_queries(1):  # type: ignore[operator]
        call_command("migrate_hospitals")


def test_a_hospital_that_is_behind_is_migrated_and_a_pending_one_is_left_alone(committed: None) -> None:
    factories.pending()
    cedar = Hospital.objects.get(slug="cedar")
    Hospital.objects.filter(pk=cedar.pk).update(schema_version="old")
    before = catalogue("public")["tables"]
    call_command("migrate_hospitals")
    assert catalogue("public")["tables"] == before
    cedar.refresh_from_db()
    assert cedar.schema_version == provisioning.version()
