"""What the sandbox remembers: one SQLite file, which a `kill -9` does not hurt.

Orders, payments, refunds and settlements are kept as the JSON they are answered with; names that begin with `_` are ours and
never leave.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Thing = dict[str, Any]

TABLES = """
CREATE TABLE IF NOT EXISTS accounts (key_id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS things (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, account TEXT NOT NULL, kind TEXT NOT NULL,
    parent TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS things_of_account ON things (account, kind);
CREATE INDEX IF NOT EXISTS things_of_parent ON things (parent, kind);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, account TEXT NOT NULL, name TEXT NOT NULL,
    body TEXT NOT NULL, signature TEXT NOT NULL, state TEXT NOT NULL, due_at REAL NOT NULL,
    sends_left INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, last_answer TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS events_waiting ON events (state, due_at);
CREATE TABLE IF NOT EXISTS timers (seq INTEGER PRIMARY KEY, due_at REAL NOT NULL, action TEXT NOT NULL, id TEXT NOT NULL);
"""


class Store:
    """The file. Everything happens inside `transaction()`, one at a time."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        # Written at every commit but not forced to the disk: it outlives the process, and is quick.
        self._db.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {TABLES}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; a transaction inside another is part of it."""
        with self._lock:
            if not self._depth:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if not self._depth:
                    self._db.execute("ROLLBACK")
                raise
            self._depth -= 1
            if not self._depth:
                self._db.execute("COMMIT")

    def close(self) -> None:
        """End."""
        with self._lock:
            self._db.close()

    # Accounts

    def account(self, key_id: str) -> Thing | None:
        """Who has this key."""
        row = self._db.execute("SELECT body FROM accounts WHERE key_id = ?", [key_id]).fetchone()
        return json.loads(row["body"]) if row else None

    def accounts(self) -> list[Thing]:
        """Everybody, in the order they came."""
        return [json.loads(row["body"]) for row in self._db.execute("SELECT body FROM accounts ORDER BY rowid")]

    def keep_account(self, account: Thing) -> None:
        """Add an account, or write it anew."""
        self._db.execute(
            "INSERT INTO accounts VALUES (?, ?) ON CONFLICT (key_id) DO UPDATE SET body = excluded.body",
            [account["key_id"], json.dumps(account)],
        )

    # Orders, payments, refunds, settlements

    def add(self, thing: Thing, *, account: str, parent: str = "") -> Thing:
        """Keep something new."""
        self._db.execute(
            "INSERT INTO things (id, account, kind, parent, body) VALUES (?, ?, ?, ?, ?)",
            [thing["id"], account, thing["entity"], parent, json.dumps(thing)],
        )
        return thing

    def write(self, thing: Thing) -> None:
        """Keep something as it is now."""
        self._db.execute("UPDATE things SET body = ? WHERE id = ?", [json.dumps(thing), thing["id"]])

    def find(self, kind: str, thing_id: str, *, account: str) -> Thing | None:
        """One of this account's things; another account's is not there."""
        row = self._db.execute(
            "SELECT body FROM things WHERE id = ? AND kind = ? AND account = ?", [thing_id, kind, account]
        ).fetchone()
        return json.loads(row["body"]) if row else None

    def account_of(self, thing_id: str) -> str:
        """Whose it is; empty when there is no such thing."""
        row = self._db.execute("SELECT account FROM things WHERE id = ?", [thing_id]).fetchone()
        return row["account"] if row else ""

    def every(self, kind: str, *, account: str, parent: str = "") -> list[Thing]:
        """The newest first."""
        rows = self._db.execute(
            "SELECT body FROM things WHERE account = ? AND kind = ? AND (? = '' OR parent = ?) ORDER BY seq DESC",
            [account, kind, parent, parent],
        )
        return [json.loads(row["body"]) for row in rows]

    # Events and timers

    def add_event(self, event: Thing) -> None:
        """Queue what a webhook will tell."""
        self._db.execute(
            "INSERT INTO events (id, account, name, body, signature, state, due_at, sends_left) "
            "VALUES (:id, :account, :name, :body, :signature, :state, :due_at, :sends_left)",
            event,
        )

    def event(self, event_id: str) -> Thing | None:
        """One event."""
        row = self._db.execute("SELECT * FROM events WHERE id = ?", [event_id]).fetchone()
        return dict(row) if row else None

    def events(self, *, account: str) -> list[Thing]:
        """Everything an account was or will be told, the oldest first."""
        return [dict(row) for row in self._db.execute("SELECT * FROM events WHERE account = ? ORDER BY seq", [account])]

    def update_event(self, event_id: str, **changes: Any) -> None:
        """Say what became of an event."""
        names = ", ".join(f"{name} = :{name}" for name in changes)  # our own keywords
        self._db.execute(f"UPDATE events SET {names} WHERE id = :id", {**changes, "id": event_id})  # noqa: S608

    def due_events(self, now: float) -> list[Thing]:
        """What must be sent now, the oldest first."""
        rows = self._db.execute("SELECT * FROM events WHERE state = 'waiting' AND due_at <= ? ORDER BY seq", [now])
        return [dict(row) for row in rows]

    def next_burst(self, account: str, now: float) -> float | None:
        """When the events that gather for this account are sent."""
        row = self._db.execute(
            "SELECT max(due_at) FROM events WHERE account = ? AND state = 'waiting' AND attempts = 0 AND due_at > ?",
            [account, now],
        ).fetchone()
        return row[0]  # type: ignore[no-any-return]

    def set_timer(self, due_at: float, action: str, thing_id: str) -> None:
        """Have something happen later."""
        self._db.execute("INSERT INTO timers (due_at, action, id) VALUES (?, ?, ?)", [due_at, action, thing_id])

    def due_timers(self, now: float) -> list[tuple[str, str]]:
        """What must happen now; each is told once."""
        rows = self._db.execute("DELETE FROM timers WHERE due_at <= ? RETURNING action, id", [now]).fetchall()
        return [(row["action"], row["id"]) for row in rows]

    def next_due(self) -> float | None:
        """When something is to be done next."""
        row = self._db.execute(
            "SELECT min(at) FROM (SELECT min(due_at) AS at FROM events WHERE state = 'waiting' "
            "UNION ALL SELECT min(due_at) FROM timers)"
        ).fetchone()
        return row[0]  # type: ignore[no-any-return]
