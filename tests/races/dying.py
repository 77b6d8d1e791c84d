"""A process of ours that is killed, as by `kill -9`, at a chosen moment of what it does.

The moments are those at which something becomes known to others, each just before and just after: a commit, a statement
outside any transaction that writes, a call of the gateway, a message to the broker. What a process does in between
is gone when it dies, as if it had died before.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

from django.core.cache import cache
from django.db import connection, connections

from billing import razorpay
from core import queue
from tenants.postgres.base import DatabaseWrapper

_fork = multiprocessing.get_context("fork")
_WRITES = ("INSERT", "UPDATE", "DELETE")


class _Fate:
    """Counts the moments, and ends the process at one of them."""

    def __init__(self, dies_at: int | None) -> None:
        self.dies_at, self.seen = dies_at, 0

    def moment(self) -> None:
        if self.seen == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.seen += 1

    def around(self, act: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(act)
        def do(*args: Any, **kwargs: Any) -> Any:
            self.moment()
            answer = act(*args, **kwargs)
            self.moment()
            return answer

        return do

    def statement(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        is_alone = not context["connection"].in_atomic_block and sql.lstrip().startswith(_WRITES)
        return (self.around(execute) if is_alone else execute)(sql, params, many, context)


def lives(act: Callable[[], Any], *, dies_at: int | None) -> int | None:
    """Do it in a process of its own that dies at this moment; how many there were if it came to its end."""
    connections.close_all()
    with suppress(AttributeError):
        cache.close()
    told, telling = _fork.Pipe(duplex=False)
    child = _fork.Process(target=_live, args=(act, dies_at, telling))
    child.start()
    telling.close()
    try:
        seen = told.recv() if told.poll(60) else None
    except EOFError:
        seen = None
    child.join(60)
    told.close()
    if seen is None:
        assert child.exitcode == -signal.SIGKILL, f"ended by itself: {child.exitcode}"
    return seen


def _live(act: Callable[[], Any], dies_at: int | None, telling: Any) -> None:
    # A loop of Playwright's does not run in this process, so that Django takes the connection from before it: a dead one.
    connections.close_all()
    fate = _Fate(dies_at)
    # Nobody else sees these changes: the process ends with them.
    DatabaseWrapper._commit = fate.around(DatabaseWrapper._commit)  # type: ignore[method-assign]
    razorpay._Session.request = fate.around(razorpay._Session.request)  # type: ignore[method-assign]
    queue._send = fate.around(queue._send)
    with connection.execute_wrapper(fate.statement):
        act()
    telling.send(fate.seen)
    telling.close()
    connections.close_all()


def every_death(act: Callable[[], Any], *, begin: Callable[[], None], end: Callable[[str], None]) -> int:
    """Let a process die at each moment of `act`; before it there is a beginning, and after it an end, each time.

    Answers how many moments there were.
    """
    moments = 0
    while True:
        begin()
        seen = lives(act, dies_at=moments)
        end(f"killed at moment {moments}")
        if seen is not None:
            return moments
        moments += 1
