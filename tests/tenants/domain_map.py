"""Asking and changing the domain map, with Redis and without, in this process and in another."""

import os
import socket
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connections, transaction

from tenants import hosts
from tenants.models import Hospital

HOST = "cedar.localhost"


def name_of(host: str) -> str | None:
    hospital = hosts.hospital_at(host)
    return hospital.name if hospital else None


def rename(hospital: Hospital, name: str) -> None:
    """Behind everybody's back."""
    Hospital.objects.filter(pk=hospital.pk).update(name=name)


@transaction.atomic
def rename_aloud(hospital: Hospital, name: str) -> None:
    rename(hospital, name)
    hosts.changed(hospital)


@contextmanager
def redis_away() -> Iterator[None]:
    """Redis does not answer."""
    there = settings.REDIS_URL
    hosts._redis.cache_clear()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.REDIS_URL = f"redis://127.0.0.1:{unused.getsockname()[1]}/0"
        try:
            yield
        finally:
            settings.REDIS_URL = there
            hosts._redis.cache_clear()


def forked(work: Callable[[], None]) -> int:
    """Do it in a process of its own; how that ended."""
    connections.close_all()
    child = os.fork()
    if not child:
        try:
            # A child has no event loop, even where Playwright's runs in its parent: Django would go back to the
            # connections from before that one, which the server has closed since.
            for stale in connections.all(initialized_only=True):
                del connections[stale.alias]
            hosts.forget_here()
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
