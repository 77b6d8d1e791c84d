"""Taking a hospital from one cell to another, with its writers held up for a moment.

Whoever dies when, no row is lost and none is written in two places:
1. The hospital is made in the target, empty. Nobody is sent there.
2. It is out of service; a second later every process knows.
3. Its tables are locked against writers, copied and compared. The copy is committed, with a mark that it is whole.
4. Where it lived, the schema gets another name and loses its rights, in the transaction that holds the locks: a process
   that still came would get an error.
5. The registry says where it lives now, and a second later it is back in service.
Run again after a death, a move begins anew while the old schema is in its place, and goes on when it is not.
"""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections, transaction

from audit import services as audit
from audit.models import Action
from core import schemas
from core.errors import Conflict
from tenants import hosts, provisioning, roles
from tenants import services as tenants
from tenants.archives import contents
from tenants.archives.contents import Sum, Table
from tenants.cells import share_database
from tenants.models import HOME_CELL, Hospital

KNOWN_EVERYWHERE = 1.0  # seconds after which every process knows what has changed (tenants.hosts)
_PATIENCE = 20.0  # seconds for writers who are under way
# Shorter than Postgres takes to look for a deadlock: of a visitor and us, it is we who give way and try again.
_LOCK_TIMEOUT = "SET LOCAL lock_timeout TO '800ms'"
_WHOLE = "moved here, whole"


class Refused(Conflict):
    """The move cannot be made, or not now."""


@dataclass(frozen=True)
class Moved:
    """What a move did: how long nobody could write, and under which name the old schema is kept, "" for none."""

    pause_seconds: float
    rows: int
    left_behind: str


Say = Callable[[str], object]


def move(*, hospital: Hospital, to: str, now: datetime, say: Say = lambda step: None) -> Moved:
    """Move the hospital to another cell. Raises Refused, and leaves it where it was, if that cannot be done now."""
    if to not in schemas.cells():
        raise Refused(f"There is no cell {to}. The cells are: {', '.join(schemas.cells())}.")
    with _Databases() as databases:
        with databases.of(HOME_CELL):
            _take_turn(hospital)
            hospital.refresh_from_db()
        if hospital.cell == to:
            return _end(hospital, databases)
        _require_movable(hospital)
        if share_database(hospital.cell, to):
            return _hand_over(hospital, to, databases)
        return _Move(hospital, to, now, databases, say).run()


def call_off(*, hospital: Hospital) -> None:
    """Put a hospital back into service whose move has died; what was copied is dropped by the next move.

    Raises Refused when the move has come so far that it can only go on.
    """
    with _Databases() as databases:
        with databases.of(HOME_CELL):
            _take_turn(hospital)
            hospital.refresh_from_db()
        with databases.of(hospital.cell):
            if not contents.exists(hospital.schema_name):
                raise Refused(
                    f"{hospital.name} has left the cell {hospital.cell} already. Run the move again: it goes on."
                )
        with databases.of(HOME_CELL):
            if not tenants.unpause(hospital=hospital, why=Hospital.Pause.MOVE):
                raise Refused(f"{hospital.name} is not being moved.")


def drop_left_behind(*, hospital: Hospital) -> list[str]:
    """Drop the schemas in which the hospital lived before it was moved; returns their names."""
    dropped = []
    for cell in schemas.cells():
        with schemas.as_owner(cell), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname::text, %s) ORDER BY nspname",
                [f"{hospital.schema_name}_moved_"],
            )
            for (schema,) in cursor.fetchall():
                contents.drop_schema(schema)
                dropped.append(schema)
    return dropped


class _Databases:
    """The owners' connections to the cells' databases, side by side. One connects when it is first used."""

    def __init__(self) -> None:
        self._open: dict[str, Any] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for cell in schemas.cells():
            self._stack.enter_context(schemas.as_owner(cell))
            self._open[cell] = connections[DEFAULT_DB_ALIAS]
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def connection(self, cell: str) -> Any:
        """The owner's connection to that cell."""
        return self._open[cell]

    @contextmanager
    def of(self, cell: str) -> Iterator[None]:
        """Let "default" be the owner's connection to that cell."""
        before = connections[DEFAULT_DB_ALIAS]
        connections[DEFAULT_DB_ALIAS] = self._open[cell]
        try:
            yield
        finally:
            connections[DEFAULT_DB_ALIAS] = before


