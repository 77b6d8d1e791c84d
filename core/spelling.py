"""Amounts in words, as Indian bills carry them: lakh and crore."""

from decimal import Decimal

from core.money import rupees

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_LARGE = [(10_000_000, "crore"), (100_000, "lakh"), (1_000, "thousand"), (100, "hundred")]


def in_words(amount: Decimal) -> str:
    """An amount of nothing or more: "Rupees one lakh twenty-five thousand and fifty paise only"."""
    whole, paise = divmod(int(rupees(amount) * 100), 100)
    rest = f" and {_spelled(paise)} paise" if paise else ""
    return f"Rupees {_spelled(whole)}{rest} only"


def _spelled(number: int) -> str:
    for size, name in _LARGE:
        if number >= size:
            many, rest = divmod(number, size)
            return f"{_spelled(many)} {name}" + (f" {_spelled(rest)}" if rest else "")
    if number < 20:
        return _ONES[number]
    tens, ones = divmod(number, 10)
    return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")
