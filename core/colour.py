"""Colours that can be read: one brand colour in, every accent role out, with the contrast solved instead of hoped for.

The maths is Björn Ottosson's Oklab (bottosson.github.io/posts/oklab, public domain matrices) and the contrast ratio of
WCAG 2.2 (1.4.3 and 1.4.11). The design build writes the fixed tokens from here; a hospital's theme file is made here
while the platform runs, so both follow the same rules.
"""

import math
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Literal, NamedTuple

Mode = Literal["light", "dark"]
MODES: tuple[Mode, Mode] = ("light", "dark")

PORTAL_ACCENT = "#0c6478"
"""The platform's own colour, part of the fixed tokens: the portal needs no theme file."""

TEXT = 4.5
"""WCAG AA for text."""
GRAPHIC = 3.0
"""WCAG AA for borders of controls, icons and bars."""

_NEUTRAL_HUE = 255.0  # a slightly cool grey
_MOST_CHROMA = 0.19  # a louder brand colour is quietened
_AIM = 0.1  # solved beyond the limit, so that rounding to hex never falls below it


class Oklch(NamedTuple):
    """Lightness 0 to 1, chroma 0 to about 0.3, hue in degrees."""

    lightness: float
    chroma: float
    hue: float


class Solved(NamedTuple):
    """What became of a brand colour; `None` where it is used as given."""

    light: str
    dark: str
    light_change: Literal["darker", "lighter", "quieter"] | None
    dark_change: Literal["darker", "lighter", "quieter"] | None


class Pair(NamedTuple):
    """One checked contrast."""

    mode: Mode
    what: str
    ratio: float
    least: float


# --- Colour spaces ---------------------------------------------------------------------------------------------------


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _encoded(channel: float) -> float:
    channel = min(1.0, max(0.0, channel))
    return 12.92 * channel if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055


@lru_cache(maxsize=4096)
def _linear_rgb(colour: str) -> tuple[float, float, float]:
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue = (_linear(int(digits[at : at + 2], 16) / 255) for at in (0, 2, 4))
    return red, green, blue


def to_oklch(colour: str) -> Oklch:
    """A colour written as #rrggbb or #rgb, in OKLCH."""
    red, green, blue = _linear_rgb(colour)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return Oklch(lightness, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360)


