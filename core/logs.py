"""What each log line and audit row says about the request it came from, when it came from one."""

import logging
from contextvars import ContextVar
from dataclasses import dataclass

from core import schemas


@dataclass(frozen=True)
class Origin:
    """The request being served: its id and the visitor's IP address."""

    request_id: str = ""
    address: str | None = None


origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039  (frozen)


class Context(logging.Filter):
    """Adds the request's id and the hospital's schema to a log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through."""
        # Django writes its line about a refused request after the context is gone, but names the request.
        request = getattr(record, "request", None)
        record.request_id = origin.get().request_id or getattr(request, "id", "-")
        record.hospital = schemas.active()
        return True
