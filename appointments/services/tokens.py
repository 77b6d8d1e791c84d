"""Links in messages that need no sign-in: each says one thing about one visit, and counts at one hospital only."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.core import signing

from core import schemas
from core.hosts import hospital_url
from tenants.models import Hospital


class Purpose(StrEnum):
    """What a link is for. The first three concern a visit, the last an entry of the waitlist."""

    COMES = "c"
    MOVE = "m"
    CANCEL = "x"
    OFFER = "w"


@dataclass(frozen=True)
class Slip:
    """What stands in a link."""

    purpose: Purpose
    code: UUID


def address(*, hospital: Hospital, purpose: Purpose, code: UUID) -> str:
    """The whole address of a link, for a message of the active hospital."""
    page = "waitlist_offer" if purpose == Purpose.OFFER else "visit_link"
    return hospital_url(hospital.slug, page, make(purpose=purpose, code=code))


def make(*, purpose: Purpose, code: UUID) -> str:
    """The token of a link. It carries no secret of its own: what it was used for shows in the visit."""
    return _signer().sign(purpose + urlsafe_b64encode(code.bytes).decode().rstrip("="))


def read(token: str) -> Slip | None:
    """What stands in a token; None if this hospital did not write it."""
    try:
        said = _signer().unsign(token)
    except signing.BadSignature:
        return None
    return Slip(Purpose(said[0]), UUID(bytes=urlsafe_b64decode(said[1:] + "==")))


def _signer() -> signing.Signer:
    # With the schema in it, a link of one hospital is none at another.
    return signing.Signer(sep=".", salt=f"appointments.link.{schemas.active()}")