def _rgb(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


@lru_cache(maxsize=4096)
def to_hex(lightness: float, chroma: float, hue: float) -> str:
    """An OKLCH colour as #rrggbb; chroma is reduced until the screen can show it."""

    def fits(tried: float) -> bool:
        return all(-1e-4 <= channel <= 1 + 1e-4 for channel in _rgb(lightness, tried, hue))

    if not fits(chroma):
        chroma = _turning_point(fits, 0.0, chroma)
    return "#" + "".join(f"{round(_encoded(channel) * 255):02x}" for channel in _rgb(lightness, chroma, hue))


def _turning_point(holds: Callable[[float], bool], good: float, bad: float) -> float:
    """The last value on the way from `good` to `bad` for which `holds` is true."""
    for _ in range(26):
        middle = (good + bad) / 2
        if holds(middle):
            good = middle
        else:
            bad = middle
    return good


# --- Contrast --------------------------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Relative luminance of WCAG, 0 for black to 1 for white."""
    red, green, blue = _linear_rgb(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    """Contrast ratio of WCAG, 1 to 21."""
    darker, lighter = sorted((luminance(a), luminance(b)))
    return (lighter + 0.05) / (darker + 0.05)


def _lightness_for(chroma: float, hue: float, against: str, ratio: float, *, darker: bool) -> float:
    """The lightness nearest to `against` whose colour reaches `ratio` against it."""
    return _turning_point(
        lambda tried: contrast(to_hex(tried, chroma, hue), against) >= ratio,
        0.0 if darker else 1.0,
        to_oklch(against).lightness,
    )


# --- Fixed tokens ----------------------------------------------------------------------------------------------------


def _grey(lightness: float, chroma: float) -> str:
    return to_hex(lightness, chroma, _NEUTRAL_HUE)


_NEUTRAL: Mapping[Mode, Mapping[str, str]] = {
    "light": {
        "bg": _grey(0.976, 0.004),
        "surface": "#ffffff",
        "surface-2": _grey(0.966, 0.005),
        "surface-3": _grey(0.938, 0.007),
        "line": _grey(0.912, 0.007),
        "line-2": _grey(0.85, 0.01),
        "line-strong": _grey(0.63, 0.014),
        "text": _grey(0.23, 0.018),
        "text-2": _grey(0.42, 0.018),
        "text-3": _grey(0.51, 0.016),
        "scrim": "rgb(14 20 28 / .45)",
    },
    "dark": {
        "bg": _grey(0.165, 0.01),
        "surface": _grey(0.208, 0.011),
        "surface-2": _grey(0.245, 0.012),
        "surface-3": _grey(0.295, 0.014),
        "line": _grey(0.3, 0.013),
        "line-2": _grey(0.375, 0.015),
        "line-strong": _grey(0.585, 0.016),
        "text": _grey(0.95, 0.005),
        "text-2": _grey(0.8, 0.01),
        "text-3": _grey(0.69, 0.012),
        "scrim": "rgb(0 0 0 / .6)",
    },
}
_STATUS: Mapping[str, tuple[float, float]] = {  # hue, chroma
    "ok": (150, 0.13),
    "warn": (70, 0.13),
    "bad": (25, 0.18),
    "info": (245, 0.13),
}
# Categories of a chart, apart in hue and in lightness.
_CHART: Mapping[Mode, tuple[Oklch, ...]] = {
    "light": (Oklch(0.60, 0.12, 195), Oklch(0.50, 0.14, 300), Oklch(0.66, 0.13, 60), Oklch(0.45, 0.10, 150)),
    "dark": (Oklch(0.74, 0.11, 195), Oklch(0.72, 0.13, 300), Oklch(0.80, 0.13, 70), Oklch(0.62, 0.12, 150)),
}


def _status_tokens(mode: Mode) -> dict[str, str]:
    tokens: dict[str, str] = {}
    for name, (hue, chroma) in _STATUS.items():
        if mode == "light":
            soft = to_hex(0.962, 0.03, hue)
            text = to_hex(min(0.44, _lightness_for(chroma, hue, soft, 5.2, darker=True)), chroma, hue)
            least = GRAPHIC if name == "warn" else TEXT  # a fill that carries text needs more
            fill = to_hex(_lightness_for(chroma, hue, "#ffffff", least + _AIM, darker=True), chroma, hue)
            line = to_hex(0.86, 0.07, hue)
        else:
            soft = to_hex(0.285, 0.045, hue)
            text = to_hex(max(0.82, _lightness_for(chroma * 0.7, hue, soft, 6, darker=False)), chroma * 0.7, hue)
            fill = to_hex(0.72, chroma * 0.95, hue)
            line = to_hex(0.43, 0.08, hue)
        tokens |= {f"{name}-soft": soft, f"{name}-line": line, f"{name}-text": text, f"{name}-fill": fill}
    return tokens


@cache
def root_tokens(mode: Mode) -> Mapping[str, str]:
    """The roles that are the same for every hospital."""
    charts = {f"chart-{number}": to_hex(*colour) for number, colour in enumerate(_CHART[mode], 2)}
    return {**_NEUTRAL[mode], **_status_tokens(mode), **charts}


# --- A hospital's accent ---------------------------------------------------------------------------------------------


@lru_cache(maxsize=512)
def accent_tokens(brand: str, mode: Mode) -> Mapping[str, str]:
    """The accent roles of one brand colour, readable whatever the hospital picked."""
    given = to_oklch(brand)
    hue, chroma = given.hue, min(given.chroma, _MOST_CHROMA)
    if mode == "light":
        soft, soft_2 = (to_hex(0.962, min(chroma * 0.22, 0.03), hue), to_hex(0.93, min(chroma * 0.35, 0.05), hue))
        fill = min(given.lightness, _lightness_for(chroma, hue, "#ffffff", TEXT + _AIM, darker=True))
        text = min(fill, _lightness_for(chroma, hue, soft_2, TEXT + _AIM, darker=True))
        middle = _lightness_for(chroma, hue, "#ffffff", GRAPHIC + _AIM, darker=True)
        return {
            "accent": to_hex(fill, chroma, hue),
            "accent-hover": to_hex(fill - 0.055 if fill > 0.2 else fill + 0.1, chroma, hue),
            "on-accent": "#ffffff",
            "accent-text": to_hex(text, chroma, hue),
            "accent-soft": soft,
            "accent-soft-2": soft_2,
            "accent-line": to_hex(0.86, min(chroma * 0.5, 0.08), hue),
            "accent-mid": to_hex(middle, chroma, hue),
        }
    soft, soft_2 = (to_hex(0.305, min(chroma * 0.45, 0.05), hue), to_hex(0.365, min(chroma * 0.5, 0.065), hue))
    text = max(0.78, _lightness_for(chroma * 0.75, hue, soft_2, TEXT + _AIM, darker=False))
    on_accent = to_hex(0.19, min(chroma * 0.4, 0.05), hue)
    fill = max(
        0.74 if chroma > 0.03 else 0.85, _lightness_for(chroma * 0.85, hue, on_accent, TEXT + _AIM, darker=False)
    )
    return {
        "accent": to_hex(fill, chroma * 0.85, hue),
        "accent-hover": to_hex(min(1.0, fill + 0.06), chroma * 0.8, hue),
        "on-accent": on_accent,
        "accent-text": to_hex(text, chroma * 0.75, hue),
        "accent-soft": soft,
        "accent-soft-2": soft_2,
        "accent-line": to_hex(0.46, min(chroma * 0.55, 0.085), hue),
        "accent-mid": to_hex(0.66, chroma * 0.85, hue),
    }


@lru_cache(maxsize=512)
def solved(accent: str) -> Solved:
    """Which colour each theme uses for a brand colour, and whether that is another than the one picked."""
    light, dark = (accent_tokens(accent, mode)["accent"] for mode in MODES)
    return Solved(light, dark, _change(accent, light), _change(accent, dark))


def _change(given: str, used: str) -> Literal["darker", "lighter", "quieter"] | None:
    before, after = to_oklch(given), to_oklch(used)
    if after.lightness < before.lightness - 0.01:
        return "darker"
    if after.lightness > before.lightness + 0.01:
        return "lighter"
    return "quieter" if after.chroma < before.chroma - 0.01 else None


# --- Stylesheets -----------------------------------------------------------------------------------------------------


def declarations(tokens: Mapping[str, str]) -> str:
    """Tokens as custom properties."""
    return ";".join(f"--{name}:{value}" for name, value in tokens.items())


def themed_css(light: Mapping[str, str], dark: Mapping[str, str]) -> str:
    """Tokens for the light theme, the dark one, and the one the device asks for."""
    return (
        f":root{{{declarations(light)}}}"
        f'html[data-theme="dark"]{{{declarations(dark)}}}'
        f'@media (prefers-color-scheme:dark){{html[data-theme="auto"]{{{declarations(dark)}}}}}'
    )


@lru_cache(maxsize=512)
def theme_css(accent: str) -> str:
    """A hospital's theme file: its accent roles over the platform's tokens."""
    return themed_css(accent_tokens(accent, "light"), accent_tokens(accent, "dark"))


@lru_cache(maxsize=512)
def preview_css(accent: str) -> str:
    """Both themes on one page: every token inside `.preview-light` and `.preview-dark`."""
    return "".join(
        f".preview-{mode}{{color-scheme:{mode};{declarations({**root_tokens(mode), **accent_tokens(accent, mode)})}}}"
        for mode in MODES
    )


# --- Proof -----------------------------------------------------------------------------------------------------------


def accent_pairs(brand: str) -> list[Pair]:
    """Every contrast a brand colour has to pass."""
    pairs = []
    for mode in MODES:
        root, accent = root_tokens(mode), accent_tokens(brand, mode)
        wanted = [
            ("on-accent", accent["on-accent"], "accent", accent["accent"], TEXT),
            ("on-accent", accent["on-accent"], "accent-hover", accent["accent-hover"], TEXT),
            ("accent-text", accent["accent-text"], "surface", root["surface"], TEXT),
            ("accent-text", accent["accent-text"], "bg", root["bg"], TEXT),
            ("accent-text", accent["accent-text"], "surface-2", root["surface-2"], TEXT),
            ("accent-text", accent["accent-text"], "accent-soft", accent["accent-soft"], TEXT),
            ("accent-text", accent["accent-text"], "accent-soft-2", accent["accent-soft-2"], TEXT),
            ("accent", accent["accent"], "surface", root["surface"], GRAPHIC),
            ("accent-mid", accent["accent-mid"], "surface", root["surface"], GRAPHIC),
        ]
        pairs += [
            Pair(mode, f"{brand} {front_name} on {back_name}", contrast(front, back), least)
            for front_name, front, back_name, back, least in wanted
        ]
    return pairs


def root_pairs() -> list[Pair]:
    """Every contrast of the fixed tokens."""
    pairs = []
    for mode in MODES:
        tokens = root_tokens(mode)
        wanted = [
            (front, back, TEXT) for front in ("text", "text-2", "text-3") for back in ("bg", "surface", "surface-2")
        ]
        wanted += [("line-strong", back, GRAPHIC) for back in ("bg", "surface", "surface-2")]
        for name in _STATUS:
            wanted += [
                (f"{name}-text", f"{name}-soft", TEXT),
                (f"{name}-text", "surface", TEXT),
                (f"{name}-text", "bg", TEXT),
                (f"{name}-fill", "surface", GRAPHIC),
            ]
        wanted += [(f"chart-{number}", "surface", GRAPHIC) for number in range(2, 6)]
        wanted += [("text", "surface-3", TEXT), ("text-2", "surface-3", TEXT)]
        pairs += [
            Pair(mode, f"{front} on {back}", contrast(tokens[front], tokens[back]), least)
            for front, back, least in wanted
        ]
    return pairs


_TRIED = (PORTAL_ACCENT, "#1d5bd8", "#7a3ff2", "#d9480f", "#ffd43b", "#c2255c", "#7fd1ae", "#ffffff", "#000000")


def report() -> list[Pair]:
    """Every checked contrast, with brand colours that usually give trouble."""
    return root_pairs() + [pair for brand in _TRIED for pair in accent_pairs(brand)]
