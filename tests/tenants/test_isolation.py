"""No hospital reads or writes another's rows, whichever way it tries, and Postgres itself sees to that."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import ProgrammingError, connection, connections

from accounts.models import User
from core.schemas import as_owner, schema_context
from hospitals.models import Department
from tenants.models import Hospital
from tests import factories
from tests.tenants.attempts import CANARY, REACHES, READS, TABLES, VERBS, WRITES, Attempt, Found, attempts, make, orm
from tests.tenants.places import schema_of, undone

SEED = 20_261_121
ATTEMPTS = 10_000
IN_THREADS = 2_000


@pytest.fixture
def canaries(committed: None) -> Iterator[dict[str, str]]:
    """Both hospitals with rows in every table that is tried, each row of Lotus saying whose it is; their schemas."""
    usha = User.objects.get(is_superuser=True)
    for slug in ("cedar", "lotus"):
        hospital = Hospital.objects.get(slug=slug)
        with schema_context(hospital.schema_name):
            doctor = factories.bookable_doctor(hospital, usha, f"rao@{slug}.example")
            asha = factories.person(f"asha@{slug}.example")
            factories.visit(hospital, doctor, asha)
            Department.objects.create(name="Canaries", slug="canaries")
            with connection.cursor() as cursor:
                for table, column in TABLES.items():
                    cursor.execute(f"UPDATE {table} SET {column} = left(%s || id, 255)", [f"{CANARY}{slug} "])
                    assert cursor.rowcount
    yield {slug: schema_of(slug) for slug in ("cedar", "lotus")}


def oids(schema: str) -> set[int]:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT oid FROM pg_class WHERE relnamespace = %s::regnamespace", [schema])
        return {oid for (oid,) in cursor.fetchall()}


def contents(schema: str) -> dict[str, str]:
    """A digest of every table of a schema."""
    found = {}
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM {schema}.{table} AS t")
            [found[table]] = cursor.fetchone()
    return found


def is_breach(found: Found, theirs: set[int]) -> bool:
    """Whether more was found than a refusal or rows of one's own."""
    is_refused = found.refused in ("42501", "42P01")
    return bool(found.tables & theirs) or f"{CANARY}lotus" in found.words or (bool(found.refused) and not is_refused)


def test_ten_thousand_attempts_find_nothing_of_another_hospital(canaries: dict[str, str]) -> None:
    lotus = canaries["lotus"]
    before, theirs = contents(lotus), oids(lotus)
    plan = list(attempts(SEED, ATTEMPTS, places=[canaries["cedar"], canaries["cedar"], "public", ""]))

    def run(part: list[Attempt]) -> list[tuple[Attempt, Found]]:
        return [(attempt, make(attempt, other=lotus)) for attempt in part]

    def run_in_thread(part: list[Attempt]) -> list[tuple[Attempt, Found]]:
        try:
            return run(part)
        finally:
            connections.close_all()

    done = run(plan[IN_THREADS:])
    with ThreadPoolExecutor(8) as pool:
        for part in pool.map(run_in_thread, [plan[number:IN_THREADS:8] for number in range(8)]):
            done += part
    assert len(done) == ATTEMPTS
    assert [(attempt, found) for attempt, found in done if is_breach(found, theirs)] == []
    assert contents(lotus) == before
    refused = Counter(found.refused for _, found in done)
    assert set(refused) == {"", "42501", "42P01"}
    assert min(refused.values()) > 500, "some found their own rows, some no table, and some were not allowed"
    assert {attempt.verb for attempt, _ in done} == set(VERBS)
    assert {attempt.reach for attempt, _ in done} == set(REACHES)


