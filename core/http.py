"""What a request carries after our middleware, for the type checker and the reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from accounts.models import User
    from hospitals.models import Staff
    from tenants.models import Hospital


class Request(HttpRequest):
    """A request to a page on any host.

    `id` is the reference shown on error pages and written in every log line; `address` the visitor's IP address;
    `hospital` the hospital whose host was asked, or None on the portal; `find_staff` looks a person's staff row up,
    `is_doctor` says whether they are a verified doctor here, and `is_applying` whether they wait to become one.
    """

    user: User  # AnonymousUser never passes a door that reads it
    id: str
    address: str
    hospital: Hospital | None
    htmx: HtmxDetails
    find_staff: Callable[[User], Staff | None]
    is_doctor: Callable[[User], bool]
    is_applying: Callable[[User], bool]


class HospitalRequest(Request):
    """A request to a page of one hospital's own site."""

    hospital: Hospital
