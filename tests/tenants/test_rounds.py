"""What beat asks for in every hospital: who is left out, and what one hospital's trouble is to the others."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils.timezone import now

from accounts.models import User
from core import schemas
from core.schemas import PUBLIC
from hospitals.services import joining
from tenants import rounds
from tenants import services as tenants
from tenants.models import Hospital


def visited() -> list[str]:
    slugs: list[str] = []
    rounds.everywhere(lambda hospital: slugs.append(hospital.slug))
    return slugs


def test_a_round_goes_to_every_open_hospital_in_its_own_schema(cedar: Hospital, lotus: Hospital) -> None:
    seen = []
    rounds.everywhere(lambda hospital: seen.append((hospital, schemas.active())))
    assert seen == [(cedar, cedar.schema_name), (lotus, lotus.schema_name)]
    assert schemas.active() == PUBLIC


def test_a_hospital_that_is_out_of_service_is_left_out_and_named_once(
    cedar: Hospital, lotus: Hospital, caplog: pytest.LogCaptureFixture
) -> None:
    tenants.pause(hospital=cedar, why=Hospital.Pause.UPGRADE, now=now())
    with caplog.at_level(logging.INFO, logger="tenants.rounds"):
        assert visited() == ["lotus"]
    assert caplog.messages.count("A round of the clock left out who is out of service: cedar.") == 1
    tenants.unpause(hospital=cedar, why=Hospital.Pause.UPGRADE)
    assert visited() == ["cedar", "lotus"]


@pytest.mark.parametrize("change", ["pause", "suspend"])
def test_what_happens_to_a_hospital_during_a_round_counts(
    cedar: Hospital, lotus: Hospital, usha: User, change: str
) -> None:
    ends: dict[str, Callable[[], object]] = {
        "pause": lambda: tenants.pause(hospital=lotus, why=Hospital.Pause.MOVE, now=now()),
        "suspend": lambda: joining.suspend(hospital=lotus, by=usha, reason="Unpaid"),
    }
    slugs = []

    def work(hospital: Hospital) -> None:
        slugs.append(hospital.slug)
        with schemas.schema_context(PUBLIC):
            ends[change]()

    rounds.everywhere(work)
    assert slugs == ["cedar"]


def test_a_hospital_without_a_schema_is_the_others_nothing(committed: None, caplog: pytest.LogCaptureFixture) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    with schemas.as_owner(), connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA {connection.ops.quote_name(cedar.schema_name)} CASCADE")
    counted = []

    def work(hospital: Hospital) -> None:
        from hospitals.models import Department

        counted.append((hospital.slug, Department.objects.count()))

    rounds.everywhere(work)
    assert counted == [("lotus", 0)]
    assert f"A round of the clock failed at {cedar.schema_name}." in caplog.text


def test_a_round_survives_the_loss_of_its_connection(committed: None, caplog: pytest.LogCaptureFixture) -> None:
    slugs = []

    def work(hospital: Hospital) -> None:
        slugs.append(hospital.slug)
        if hospital.slug == "cedar":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    rounds.everywhere(work)
    assert slugs == ["cedar", "lotus"]


def test_a_round_holds_no_transaction_between_hospitals(committed: None) -> None:
    open_ones: list[Any] = []
    rounds.everywhere(lambda _hospital: open_ones.append(transaction.get_connection().in_atomic_block))
    assert open_ones == [False, False]
    link: Any = connection.connection
    assert link.is_idle