def _take_turn(hospital: Hospital) -> None:
    """Of two who move a hospital at once one is refused. The lock ends with the session."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('move ' || %s))", [hospital.schema_name])
        [is_ours] = cursor.fetchone()
    if not is_ours:
        raise Refused(f"{hospital.name} is being moved by somebody else.")


def _require_movable(hospital: Hospital) -> None:
    if hospital.status not in (Hospital.Status.APPROVED, Hospital.Status.SUSPENDED):
        raise Refused(f"{hospital.name} is not open: there is nothing to move.")
    if hospital.pause not in ("", Hospital.Pause.MOVE):
        raise Refused(f"{hospital.name} is out of service: {hospital.get_pause_display()}. Wait for that to end.")
    if hospital.schema_version != provisioning.version():
        raise Refused(f"The schema of {hospital.name} is of another version. Run: manage.py migrate_hospitals")


def _end(hospital: Hospital, databases: _Databases) -> Moved:
    """It lives there: put it back into service, if an earlier move has died before it could."""
    with databases.of(HOME_CELL):
        if not tenants.unpause(hospital=hospital, why=Hospital.Pause.MOVE):
            raise Refused(f"{hospital.name} lives in the cell {hospital.cell} already.")
    return Moved(pause_seconds=0, rows=0, left_behind="")


def _settle(hospital: Hospital, *, before: str, to: str) -> None:
    """The registry's row, which says where the hospital lives."""
    if not Hospital.objects.filter(pk=hospital.pk, cell=before).update(cell=to):
        raise Refused(f"Somebody else has moved {hospital.name} meanwhile.")
    audit.record(action=Action.HOSPITAL_MOVED, target=hospital, by=None, data={"cell": [before, to]})
    hosts.changed(hospital)


def _hand_over(hospital: Hospital, to: str, databases: _Databases) -> Moved:
    """Between two logins to the same database only the right to take the hospital's role moves. Nobody waits."""
    before = hospital.cell
    with databases.of(HOME_CELL):
        with transaction.atomic():
            roles.admit(schema=hospital.schema_name, cell=to)
            _settle(hospital, before=before, to=to)
        with schemas.schema_context(hospital.schema_name), transaction.atomic():
            audit.record(action=Action.HOSPITAL_MOVED, target=hospital, by=None, data={"cell": [before, to]})
        time.sleep(KNOWN_EVERYWHERE)
        with transaction.atomic():
            roles.dismiss(schema=hospital.schema_name, cell=before)
    return Moved(pause_seconds=0, rows=0, left_behind="")


