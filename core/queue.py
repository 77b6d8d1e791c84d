"""Starting work for later, without importing the room that does it.

A service calls `after_commit("room.task", ...)`; the task's hospital is the one whose schema is active at that moment.
The task runs in that schema and calls one service. A message without its place is refused. Losing a message to a dead
broker is never fatal: whatever must happen is a row in the database, and a beat task sweeps what was not picked up.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from celery import Task, current_app, shared_task
from celery.exceptions import Reject
from celery.signals import task_postrun, task_prerun
from django.db import transaction
from django.utils import timezone, translation

from core import logs, schemas
from core.schemas import Standing, schema_context

logger = logging.getLogger(__name__)

PATIENCE = 30  # seconds until a task of a hospital that is out of service is tried again


def after_commit(name: str, **arguments: Any) -> None:
    """Send the task `name` once the present transaction has committed, for the hospital that is active now."""
    schema = schemas.active()
    transaction.on_commit(lambda: _send(name, schema, arguments), robust=True)


def _send(name: str, schema: str, arguments: dict[str, Any], *, countdown: int = 0) -> bool:
    """Hand a message to the broker; settings.CELERY_TASK_ROUTES knows whose workers get it. False if it was not taken."""
    try:
        current_app.send_task(
            name, kwargs={"schema": schema, **arguments}, countdown=countdown or None, ignore_result=True
        )
    except Exception:  # the broker's client raises many kinds; none may undo what has already been committed
        logger.warning("The broker did not take %s; the sweep will.", name, exc_info=True)
        return False
    return True


def task(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a task that runs in the schema its message names, `public` included, and nowhere without a name."""

    def register(work: Callable[..., None]) -> Callable[..., None]:
        @shared_task(name=name)
        @wraps(work)
        def run(*, schema: str = "", **arguments: Any) -> None:
            _require_standing(name, schema, arguments)
            with schema_context(schema):
                work(**arguments)

        return run

    return register


def _require_standing(name: str, schema: str, arguments: dict[str, Any]) -> None:
    """Refuse a task that belongs nowhere, and put back one whose hospital is out of service for a moment."""
    standing = schemas.standing(schema) if schema else Standing.UNKNOWN
    if standing is Standing.UNKNOWN:
        why = f"{schema!r} is no hospital's schema" if schema else "it names no hospital"
        logger.error("The task %s was refused: %s.", name, why)
        raise Reject(f"The task {name} was refused: {why}.", requeue=False)
    if standing is Standing.PAUSED:
        logger.info("The task %s waits %d seconds: %s is out of service.", name, PATIENCE, schema)
        is_sent = _send(name, schema, arguments, countdown=PATIENCE)
        raise Reject(f"The task {name} waits until {schema} is back in service.", requeue=not is_sent)


@task_prerun.connect
@task_postrun.connect
def _let_go(task: Task[..., None], **_told: object) -> None:
    """Between two tasks a worker stands nowhere: whatever one has left behind, the next does not find."""
    if task.request.is_eager:
        return
    if schemas.let_go():
        logger.error("The task %s left a transaction open: it was rolled back.", task.name)
    timezone.deactivate()
    translation.deactivate()
    logs.origin.set(logs.Origin())
