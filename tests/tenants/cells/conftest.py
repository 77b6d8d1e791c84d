"""A second database, which stands for a second server: the cell north."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections, transaction
from django.test import override_settings

from core import schemas
from tenants import hosts
from tenants.models import Hospital
from tests.conftest import cloned, maintenance
from tests.house.cast import Stage


@pytest.fixture
def north(committed: None) -> Iterator[str]:
    """The cell north: an empty database, made fit for hospitals."""
    with cell_north():
        yield "north"


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    """Both hospitals with everybody in them, and Cedar has moved to north; for the whole module."""
    with django_db_blocker.unblock(), cloned():
        with transaction.atomic():
            stage = Stage()
        with cell_north():
            call_command("move_hospital", "cedar", "north")
            stage.cedar.hospital.refresh_from_db()
            yield stage


@contextmanager
def cell_north() -> Iterator[None]:
    """Have a further database, and let it be forgotten at the end."""
    home, owner = connections.settings["default"], connections.settings["owner"]
    database = f"{home['NAME']}_north"
    login = {"NAME": database, "USER": "rhms_north", "PASSWORD": "north"}
    hospitals = list(Hospital.objects.with_schema().values_list("schema_name", flat=True))
    registry = {**home, "USER": "rhms_cells", "PASSWORD": "cells", "OPTIONS": {}}
    with maintenance() as cursor:
        cursor.execute(f'CREATE DATABASE "{database}"')
    connections.settings |= {"north": {**home, **login}, "north_owner": {**owner, "NAME": database}}
    try:
        with override_settings(CELLS=["north"], CELL_REGISTRY=registry):
            with maintenance() as cursor:
                cursor.execute("SELECT pg_advisory_lock(1)")  # roles are the server's, which the workers share
                call_command("prepare_cell", "north", verbosity=0)
            yield
    finally:
        schemas.enter_public()
        connections.close_all()
        forget("north", "north_owner")
        cache.clear()
        hosts.forget_here()
        with maintenance() as cursor:
            cursor.execute(f'DROP DATABASE "{database}" WITH (FORCE)')
            # A move takes the role from the home login: on the server, and not only in this copy of the database.
            for schema in hospitals:
                cursor.execute(f'GRANT "{schema}" TO "{home["USER"]}"')


def forget(*aliases: str) -> None:
    """Let there never have been these databases."""
    store: Any = connections
    for alias in aliases:
        del connections.settings[alias]
        if hasattr(store._connections, alias):
            del connections[alias]
