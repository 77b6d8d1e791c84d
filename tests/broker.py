"""The broker: what lies in it, and doing without it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery, current_app

from rhms.celery import app as celery_app


def queued() -> list[dict[str, Any]]:
    """The tasks that lie in the broker, taken out."""
    taken = []
    with current_app.connection_for_read() as link:
        queue = link.SimpleQueue("celery")
        try:
            while True:
                message = queue.get_nowait()
                taken.append({"task": message.headers["task"], "arguments": message.payload[1]})
                message.ack()
        except queue.Empty:
            pass
        finally:
            queue.close()
    return taken


@contextmanager
def broker_down() -> Iterator[None]:
    """The application talks to a broker that is not there."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        cut_off = Celery("cut off", set_as_current=True)
        cut_off.config_from_object("django.conf:settings", namespace="CELERY")
        cut_off.conf.update(broker_url=f"redis://127.0.0.1:{unused.getsockname()[1]}/0")
        try:
            yield
        finally:
            celery_app.set_current()
