"""Rate limits count tries by who makes them, and say how long to wait."""

import pytest
from django.core.cache import cache

from core import throttle
from core.errors import TooMany


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    cache.clear()


def test_past_the_limit_the_waiting_time_is_said() -> None:
    for _ in range(3):
        throttle.hit("knocking", "3/minute", "asha")
    with pytest.raises(TooMany, match="Wait 1 minute, then try again") as refusal:
        throttle.hit("knocking", "3/minute", "asha")
    assert 0 < refusal.value.retry_after <= 60


def test_everybody_has_their_own_count_for_everything() -> None:
    throttle.hit("knocking", "1/minute", "asha")
    throttle.hit("knocking", "1/minute", "hari")
    throttle.hit("ringing", "1/minute", "asha")