class _Move:
    """One hospital on its way between two databases."""

    def __init__(self, hospital: Hospital, to: str, now: datetime, databases: _Databases, say: Say) -> None:
        self.hospital, self.source, self.target = hospital, hospital.cell, to
        self.schema, self.now, self.databases, self.say = hospital.schema_name, now, databases, say
        self.left_behind = f"{self.schema}_moved_{now:%Y%m%d%H%M%S}"
        self.began = time.monotonic()
        self.rows = 0

    def run(self) -> Moved:
        with self.databases.of(self.source):
            is_in_place = contents.exists(self.schema)
        if is_in_place:
            self._make()
            self.say("made")
            try:
                self._pause()
                self._copy_and_leave()
            except Exception:
                self._go_back()
                raise
        else:
            self._require_whole()
        if self.source != HOME_CELL or not is_in_place:
            with self.databases.of(HOME_CELL), transaction.atomic():
                _settle(self.hospital, before=self.source, to=self.target)
        self.say("settled")
        time.sleep(KNOWN_EVERYWHERE)
        with self.databases.of(HOME_CELL):
            tenants.unpause(hospital=self.hospital, why=Hospital.Pause.MOVE)
        return Moved(time.monotonic() - self.began, self.rows, self.left_behind if is_in_place else "")

    def _make(self) -> None:
        """The schema in the target, as a new hospital's. What a move that died has left there is of no use."""
        with self.databases.of(self.target):
            with transaction.atomic():
                contents.drop_schema(self.schema)
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"CREATE SCHEMA {connection.ops.quote_name(self.schema)}")
                roles.admit(schema=self.schema, cell=self.target)
                with schemas.schema_context(self.schema), connection.cursor() as inside:
                    inside.execute(provisioning.ddl())
                    inside.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def _pause(self) -> None:
        self.began = time.monotonic()
        with self.databases.of(HOME_CELL):
            is_paused = tenants.pause(hospital=self.hospital, why=Hospital.Pause.MOVE, now=self.now)
            self.hospital.refresh_from_db()
            if not is_paused and self.hospital.pause != Hospital.Pause.MOVE:
                raise Refused(f"{self.hospital.name} is out of service: {self.hospital.get_pause_display()}.")
        self.say("paused")
        time.sleep(KNOWN_EVERYWHERE)

    def _copy_and_leave(self) -> None:
        """One transaction of the source, from its locks to its schema's new name; a whole one of the target within."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                with self.databases.of(self.source), transaction.atomic():
                    tables = self._lock()
                    self._copy(tables)
                    self.say("copied")
                    contents.rename_schema(old=self.schema, new=self.left_behind)
                    roles.dismiss(schema=self.schema, cell=self.source, left=self.left_behind)
                    if self.source == HOME_CELL:
                        _settle(self.hospital, before=self.source, to=self.target)
                    self.say("leaving")
                self.say("left")
                return
            except OperationalError as refusal:
                if getattr(refusal.__cause__, "pgcode", "") not in ("55P03", "40P01"):
                    raise
                if time.monotonic() > deadline:
                    raise Refused(
                        f"Somebody has been writing in {self.hospital.name} for {_PATIENCE:.0f} seconds and does not come "
                        "to an end. Look for the transaction in pg_stat_activity, then run this again."
                    ) from None
            time.sleep(0.1)

    def _lock(self) -> list[Table]:
        """Wait for whoever is writing, and keep others from it. Reading goes on."""
        found = contents.tables(self.schema)
        with connection.cursor() as cursor:
            cursor.execute(_LOCK_TIMEOUT)
            cursor.execute(f"LOCK TABLE {contents.names(self.schema, found)} IN SHARE MODE")
        contents.write_one_way()
        self.say("locked")
        return found

    def _copy(self, tables: list[Table]) -> None:
        stand = contents.sequences(self.schema)
        with self.databases.of(self.target), transaction.atomic():
            made = contents.tables(self.schema)
            if made != tables:
                raise Refused(f"The tables of {self.hospital.name} are not those of its version. Nothing was changed.")
            with contents.triggers_off(self.schema, made):
                contents.empty(self.schema, made)
                sent = {table.name: self._send(table) for table in made}
            contents.set_sequences(self.schema, stand)
            contents.write_one_way()
            if sent != contents.sums(self.schema, made):
                raise Refused(f"What arrived of {self.hospital.name} is not what was sent. Nothing was changed.")
            with schemas.schema_context(self.schema):
                said = {"cell": [self.source, self.target]}
                audit.record(action=Action.HOSPITAL_MOVED, target=self.hospital, by=None, data=said)
            with connection.cursor() as cursor:
                cursor.execute(f"COMMENT ON SCHEMA {connection.ops.quote_name(self.schema)} IS %s", [_WHOLE])
        self.rows = sum(each.rows for each in sent.values())

    def _send(self, table: Table) -> Sum:
        """A table's rows, through a pipe: the source writes in a thread, the target reads."""
        reading, writing = os.pipe()
        source = self.databases.connection(self.source)

        def send() -> Sum:
            connections[DEFAULT_DB_ALIAS] = source  # this thread's
            with os.fdopen(writing, "wb") as pipe:
                return contents.copy_out(self.schema, table, pipe)

        source.inc_thread_sharing()
        try:
            # Should the target refuse the rows, the pipe is closed before the sender is waited for.
            with ThreadPoolExecutor(1) as pool, os.fdopen(reading, "rb") as pipe:
                sent = pool.submit(send)
                contents.copy_in(self.schema, table, pipe)
            return sent.result()
        finally:
            source.dec_thread_sharing()

    def _go_back(self) -> None:
        """What could be refused was: the hospital goes on where it is. A death is not refused, and comes not here."""
        with self.databases.of(self.source):
            if not contents.exists(self.schema):
                return  # only the registry's row is missing: run again, it goes on
        with self.databases.of(HOME_CELL):
            tenants.unpause(hospital=self.hospital, why=Hospital.Pause.MOVE)
        with self.databases.of(self.target), transaction.atomic():
            contents.drop_schema(self.schema)

    def _require_whole(self) -> None:
        """The old schema has left its place: the target must have all of it."""
        with self.databases.of(self.target), connection.cursor() as cursor:
            cursor.execute("SELECT obj_description(to_regnamespace(%s), 'pg_namespace')", [self.schema])
            if cursor.fetchone() != (_WHOLE,):
                raise Refused(
                    f"{self.hospital.name} is neither in the cell {self.source} nor in {self.target}. Look for schemas named "
                    f"{self.schema}_moved_... in {', '.join(settings.CELLS)}: that is where it is."
                )
