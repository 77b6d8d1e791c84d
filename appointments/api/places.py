"""In which hospital an endpoint works, and who holds a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from accounts.models import User
from accounts.permissions import NotAsSupport, is_support
from appointments.holders import holder_behind, key_of
from core.errors import Missing
from core.schemas import schema_context
from tenants import pauses
from tenants.models import Hospital

HOSPITAL_ID = OpenApiParameter(
    "hospital_id", UUID, description="On the portal: which hospital. It may also stand in the body."
)
HOLDER = OpenApiParameter(
    "X-Holder", str, OpenApiParameter.HEADER, description="The key a visitor was given with the hold."
)


def host_of(request: Request) -> Hospital | None:
    """The hospital whose host was asked; None on the portal."""
    return cast("Hospital | None", request._request.hospital)  # type: ignore[attr-defined]  # see tenants.middleware


def names_hospital(request: Request) -> bool:
    """Whether it is one hospital that is asked."""
    return host_of(request) is not None or "hospital_id" in request.query_params


@contextmanager
def hospital_asked(request: Request) -> Iterator[Hospital]:
    """The hospital whose host was asked; on the portal the one that `hospital_id` names, entered for this one call."""
    here = host_of(request)
    if here is not None:
        yield here
        return
    hospital = _named(request)
    pauses.require_in_service(hospital)
    with schema_context(hospital.schema_name), timezone.override(ZoneInfo(hospital.time_zone)):
        yield hospital


def _named(request: Request) -> Hospital:
    body: Any = request.data
    said = request.query_params.get("hospital_id") or (body.get("hospital_id") if isinstance(body, dict) else None)
    if not said:
        raise ValidationError({"hospital_id": [_("Say which hospital.")]})
    try:
        code = UUID(str(said))
    except ValueError:
        raise ValidationError({"hospital_id": [_("This is not the id of a hospital.")]}) from None
    hospital = Hospital.objects.open().filter(code=code).first()
    if hospital is None:
        raise Missing(_("No open hospital has this id."), field="hospital_id")
    return hospital


def signed_in(request: Request) -> User | None:
    """Who asks, if they have said so. Nobody holds a time in another's name."""
    if not request.user.is_authenticated:
        return None
    if is_support(request):
        raise NotAsSupport
    return request.user


def holder_of(request: Request, *, is_new: bool = False) -> tuple[UUID, str | None]:
    """The holder that asks, and the key by which they show it: the person, or whose key the request carries.

    A visitor without a key gets one where holding begins (`is_new`); elsewhere nothing is theirs.
    """
    key = request.headers.get("X-Holder", "")
    behind = holder_behind(key) if key else None
    if behind is not None:
        return behind, key
    user = signed_in(request)
    if user is not None:
        return user.code, None
    if not is_new:
        raise Missing(_("Nothing is held for this key. Choose a time."))
    fresh = uuid4()
    return fresh, key_of(fresh)
