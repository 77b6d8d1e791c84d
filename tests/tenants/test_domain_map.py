"""Who remembers which hospital a host or a schema belongs to, and for how long."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.models import User
from audit import services as audit
from core.schemas import HOME_CELL, PUBLIC, Standing, schema_context, standing
from hospitals.services import joining
from tenants import hosts
from tenants import services as tenants
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser, forget
from tests.tenants.domain_map import HOST, name_of, redis_away, rename

OnCommit = Callable[..., Any]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What time it is for the map: it stands still unless a test turns it."""
    hands = [100.0]
    monkeypatch.setattr(hosts, "monotonic", lambda: hands[0])
    return hands


# --- Asking ----------------------------------------------------------------------------------------------------------


def test_a_warm_host_costs_no_query_and_no_question_to_redis(cedar: Hospital) -> None:
    assert hosts.hospital_at(HOST) == cedar
    with redis_away(), CaptureQueriesContext(connection) as queries:
        assert hosts.hospital_at(HOST) == cedar
        assert browser(HOST).get("/theme/ffd43b-0123456789.css").status_code == 200
    assert not queries.captured_queries


def test_a_cold_process_with_a_warm_redis_costs_no_query(cedar: Hospital) -> None:
    hosts.hospital_at(HOST)
    hosts.hospital_at("nobody.localhost")
    hosts.hospital_of_schema(cedar.schema_name)
    hosts.forget_here()
    with CaptureQueriesContext(connection) as queries:
        assert hosts.hospital_at(HOST) == cedar
        assert hosts.hospital_at("nobody.localhost") is None
        assert hosts.hospital_of_schema(cedar.schema_name) == cedar
    assert not queries.captured_queries


def test_what_redis_keeps_of_a_hospital_is_all_of_it(cedar: Hospital) -> None:
    assert hosts._read(hosts._written(cedar)) == cedar
    kept = hosts._read(hosts._written(cedar))
    assert kept is not None
    for field in Hospital._meta.concrete_fields:
        assert getattr(kept, field.attname) == getattr(cedar, field.attname), field.attname
    assert not kept._state.adding


def test_what_one_request_does_to_its_hospital_is_no_others_business(cedar: Hospital) -> None:
    mine, others = hosts.hospital_at(HOST), hosts.hospital_at(HOST)
    assert mine is not None and others is not None
    mine.name = "Mine"
    mine._state.fields_cache["anything"] = "mine"
    assert others.name == name_of(HOST) == "Cedar Hospital"
    assert not others._state.fields_cache


def test_a_process_asks_again_within_a_second(cedar: Hospital, clock: list[float]) -> None:
    assert name_of(HOST) == "Cedar Hospital"
    rename(cedar, "Cedar and Oak")
    hosts._redis().flushdb()
    assert name_of(HOST) == "Cedar Hospital"
    clock[0] += 0.81
    assert name_of(HOST) == "Cedar and Oak"


def test_while_nobody_has_changed_anything_redis_is_asked_for_nothing_but_its_stamp(
    cedar: Hospital, clock: list[float]
) -> None:
    assert name_of(HOST) == "Cedar Hospital"
    rename(cedar, "Cedar and Oak")  # and tells nobody
    hosts._redis().delete(hosts._name(f"host:{HOST}"))
    clock[0] += 119.0
    assert name_of(HOST) == "Cedar Hospital"
    clock[0] += 1.1
    assert name_of(HOST) == "Cedar and Oak", "for two minutes at most, should somebody have died before telling"


def test_another_hospitals_change_costs_no_query(cedar: Hospital, lotus: Hospital, clock: list[float]) -> None:
    assert hosts.hospital_at(HOST) == cedar
    hosts._mark([f"host:{lotus.host}"])
    clock[0] += 0.81
    with CaptureQueriesContext(connection) as queries:
        assert hosts.hospital_at(HOST) == cedar
    assert not queries.captured_queries


def test_what_was_found_beside_a_mark_is_asked_for_again_within_a_second(cedar: Hospital, clock: list[float]) -> None:
    hosts._mark([f"host:{HOST}"])
    assert name_of(HOST) == "Cedar Hospital"
    rename(cedar, "Cedar and Oak")  # a writer who commits and dies
    clock[0] += 0.81
    assert name_of(HOST) == "Cedar and Oak"


