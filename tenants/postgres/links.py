"""psycopg2's connection and cursor, which go to the place they work for in the message of the statement itself.

Postgres takes several statements in one message and obeys them as one transaction. So going somewhere else costs no
round trip, and the statement cannot run anywhere else: if going there fails, it does not run at all.

What is known of the connection is forgotten before anything is sent and noted again once it has gone well, so that
neither an error nor a signal in between leaves a wrong belief behind.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from psycopg2 import NotSupportedError, ProgrammingError
from psycopg2.errors import InFailedSqlTransaction
from psycopg2.extensions import TRANSACTION_STATUS_IDLE as IDLE
from psycopg2.extensions import TRANSACTION_STATUS_INERROR as INERROR
from psycopg2.extensions import connection, cursor, quote_ident
from psycopg2.sql import Composable

from tenants.postgres.places import Place

# One of these, alone in its message, leaves the connection where it stood. After anything else nobody knows.
_STAYS = re.compile(r"[\s(]*(?:select|insert|update|delete|with|merge|values|savepoint|release)\b", re.IGNORECASE)
# These refuse to share a message, or may.
_ALONE = re.compile(
    r"\s*(?:vacuum|cluster|reindex|discard|call|do|(?:create|drop)\s+(?:database|tablespace|subscription)|alter\s+system"
    r"|(?:create|drop)\s+(?:unique\s+)?index\s+concurrently)\b",
    re.IGNORECASE,
)
_CHOOSES_PATH = re.compile(r"\s*set\s+(?:local\s+|session\s+)?search_path\b", re.IGNORECASE)
# Behind a pooler, what these leave in the session meets somebody else's transaction.
_OUTLASTS = re.compile(
    r"\s*(?:set\s+(?!local\b|constraints\b|transaction\b)|(?:reset|discard|listen)\b)", re.IGNORECASE
)


class Link(connection):
    """A connection that knows where it should stand and where it does.

    To the driver it is in autocommit for good: with `autocommit` off, the next statement brings the transaction's
    beginning in its own message. `is_pooled`: others use the server's session between our transactions, as behind
    PgBouncer, so that nothing may outlast one.
    """

    place: Place  # where it should stand; until it was told, it sends nothing
    stands_at: Place | None = None
    is_pooled = False
    _begins_by_itself = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.set_session(autocommit=True)

    @property
    def autocommit(self) -> bool:
        """Whether a statement outside a transaction commits by itself."""
        return not self._begins_by_itself

    @autocommit.setter
    def autocommit(self, is_on: bool) -> None:
        if is_on and self._begins_by_itself and not self.is_idle:
            raise ProgrammingError("A transaction is under way: commit it or roll it back before autocommit goes on.")
        self._begins_by_itself = not is_on

    @property
    def is_idle(self) -> bool:
        """Whether no transaction is under way. The driver knows, nobody is asked."""
        return self.get_transaction_status() == IDLE

    @property
    def reported_path(self) -> str | None:
        """The search path as the server last told it of its own accord: Postgres 18 does, earlier ones do not."""
        return self.get_parameter_status("search_path")

    def cursor(self, *arguments: Any, **options: Any) -> Any:
        """A cursor of ours. Raises ProgrammingError for another kind, whose statements would run anywhere."""
        made = super().cursor(*arguments, **options)
        if not isinstance(made, Cursor):
            raise ProgrammingError(
                f"{type(made).__name__} does not go where its statements belong: derive it from Cursor."
            )
        return made

    def way(self, *, keeps_path: bool = False) -> str:
        """What stands in front of the next statement: the transaction's beginning, and going there."""
        if self.get_transaction_status() == INERROR:
            return ""  # only a rollback can follow, and anything before it would fail
        begin = "BEGIN;" if self._begins_by_itself and self.is_idle else ""
        if self._is_there():
            return begin
        return begin + self.place.sql(for_transaction=self.is_pooled, with_path=not keeps_path)

    def _is_there(self) -> bool:
        if self.stands_at != self.place or (self.is_pooled and self.is_idle):
            return False
        return self.reported_path in (None, self.place.reported)

    def commit(self) -> None:
        """End the transaction, if one is under way.

        Raises InFailedSqlTransaction if Postgres rolls it back instead, as it does when a statement had failed: the
        driver would say nothing, and whoever waits for the commit would go on as if it had happened.
        """
        if self.is_idle:
            return
        stood, self.stands_at = self.stands_at, None
        if self._send("COMMIT") == "ROLLBACK":
            raise InFailedSqlTransaction("Nothing was committed: a statement of the transaction had failed.")
        if not self.is_pooled:
            self.stands_at = stood

    def rollback(self) -> None:
        """Undo the transaction, if one is under way, and with it whatever was said in it about where to stand."""
        self.stands_at = None
        if not self.is_idle:
            self._send("ROLLBACK")

    def _send(self, word: str) -> str | None:
        with self.cursor() as cursor:
            cursor.send(word)
            return cast("str | None", cursor.statusmessage)


