"""Lines of files for spreadsheets."""

import csv
from collections.abc import Iterable
from decimal import Decimal
from io import StringIO

MARK = "\ufeff"  # before the first line: with it, spreadsheets read the file as UTF-8
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def line(cells: Iterable[object]) -> str:
    """One line; no text in it is taken for a formula."""
    out = StringIO()
    csv.writer(out).writerow([_harmless(cell) for cell in cells])
    return out.getvalue()


def _harmless(cell: object) -> str:
    text = str(cell)
    return f"'{text}" if text.startswith(_FORMULA) and not isinstance(cell, Decimal) else text
