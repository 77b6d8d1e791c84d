"""The connection goes where its statements belong, whichever way they are sent and whatever happened before."""

from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.db import (
    IntegrityError,
    OperationalError,
    connection,
)
from django.db.transaction import atomic
from django.db.utils import DataError
from psycopg2 import sql
from psycopg2.extras import execute_batch, execute_values

from core import schemas
from core.schemas import schema_context
from hospitals.models import Staff
from tenants.models import Hospital
from tests.tenants.places import go_to, hang_up, own_connection, schema_of, sent, standing, undone


@pytest.fixture
def cedar(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """Cedar's schema, and a connection outside any transaction; what the test writes it must undo."""
    with django_db_blocker.unblock(), own_connection():
        yield schema_of("cedar")


@pytest.fixture
def lotus(cedar: str) -> str:
    return schema_of("lotus")


# --- What a message carries ---


def test_the_way_there_is_in_the_message_of_the_first_statement(cedar: str) -> None:
    with schema_context(cedar), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert sent(cursor) == f'SET ROLE "{cedar}";SET search_path TO "{cedar}", "public";SELECT 1'
        cursor.execute("SELECT 2")
        assert sent(cursor) == "SELECT 2"


def test_the_beginning_of_a_transaction_is_in_the_message_of_its_first_statement(cedar: str) -> None:
    with schema_context(cedar):
        standing()
        with atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert sent(cursor) == "BEGIN;SELECT 1"
            cursor.execute("SELECT 2")
            assert sent(cursor) == "SELECT 2"


def test_a_transaction_without_statements_sends_nothing(cedar: str) -> None:
    with atomic():
        pass
    assert connection.connection.is_idle


def test_a_place_is_compared_by_value(cedar: str) -> None:
    hospital = Hospital.objects.get(slug="cedar")
    with schema_context(cedar):
        standing()
    schemas.enter(hospital)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert sent(cursor) == "SELECT 1"


def test_going_public_for_a_moment_without_a_question_costs_nothing(cedar: str) -> None:
    with schema_context(cedar), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        with schema_context("public"):
            pass
        cursor.execute("SELECT 2")
        assert sent(cursor) == "SELECT 2"


# --- Every means, at every moment ---


def by_execute(cursor: Any) -> str:
    cursor.execute("SELECT current_schema()")
    return str(cursor.fetchone()[0])


def by_bytes(cursor: Any) -> str:
    cursor.execute(b"SELECT current_schema() -- \xc3\xa4")
    return str(cursor.fetchone()[0])


def by_composed(cursor: Any) -> str:
    cursor.execute(sql.SQL("SELECT {}()").format(sql.Identifier("current_schema")))
    return str(cursor.fetchone()[0])


def by_executemany(cursor: Any) -> str:
    with undone():
        cursor.executemany(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('probe', %s, now())", [["a"], ["b"]]
        )
        cursor.execute("SELECT count(*), min(tableoid::regclass::text) FROM django_migrations WHERE app = 'probe'")
        count, table = cursor.fetchone()
    assert count == 2
    return own(table)


def by_callproc(cursor: Any) -> str:
    cursor.callproc("current_schema")
    return str(cursor.fetchone()[0])


def by_values(cursor: Any) -> str:
    [(schema, _), _] = execute_values(
        cursor.cursor, "SELECT current_schema(), v FROM (VALUES %s) AS w (v)", [(1,), (2,)], fetch=True
    )
    return str(schema)


def by_batch(cursor: Any) -> str:
    execute_batch(cursor.cursor, "SELECT current_schema(), %s", [(1,), (2,)])
    return str(cursor.fetchone()[0])


def by_copy_expert(cursor: Any) -> str:
    out = StringIO()
    cursor.copy_expert("COPY (SELECT current_schema()) TO STDOUT", out)
    return out.getvalue().strip()


def by_copy_to(cursor: Any) -> str:
    out = StringIO()
    cursor.cursor.copy_to(out, "hospitals_settings")
    expected = StringIO()
    cursor.copy_expert(f'COPY "{schemas.active()}".hospitals_settings TO STDOUT', expected)
    assert out.getvalue() == expected.getvalue()
    return schemas.active()


def by_copy_from(cursor: Any) -> str:
    with undone():
        cursor.cursor.copy_from(StringIO("probe\tx\tnow\n"), "django_migrations", columns=("app", "name", "applied"))
        cursor.execute("SELECT tableoid::regclass::text FROM django_migrations WHERE app = 'probe'")
        return own(cursor.fetchone()[0])


def by_named_cursor(_cursor: Any) -> str:
    with connection.chunked_cursor() as cursor:
        cursor.execute("SELECT current_schema(), %s FROM generate_series(1, 300)", ["ä%"])
        rows = [row for chunk in iter(lambda: cursor.fetchmany(100), []) for row in chunk]
    assert len(rows) == 300
    assert rows[0][1] == "ä%"
    return str(rows[-1][0])


def by_iterator(_cursor: Any) -> str:
    [staff] = Staff.objects.select_related("user").iterator(chunk_size=1)
    return schema_of(staff.user.email.partition("@")[2].partition(".")[0])


def own(table: str) -> str:
    """The schema of a table as Postgres names it: without the schema when it is the first one of the path."""
    return table.partition(".")[0] if "." in table else schemas.active()


def at_first(cedar: str, lotus: str) -> None:
    connection.close()
    go_to(cedar)


def after_the_other(cedar: str, lotus: str) -> None:
    with schema_context(lotus):
        standing()
    go_to(cedar)


def after_a_rollback(cedar: str, lotus: str) -> None:
    go_to(lotus)
    standing()
    with undone():
        go_to(cedar)
        standing()


def after_an_error(cedar: str, lotus: str) -> None:
    go_to(lotus)
    standing()
    go_to(cedar)
    with connection.cursor() as cursor, pytest.raises(DataError):
        cursor.execute("SELECT 1 / 0")


def after_a_failed_commit(cedar: str, lotus: str) -> None:
    go_to(lotus)
    standing()
    go_to(cedar)
    with pytest.raises(IntegrityError), atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE hospitals_staff SET id = id + 1000000")  # an invitation names it
        assert standing() == (cedar, cedar)


def after_ending_by_hand(cedar: str, lotus: str) -> None:
    go_to(lotus)
    standing()
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        go_to(cedar)
        cursor.execute("SELECT 1")
        with pytest.raises(DataError):
            cursor.execute("SELECT 1 / 0")
        cursor.execute("COMMIT")


def after_a_wrong_path(cedar: str, lotus: str) -> None:
    go_to(cedar)
    with connection.cursor() as cursor:
        cursor.execute(f"SET search_path TO {lotus}")


def after_a_wrong_path_from_a_function(cedar: str, lotus: str) -> None:
    go_to(cedar)
    with connection.cursor() as cursor:
        cursor.execute("SELECT SET_CONFIG(lower('SEARCH_PATH'), %s, false)", [lotus])


def after_a_wrong_role(cedar: str, lotus: str) -> None:
    go_to(cedar)
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {lotus}")


def after_a_discard(cedar: str, lotus: str) -> None:
    go_to(cedar)
    with connection.cursor() as cursor:
        cursor.execute("DISCARD ALL")


def after_a_reconnect(cedar: str, lotus: str) -> None:
    go_to(cedar)
    standing()
    hang_up()
    with pytest.raises(OperationalError):
        standing()
    connection.close_if_unusable_or_obsolete()


MEANS = [
    *(by_execute, by_bytes, by_composed, by_executemany, by_callproc, by_values, by_batch),
    *(by_copy_expert, by_copy_to, by_copy_from, by_named_cursor, by_iterator),
]
MOMENTS = [
    *(at_first, after_the_other, after_a_rollback, after_an_error, after_a_failed_commit, after_ending_by_hand),
    *(after_a_wrong_path, after_a_wrong_path_from_a_function, after_a_wrong_role, after_a_discard, after_a_reconnect),
]


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
def test_every_means_finds_its_place(cedar: str, lotus: str, moment: Callable[[str, str], None]) -> None:
    for means in MEANS:
        moment(cedar, lotus)
        with connection.cursor() as cursor:
            assert means(cursor) == cedar, means.__name__
        moment(cedar, lotus)
        with atomic(), connection.cursor() as cursor:
            assert means(cursor) == cedar, means.__name__
            with undone(), schema_context(lotus):
                assert standing() == (lotus, lotus)
            assert means(cursor) == cedar, means.__name__
        assert standing() == (cedar, cedar)
