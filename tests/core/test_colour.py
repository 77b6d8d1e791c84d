"""Whatever colour a hospital picks, its pages can be read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import colour

HEX = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(HEX)
def test_any_brand_colour_can_be_read_in_both_themes(brand: str) -> None:
    assert [pair for pair in colour.accent_pairs(brand) if pair.ratio < pair.least] == []


def test_the_fixed_tokens_can_be_read() -> None:
    assert [pair for pair in colour.report() if pair.ratio < pair.least] == []


@given(HEX)
def test_every_token_is_a_plain_colour(brand: str) -> None:
    for mode in colour.MODES:
        for value in colour.accent_tokens(brand, mode).values():
            assert re.fullmatch("#[0-9a-f]{6}", value)


@given(HEX)
def test_a_colour_survives_the_way_through_oklch(given_colour: str) -> None:
    assert colour.to_hex(*colour.to_oklch(given_colour)) == given_colour


def test_black_on_white_has_the_highest_contrast() -> None:
    assert colour.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colour.contrast("#ffffff", "#000000") == pytest.approx(21)


def test_contrast_agrees_with_the_published_example() -> None:
    assert colour.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("pale", ["#ffffff", "#ffd43b", "#ffff00", "#7fd1ae"])
def test_a_pale_colour_is_made_darker_on_white(pale: str) -> None:
    assert colour.solved(pale).light_change == "darker"


def test_a_readable_colour_is_used_as_given_on_white() -> None:
    assert colour.solved("#0b6e6e").light == "#0b6e6e"
    assert colour.solved("#0b6e6e").light_change is None


def test_a_dark_colour_is_made_lighter_in_the_dark_theme() -> None:
    assert colour.solved("#0b6e6e").dark_change == "lighter"
    assert colour.solved("#000000").dark_change == "lighter"


def test_a_theme_file_speaks_to_all_three_settings() -> None:
    css = colour.theme_css("#7a3ff2")
    assert css.startswith(":root{--accent:")
    assert 'html[data-theme="dark"]{--accent:' in css
    assert '@media (prefers-color-scheme:dark){html[data-theme="auto"]{--accent:' in css


def test_a_preview_holds_every_token_of_both_themes() -> None:
    css = colour.preview_css("#7a3ff2")
    for mode in colour.MODES:
        scope = css.split(f".preview-{mode}{{")[1].split("}")[0]
        for name in (*colour.root_tokens(mode), *colour.accent_tokens("#7a3ff2", mode)):
            assert f"--{name}:" in scope
