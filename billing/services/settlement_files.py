"""Reading the gateway's own settlement file, as its dashboard exports it: all of it is taken in, or nothing."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from io import StringIO

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from audit import services as audit
from audit.models import Action
from billing.models import GatewayAccount
from billing.razorpay import SettlementLine
from billing.services import settlements
from billing.services.settlements import INDIA, Taken
from core.errors import Invalid
from core.text import one_line
from tenants.models import Hospital

MAX_BYTES = 8 * 1024 * 1024
MAX_ROWS = 20_000
MOST_FAULTS = 200
# What we call a column, and what the export calls it. Amounts are in rupees; older exports say `type` for the entity.
COLUMNS = {
    "entity": ("transaction_entity", "type"),
    "entity_id": ("entity_id",),
    "amount": ("amount",),
    "currency": ("currency",),
    "fee": ("fee (exclusive tax)", "fee"),
    "tax": ("tax",),
    "debit": ("debit",),
    "credit": ("credit",),
    "settlement_id": ("settlement_id",),
    "settled_at": ("settled_at",),
    "utr": ("settlement_utr",),
    "payment_id": ("payment_id",),
    "order_id": ("order_id",),
    "order_receipt": ("order_receipt",),
}
_MAY_BE_MISSING = ("payment_id", "order_id", "order_receipt", "utr")
_MOMENTS = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y")
_ID = re.compile(r"[A-Za-z]{2,10}_[A-Za-z0-9]{1,29}")


@dataclass(frozen=True)
class Fault:
    """What is wrong in one row, counted as a spreadsheet counts: the first row under the heading is 2."""

    row: int
    column: str
    sentence: str


class FaultyFile(Invalid):
    """A file with rows that cannot be right. Nothing of it was taken in."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(
            ngettext(
                "%(n)d fault was found in the file. Nothing was taken in.",
                "%(n)d faults were found in the file. Nothing was taken in.",
                len(faults),
            )
            % {"n": len(faults)},
            field="file",
        )
        self.faults = faults[:MOST_FAULTS]
        rows = [{"row": one.row, "column": one.column, "detail": one.sentence} for one in self.faults]
        self.more = {"faults": rows}


@transaction.atomic
def take_in(*, hospital: Hospital, content: bytes, by: User, now: datetime) -> Taken:
    """Take in every line of a file. The same file twice changes nothing. Raises Invalid, or FaultyFile with each fault."""
    lines = read(content)
    is_own = GatewayAccount.objects.exists()
    taken = settlements.take_in(lines=lines, is_own=is_own, by=by, now=now)
    data = {"lines": len(lines), "new": taken.new, "left_out": taken.others}
    audit.record(action=Action.SETTLEMENT_IMPORTED, target=hospital, by=by, data=data)
    return taken


def read(content: bytes) -> list[SettlementLine]:
    """The lines of a file."""
    lines: list[SettlementLine] = []
    faults: list[Fault] = []
    first: dict[tuple[str, str, str], tuple[int, SettlementLine]] = {}
    for number, cells in _rows(_decoded(content)):
        found = list(_faults(number, cells))
        if not found:
            line = _line(cells)
            key = (line.settlement_id, line.entity_id, line.type)
            earlier, same = first.setdefault(key, (number, line))
            if same == line:
                lines.append(line)
                continue
            sentence = _("Row %(row)d says something else of the same thing.") % {"row": earlier}
            found = [Fault(number, "entity_id", sentence)]
        faults += found
    if faults:
        raise FaultyFile(faults)
    if not lines:
        raise Invalid(_("No line of this file is settled. Choose the settlement report of past days."), field="file")
    return lines


