"""The language of the index of doctors.

What the index holds of a doctor is a set of words: those of names, and marks like `~is:cardiology` or `~in:pune` that
nobody can type. What somebody looks for is an expression over them. Nothing here knows the database.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from django.utils.text import slugify

from directory.specialties import meanings, words_of

_MOST_WORDS = 8
_NO_WORDS: Mapping[str, Sequence[str]] = MappingProxyType({})
# Words that narrow nothing down: "a skin doctor in Pune" is what "skin Pune" is.
SMALL_WORDS = frozenset(
    words_of(
        "a an and appointment at best book by clinic consultant doctor doctors dr find for from good i in ka ke ki me mein "
        "my near need of on or s se specialist specialists the to top with"
    )
)


def mark(kind: str, value: str) -> str:
    """The mark that says, in the index, what a doctor is, where they work or what they offer."""
    return f"~{kind}:{slugify(value, allow_unicode=True)}"


def wanted_words(text: str) -> list[str]:
    """The words of what somebody typed that narrow the search down."""
    return [word for word in words_of(text) if word not in SMALL_WORDS][:_MOST_WORDS]


def expression(text: str, marks: Iterable[str] = (), known: Mapping[str, Sequence[str]] = _NO_WORDS) -> str:
    """What to look for, for the database: each of the words or what it means, and all of the marks; "" for everything.

    Words match whatever begins with them, so that results come while one types. `known` says of some of them all that
    begins with them, which is found faster when it is looked for by name. Where no specialty is meant by all of
    the words, as in "child with fever", each one that is meant by some will do.
    """
    parts, meant = [], []
    for group, leads_to in meanings(wanted_words(text)):
        means = {f"'{mark('is', specialty.slug)}'" for specialty in leads_to}
        literally = " & ".join(_beginning(word, known.get(word)) for word in group)
        parts.append(" | ".join([f"({literally})", *sorted(means)]))
        if means:
            meant.append(means)
    said = " & ".join(f"({part})" for part in parts)
    if len(meant) > 1 and not set.intersection(*meant):
        rest = " & ".join(f"({part})" for part in parts if "~is:" not in part)
        either = " | ".join(sorted(set.union(*meant)))
        said = f"({said}) | ({f'{rest} & ' if rest else ''}({either}))"
    return " & ".join([*(f"'{one}'" for one in marks), *([f"({said})"] if said else [])])


def _beginning(word: str, known: Sequence[str] | None) -> str:
    """Whatever begins with the word."""
    if known is None:
        return f"'{word}':*"
    return "(" + " | ".join(f"'{one}'" for one in known or [word]) + ")"
