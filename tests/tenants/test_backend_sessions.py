"""Transactions, cursors, sessions, broken connections and threads: each ends, and the next statement finds its place."""

import select
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any, cast

import psycopg2
import pytest
from django.db import (
    IntegrityError,
    InternalError,
    OperationalError,
    ProgrammingError,
    close_old_connections,
    connection,
    connections,
    models,
)
from django.db.backends.postgresql.base import DatabaseWrapper as PostgresWrapper
from django.db.transaction import atomic, on_commit, set_autocommit
from django.db.utils import DataError
from psycopg2.extras import RealDictCursor

from core import schemas
from core.schemas import as_owner, schema_context
from hospitals.models import Department, Staff
from tenants.models import Hospital
from tests.tenants.places import forget, go_to, hang_up, own_connection, schema_of, sent, standing, undone


@pytest.fixture
def cedar(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """Cedar's schema, and a connection outside any transaction; what the test writes it must undo."""
    with django_db_blocker.unblock(), own_connection():
        yield schema_of("cedar")


@pytest.fixture
def lotus(cedar: str) -> str:
    return schema_of("lotus")


# --- Transactions ---


def test_a_first_statement_that_cannot_be_read_begins_nothing_and_the_next_one_does(cedar: str) -> None:
    with schema_context(cedar):
        with atomic(), connection.cursor() as cursor:
            with pytest.raises(ProgrammingError):
                cursor.execute("SELCT 1")
            assert connection.connection.is_idle
            cursor.execute("SELECT 1")
            assert sent(cursor).startswith("BEGIN;SET ROLE")
        assert connection.connection.is_idle


def test_a_first_statement_that_fails_leaves_a_transaction_to_roll_back(cedar: str) -> None:
    with pytest.raises(DataError), schema_context(cedar), atomic(), connection.cursor() as cursor:
        try:
            cursor.execute("SELECT 1 / 0")
        finally:
            assert not connection.connection.is_idle
    assert connection.connection.is_idle


def test_a_place_that_is_gone_runs_nothing(cedar: str) -> None:
    with schema_context("h_gone"), pytest.raises(DataError, match='role "h_gone" does not exist'):
        Staff.objects.count()
    with schema_context("h_gone"), pytest.raises(DataError, match='role "h_gone" does not exist'), atomic():
        Staff.objects.count()
    with schema_context(cedar):
        assert standing() == (cedar, cedar)


def test_a_name_that_is_no_schemas_changes_nothing(cedar: str) -> None:
    go_to(cedar)
    for name in ('"; DROP SCHEMA x; --', "", "Cedar", "pg_temp; RESET ROLE"):
        with pytest.raises(ValueError, match="cannot be the name of a schema"):
            go_to(name)
        assert (schemas.active(), standing()) == (cedar, (cedar, cedar))


def test_an_error_that_was_swallowed_cannot_be_committed(cedar: str) -> None:
    done = []
    with pytest.raises(InternalError, match="Nothing was committed"), schema_context(cedar), atomic():
        on_commit(lambda: done.append("told"))
        with connection.cursor() as cursor, pytest.raises(DataError):
            cursor.execute("SELECT 1 / 0")
    assert done == []
    assert connection.connection.is_idle


def test_an_error_in_a_savepoint_leaves_the_rest_to_commit(cedar: str) -> None:
    done = []
    with schema_context(cedar), atomic():
        on_commit(lambda: done.append("told"))
        with pytest.raises(DataError), atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        assert standing() == (cedar, cedar)
    assert done == ["told"]


def test_a_commit_that_a_deferred_rule_refuses_undoes_everything(cedar: str) -> None:
    hospital = Hospital.objects.get(slug="cedar")
    done = []
    with pytest.raises(IntegrityError, match="without its audit row|audit"), atomic():
        on_commit(lambda: done.append("told"))
        Hospital.objects.filter(pk=hospital.pk).update(status=Hospital.Status.SUSPENDED)
    assert done == []
    hospital.refresh_from_db()
    assert hospital.status == Hospital.Status.APPROVED


def test_a_durable_transaction_is_not_nested(cedar: str) -> None:
    with atomic(), pytest.raises(RuntimeError), atomic(durable=True):
        pass
    with atomic(durable=True):
        standing()
    assert connection.connection.is_idle


def test_a_savepoint_undoes_what_it_covers_and_no_more(cedar: str) -> None:
    with schema_context(cedar), undone():
        Department.objects.create(name="Kept", slug="kept")
        with undone():
            Department.objects.create(name="Undone", slug="undone")
        assert set(Department.objects.filter(slug__in=["kept", "undone"]).values_list("slug", flat=True)) == {"kept"}
    with schema_context(cedar):
        assert not Department.objects.filter(slug="kept").exists()


def test_rolling_back_to_a_savepoint_by_hand_is_noticed(cedar: str, lotus: str) -> None:
    with schema_context(lotus), undone(), connection.cursor() as cursor:
        cursor.execute("SAVEPOINT here")
        go_to(cedar)
        assert standing() == (cedar, cedar)
        cursor.execute("ROLLBACK TO here")
        assert standing() == (cedar, cedar)


def test_autocommit_that_is_put_off_by_hand_waits_for_the_commit(cedar: str) -> None:
    set_autocommit(False)
    try:
        standing()
        with pytest.raises(ProgrammingError, match="commit it or roll it back"):
            set_autocommit(True)
        assert not connection.connection.is_idle
    finally:
        connection.rollback()
        set_autocommit(True)
    assert connection.connection.is_idle


def test_rows_are_locked_in_a_transaction_alone(cedar: str) -> None:
    with schema_context(cedar):
        with pytest.raises(Exception, match="select_for_update cannot be used outside of a transaction"):
            Staff.objects.select_for_update().get()
        with atomic():
            Staff.objects.select_for_update().get()
            assert len(list(Staff.objects.select_for_update(of=("self",)).iterator(chunk_size=1))) == 1


# --- Cursors on the server ---


@pytest.mark.parametrize("is_in_transaction", [True, False])
def test_a_cursor_on_the_server_goes_on_with_the_rows_of_the_hospital_where_it_began(
    cedar: str, lotus: str, is_in_transaction: bool
) -> None:
    with ExitStack() as stack:
        if is_in_transaction:
            stack.enter_context(atomic())
        go_to(cedar)
        cursor = stack.enter_context(connection.chunked_cursor())
        cursor.execute(
            "SELECT tableoid::bigint, %s::regclass::bigint FROM django_migrations", [f"{cedar}.django_migrations"]
        )
        rows = cursor.fetchmany(2)
        go_to(lotus)
        assert standing() == (lotus, lotus)
        rows += cursor.fetchmany(2)
        assert standing() == (lotus, lotus)
        assert [found == cedars for found, cedars in rows] == [True] * 4


def test_a_cursor_on_the_server_ends_with_its_transaction(cedar: str) -> None:
    with schema_context(cedar):
        with atomic():
            rows = Staff.objects.iterator(chunk_size=1)
            next(rows)
        with pytest.raises(OperationalError, match="does not exist"):
            next(rows)


def test_a_cursor_on_the_server_that_is_left_in_the_middle_disturbs_nothing(cedar: str) -> None:
    with schema_context(cedar):
        with atomic():
            for _staff in Staff.objects.iterator(chunk_size=1):
                break
            assert standing() == (cedar, cedar)
        with undone():
            left = cast("Generator[Staff]", Staff.objects.iterator(chunk_size=1))
            next(left)
        left.close()
        assert standing() == (cedar, cedar)


# --- Sessions by hand ---


def test_a_search_path_chosen_by_hand_holds_for_its_cursor_but_the_rights_stay(cedar: str, lotus: str) -> None:
    with schema_context(cedar), connection.cursor() as cursor:
        cursor.execute(f'SET search_path = "{cedar}"')
        cursor.execute("SELECT current_user, current_schemas(false)")
        assert cursor.fetchone() == (cedar, [cedar])
        cursor.execute(f"SET ROLE {lotus}")
        cursor.execute("SELECT current_user, current_schemas(false)")
        assert cursor.fetchone() == (cedar, [cedar])
        assert standing() == (cedar, cedar)
        cursor.execute("SELECT current_user, current_schemas(false)")
        assert cursor.fetchone() == (cedar, [cedar, "public"]), "another cursor has gone elsewhere meanwhile"


def test_tables_are_looked_up_in_the_hospitals_schema_alone(cedar: str) -> None:
    with schema_context(cedar):
        tables = connection.introspection.table_names()
        assert {"hospitals_staff", "audit_auditlog"} <= set(tables)
        assert "accounts_user" not in tables
        assert Staff.objects.count() == 1


def test_the_owner_edits_a_schema(committed: None) -> None:
    with as_owner(), schema_context(schema_of("cedar")), connection.schema_editor() as editor:
        assert standing() == ("rhms", schema_of("cedar"))
        field: models.CharField[str, str] = models.CharField(max_length=20, null=True)
        field.set_attributes_from_name("second_name")
        editor.add_field(Department, field)
        with connection.cursor() as cursor:
            columns = [
                row.name for row in connection.introspection.get_table_description(cursor, "hospitals_department")
            ]
        assert "second_name" in columns


def test_statements_that_refuse_company_are_sent_alone(cedar: str) -> None:
    with schema_context(cedar), connection.cursor() as cursor:
        for statement in ("DO $$ BEGIN COMMIT; END $$", "DISCARD ALL"):
            forget()
            cursor.execute(statement)
            assert sent(cursor) == statement
            assert standing() == (cedar, cedar)


def test_a_cursor_that_would_not_go_anywhere_is_refused(cedar: str) -> None:
    connection.ensure_connection()
    with pytest.raises(psycopg2.ProgrammingError, match="does not go where its statements belong"):
        connection.connection.cursor(cursor_factory=RealDictCursor)


# --- Broken connections ---


def test_a_connection_lost_in_a_transaction_is_replaced_after_it(cedar: str, lotus: str) -> None:
    with schema_context(cedar):
        with pytest.raises(OperationalError), atomic():
            standing()
            hang_up()
            standing()
        go_to(lotus)
        assert standing() == (lotus, lotus)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What came of it whenever the server was asked whether it is there."""
    answers: list[bool] = []
    ask = PostgresWrapper.is_usable

    def noting(wrapper: PostgresWrapper) -> bool:
        answers.append(ask(wrapper))
        return answers[-1]

    monkeypatch.setattr(PostgresWrapper, "is_usable", noting)
    return answers


def test_a_quiet_connection_is_not_asked_whether_it_is_there(cedar: str, asked: list[bool]) -> None:
    with schema_context(cedar):
        standing()
        before = connection.connection
        close_old_connections()
        assert standing() == (cedar, cedar)
    assert connection.connection is before
    assert asked == []


def test_one_on_which_something_has_come_is_asked_and_kept(cedar: str, asked: list[bool]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("LISTEN bell")
    link = connection.connection
    other = psycopg2.connect(**link.get_dsn_parameters(), password=connection.settings_dict["PASSWORD"])
    other.autocommit = True
    with closing(other), other.cursor() as cursor:
        cursor.execute("NOTIFY bell")
    select.select([link], [], [], 10)  # until the bell has rung here
    close_old_connections()
    standing()
    assert connection.connection is link
    assert asked == [True]


def test_one_that_the_server_has_ended_is_asked_and_replaced(cedar: str, asked: list[bool]) -> None:
    standing()
    before = connection.connection
    hang_up()
    close_old_connections()
    with schema_context(cedar):
        assert standing() == (cedar, cedar)
    assert connection.connection is not before
    assert asked == [False]


def test_one_whose_transaction_has_failed_is_replaced(cedar: str, asked: list[bool]) -> None:
    with connection.cursor() as cursor:
        before = connection.connection
        cursor.execute("BEGIN")
        with pytest.raises(DataError):
            cursor.execute("SELECT 1 / 0")
    close_old_connections()
    with schema_context(cedar):
        assert standing() == (cedar, cedar)
    assert connection.connection is not before
    assert asked == []


# --- Threads ---


def test_threads_stand_where_they_work(cedar: str, lotus: str) -> None:
    def switch(number: int) -> int:
        wrong = 0
        try:
            for turn in range(200):
                where = (cedar, lotus)[(number + turn) % 2]
                with schema_context(where):
                    wrong += standing() != (where, where)
                    if turn % 10 == number:
                        with undone():
                            wrong += standing() != (where, where)
        finally:
            connections.close_all()
        return wrong

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(switch, range(8))) == [0] * 8
