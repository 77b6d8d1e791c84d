"""Which hospital a host or a schema belongs to, without a query per request.

Three places answer: this process, with what it has heard; Redis, for all processes; the database. A process believes
itself while Redis shows the same stamp, which it looks at once a second and every writer renews.
Redis must not say what is not true any more, whoever dies when:
- Who changes a hospital puts a mark of its own in the place of Redis' answer before the commit, and the truth after it.
- Who finds a mark asks the database and leaves the mark alone. It runs out if nobody came to replace it. What was found
  beside a mark is believed for less than a second, whatever the stamp.
- The stamp is renewed after the marks are set: who saw the old stamp and no mark has an answer of the old stamp.
- Who finds nothing asks the database and puts down what it found only if there is still nothing.
- The truth replaces only the writer's own mark: another's means that somebody else is about to tell a later truth.
So no answer is older than a second. `docs/adr/0034` says what is left when Redis cannot be reached.
"""

import json
import logging
from collections.abc import Iterable
from functools import cache, lru_cache
from time import monotonic
from typing import Any, NamedTuple
from uuid import uuid4

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, OperationalError, transaction
from django.db.models.base import ModelState
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from core.schemas import Standing
from tenants.models import HOME_CELL, Domain, Hospital

logger = logging.getLogger(__name__)

_NEAR_SECONDS = 0.8  # how often the stamp is looked at; with what a request itself takes, this stays below a second
_NEAR_MOST = 10_000
_KEPT_SECONDS = 120  # in Redis, and from then on in a process while the stamp is the same
_UNKNOWN_KEPT_SECONDS = 5
_CHANGING_SECONDS = 120  # longer than any transaction that changes a hospital
_LONGEST_HOST = 253

_CHANGING = "changing "
_REPLACE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) end"
_UNKNOWN = "null"
_STAMP = "stamp"


class _Known(NamedTuple):
    """What this process has heard. `stamp`: the one that was seen before it asked; "" if it is not to be trusted."""

    fresh_until: float
    kept_until: float
    stamp: str
    hospital: Hospital | None


class _Seen(NamedTuple):
    """The stamp that Redis shows, "" if it cannot be asked."""

    until: float
    stamp: str


_near: dict[str, _Known] = {}
_seen = _Seen(0.0, "")


def hospital_at(host: str) -> Hospital | None:
    """The hospital that answers on `host` (lower case, no port), open or suspended; None for an unknown host."""
    return _answer(f"host:{host}") if len(host) <= _LONGEST_HOST else None


def hospital_of_schema(schema: str) -> Hospital | None:
    """The hospital whose schema has this name, open or suspended."""
    return _answer(f"schema:{schema}")


def cell_of(schema: str) -> str:
    """The cell in which the schema is; the registry's own for whatever is no hospital's."""
    if not settings.CELLS:
        return HOME_CELL
    hospital = hospital_of_schema(schema)
    return hospital.cell if hospital else HOME_CELL


def standing(schema: str) -> Standing:
    """Whether a task may work in the schema now."""
    hospital = hospital_of_schema(schema)
    if hospital is None:
        return Standing.UNKNOWN
    return Standing.PAUSED if hospital.pause else Standing.OPEN


def changed(hospital: Hospital) -> None:
    """Tell every process, once the present transaction has committed, what is true of the hospital now.

    It is called in the transaction of every change, and counts for the hosts that the hospital has at this moment.
    """
    hosts = Domain.objects.filter(tenant_id=hospital.pk).values_list("domain", flat=True)
    _announce([f"schema:{hospital.schema_name}", *(f"host:{host}" for host in hosts)])


def forgotten(host: str) -> None:
    """Tell every process, once the present transaction has committed, that the hospital does not answer on `host`."""
    _announce([f"host:{host}"])


def forget_here() -> None:
    """Drop what this process remembers, so that it asks Redis at once."""
    global _seen
    _near.clear()
    _seen = _Seen(0.0, "")


# --- Asking ----------------------------------------------------------------------------------------------------------


def _answer(key: str) -> Hospital | None:
    asked_at = monotonic()
    known = _near.get(key)
    if known is None or not _holds(known, asked_at):
        stamp = _stamp(asked_at)
        try:
            hospital, is_settled = _ask(key)
        except OperationalError:
            if known is None:
                raise
            # Without the database every page fails: the last answer lets it say whose it is, and whom to telephone.
            hospital, is_settled = known.hospital, False
        if len(_near) >= _NEAR_MOST:  # somebody tries names: whoever is known is asked for again soon
            _near.clear()
        kept = _KEPT_SECONDS if hospital else _UNKNOWN_KEPT_SECONDS
        known = _Known(asked_at + _NEAR_SECONDS, asked_at + kept, stamp if is_settled else "", hospital)
        _near[key] = known
    return _twin(known.hospital) if known.hospital else None


