"""A worker with tasks that leave something behind on purpose, and one that reports where it stands.

`celery -A tests.core.errands worker`: never imported by the tests themselves.
"""

import json
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone, translation
from redis import Redis

from core import queue, schemas
from core.queue import task
from rhms.celery import app

__all__ = ["app"]

app.loader.import_default_modules()
queue.PATIENCE = 1


def tell(**facts: Any) -> None:
    """To whoever waits for it."""
    Redis.from_url(settings.REDIS_URL).rpush("errands", json.dumps(facts))


def execute(statement: str) -> list[Any]:
    """SQL past everything."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@task("errand.where")
def where(*, label: str) -> None:
    """Report where it stands before it has asked for anything, and whose rows it reads."""
    from hospitals.models import Department

    [[role, path, zone, patience]] = execute(
        "SELECT current_user, current_setting('search_path'), current_setting('TimeZone'), "
        "current_setting('statement_timeout')"
    )
    tell(
        label=label,
        schema=schemas.active(),
        role=role,
        path=path,
        zone=zone,
        patience=patience,
        is_in_transaction=connection.in_atomic_block or not connection.get_autocommit(),
        clock=timezone.get_current_timezone_name(),
        language=translation.get_language(),
        rows=Department.objects.count() if schemas.active() != "public" else None,
    )


@task("errand.enter")
def enter(*, other: str) -> None:
    """Go somewhere else and stay there."""
    schemas.schema_context(other).__enter__()
    execute("SELECT 1")


@task("errand.fail")
def fail(*, other: str) -> None:
    """Break down somewhere else, in the middle of a change."""
    with transaction.atomic():
        add("lost")
        schemas.schema_context(other).__enter__()
        raise RuntimeError("on purpose")


@task("errand.leave_transaction")
def leave_transaction(*, other: str) -> None:
    """Begin a change and never end it."""
    transaction.atomic().__enter__()
    add("lost")


@task("errand.leave_broken")
def leave_broken(*, other: str) -> None:
    """Begin a change by hand that fails, and never end it."""
    execute("BEGIN")
    add("lost")
    execute("SELECT * FROM nothing_of_that_name")


@task("errand.leave_begun")
def leave_begun(*, other: str) -> None:
    """Begin a change by hand and never end it."""
    execute("BEGIN")
    add("lost")


@task("errand.leave_manual")
def leave_manual(*, other: str) -> None:
    """Turn to commits by hand, and commit nothing."""
    transaction.set_autocommit(False)
    add("lost")


@task("errand.move")
def move(*, other: str) -> None:
    """Move the session by hand."""
    for statement in (
        "SET TIME ZONE 'America/New_York'",
        "SET statement_timeout = '77s'",
        f'SET ROLE "{other}"',
        f'SET search_path TO "{other}"',
    ):
        execute(statement)


@task("errand.turn_clock")
def turn_clock(*, other: str) -> None:
    """Take another place's time and language."""
    timezone.activate("America/New_York")
    translation.activate("hi")


@task("errand.own")
def own(*, other: str) -> None:
    """Become the owner, and stay that."""
    schemas.as_owner().__enter__()
    execute("SELECT 1")


@task("errand.add")
def add_task(*, name: str) -> None:
    """Write a row in its own hospital, say so, and leave for nowhere."""
    add(name)
    tell(added=name)


def add(name: str) -> None:
    """A department of the active schema."""
    from hospitals.models import Department

    Department.objects.create(name=name, slug=name)
