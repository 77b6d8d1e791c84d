"""Bringing all hospitals up to date: several at a time, the refused ones again, and no one for another's sake."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from queue import Empty, SimpleQueue
from threading import Thread

from django.db import OperationalError
from django.utils.connection import ConnectionDoesNotExist

from core import schemas
from tenants import provisioning, services
from tenants.fleet import planning, upgrading
from tenants.fleet.upgrading import Outcome, Patience
from tenants.models import HOME_CELL, Hospital

# Two short waits pass unnoticed by whoever is at work; who still holds a table then is waited for, a few hospitals only.
PATIENCE = (Patience("1s", "30s"), Patience("4s", "5min"), Patience("15s", "30min"))
# So many may be out of service for a release: a few, or one in ten. The version before works with what has been added.
_FEW = 4
_ONE_IN = 10

Told = Callable[[Outcome], None]


class ReleaseAtFaultError(Exception):
    """Too many hospitals could not be brought to this release: it is not their fault, and all stay in service."""

    def __init__(self, refused: Sequence[Outcome]) -> None:
        super().__init__(refused)
        self.refused = refused


def migrate(*, hospitals: Sequence[Hospital], jobs: int, tell: Told, now: datetime) -> list[Outcome]:
    """Bring these hospitals up to date, and tell of each as it is settled; the answer is those that could not be.

    They are out of service until a later run succeeds; all others are in service, those included that an earlier run
    had to leave out. Raises ReleaseAtFaultError, and pauses nobody, if more than a few were refused, or if not one
    hospital of the platform is up to date.
    """
    refused: list[Outcome] = []
    all_open = Hospital.objects.with_schema()
    has_worked = all_open.filter(schema_version=provisioning.version()).exists()
    most = max(_FEW, all_open.count() // _ONE_IN)
    for patience in PATIENCE:
        again = []
        with closing(_outcomes(hospitals, patience, jobs)) as outcomes:
            for outcome in outcomes:
                if outcome.error and outcome.may_pass and patience is not PATIENCE[-1]:
                    again.append(outcome.hospital)
                    continue
                if outcome.error:
                    refused.append(outcome)
                else:
                    has_worked = True
                    _settle(outcome.hospital)
                tell(outcome)
                if len(refused) > (most if has_worked else _FEW):
                    raise ReleaseAtFaultError(refused)
        hospitals = again
    if refused and not has_worked:
        raise ReleaseAtFaultError(refused)
    for outcome in refused:
        services.pause(hospital=outcome.hospital, why=Hospital.Pause.UPGRADE, note=outcome.error, now=now)
    return refused


def _settle(hospital: Hospital) -> None:
    """Say in the registry that the hospital is up to date, and put it back into service if an upgrade had failed."""
    if hospital.cell != HOME_CELL:
        Hospital.objects.filter(pk=hospital.pk).update(schema_version=provisioning.version())
    if hospital.pause == Hospital.Pause.UPGRADE:
        services.unpause(hospital=hospital, why=Hospital.Pause.UPGRADE)


def _outcomes(hospitals: Sequence[Hospital], patience: Patience, jobs: int) -> Generator[Outcome, None, None]:
    """Try every hospital once, cell by cell."""
    by_cell = attrgetter("cell")
    for cell, members in groupby(sorted(hospitals, key=by_cell), key=by_cell):
        yield from _in_cell(cell, list(members), patience, jobs)


def _in_cell(cell: str, hospitals: Sequence[Hospital], patience: Patience, jobs: int) -> Iterator[Outcome]:
    try:
        with schemas.as_owner(cell):
            groups, lost = planning.plan(cell=cell, hospitals=hospitals)
    except (OperationalError, ConnectionDoesNotExist) as error:  # the other cells need not wait for its database
        yield from (upgrading.failed(hospital, error) for hospital in hospitals)
        return
    yield from (Outcome(hospital, "It has no schema, or no record of its migrations.") for hospital in lost)
    todo: SimpleQueue[tuple[Hospital, planning.Group]] = SimpleQueue()
    for group in groups:
        for hospital in group.hospitals:
            todo.put((hospital, group))
    yield from _side_by_side(todo, cell, patience, jobs)


def _side_by_side(
    todo: SimpleQueue[tuple[Hospital, planning.Group]], cell: str, patience: Patience, jobs: int
) -> Iterator[Outcome]:
    """Several threads, each with its own connection. Whoever stops asking stops them after the hospital they are at."""
    done: SimpleQueue[Outcome] = SimpleQueue()

    def work() -> None:
        with schemas.as_owner(cell), suppress(Empty):
            while True:
                hospital, group = todo.get_nowait()
                done.put(upgrading.upgrade(hospital=hospital, group=group, patience=patience))

    expected = todo.qsize()
    threads = [Thread(target=work) for _ in range(min(jobs, expected))]
    for thread in threads:
        thread.start()
    try:
        for _ in range(expected):
            yield done.get()
    finally:
        with suppress(Empty):
            while True:
                todo.get_nowait()
        for thread in threads:
            thread.join()
