"""Behind a pooler, that hands out its few sessions for a transaction each, everybody still stands where they work."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import psycopg2
import pytest
from django.db import IntegrityError, NotSupportedError, connection, connections
from django.db.transaction import atomic
from django.db.utils import DataError

from core.schemas import schema_context
from hospitals.models import Department, Staff
from tenants.models import Hospital
from tests.tenants.attempts import attempts, make
from tests.tenants.places import own_connection, schema_of, standing, undone
from tests.tenants.pooler import PROGRAM, SESSIONS, running_pooler

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed: apt-get install pgbouncer")

CLIENTS = 12
TURNS = 200


@pytest.fixture
def pooled(committed: None) -> Iterator[dict[str, Any]]:
    """Every connection of the platform goes through PgBouncer; the settings that say so."""
    target = connections.settings["default"]
    before = dict(target)
    with running_pooler(before) as port:
        target |= {"PORT": port, "IS_POOLED": True, "DISABLE_SERVER_SIDE_CURSORS": True}
        try:
            with own_connection():
                yield target
        finally:
            target.clear()
            target.update(before)


def at_once(client: Any) -> list[Any]:
    """What each of the clients answers, all at the same time, each over a connection of its own."""

    def run(number: int) -> Any:
        try:
            return client(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(run, range(CLIENTS)))


def test_many_clients_on_two_sessions_read_and_write_where_they_belong(pooled: dict[str, Any]) -> None:
    hospitals = [schema_of("cedar"), schema_of("lotus")]

    def work(number: int) -> Counter[str]:
        seen: Counter[str] = Counter()
        for turn in range(TURNS):
            here = (*hospitals, "public")[(number + turn) % 3]
            role = "rhms_portal" if here == "public" else here
            with schema_context(here), connection.cursor() as cursor:
                cursor.execute("SELECT current_user, current_schema(), pg_backend_pid()")
                user, schema, session = cursor.fetchone()
                seen["right" if (user, schema) == (role, here) else "wrong"] += 1
                seen[f"session {session}"] += 1
                if here != "public":
                    seen.update(MEANS[turn % len(MEANS)](cursor, here, f"{number} {turn}"))
        return seen

    seen: Counter[str] = sum(at_once(work), Counter())
    assert seen["right"] >= 2_000
    assert (seen["wrong"], len([key for key in seen if key.startswith("session")])) == (0, SESSIONS)
    for schema in hospitals:
        with schema_context(schema):
            words = set(Department.objects.filter(name__startswith="Pooled").values_list("description", flat=True))
            assert len(words) > 100
            assert {word.partition(" ")[0] for word in words} == {schema}


def in_a_transaction(cursor: Any, here: str, mark: str) -> Counter[str]:
    with atomic():
        assert standing() == (here, here)
        Department.objects.create(name=f"Pooled {mark}", slug=mark, description=f"{here} {mark}")
        with undone():
            Department.objects.create(name=f"Pooled {mark} undone", slug=f"{mark} undone", description="undone")
        return Counter(["right" if standing() == (here, here) else "wrong"])


def alone(cursor: Any, here: str, mark: str) -> Counter[str]:
    Department.objects.create(name=f"Pooled {mark}", slug=mark, description=f"{here} {mark}")
    return Counter()


def many(cursor: Any, here: str, mark: str) -> Counter[str]:
    cursor.executemany(
        "INSERT INTO django_migrations (app, name, applied) VALUES (current_schema(), %s, now())", [[mark], [mark]]
    )
    cursor.execute("SELECT DISTINCT app FROM django_migrations WHERE name = %s", [mark])
    return Counter(["right" if cursor.fetchall() == [(here,)] else "wrong"])


def copied(cursor: Any, here: str, mark: str) -> Counter[str]:
    cursor.copy_expert("COPY django_migrations (app, name, applied) FROM STDIN", StringIO(f"{here}\t{mark}\tnow\n"))
    out = StringIO()
    cursor.copy_expert(f"COPY (SELECT current_user, app FROM django_migrations WHERE name = '{mark}') TO STDOUT", out)
    return Counter(["right" if out.getvalue() == f"{here}\t{here}\n" else "wrong"])


def failed(cursor: Any, here: str, mark: str) -> Counter[str]:
    with pytest.raises(DataError):
        cursor.execute("SELECT 1 / 0")
    with pytest.raises(DataError), atomic():
        cursor.execute("SELECT 1 / 0")
    return Counter(["right" if standing() == (here, here) else "wrong"])


def listed(cursor: Any, here: str, mark: str) -> Counter[str]:
    with atomic():
        own = {str(staff.pk) for staff in Staff.objects.iterator(chunk_size=1)}
    return Counter(["right" if own else "wrong"])


MEANS = [in_a_transaction, alone, many, copied, failed, listed]


def test_a_session_that_is_not_told_to_forget_would_be_found_by_others(pooled: dict[str, Any]) -> None:
    """Else the test above would prove nothing."""
    pooled["IS_POOLED"] = False
    hospitals = [schema_of("cedar"), schema_of("lotus")]

    def work(number: int) -> int:
        wrong = 0
        for turn in range(50):
            here = hospitals[(number + turn // 10) % 2]
            with schema_context(here):
                wrong += standing() != (here, here)
        return wrong

    assert sum(at_once(work)) > 0


def test_attempts_to_reach_another_hospital_fail_as_without_a_pooler(pooled: dict[str, Any]) -> None:
    cedar, lotus = schema_of("cedar"), schema_of("lotus")
    with schema_context(lotus):
        Department.objects.create(name="Canary", slug="canary", description="canary of lotus")
        before = list(Department.objects.values())
    refused: Counter[str] = Counter()
    for attempt in attempts(1, 800, places=[cedar, "public"]):
        found = make(attempt, other=lotus)
        assert "canary of lotus" not in found.words, attempt
        refused[found.refused] += 1
    assert set(refused) == {"", "42501", "42P01", "0A000"}
    with schema_context(lotus):
        assert list(Department.objects.values()) == before


def test_a_rule_that_is_judged_at_commit_refuses_and_leaves_nothing_behind(pooled: dict[str, Any]) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    with pytest.raises(IntegrityError), atomic():
        Hospital.objects.filter(pk=cedar.pk).update(status=Hospital.Status.SUSPENDED)
    assert standing() == ("rhms_portal", "public")
    cedar.refresh_from_db()
    assert cedar.status == Hospital.Status.APPROVED


def test_nothing_outlasts_a_transaction(pooled: dict[str, Any]) -> None:
    def work(number: int) -> None:
        with schema_context(schema_of("cedar")), atomic():
            Department.objects.create(name=f"Pooled {number}", slug=str(number))

    at_once(work)
    target = {"host": pooled["HOST"], "port": pooled["PORT"], "dbname": pooled["NAME"]}
    links = [psycopg2.connect(**target, user=pooled["USER"], password=pooled["PASSWORD"]) for _ in range(SESSIONS)]
    sessions = set()
    for link in links:  # each keeps its session, as its transaction stays open
        with link.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid(), current_user, current_setting('search_path')")
            session, *stands = cursor.fetchone()
        sessions.add(session)
        assert stands == [pooled["USER"], '"$user", public']
    assert len(sessions) == SESSIONS
    for link in links:
        link.close()


def test_what_would_outlast_a_transaction_is_refused(pooled: dict[str, Any]) -> None:
    for statement in ("SET search_path TO public", "SET SESSION ROLE none", "RESET ALL", "DISCARD ALL", "LISTEN x"):
        with pytest.raises(NotSupportedError, match="SET LOCAL"), connection.cursor() as cursor:
            cursor.execute(statement)
    with pytest.raises(NotSupportedError), connection.chunked_cursor() as cursor:
        cursor.execute("SELECT 1")
    with atomic(), connection.chunked_cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchall() == [(1,)]


def test_the_time_zone_that_django_sets_once_follows_its_client(pooled: dict[str, Any]) -> None:
    def work(number: int) -> set[str]:
        zone = ("UTC", "Asia/Kolkata", "Europe/Lisbon")[number % 3]
        with own_connection(TIME_ZONE=zone), connection.cursor() as cursor:
            seen = set()
            for _ in range(50):
                cursor.execute("SELECT current_setting('TimeZone')")
                seen.add(cursor.fetchone()[0])
            return seen - {zone}

    assert at_once(work) == [set()] * CLIENTS
