"""Rupees as people read them."""

from decimal import Decimal

import pytest

from core import money


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "₹0"),
        ("700", "₹700"),
        ("700.00", "₹700"),
        ("99.5", "₹99.50"),
        ("1250", "₹1,250"),
        ("99999", "₹99,999"),
        ("125000", "₹1,25,000"),
        ("12345678.905", "₹1,23,45,678.91"),
    ],
)
def test_an_amount_is_shown_in_rupees(amount: str, words: str) -> None:
    assert money.shown(Decimal(amount)) == words
