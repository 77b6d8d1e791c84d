"""Template words of the design system; a builtin library, so no template loads it."""

import unicodedata
from collections.abc import Hashable, Iterable
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from zlib import crc32

import phonenumbers
from django import template
from django.conf import settings
from django.core.paginator import Page
from django.template import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from phonenumber_field.phonenumber import PhoneNumber

from core import money
from core.languages import names
from core.phrases import once_per_language

register = template.Library()

_TITLES = frozenset({"dr", "dr.", "mr", "mr.", "mrs", "mrs.", "ms", "ms.", "prof", "prof.", "st", "st."})
_TINTS = ("a", "b", "c", "d")


@cache
def _sprite() -> str:
    return static("icons/sprite.svg")


@register.simple_tag
@cache
def icon(name: str, size: str = "") -> SafeString:
    """An outline from the sprite, hidden from screen readers. `size`: "s" or "l"."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        f" {size}" if size else "",
        _sprite(),
        name,
    )


@register.simple_tag
def badge(text: object, tone: str = "") -> SafeString:
    """A short word in a tone: "", ok, warn, bad, info or accent."""
    return format_html('<span class="badge{}">{}</span>', f" {tone}" if tone else "", text)


@register.simple_tag
def drawn(name: str, **words: Hashable) -> SafeString:
    """A template that shows only what it is given, drawn once in each language for what is asked most.

    Drawing ten cards of doctors takes longer than finding them among a hundred thousand; whose times have not changed
    since looks as it did.
    """
    return _drawn(get_language(), name, tuple(words.items()))


@lru_cache(maxsize=512)
def _drawn(_language: str | None, name: str, words: tuple[tuple[str, Hashable], ...]) -> SafeString:
    return render_to_string(name, dict(words))


@register.filter
def options(choices: Iterable[tuple[str, str]], chosen: object) -> SafeString:
    """The options of a select: value and label of each, and which is chosen, in capitals or not."""
    return _options(tuple(choices), str(chosen or "").lower())


@lru_cache(maxsize=256)  # a list of eighty, the same for everybody, would be most of a page's work
def _options(choices: tuple[tuple[str, str], ...], chosen: str) -> SafeString:
    return format_html_join(
        "\n",
        '<option value="{}"{}>{}</option>',
        ((value, SafeString(" selected" if value.lower() == chosen else ""), label) for value, label in choices),
    )


@register.filter
def initials(name: object) -> str:
    """At most two letters for an avatar: "Dr Anika Sen" gives "AS", vowel signs stay with their letter."""
    words = [word for word in str(name or "").split() if word[0].isalpha()]
    named = [word for word in words if word.lower() not in _TITLES] or words
    return "".join(_first_letter(word) for word in dict.fromkeys((named[0], named[-1]))).upper() if named else ""


def _first_letter(word: str) -> str:
    end = 1
    while end < len(word) and unicodedata.category(word[end]).startswith("M"):
        end += 1
    return word[:end]


@register.filter
def tint(name: object) -> str:
    """The tint of a name's avatar: always the same for the same name."""
    return _TINTS[crc32(str(name or "").encode()) % len(_TINTS)]


@register.filter
def phone(number: object) -> SafeString:
    """A telephone number in groups, kept left to right in every script."""
    parsed = _parsed(number)
    text = (
        str(number or "")
        if parsed is None
        else phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    )
    return format_html('<bdi class="num">{}</bdi>', text) if text else SafeString("")


@register.filter
def tel(number: object) -> str:
    """The address of a telephone link."""
    parsed = _parsed(number)
    if parsed is None:
        return f"tel:{number}" if number else ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.RFC3966)


def _parsed(number: object) -> phonenumbers.PhoneNumber | None:
    """The number, unless it is not a full one: 112 stays 112."""
    if isinstance(number, PhoneNumber):
        return number if number.is_valid() else None
    try:
        parsed = phonenumbers.parse(str(number), settings.PHONENUMBER_DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return None
    return parsed if phonenumbers.is_valid_number(parsed) else None


@register.filter
def rupees(amount: Decimal) -> str:
    """An amount as people read it: ₹700."""
    return money.shown(amount)


@register.filter
def languages(codes: Iterable[str]) -> str:
    """Languages by their names: English, Hindi."""
    return ", ".join(names(codes))


class Leaf(NamedTuple):
    """A page of a list, where it is, and how it is read out; without an address it is a gap between pages."""

    number: int | str
    url: str = ""
    spoken: str = ""


class Leaves(NamedTuple):
    """The pages worth showing around one, and the addresses of those before and after it, "" at either end."""

    numbers: list[Leaf]
    previous: str
    next: str


@register.simple_tag(takes_context=True)
def leaves(context: Context, page: Page[Any]) -> Leaves:
    """The pages around `page`, with everything else in the address as it is."""
    asked = context["request"].GET.copy()
    asked.pop("page", None)
    beginning = f"?{asked.urlencode()}&page=" if asked else "?page="
    shown = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    return Leaves(
        [Leaf(n, f"{beginning}{n}", _page_number(n)) if isinstance(n, int) else Leaf(n) for n in shown],
        f"{beginning}{page.previous_page_number()}" if page.has_previous() else "",
        f"{beginning}{page.next_page_number()}" if page.has_next() else "",
    )


@once_per_language
def _page_number(number: int) -> str:
    return _("Page %(number)s") % {"number": number}


@register.filter
def without_scheme(url: object) -> str:
    """An address as people say it: no scheme, no closing slash."""
    parts = urlsplit(str(url or ""))
    return f"{parts.netloc}{parts.path}".rstrip("/")
