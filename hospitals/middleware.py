"""What a person is in the hospital whose host was asked."""

from collections.abc import Callable
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from hospitals.models import Doctor, Staff


def staff_of_request(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give the request `find_staff(user)`: the person's active staff row in this hospital, asked for once.

    `is_doctor(user)`, which asks nothing more, says whether they are a verified doctor here, whatever their role.
    And `is_applying(user)`: whether they have applied here as a doctor and are not verified.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        found: dict[int, Staff | None] = {}

        def find_staff(user: User) -> Staff | None:
            if request.hospital is None:  # type: ignore[attr-defined]
                return None
            if user.pk not in found:
                verified = Doctor.objects.verified().filter(user=OuterRef("user"))
                working = Staff.objects.working().annotate(is_doctor=Exists(verified))
                found[user.pk] = working.filter(user=user).first()
            return found[user.pk]

        def is_doctor(user: User) -> bool:
            staff: Any = find_staff(user)  # the row says it, as it was found
            return staff is not None and bool(staff.is_doctor)

        def is_applying(user: User) -> bool:
            asked: bool = request.hospital is not None  # type: ignore[attr-defined]
            return asked and Doctor.objects.applying(user).exists()

        request.find_staff = find_staff  # type: ignore[attr-defined]
        request.is_doctor = is_doctor  # type: ignore[attr-defined]
        request.is_applying = is_applying  # type: ignore[attr-defined]
        return get_response(request)

    return middleware