def test_the_same_attempts_succeed_with_the_owners_rights(canaries: dict[str, str]) -> None:
    """Else the test above would prove nothing."""
    cedar, lotus = canaries["cedar"], canaries["lotus"]
    theirs = oids(lotus)
    with as_owner():
        for verb in READS:
            attempt = Attempt(cedar, "nothing, at once", "qualified", verb.__name__, "patients_patient")
            assert is_breach(make(attempt, other=lotus), theirs), attempt
        for reach in ("same message", "set", "set session", "set local", "set_config local"):
            attempt = Attempt(cedar, "nothing, in a transaction", reach, "select", "patients_patient")
            is_kept = reach in ("same message", "set", "set session", "set local")
            assert is_breach(make(attempt, other=lotus), theirs) == is_kept, attempt
        before = contents(lotus)
        for verb in WRITES:
            if verb is not orm:  # which never names another's table
                with undone():
                    make(
                        Attempt(cedar, "nothing, at once", "qualified", verb.__name__, "patients_patient"), other=lotus
                    )
                    assert contents(lotus) != before, verb.__name__
    assert contents(lotus) == before


# --- What Postgres has been told ---


def ask(question: str, parameters: list[Any] | None = None) -> list[tuple[object, ...]]:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(question, parameters)
        return list(cursor.fetchall())


def test_a_hospitals_role_has_rights_in_its_own_schema_alone(committed: None) -> None:
    schemas = ["public", *Hospital.objects.with_schema().values_list("schema_name", flat=True)]
    assert len(schemas) >= 3
    may_use = ask(
        "SELECT r.rolname, n.nspname FROM pg_roles r, pg_namespace n"
        " WHERE r.rolname = ANY(%s) AND n.nspname = ANY(%s) AND has_schema_privilege(r.oid, n.oid, 'USAGE')",
        [schemas, schemas],
    )
    assert sorted(may_use) == sorted((role, schema) for role in schemas[1:] for schema in (role, "public"))
    foreign = ask(
        "SELECT r.rolname, c.oid::regclass::text FROM pg_roles r, pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE r.rolname = ANY(%s) AND nspname = ANY(%s) AND nspname NOT IN (r.rolname, 'public') AND CASE relkind"
        " WHEN 'S' THEN has_sequence_privilege(r.oid, c.oid, 'USAGE, SELECT, UPDATE') WHEN 'r' THEN has_any_column_privilege"
        "(r.oid, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES') OR has_table_privilege(r.oid, c.oid,"
        " 'DELETE, TRUNCATE, TRIGGER, MAINTAIN') ELSE false END",
        [schemas, schemas],
    )
    assert foreign == []
    may_create = ask(
        "SELECT r.rolname, n.nspname FROM pg_roles r, pg_namespace n WHERE r.rolname = ANY(%s || ARRAY['rhms_portal'])"
        " AND n.nspname = ANY(%s) AND has_schema_privilege(r.oid, n.oid, 'CREATE')",
        [schemas, schemas],
    )
    assert may_create == []


def test_nobody_signs_in_as_a_hospital_and_no_role_of_ours_is_powerful(committed: None) -> None:
    roles = ask(
        "SELECT rolname, rolcanlogin, rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls FROM pg_roles"
        " WHERE rolname ~ '^h_' OR rolname IN ('rhms_portal', 'rhms_shared', 'rhms_app')"
    )
    assert {name for name, may_sign_in, _ in roles if may_sign_in} == {"rhms_app"}
    assert [name for name, _, is_powerful in roles if is_powerful] == []


def test_the_platforms_login_inherits_nothing_and_owns_nothing(committed: None) -> None:
    login = connections.settings["default"]["USER"]
    [(inherits, memberships_inherit, owned)] = ask(
        "SELECT rolinherit, (SELECT count(*) FROM pg_auth_members WHERE member = r.oid AND inherit_option),"
        " (SELECT count(*) FROM pg_shdepend WHERE refobjid = r.oid AND deptype = 'o') FROM pg_roles r WHERE rolname = %s",
        [login],
    )
    assert (inherits, memberships_inherit, owned) == (False, 0, 0)
    readable = ask(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE (nspname = 'public' OR nspname ~ '^h_') AND relkind IN ('r', 'v', 'm')"
        " AND has_any_column_privilege(%s, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')",
        [login],
    )
    assert readable == []


def test_no_hospital_leaves_tables_in_the_session_for_the_next(in_cedar: Hospital) -> None:
    with connection.cursor() as cursor, pytest.raises(ProgrammingError, match="create temporary tables"):
        cursor.execute("CREATE TEMP TABLE patients_patient (name text)")
