"""Who may do what in the database: the owner need not be all-powerful, and the platform's login may do nothing alone."""

import secrets
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.db.utils import ProgrammingError

from core.schemas import as_owner, schema_context
from hospitals.models import Staff
from tenants.models import Hospital
from tests import factories
from tests.conftest import maintenance, use

LOGIN, OWNER = "rhms_plain_app", "rhms_plain_owner"


@pytest.fixture
def plain_owner(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """An empty database whose owner may make roles and nothing more, as hosting services give it."""
    before = {alias: dict(connections.settings[alias]) for alias in ("default", "owner")}
    database, passwords = "plain_owner", {LOGIN: secrets.token_hex(8), OWNER: secrets.token_hex(8)}
    with django_db_blocker.unblock(), maintenance() as cursor:
        cursor.execute("SELECT pg_advisory_lock(1)")
        cursor.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE PASSWORD %s", [passwords[OWNER]])
        # The group roles of this cluster belong to the tests' owner, so that this one has to be let into them.
        cursor.execute(f"GRANT rhms_shared, rhms_portal TO {OWNER} WITH ADMIN OPTION")
        cursor.execute(f"CREATE DATABASE {database} OWNER {OWNER}")
        connections.close_all()
        for alias, login in (("default", LOGIN), ("owner", OWNER)):
            connections.settings[alias] |= {"USER": login, "PASSWORD": passwords[login]}
        use(database)
        try:
            yield
        finally:
            connections.close_all()
            use(before["default"]["NAME"])
            for alias, settings in before.items():
                connections.settings[alias].update(settings)
            cursor.execute(f"DROP DATABASE {database} WITH (FORCE)")
            cursor.execute(
                "SELECT rolname FROM pg_auth_members JOIN pg_roles ON pg_roles.oid = roleid"
                " WHERE member = %s::regrole AND rolname LIKE 'h\\_%%'",
                [OWNER],
            )
            made = [name for (name,) in cursor.fetchall()]
            for role in [*made, LOGIN, OWNER]:
                cursor.execute(f"DROP ROLE IF EXISTS {role}")


def test_an_owner_who_may_only_make_roles_is_enough(plain_owner: None) -> None:
    call_command("prepare", verbosity=0)
    usha = factories.superadmin()
    hospital = factories.opened(usha, slug="banyan", email="admin@banyan.example")
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, True)
    with schema_context(hospital.schema_name):
        assert Staff.objects.count() == 1


def test_the_login_alone_can_read_nothing(committed: None) -> None:
    target = connection.settings_dict
    link = psycopg2.connect(
        dbname=target["NAME"],
        user=target["USER"],
        password=target["PASSWORD"],
        host=target["HOST"],
        port=target["PORT"],
    )
    with link, link.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute("SELECT * FROM public.accounts_user")
    link.close()


def test_the_platform_opens_hospitals_that_are_registered_and_nothing_else(db: None) -> None:
    with connection.cursor() as cursor, pytest.raises(Exception, match="There is no hospital h_of_nobody"):
        cursor.execute("SELECT public.tenants_open('h_of_nobody')")


@pytest.mark.parametrize(
    "statement", ["CREATE SCHEMA mine", "DROP TABLE accounts_user", "TRUNCATE accounts_user CASCADE"]
)
def test_the_portal_makes_and_drops_nothing(db: None, statement: str) -> None:
    with connection.cursor() as cursor, pytest.raises(ProgrammingError):
        cursor.execute(statement)


def test_a_hospital_opened_before_there_were_roles_gets_its_own(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    before = rights_of(cedar.schema_name)
    with as_owner(), connection.cursor() as cursor:
        name = connection.ops.quote_name(cedar.schema_name)
        cursor.execute(f"REVOKE {name} FROM {connections.settings['default']['USER']}")
        cursor.execute(f"REVOKE ALL ON SCHEMA {name} FROM {name}")
        cursor.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA {name} FROM {name}")
    assert rights_of(cedar.schema_name) != before
    call_command("prepare", verbosity=0)
    assert rights_of(cedar.schema_name) == before


def rights_of(role: str) -> list[tuple[str, ...]]:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, array_agg(privilege_type ORDER BY privilege_type)::text"
            " FROM pg_class, aclexplode(relacl) WHERE relnamespace = %s::regnamespace AND grantee = %s::regrole"
            " GROUP BY relname ORDER BY relname",
            [role, role],
        )
        return list(cursor.fetchall())
