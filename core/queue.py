"""Starting work for later, without importing the room that does it.

A service calls `after_commit("room.task", ...)`; the task's hospital is the one whose schema is active at that moment.
The task runs in that schema and calls one service. Losing a message to a dead broker is never fatal: whatever must
happen is a row in the database, and a beat task sweeps what was not picked up.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from celery import current_app, shared_task
from django.db import transaction
from django_tenants.utils import get_public_schema_name, schema_context

from core import schemas

logger = logging.getLogger(__name__)


def after_commit(name: str, **arguments: Any) -> None:
    """Send the task `name` once the present transaction has committed, for the hospital that is active now."""
    schema = schemas.active()
    transaction.on_commit(lambda: _send(name, schema, arguments), robust=True)


def _send(name: str, schema: str, arguments: dict[str, Any]) -> None:
    try:
        current_app.send_task(name, kwargs={"schema": schema, **arguments}, ignore_result=True)
    except Exception:  # the broker's client raises many kinds; none may undo what has already been committed
        logger.warning("The broker did not take %s; the sweep will.", name, exc_info=True)


def task(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a task that runs inside the schema it was sent for (public when none is named, as for beat)."""

    def register(work: Callable[..., None]) -> Callable[..., None]:
        @shared_task(name=name)
        @wraps(work)
        def run(*, schema: str = get_public_schema_name(), **arguments: Any) -> None:
            with schema_context(schema):
                work(**arguments)

        return run

    return register
