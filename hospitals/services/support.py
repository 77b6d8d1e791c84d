"""A superadmin acts in the name of a hospital's admin: with a reason, known to the hospital, for half an hour."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import support, tickets
from audit import services as audit
from audit.models import Action
from core import hosts as addresses
from core.colour import PORTAL_ACCENT
from core.errors import NotAllowedNow
from core.schemas import schema_context
from hospitals.models import Staff
from notifications import services as notifications
from tenants.models import Hospital
from tenants.ways import to_arrival


@transaction.atomic
def begin(*, hospital: Hospital, staff: Staff, by: User, reason: str, now: datetime) -> str:
    """Let `by` act as this admin of the hospital; return the link that opens their session there, good for a minute.

    Both logs say so with the reason, and the admin is told by mail. Raises NotAllowedNow when the person does not run
    the hospital any more, or the hospital is not open.
    """
    with schema_context(hospital.schema_name):
        admin = Staff.objects.working().admins().select_related("user").filter(pk=staff.pk).first()
    is_open = Hospital.objects.open().filter(pk=hospital.pk).exists()
    if admin is None or not admin.user.is_active or not is_open:
        raise NotAllowedNow(_("This person does not run the hospital any more, or it is closed. Look at it again."))
    audit.record(
        action=Action.SUPPORT_BEGUN, target=hospital, by=by, reason=reason, data={"in_the_name_of": str(admin.user)}
    )
    with schema_context(hospital.schema_name):
        audit.record(action=Action.SUPPORT_BEGUN, target=admin.user, by=by, reason=reason)
        # In the hospital's own outbox, where it stays as the hospital's proof.
        notifications.notify(
            to_address=admin.user.email,
            to_name=str(admin.user),
            template="support_begun",
            subject=_("Support has begun in your name"),
            brand_name=addresses.PORTAL_NAME,
            accent=PORTAL_ACCENT,
            context={
                "hospital_name": hospital.name,
                "supporter": str(by),
                "reason_given": reason,
                "minutes": int(support.LASTS.total_seconds() // 60),
                "link": addresses.hospital_url(hospital.slug, "activity"),
            },
        )
    token = tickets.issue_for_support(user=admin.user, supporter=by, reason=reason, place=str(hospital.code), now=now)
    return to_arrival(hospital.host, token, reverse("start", urlconf=settings.HOSPITAL_URLCONF))


@transaction.atomic
def end_all(*, hospital: Hospital, by: User, reason: str) -> None:
    """End whatever support goes on in the hospital, and write it into both logs."""
    for person, supporter in support.end_all(place=str(hospital.code)):
        data = {"in_the_name_of": str(person), "supporter": str(supporter)}
        audit.record(action=Action.SUPPORT_ENDED, target=hospital, by=by, reason=reason, data=data)
        if not hospital.pause:  # its own log cannot be written then; the platform's tells it
            with schema_context(hospital.schema_name):
                audit.record(action=Action.SUPPORT_ENDED, target=person, by=by, reason=reason, data=data)
