"""A schema is the same however it came to be, down to the catalogue: replayed, migrated, or brought up to date."""

from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from core.schemas import as_owner, schema_context
from tenants import provisioning, roles
from tenants.models import Hospital

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
    "rights": """SELECT relname, relacl::text, pg_get_userbyid(relowner) FROM pg_class
        WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'v', 'S')""",
    "rights to functions": """SELECT proname, proacl::text, pg_get_userbyid(proowner) FROM pg_proc
        WHERE pronamespace = %s::regnamespace""",
    "rights to what will come": """SELECT defaclobjtype, defaclacl::text, pg_get_userbyid(defaclrole) FROM pg_default_acl
        WHERE defaclnamespace = %s::regnamespace""",
    "rights to the schema": "SELECT nspacl::text, pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = %s",
}


def catalogue(schema: str) -> dict[str, list[str]]:
    """What Postgres knows of a schema and of who may do what in it, without the schema's own name."""
    found = {}
    with connection.cursor() as cursor:
        for kind, query in CATALOGUE.items():
            cursor.execute(query, [schema])
            found[kind] = sorted(
                str(row).replace(f"{schema}.", "").replace(schema, "its own") for row in cursor.fetchall()
            )
        cursor.execute(f'SELECT app, name FROM "{schema}".django_migrations')
        found["migrations"] = sorted(str(row) for row in cursor.fetchall())
    return found


def assert_alike(one: str, other: str) -> None:
    ours, theirs = catalogue(one), catalogue(other)
    for kind in theirs:
        assert ours[kind] == theirs[kind], kind
        assert ours[kind], kind


def make_anew(schema: str, ddl: str) -> None:
    """An empty schema in the place of the hospital's, made by this text."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        cursor.execute(f"CREATE SCHEMA {schema}")
        roles.admit(schema=schema)
        if ddl:
            with schema_context(schema):
                cursor.execute(ddl)


def test_replaying_gives_what_migrating_gives(committed: None) -> None:
    replayed = Hospital.objects.get(slug="cedar").schema_name
    migrated = Hospital.objects.get(slug="lotus").schema_name
    with as_owner():
        make_anew(migrated, "")
        call_command("migrate_schemas", schema_name=migrated, interactive=False, verbosity=0)
        assert_alike(replayed, migrated)


def test_an_older_schema_that_is_brought_up_to_date_is_like_a_new_one(committed: None) -> None:
    new = Hospital.objects.get(slug="cedar").schema_name
    old = Hospital.objects.get(slug="lotus")
    with as_owner():
        with schema_context(provisioning.ANY_HOSPITAL):
            loader = MigrationLoader(connection)
            every = provisioning.in_order(loader.graph)
            ddl = provisioning.ddl_of(every[: every.index(("billing", "0001_initial"))], loader)
        make_anew(old.schema_name, ddl)
        assert "billing_invoice" not in str(catalogue(old.schema_name)["tables"])
    Hospital.objects.filter(pk=old.pk).update(schema_version="old")
    call_command("migrate_hospitals", verbosity=0)
    with as_owner():
        assert_alike(new, old.schema_name)


def test_the_committed_ddl_is_what_the_migrations_say(committed: None) -> None:
    assert provisioning.generate_ddl() == provisioning.DDL.read_text()


def test_a_hospitals_schema_refers_to_nothing_outside_itself(in_cedar: Hospital) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT conname FROM pg_constraint JOIN pg_class t ON t.oid = confrelid
               WHERE connamespace = %s::regnamespace AND contype = 'f' AND t.relnamespace <> connamespace""",
            [in_cedar.schema_name],
        )
        assert cursor.fetchall() == []
