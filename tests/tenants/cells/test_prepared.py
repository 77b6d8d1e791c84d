"""A cell's database: the shared tables are the registry's, and rights hold as they do at home."""

from datetime import timedelta
from io import StringIO
from typing import Any

import psycopg2
import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from django.utils.timezone import now

from accounts.models import OneTimeCode, User
from accounts.services import codes
from core import schemas
from directory import services as directory
from directory.models import TakenTime
from tenants import hosts
from tenants.cells import preparing, workers_of
from tenants.models import Hospital


def test_somebody_made_in_the_cell_is_the_registrys(north: str) -> None:
    with schemas.cell_context(north):
        assert User.objects.filter(email="hari@cedar.example").exists()
        made = User.objects.create(email="north@example.com")
    assert User.objects.get(email="north@example.com").pk == made.pk
    assert User.objects.create(email="home@example.com").pk == made.pk + 1


def test_what_is_rolled_back_in_the_cell_has_not_happened(north: str) -> None:
    with schemas.cell_context(north), transaction.atomic():
        User.objects.create(email="north@example.com")
        transaction.set_rollback(True)
    assert not User.objects.filter(email="north@example.com").exists()


def test_the_registrys_rules_hold_in_the_cell(north: str) -> None:
    with schemas.cell_context(north), pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email="hari@cedar.example")


def test_of_two_codes_the_later_counts(north: str) -> None:
    hari = User.objects.get(email="hari@cedar.example")
    asked: dict[str, Any] = {"user": hari, "purpose": OneTimeCode.Purpose.SIGN_IN, "email": hari.email}
    with schemas.cell_context(north):
        codes.make(**asked, now=now())
        later = codes.make(**asked, now=now() + timedelta(seconds=1))
        assert codes.use(user=hari, purpose=asked["purpose"], code=later, address="1.2.3.4", now=now()) == hari.email


def test_a_time_that_is_taken_at_home_is_taken_in_the_cell(north: str) -> None:
    asha, cedar = User.objects.get(email="asha@example.com"), Hospital.objects.get(slug="cedar")
    taken: dict[str, Any] = {"user": asha, "person": asha.code, "hospital": cedar, "starts_at": now()}
    taken["ends_at"] = taken["starts_at"] + timedelta(minutes=20)
    assert directory.claim_time(**taken, appointment=cedar.code)
    with schemas.cell_context(north):
        assert not directory.claim_time(**taken, appointment=asha.code)
        assert TakenTime.objects.count() == 1


def test_the_cells_login_alone_reads_nothing(north: str) -> None:
    target = connections.settings[north]
    login = psycopg2.connect(
        dbname=target["NAME"],
        user=target["USER"],
        password=target["PASSWORD"],
        host=target["HOST"],
        port=target["PORT"],
    )
    with login, login.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute("SELECT FROM public.accounts_user")
    login.close()


def test_no_role_of_a_hospital_writes_the_registrys_migrations(north: str) -> None:
    with (
        schemas.cell_context(north),
        connection.cursor() as cursor,
        pytest.raises(DatabaseError, match="permission denied"),
    ):
        cursor.execute("DELETE FROM public.django_migrations")


def test_preparing_again_changes_nothing_until_the_registry_has_changed(north: str) -> None:
    assert not preparing.prepare(north)
    with schemas.as_owner(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_user ADD COLUMN shoe_size integer")
    assert preparing.prepare(north)
    with schemas.cell_context(north), connection.cursor() as cursor:
        cursor.execute("SELECT shoe_size FROM accounts_user LIMIT 1")
    said = StringIO()
    call_command("prepare_cell", north, stdout=said)
    assert said.getvalue() == "The cell north is as it should be.\n"


def test_only_a_cell_is_prepared(north: str) -> None:
    with pytest.raises(CommandError, match="There is no cell 'south'. Those of CELLS are: north."):
        call_command("prepare_cell", "south")


def test_tasks_go_to_the_workers_of_the_hospitals_cell(north: str) -> None:
    lotus = Hospital.objects.get(slug="lotus")
    asked: tuple[str, list[Any], dict[str, Any], dict[str, Any]]
    asked = ("notifications.deliver", [], {"schema": lotus.schema_name}, {})
    assert workers_of(*asked) is None
    Hospital.objects.filter(pk=lotus.pk).update(cell=north)
    hosts.forget_here()
    cache.clear()
    assert workers_of(*asked) == {"queue": "north"}
    assert workers_of("notifications.sweep", [], {"schema": "public"}, {}) is None