def _decoded(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise Invalid(_("This file is larger than 8 MB. Export fewer days at a time."), field="file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise Invalid(_("This is not a CSV file. Export the settlement report of Razorpay as CSV."), field="file")
    return text


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows by what we call their columns, without empty ones and those that are not settled yet."""
    reader = csv.reader(StringIO(text, newline=""))
    number = 1
    try:
        places = _places(next(reader, []))
        for number, cells in enumerate(reader, start=2):
            if number > MAX_ROWS + 1:
                raise Invalid(_("More than 20,000 rows are too many at once. Export fewer days."), field="file")
            row = {name: one_line(cells[at]) if at < len(cells) else "" for name, at in places.items()}
            if any(row.values()) and (row["settlement_id"] or row["settled_at"]):
                yield number, {name: row.get(name, "") for name in COLUMNS}
    except csv.Error:
        sentence = _("Row %(row)d cannot be read. Export the file anew.") % {"row": number + 1}
        raise Invalid(sentence, field="file") from None


def _places(heading: list[str]) -> dict[str, int]:
    """Where each column stands."""
    cells = [" ".join(cell.lower().split()) for cell in heading]
    places = {}
    for name, titles in COLUMNS.items():
        at = next((cells.index(title) for title in titles if title in cells), None)
        if at is not None:
            places[name] = at
    missing = [titles[0] for name, titles in COLUMNS.items() if name not in places and name not in _MAY_BE_MISSING]
    if missing:
        sentence = _("These columns are missing: %(names)s. Export the settlement report of Razorpay as CSV.")
        raise Invalid(sentence % {"names": ", ".join(missing)}, field="file")
    return places


def _faults(number: int, cells: dict[str, str]) -> Iterator[Fault]:
    for name, cell in cells.items():
        sentence = _fault(name, cell)
        if sentence:
            yield Fault(number, COLUMNS[name][0], sentence)


def _fault(name: str, cell: str) -> str:
    if name in ("entity_id", "settlement_id") and not _ID.fullmatch(cell):
        return _("This is no id of Razorpay’s, like pay_29QQoUBi66xm2f.")
    if name == "entity" and not re.fullmatch(r"[a-z_ ]{1,20}", cell.lower()):
        return _("This must say what was settled, like payment or refund.")
    if name in ("amount", "fee", "tax", "debit", "credit") and _amount(cell) is None:
        return _("Enter an amount in rupees, like 1500.00.")
    if name == "currency" and cell.upper() != "INR":
        return _("Only rupees (INR) can be taken in.")
    if name == "settled_at" and _moment(cell) is None:
        return _("Enter a day and time, like 19/11/2026 10:42:00.")
    return ""


def _line(cells: dict[str, str]) -> SettlementLine:
    money = {name: _amount(cells[name]) or Decimal() for name in ("amount", "fee", "tax", "debit", "credit")}
    kind = cells["entity"].lower()
    is_payment = kind == settlements.PAYMENT
    return SettlementLine(
        entity_id=cells["entity_id"],
        type=kind,
        debit=money["debit"],
        credit=money["credit"],
        amount=money["amount"],
        fee=money["fee"] + money["tax"],
        tax=money["tax"],
        payment_id=cells["payment_id"] or (cells["entity_id"] if is_payment else ""),
        order_id=cells["order_id"],
        order_receipt=cells["order_receipt"],
        settlement_id=cells["settlement_id"],
        utr=cells["utr"],
        settled_at=_moment(cells["settled_at"]),
    )


def _amount(cell: str) -> Decimal | None:
    """Rupees, with two decimals at most; nothing counts as none."""
    try:
        amount = Decimal(cell.replace(",", "") or 0)
    except InvalidOperation:
        return None
    fits = amount.is_finite() and 0 <= amount < 10**10 and amount == round(amount, 2)
    return amount if fits else None


def _moment(cell: str) -> datetime | None:
    for form in _MOMENTS:
        try:
            return datetime.strptime(cell, form).replace(tzinfo=INDIA).astimezone(UTC)
        except ValueError:
            continue
    try:
        found = datetime.fromisoformat(cell)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=INDIA)).astimezone(UTC)
