"""Rupees."""

from decimal import ROUND_HALF_UP, Decimal

_PAISA = Decimal("0.01")


def rupees(amount: Decimal) -> Decimal:
    """An amount to the paisa, half a paisa rounded up: the only place where money is rounded."""
    return amount.quantize(_PAISA, rounding=ROUND_HALF_UP)


def percent_of(amount: Decimal, percent: int | Decimal) -> Decimal:
    """So many percent of an amount."""
    return rupees(amount * percent / 100)


def shown(amount: Decimal) -> str:
    """An amount as people read it: ₹700, ₹1,25,000, ₹99.50, −₹20."""
    sign = "−" if amount < 0 else ""
    return f"{sign}₹{exact(abs(amount)).removesuffix('.00')}"


def exact(amount: Decimal) -> str:
    """The figures of an amount, as they stand in a column: 700.00, 1,25,000.00, −20.00."""
    whole, _point, paise = f"{rupees(abs(amount)):f}".partition(".")
    head, tail = whole[:-3], whole[-3:]
    while head:  # hundreds of thousands stand in pairs
        head, tail = head[:-2], f"{head[-2:]},{tail}"
    return f"{'−' if amount < 0 else ''}{tail}.{paise}"
