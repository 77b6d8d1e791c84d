"""How tests ask for reports, and read them."""

import csv
from io import StringIO
from typing import Any

from django.core.files.storage import default_storage
from django.test import Client
from django.utils.timezone import localdate, now

from accounts.models import User
from billing.models import Report
from billing.services import reporting
from tenants.models import Hospital

PAGE, NEW, FILES = "/office/reports/", "/office/reports/new/", "/office/reports/files/"
API = "/api/billing/reports/"


def wanted(**fields: Any) -> dict[str, str]:
    """What the page sends: the revenue of this month as a table."""
    today = localdate()
    said = {"kind": "revenue", "first": today.replace(day=1), "last": today, "file_format": "csv", **fields}
    return {name: str(value) for name, value in said.items()}


def asked(hospital: Hospital, by: User, **fields: Any) -> Report:
    """A report that waits to be made."""
    today = localdate()
    said = {"kind": "revenue", "file_format": "csv", "first": today.replace(day=1), "last": today, **fields}
    return reporting.ask(hospital=hospital, by=by, now=now(), **said)


def made(hospital: Hospital, by: User, **fields: Any) -> Report:
    """A report that is made, or has failed."""
    report = asked(hospital, by, **fields)
    reporting.make(hospital=hospital, report=report, now=now())
    report.refresh_from_db()
    return report


def knocked(client: Client, address: str) -> int:
    """What the door answers; a file it hands out is read to its end."""
    answer = client.get(address)
    if answer.streaming:
        list(answer.streaming_content)  # type: ignore[attr-defined]
    return answer.status_code


def table(report: Report) -> list[list[str]]:
    """What stands in its file."""
    with default_storage.open(report.path) as file:
        return list(csv.reader(StringIO(file.read().decode("utf-8-sig"))))
