"""Which hospital a host belongs to, without a query per request: the answer is kept in the cache.

Readers `add` what they found, writers `set` what is true now, so a reader that was slow can never put an old answer
over a new one. With the cache down every request asks the database.
"""

import logging

from django.core.cache import cache
from django.db import transaction
from redis.exceptions import RedisError

from tenants.models import Domain, Hospital

logger = logging.getLogger(__name__)

_KEPT_SECONDS = 300
_UNKNOWN_KEPT_SECONDS = 5
_UNKNOWN = "unknown"


def hospital_at(host: str) -> Hospital | None:
    """The hospital that answers on `host` (lower case, no port), open or suspended; None for an unknown host."""
    try:
        known: Hospital | str | None = cache.get(_key(host))
    except RedisError:
        logger.error("The cache does not answer: looking the host up in the database.")
        return _look_up(host)
    if isinstance(known, Hospital):
        return known
    if known == _UNKNOWN:
        return None
    hospital = _look_up(host)
    cache.add(_key(host), hospital or _UNKNOWN, _KEPT_SECONDS if hospital else _UNKNOWN_KEPT_SECONDS)
    return hospital


def changed(hospital: Hospital) -> None:
    """Tell every process, once the present transaction has committed, what is true of the hospital's hosts now."""
    pk = hospital.pk

    def tell() -> None:
        try:
            for host in Domain.objects.filter(tenant_id=pk).values_list("domain", flat=True):
                cache.set(_key(host), _look_up(host) or _UNKNOWN, _KEPT_SECONDS)
        except RedisError:
            logger.error("The cache does not answer: hosts are up to date again in %d seconds.", _KEPT_SECONDS)

    transaction.on_commit(tell, robust=True)  # what has been committed is not undone by a cache


def forgotten(host: str) -> None:
    """Tell every process, once the present transaction has committed, that nobody answers on `host` any more."""

    def tell() -> None:
        try:
            cache.set(_key(host), _UNKNOWN, _UNKNOWN_KEPT_SECONDS)
        except RedisError:
            logger.error("The cache does not answer: %s is forgotten in %d seconds.", host, _KEPT_SECONDS)

    transaction.on_commit(tell, robust=True)  # what has been committed is not undone by a cache


def _look_up(host: str) -> Hospital | None:
    return Hospital.objects.with_schema().filter(domains__domain=host).first()


def _key(host: str) -> str:
    return f"host:{host}"
