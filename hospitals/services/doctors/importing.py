"""Inviting a whole list of doctors from a CSV file: looked at first, then all of them or none."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import StringIO

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from audit import services as audit
from audit.models import Action
from core.errors import DomainError, Invalid
from core.text import one_line
from hospitals.models import Department, Doctor, Staff
from hospitals.services.doctors import inviting
from hospitals.services.doctors.details import Details
from hospitals.services.doctors.inviting import Invited
from tenants.models import Hospital

MAX_BYTES = 256 * 1024
MAX_ROWS = 500
# The columns and how long their cells may be. Those that may be empty, or left out, come last.
COLUMNS = {
    "email": 254,
    "name": 120,
    "specialization": 120,
    "qualifications": 300,
    "licence_number": 60,
    "experience_years": 30,
    "department": 120,
    "phone": 30,
}
_MAY_BE_EMPTY = ("phone",)
# What a spreadsheet takes for the beginning of a formula. A telephone number begins with a plus, and is only digits.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Fault:
    """What is wrong in one row, counted as a spreadsheet counts: the first row under the heading is 2."""

    row: int
    field: str
    sentence: str


@dataclass(frozen=True)
class Row:
    """One doctor of the file, as read."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Look:
    """What a file would do: whom it invites, or everything that is wrong with it."""

    invited: list[Invited]
    faults: list[Fault]


@dataclass(frozen=True)
class _Known:
    """What the database holds about the people and things a file names: a fixed number of queries."""

    departments: dict[str, Department]
    licences: dict[str, str]
    staff: dict[str, Staff]
    doctors: dict[str, Doctor]


def template() -> str:
    """An empty file with the right heading, which spreadsheets open as what it is."""
    return "\ufeff" + ",".join(COLUMNS) + "\r\n"


def decode(content: bytes) -> str:
    """The text of a file. Raises Invalid for one that is too large or not in Unicode."""
    if len(content) > MAX_BYTES:
        raise Invalid(_("This file is larger than 256 KB. Divide it into smaller ones."), field="csv")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(
            _("This file is not in Unicode. In your spreadsheet choose “Save as”, then “CSV UTF-8”."), field="csv"
        ) from None


def look(*, text: str) -> Look:
    """Read a file without changing anything. Raises Invalid when it is no list of doctors at all."""
    rows = list(_rows(text))
    if not rows:
        raise Invalid(_("There is no doctor in this file. Write one in each row under the heading."), field="csv")
    known = _known(rows)
    invited, faults = [], []
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        found = [*_faults(row, known), *_repeated(row, seen)]
        faults += found
        if not found:
            invited.append(_invited(row, known))
    return Look(invited, faults)


@transaction.atomic
def run(*, hospital: Hospital, text: str, by: User, now: datetime) -> int:
    """Invite every doctor of the file, each by e-mail, or nobody; return how many. The file is checked anew."""
    found = look(text=text)
    if found.faults:
        raise Invalid(
            ngettext(
                "%(n)d fault was found in the file. Nobody was invited. Check the file again.",
                "%(n)d faults were found in the file. Nobody was invited. Check the file again.",
                len(found.faults),
            )
            % {"n": len(found.faults)},
            field="csv",
        )
    for invited in found.invited:
        try:
            inviting.invite(hospital=hospital, invited=invited, by=by, now=now)
        except DomainError as error:  # it became true since the file was checked
            raise Invalid(
                _("%(name)s: %(fault)s Nobody was invited.") % {"name": invited.name, "fault": error}, field="csv"
            ) from None
    audit.record(action=Action.DOCTORS_IMPORTED, target=hospital, by=by, data={"doctors": len(found.invited)})
    return len(found.invited)


def _rows(text: str) -> Iterator[Row]:
    """The file's rows by column name, empty ones left out."""
    if len(text.encode()) > MAX_BYTES:
        raise Invalid(_("This file is larger than 256 KB. Divide it into smaller ones."), field="csv")
    if "\0" in text:
        raise Invalid(_("This is not a CSV file. In your spreadsheet choose “Save as”, then “CSV UTF-8”."), field="csv")
    lines = text.removeprefix("\ufeff")
    first = lines.partition("\n")[0]
    if first.lower().startswith("sep="):  # how spreadsheets note the sign between the columns
        lines = lines.partition("\n")[2]
        first = lines.partition("\n")[0]
    reader = csv.reader(StringIO(lines, newline=""), delimiter=max(",;\t", key=first.count))
    number = 0
    try:
        heading = _heading(next(reader, []))
        for number, cells in enumerate(reader, start=2):
            if not any(cell.strip() for cell in cells):
                continue
            if number > MAX_ROWS + 1:
                raise Invalid(_("More than 500 rows are too many at once. Divide the file."), field="csv")
            given = dict(zip(heading, cells, strict=False))
            yield Row(number, {name: one_line(given.get(name, "")) for name in COLUMNS})
    except csv.Error:
        raise Invalid(
            _("Row %(row)d cannot be read. Save the file anew as CSV.") % {"row": number + 1}, field="csv"
        ) from None