class Cursor(cursor):
    """A cursor whose statements run where its connection should stand, whichever method sends them."""

    _chosen: tuple[Place, str | None] | None = None  # it was given another search path by hand, which it keeps

    @property
    def _link(self) -> Link:
        return cast(Link, self.connection)

    def send(self, statement: str) -> None:
        """Send a statement as it is."""
        super().execute(statement)

    def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002  (psycopg2's name)
        """In one message: going there, then the statement."""
        link = self._link
        text = query.as_string(link) if isinstance(query, Composable) else query
        text = text.decode() if isinstance(text, bytes) else text
        self._refuse_what_outlasts(text)
        place, way = link.place, link.way(keeps_path=self._keeps_path())
        link.stands_at = None
        if self.name is not None:
            self._declare(way, text, vars)
        else:
            if way and not link.is_pooled and _ALONE.match(text):
                self.send(way)
                way = ""
            super().execute(way + text, vars)
        if _CHOOSES_PATH.match(text):
            self._chosen = (place, link.reported_path)
        elif self._chosen is None and _stays(text):
            link.stands_at = place

    def _declare(self, way: str, text: str, values: Any) -> None:
        """Open a cursor on the server. The driver would send its DECLARE alone, and begin no transaction for it."""
        scroll = {None: "", True: "SCROLL ", False: "NO SCROLL "}[self.scrollable]
        hold = "WITH" if self.withhold else "WITHOUT"
        query = self.mogrify(text, values).decode()
        with self._link.cursor() as goer:
            name = quote_ident(str(self.name), self._link)
            goer.send(f"{way}DECLARE {name} {scroll}CURSOR {hold} HOLD FOR {query}")

    def executemany(self, query: Any, vars_list: Any) -> None:
        """Going there, then every statement."""
        with self._there():
            super().executemany(query, vars_list)

    def callproc(self, procname: Any, parameters: Any = None) -> Any:
        """Going there, then the call."""
        with self._there():
            return super().callproc(procname, parameters)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
        """Going there, then the copying."""
        with self._there():
            super().copy_expert(sql, file, size)

    def copy_from(self, file: Any, table: str, *arguments: Any, **options: Any) -> None:
        """Going there, then the copying."""
        with self._there():
            super().copy_from(file, table, *arguments, **options)

    def copy_to(self, file: Any, table: str, *arguments: Any, **options: Any) -> None:
        """Going there, then the copying."""
        with self._there():
            super().copy_to(file, table, *arguments, **options)

    @contextmanager
    def _there(self) -> Iterator[None]:
        """For what cannot share a message with anything else: go there first."""
        link = self._link
        # Between transactions a pooled session is not ours from one message to the next.
        is_whole = link.is_pooled and link.is_idle and link.autocommit
        way = ("BEGIN;" if is_whole else "") + link.way(keeps_path=self._keeps_path())
        link.stands_at = None
        if way:
            with link.cursor() as goer:
                goer.send(way)
        try:
            yield
        except BaseException:
            if is_whole:
                link.rollback()
            raise
        if is_whole:
            link.commit()

    def _keeps_path(self) -> bool:
        """Whether it stays where it was sent by hand: as long as its connection does, in both meanings."""
        if self._chosen is not None and self._chosen != (self._link.place, self._link.reported_path):
            self._chosen = None
        return self._chosen is not None

    def _refuse_what_outlasts(self, text: str) -> None:
        if self._link.is_pooled and (_OUTLASTS.match(text) or (self.name is not None and self.withhold)):
            raise NotSupportedError(
                "Behind a pooler nothing may outlast a transaction: use SET LOCAL, and cursors within a transaction."
            )


def _stays(text: str) -> bool:
    return ";" not in text and "set_config" not in text and _STAYS.match(text) is not None
