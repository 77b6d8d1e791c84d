"""Phrases that stand on a page again and again, such as the days of a list."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar, cast

from django.utils.formats import date_format
from django.utils.translation import get_language

P = ParamSpec("P")
R = TypeVar("R")


def once_per_language(say: Callable[P, R]) -> Callable[P, R]:
    """Remember what `say` says, in each language, for what it is asked most.

    Only for what follows from its arguments and the language alone. Finding a sentence and putting a date into words
    takes longer than all else that a list shows of a day.
    """

    @lru_cache(maxsize=1024)
    def remembered(language: str | None, *args: object) -> object:
        return cast(Callable[..., object], say)(*args)

    @wraps(say)
    def said(*args: P.args, **_none: P.kwargs) -> R:
        return cast(R, remembered(get_language(), *args))

    return said


@once_per_language
def short_day(day: date) -> str:
    """A day without its year: Sun 22 Nov."""
    return date_format(day, "D j M")
