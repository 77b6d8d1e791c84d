"""What each log line and audit row says about the request it came from, when it came from one."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from celery import current_task

from core import schemas


@dataclass(frozen=True)
class Origin:
    """The request being served: its id, the visitor's IP address, and who acts as support (primary key and name)."""

    request_id: str = ""
    address: str | None = None
    supporter: tuple[int, str] | None = None


origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039  (frozen)


@contextmanager
def acting_as_support(supporter: int, name: str) -> Iterator[None]:
    """What is recorded meanwhile names this superadmin beside the person in whose name they act."""
    token = origin.set(replace(origin.get(), supporter=(supporter, name)))
    try:
        yield
    finally:
        origin.reset(token)


def stop_acting() -> None:
    """What this request still does is done by nobody in another's name."""
    origin.set(replace(origin.get(), supporter=None))


class Context(logging.Filter):
    """Adds the id of the request, or of the task, and the hospital's schema to a log record."""

    def filter(self, record: Any) -> bool:
        """Let every record through."""
        # Django writes its line about a refused request after the context is gone, but names the request.
        request = getattr(record, "request", None)
        record.request_id = origin.get().request_id or getattr(request, "id", "-")
        record.hospital = schemas.active()
        task: Any = current_task  # a stand-in that is false outside of tasks
        if task:  # a worker writes how a task has ended when its place was left
            record.request_id = task.request.id or record.request_id
            if record.hospital == schemas.PUBLIC:
                record.hospital = (task.request.kwargs or {}).get("schema", schemas.PUBLIC)
        return True