def _holds(known: _Known, now: float) -> bool:
    """Whether it can still be believed."""
    return known.fresh_until > now or (known.kept_until > now and known.stamp != "" and known.stamp == _stamp(now))


def _stamp(now: float) -> str:
    """What Redis shows, less than a second ago."""
    global _seen
    if _seen.until <= now:
        try:
            shown: str = _redis().get(_name(_STAMP)) or _stamped()
        except RedisError:
            shown = ""
        _seen = _Seen(now + _NEAR_SECONDS, shown)
    return _seen.stamp


def _stamped() -> str:
    """A stamp for a Redis that has forgotten everything; of two at once the first one's."""
    _redis().set(_name(_STAMP), str(uuid4()), nx=True)
    shown: str | None = _redis().get(_name(_STAMP))
    return shown or ""


def _twin(hospital: Hospital) -> Hospital:
    """A copy, as what one request does to it is no other's business; twenty times as fast as `copy.copy`."""
    state = ModelState()
    state.db, state.adding = DEFAULT_DB_ALIAS, False
    twin = Hospital.__new__(Hospital)
    twin.__dict__.update(hospital.__dict__, _state=state)
    return twin


def _ask(key: str) -> tuple[Hospital | None, bool]:
    """Redis, and the database if Redis does not know; and whether every later change will be told by a new stamp."""
    try:
        known: str | None = _redis().get(_name(key))
    except RedisError:
        logger.error("The cache does not answer: looking the %s up in the database.", key.partition(":")[0])
        return _look_up(key), False
    if known is not None and not known.startswith(_CHANGING):
        try:
            return _read(known), True
        except KeyError:  # written by a release whose hospitals had not all that ours have
            return _look_up(key), False
    hospital = _look_up(key)
    if known is None:
        try:
            kept = _KEPT_SECONDS if hospital else _UNKNOWN_KEPT_SECONDS
            _redis().set(_name(key), _written(hospital), ex=kept, nx=True)
        except RedisError:
            logger.error("The cache does not answer: nothing is kept of what was looked up.")
    return hospital, known is None


def _look_up(key: str) -> Hospital | None:
    kind, _colon, name = key.partition(":")
    field = {"host": "domains__domain", "schema": "schema_name"}[kind]
    return Hospital.objects.with_schema().filter(**{field: name}).first()


# --- Telling ---------------------------------------------------------------------------------------------------------


def _announce(keys: list[str]) -> None:
    _mark(keys)
    transaction.on_commit(lambda: _tell(keys), robust=True)  # what has been committed is not undone by a cache


def _mark(keys: Iterable[str]) -> str:
    """Let nobody believe what is remembered of these until the mark that is returned is replaced."""
    mark = f"{_CHANGING}{uuid4()}"
    for key in keys:
        _near.pop(key, None)
    try:
        for key in keys:
            _redis().set(_name(key), mark, ex=_CHANGING_SECONDS)
        _redis().set(_name(_STAMP), str(uuid4()))
    except RedisError:
        logger.error("The cache does not answer: what it says of hosts may be %d seconds old.", 2 * _KEPT_SECONDS)
    return mark


def _tell(keys: list[str]) -> None:
    """Put down what is true now, in place of a mark that was set before looking."""
    mark = _mark(keys)
    try:
        for key in keys:
            _redis().eval(_REPLACE, 1, _name(key), mark, _written(_look_up(key)), str(_KEPT_SECONDS))
    except RedisError:
        logger.error("The cache does not answer: hosts are up to date again in %d seconds.", 2 * _KEPT_SECONDS)


# --- What Redis holds: plain text, which an earlier and a later release can read as well ------------------------------


def _written(hospital: Hospital | None) -> str:
    if hospital is None:
        return _UNKNOWN
    row = {field.attname: field.value_from_object(hospital) for field in Hospital._meta.concrete_fields}
    return json.dumps(row, default=str)


@lru_cache(maxsize=1_000)
def _read(text: str) -> Hospital | None:
    """Raises KeyError if something is missing. Redis mostly says what it said before, and reading it takes a while."""
    row = json.loads(text)
    if row is None:
        return None
    fields = Hospital._meta.concrete_fields
    values = [field.to_python(row[field.attname]) for field in fields]
    return Hospital.from_db(DEFAULT_DB_ALIAS, [field.attname for field in fields], values)


def _name(key: str) -> str:
    return f"rhms:{key}"


@cache
def _redis() -> Any:  # its own types cannot tell it from an asynchronous client
    again = Retry(NoBackoff(), 1)  # at once, in case the server had closed an idle connection
    return Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1, retry=again, decode_responses=True
    )
