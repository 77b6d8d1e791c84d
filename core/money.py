"""Rupees."""

from decimal import ROUND_HALF_UP, Decimal

_PAISA = Decimal("0.01")


def rupees(amount: Decimal) -> Decimal:
    """An amount to the paisa, half a paisa rounded up: the only place where money is rounded."""
    return amount.quantize(_PAISA, rounding=ROUND_HALF_UP)


def percent_of(amount: Decimal, percent: int) -> Decimal:
    """So many percent of an amount."""
    return rupees(amount * percent / 100)
