"""E-mails about an account, in the name of the place the person was on."""

from collections.abc import Mapping

from django.http import HttpRequest

from core.colour import PORTAL_ACCENT
from core.hosts import PORTAL_NAME
from notifications import services as notifications
from notifications.services import Fact


def send(
    *,
    request: HttpRequest,
    to_address: str,
    to_name: str,
    template: str,
    subject: str,
    context: Mapping[str, Fact],
    is_secret: bool = False,
) -> None:
    """Write `templates/emails/<template>` into the outbox, with the brand of the host that was asked."""
    hospital = request.hospital  # type: ignore[attr-defined]  # see tenants.middleware
    notifications.notify(
        to_address=to_address,
        to_name=to_name,
        template=template,
        subject=subject,
        brand_name=hospital.name if hospital else PORTAL_NAME,
        accent=hospital.accent if hospital else PORTAL_ACCENT,
        context=context,
        is_secret=is_secret,
    )
