"""What leaves the process while a request or a task runs: answers, cache, files, logs, letters, and schemas it looks into."""

import logging
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse

from core import schemas
from core.schemas import schema_context
from notifications.models import Notification
from tests.conftest import forget
from tests.house.cast import House

_opened: list[str] | None = None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _opened is not None and event == "open" and str(settings.MEDIA_ROOT) in str(arguments[0]):
        _opened.append(str(arguments[0]))


sys.addaudithook(_hook)  # sees every file that this process opens, by whatever library; it stays, and is quiet


class Watch:
    """Looks for what is `house`'s own in all that `guests` are given: its canaries, its files, its schema."""

    def __init__(self, house: House, *, only: str = r"\w+", may_enter: bool = False) -> None:
        slug, hospital = house.slug, house.hospital
        self._words = re.compile(rf"canary{slug}{only}".encode(), re.IGNORECASE)
        # Logos and the pictures of departments that patients see are for everybody.
        shown = re.escape(house.things["shown"].image)
        self._files = re.compile(rf"{hospital.code}/(?!logo-)(?!{shown.partition('/')[2]})")
        self._schema = "" if may_enter else hospital.schema_name
        self.leaks: list[str] = []
        self.found: set[str] = set()
        self._entered = False

    @contextmanager
    def on(self, where: str, *, letters_of: House | None = None) -> Iterator[Callable[..., None]]:
        """Look while the block runs; call what it yields with an answer before what it changed is taken back."""
        global _opened
        lines, _opened, self._entered = _Lines(), [], False
        logging.getLogger().addHandler(lines)
        sent = len(mail.outbox)
        known = {schema: _last_letter(schema) for schema in self._schemas(letters_of)}

        def look(answer: HttpResponse | None = None) -> None:
            if answer is not None:
                self._judge(f"{where}: the answer", answer.content_was)  # type: ignore[attr-defined]  # see walk.knock
                self._judge(f"{where}: a header", repr(list(answer.items())) + answer.cookies.output())
            has_worked = _run_after_commit()
            self._judge(f"{where}: the cache", _kept())
            if has_worked:
                forget()  # of what is about to be taken back nothing may be remembered
            for schema, last in known.items():
                with schema_context(schema):
                    for letter in Notification.objects.filter(pk__gt=last):
                        text = f"{letter} {letter.to_name} {letter.text} {letter.html}"
                        self._judge(f"{where}: a letter", text)

        try:
            with connection.execute_wrapper(self._statement):
                yield look
                schemas.enter_public()
        finally:
            logging.getLogger().removeHandler(lines)
            opened, _opened = _opened, None
        self._judge(f"{where}: the log", "\n".join(lines.lines))
        self._judge(f"{where}: an e-mail", "\n".join(message.message().as_string() for message in mail.outbox[sent:]))
        self.leaks += [f"{where}: the file {path}" for path in opened or () if self._files.search(path)]
        if self._entered:
            self.leaks.append(f"{where}: a statement in its schema")

    def _schemas(self, letters_of: House | None) -> list[str]:
        return ["public", letters_of.hospital.schema_name] if letters_of else []

    def _statement(self, execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if schemas.active() == self._schema or (self._schema and self._schema in sql):
            self._entered = True
        return execute(sql, parameters, many, context)

    def _judge(self, where: str, content: bytes | str) -> None:
        raw = content if isinstance(content, bytes) else content.encode()
        words = {word.decode().upper() for word in self._words.findall(raw)}
        self.found |= words
        self.leaks += [f"{where} says {word}" for word in sorted(words)]


class _Lines(logging.Handler):
    """Keeps every line that is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def _last_letter(schema: str) -> int:
    with schema_context(schema):
        return Notification.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _run_after_commit() -> bool:
    """Do what would happen after the commit, and say whether there was anything.

    Messages for workers name a row and a schema, and are not sent.
    """
    waiting, connection.run_on_commit = connection.run_on_commit, []
    for entry in waiting:
        work = entry[1]
        if not work.__qualname__.startswith("after_commit."):
            work()
    return bool(waiting)


def _kept() -> str:
    """All that Redis holds, by whatever type."""
    client: Any = cache._cache.get_client(write=True)  # type: ignore[attr-defined]  # Django has no way to list keys
    readers = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"set": client.smembers,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"zset": lambda key: client.zrange(key, 0, -1),
    }
    return "\n".join(f"{key!r} {readers[client.type(key)](key)!r}" for key in client.scan_iter(count=1000))
