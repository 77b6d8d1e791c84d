"""Reading what was written about visits, in the outbox of the active schema."""

import re

from notifications.models import Notification


def letter(template: str, to_address: str = "") -> Notification:
    """The only message of this kind, or the only one to somebody."""
    rows = Notification.objects.filter(template=template)
    return rows.get(to_address=to_address) if to_address else rows.get()


def link_in(message: Notification, part: str) -> str:
    """The path of the link in the text that stands under `part`, or that begins with it."""
    [found] = re.findall(rf"{re.escape(part)}:\n(https?://\S+)", message.text)
    return re.sub(r"^https?://[^/]+", "", str(found))