def test_a_slow_question_makes_no_answer_older(
    cedar: Hospital, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = hosts._look_up

    def slowly(key: str) -> Hospital | None:
        found = look_up(key)
        clock[0] += 0.7
        return found

    monkeypatch.setattr(hosts, "_look_up", slowly)
    hosts.hospital_at(HOST)
    assert hosts._near[f"host:{HOST}"][0] == pytest.approx(100.8)


def test_names_that_somebody_tries_do_not_fill_the_memory(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "_NEAR_MOST", 5)
    for number in range(20):
        assert hosts.hospital_at(f"try-{number}.localhost") is None
    assert len(hosts._near) <= 5
    assert hosts.hospital_at("x" * 300) is None
    assert not any(len(key) > 300 for key in hosts._near)


def test_threads_share_what_is_known(committed: None) -> None:
    def ask(number: int) -> list[str | None]:
        try:
            return [name_of(HOST) if turn % 2 else name_of("lotus.localhost") for turn in range(200)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        for names in pool.map(ask, range(8)):
            assert names == ["Lotus Clinic", "Cedar Hospital"] * 100


def test_an_entry_of_a_release_that_knew_less_is_not_believed(cedar: Hospital) -> None:
    hosts.hospital_at(HOST)
    hosts.forget_here()
    key = hosts._name(f"host:{HOST}")
    row = json.loads(hosts._redis().get(key) or "")
    row.pop("pause")
    hosts._redis().set(key, json.dumps(row | {"name": "Old"}))
    assert name_of(HOST) == "Cedar Hospital"


def test_an_entry_of_a_release_that_knows_more_is_read(cedar: Hospital) -> None:
    hosts.hospital_at(HOST)
    hosts.forget_here()
    key = hosts._name(f"host:{HOST}")
    row = json.loads(hosts._redis().get(key) or "")
    hosts._redis().set(key, json.dumps(row | {"beds": 120}))
    with CaptureQueriesContext(connection) as queries:
        assert name_of(HOST) == "Cedar Hospital"
    assert not queries.captured_queries


def test_with_redis_away_the_site_serves_from_the_database(cedar: Hospital, caplog: pytest.LogCaptureFixture) -> None:
    with redis_away():
        assert browser(HOST).get("/departments/").status_code == 200
        with CaptureQueriesContext(connection) as queries:
            assert name_of(HOST) == "Cedar Hospital"
    assert not queries.captured_queries
    assert "The cache does not answer: looking the host up in the database." in caplog.text


def test_without_the_database_the_last_answer_tells_whose_page_fails(cedar: Hospital, clock: list[float]) -> None:
    hosts.hospital_at(HOST)
    clock[0] += 3600
    hosts._redis().flushdb()

    def away(*_arguments: Any) -> None:
        raise OperationalError

    with connection.execute_wrapper(away):
        assert name_of(HOST) == "Cedar Hospital"
        with pytest.raises(OperationalError):
            hosts.hospital_at("lotus.localhost")


# --- Schemas and cells -----------------------------------------------------------------------------------------------


def test_a_schema_stands_as_its_hospital_does(
    cedar: Hospital, lotus: Hospital, django_capture_on_commit_callbacks: OnCommit
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        tenants.pause(hospital=cedar, why=Hospital.Pause.MOVE, now=now())
    assert standing(cedar.schema_name) is Standing.PAUSED
    assert standing(lotus.schema_name) is Standing.OPEN
    assert standing(PUBLIC) is Standing.OPEN
    assert standing("pg_catalog") is standing("h_000000000000") is Standing.UNKNOWN


def test_a_hospital_that_waits_for_its_approval_has_no_schema_to_work_in(db: None) -> None:
    assert standing(factories.pending().schema_name) is Standing.UNKNOWN


def test_a_hospital_that_has_left_has_none_any_more(
    cedar: Hospital, usha: User, django_capture_on_commit_callbacks: OnCommit
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        joining.suspend(hospital=cedar, by=usha, reason="It leaves")
    assert standing(cedar.schema_name) is Standing.OPEN  # what was begun for it is brought to an end
    with django_capture_on_commit_callbacks(execute=True):
        audit.move(cedar, Hospital.Status.CLOSED, by=usha, reason="It has left")
        hosts.changed(cedar)
    assert standing(cedar.schema_name) is Standing.UNKNOWN
    assert hosts.hospital_at(HOST) is None


def test_without_other_cells_nobody_is_asked_for_a_schemas(cedar: Hospital) -> None:
    with redis_away(), CaptureQueriesContext(connection) as queries:
        assert hosts.cell_of(cedar.schema_name) == hosts.cell_of(PUBLIC) == HOME_CELL
    assert not queries.captured_queries


def test_a_schemas_cell_is_its_hospitals(cedar: Hospital, lotus: Hospital, settings: Any) -> None:
    settings.CELLS = ["south"]
    Hospital.objects.filter(pk=cedar.pk).update(cell="south")
    forget()
    assert hosts.cell_of(cedar.schema_name) == "south"
    assert hosts.cell_of(lotus.schema_name) == hosts.cell_of(PUBLIC) == HOME_CELL


def test_a_host_is_looked_up_from_within_another_hospital(cedar: Hospital, lotus: Hospital) -> None:
    with schema_context(lotus.schema_name):
        assert hosts.hospital_at(HOST) == cedar
