"""Rate limits, shared by a page and its twin in the API because the service asks."""

import logging
from functools import cache
from math import ceil
from time import time

from django.conf import settings
from django.utils.translation import ngettext
from limits import parse
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from core.errors import TooMany

logger = logging.getLogger(__name__)


@cache
def _limiter() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(storage_from_string(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1))


def forget(what: str, limit: str, *who: str) -> None:
    """Take back what was counted, when it turns out that the tries were rightful."""
    try:
        _limiter().clear(parse(limit), "throttle", what, *who)
    except (RedisError, StorageError):
        logger.error("Rate limits are off: the cache does not answer.")


def hit(what: str, limit: str, *who: str) -> None:
    """Count one try of `what` by `who`; raise `TooMany`, with the waiting time, past `limit` (like "5/hour").

    With the cache down tries are not counted: a hospital must not be locked out of its own site by a dead Redis.
    """
    rate = parse(limit)
    try:
        if _limiter().hit(rate, "throttle", what, *who):
            return
        reset, _left = _limiter().get_window_stats(rate, "throttle", what, *who)
    except (RedisError, StorageError):
        logger.error("Rate limits are off: the cache does not answer.")
        return
    seconds = max(1, ceil(reset - time()))
    minutes = ceil(seconds / 60)
    raise TooMany(
        ngettext(
            "Too many tries. Wait %(minutes)d minute, then try again.",
            "Too many tries. Wait %(minutes)d minutes, then try again.",
            minutes,
        )
        % {"minutes": minutes},
        retry_after=seconds,
    )
