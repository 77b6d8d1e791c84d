"""Looking into the outbox of a host for what was sent."""

import re

from core.schemas import schema_context
from notifications.models import Notification
from tenants.models import Hospital


def sent(template: str, *, to: str = "", hospital: Hospital | None = None) -> list[Notification]:
    """The messages of one kind, the newest first, from the outbox of a hospital or of the portal."""
    with schema_context(hospital.schema_name if hospital else "public"):
        messages = Notification.objects.filter(template=template).order_by("-pk")
        return list(messages.filter(to_address=to) if to else messages)


def code_for(address: str, hospital: Hospital | None = None) -> str:
    """The digits in the newest message to an address."""
    found = re.search(r"^\d{6}$", sent("code", to=address, hospital=hospital)[0].text, flags=re.MULTILINE)
    assert found
    return found[0]


def wrong(code: str) -> str:
    """Digits that are not these."""
    return f"{(int(code) + 1) % 1_000_000:06d}"