def _heading(cells: list[str]) -> list[str]:
    names = ["_".join(cell.lower().replace("-", " ").split()) for cell in cells]
    lacking = [name for name in COLUMNS if name not in names and name not in _MAY_BE_EMPTY]
    if lacking:
        raise Invalid(
            _("The first row must name the columns. These are missing: %(names)s. Use the template.")
            % {"names": ", ".join(lacking)},
            field="csv",
        )
    return names


def _known(rows: list[Row]) -> _Known:
    emails = {row.cells["email"].lower() for row in rows}
    licences = {row.cells["licence_number"].upper() for row in rows} - {""}
    people = dict(User.objects.filter(email__in=emails).values_list("pk", "email"))
    staff = {people[one.user_id]: one for one in Staff.objects.filter(user_id__in=people)}
    doctors = {people[one.user_id]: one for one in Doctor.objects.filter(user_id__in=people)}
    held = (
        Doctor.objects.holding_licences().filter(licence_number__in=licences).values_list("licence_number", "user_id")
    )
    return _Known(
        departments={department.name.lower(): department for department in Department.objects.all()},
        licences={number: people.get(user_id, "") for number, user_id in held},
        staff=staff,
        doctors=doctors,
    )


def _faults(row: Row, known: _Known) -> Iterator[Fault]:
    for name, most in COLUMNS.items():
        cell = row.cells[name]
        sentence = _plain_fault(name, cell, most) or _fault(name, cell, row, known)
        if sentence:
            yield Fault(row.number, name, sentence)


def _plain_fault(name: str, cell: str, most: int) -> str:
    """What can be wrong in any cell."""
    if not cell:
        return "" if name in _MAY_BE_EMPTY else _("This is empty. Fill it in.")
    if len(cell) > most:
        return ngettext("Use at most %(n)d character.", "Use at most %(n)d characters.", most) % {"n": most}
    if cell.startswith(_FORMULA) and name != "phone":
        return _("This begins with a sign that spreadsheets take for a formula. Leave the sign out.")
    if not cell.isprintable():
        return _("This holds signs that cannot be seen. Type it anew.")
    return ""


def _fault(name: str, cell: str, row: Row, known: _Known) -> str:
    """What can be wrong in the cells of one column."""
    email = row.cells["email"].lower()
    if name == "email":
        return _email_fault(email) or inviting.refusal(staff=known.staff.get(email), doctor=known.doctors.get(email))
    if name == "phone" and cell and not _number(cell):
        return _("Enter a phone number, like 98450 12345.")
    if name == "experience_years" and not (cell.isascii() and cell.isdigit() and int(cell) <= 80):
        return _("Enter the years as a whole number from 0 to 80.")
    if name == "department" and cell.lower() not in known.departments:
        return _("There is no department “%(name)s”. Add it first, or correct the name.") % {"name": cell}
    if name == "licence_number" and known.licences.get(cell.upper(), email) != email:
        return _("A doctor of this hospital has this licence number already.")
    return ""


def _email_fault(email: str) -> str:
    try:
        validate_email(email)
    except ValidationError:
        return _("Enter an e-mail address, like rao@example.com.")
    return ""


def _repeated(row: Row, seen: dict[tuple[str, str], int]) -> Iterator[Fault]:
    """What stands in an earlier row already."""
    for name in ("email", "licence_number"):
        key = (name, row.cells[name].casefold())
        earlier = seen.setdefault(key, row.number)
        if key[1] and earlier != row.number:
            yield Fault(row.number, name, _("The same stands in row %(row)d.") % {"row": earlier})


def _number(cell: str) -> str:
    """A telephone number in international form; "" if it is none."""
    try:
        number = phonenumbers.parse(cell, settings.PHONENUMBER_DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return ""
    is_valid = phonenumbers.is_valid_number(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if is_valid else ""


def _invited(row: Row, known: _Known) -> Invited:
    cells = row.cells
    return Invited(
        email=cells["email"].lower(),
        name=cells["name"],
        phone=_number(cells["phone"]),
        details=Details(
            specialization=cells["specialization"],
            qualifications=cells["qualifications"],
            licence_number=cells["licence_number"],
            experience_years=int(cells["experience_years"]),
            department=known.departments[cells["department"].lower()],
        ),
    )
