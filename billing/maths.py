"""What a line of an invoice comes to. Pure: amounts in, amounts out; tax is rounded line by line, as GST wants it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal

from core.money import percent_of, rupees

_PAISA = Decimal("0.01")


@dataclass(frozen=True)
class Amounts:
    """Rupees of a line, or of a whole invoice.

    `gross` is before, `taxable` after the discount. Within a state the tax is half CGST and half SGST, between states
    all of it is IGST.
    """

    gross: Decimal = Decimal()
    discount: Decimal = Decimal()
    cgst: Decimal = Decimal()
    sgst: Decimal = Decimal()
    igst: Decimal = Decimal()

    @property
    def taxable(self) -> Decimal:
        """What tax is reckoned on."""
        return self.gross - self.discount

    @property
    def tax(self) -> Decimal:
        """All tax together."""
        return self.cgst + self.sgst + self.igst

    @property
    def total(self) -> Decimal:
        """What is to be paid."""
        return self.taxable + self.tax

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


def gross_of(*, quantity: Decimal, unit_price: Decimal) -> Decimal:
    """What so many cost, before discount and tax."""
    return rupees(quantity * unit_price)


def amounts_of(
    *, quantity: Decimal, unit_price: Decimal, discount: Decimal, tax_percent: Decimal, is_interstate: bool
) -> Amounts:
    """What a line comes to. CGST and SGST are rounded each for itself: they go to two governments."""
    gross = gross_of(quantity=quantity, unit_price=unit_price)
    taxable = gross - discount
    if is_interstate:
        return Amounts(gross, discount, igst=percent_of(taxable, tax_percent))
    half = percent_of(taxable, tax_percent / 2)
    return Amounts(gross, discount, cgst=half, sgst=half)


def sum_of(lines: Iterable[Amounts]) -> Amounts:
    """All lines together: nothing is rounded again."""
    return sum(lines, Amounts())


def spread(amount: Decimal, over: Sequence[Decimal]) -> list[Decimal]:
    """Divide an amount in proportion, to the paisa: the parts add up to it, and none is larger than what it is for.

    `amount` is at most the sum of `over`. What rounding leaves goes to the parts that lost most by it.
    """
    whole = sum(over, Decimal())
    if not whole:
        return [Decimal() for _part in over]
    exact = [amount * part / whole for part in over]
    parts = [share.quantize(_PAISA, rounding="ROUND_DOWN") for share in exact]
    left = int((amount - sum(parts, Decimal())) / _PAISA)
    for index in sorted(range(len(over)), key=lambda at: parts[at] - exact[at])[:left]:
        parts[index] += _PAISA
    return parts
