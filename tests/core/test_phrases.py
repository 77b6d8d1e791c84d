"""Phrases that are remembered."""

from datetime import date

from django.utils.translation import override

from core.languages import names
from core.phrases import once_per_language, short_day


def test_a_phrase_is_worked_out_once() -> None:
    asked: list[int] = []

    @once_per_language
    def doubled(n: int) -> str:
        asked.append(n)
        return str(2 * n)

    assert [doubled(2), doubled(2), doubled(3)] == ["4", "4", "6"]
    assert asked == [2, 3]


def test_a_phrase_is_said_in_the_language_of_the_page() -> None:
    day = date(2026, 11, 22)
    with override("en-gb"):
        assert short_day(day) == "Sun 22 Nov"
    with override("de"):
        assert short_day(day) == "So 22 Nov"
    with override("en-gb"):
        assert short_day(day) == "Sun 22 Nov"


def test_languages_stand_in_our_order_and_unknown_ones_are_left_out() -> None:
    assert names(["ur", "xx", "en"]) == ["English", "Urdu"]
