"""What a person is in the hospital whose host was asked."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.models import User
from hospitals.models import Doctor, Staff


def staff_of_request(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give the request `find_staff(user)`: the person's active staff row in this hospital, asked for once.

    And `is_applying(user)`: whether they have applied here as a doctor and are not verified.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        found: dict[int, Staff | None] = {}

        def find_staff(user: User) -> Staff | None:
            if request.hospital is None:  # type: ignore[attr-defined]
                return None
            if user.pk not in found:
                found[user.pk] = Staff.objects.working().filter(user=user).first()
            return found[user.pk]

        def is_applying(user: User) -> bool:
            asked: bool = request.hospital is not None  # type: ignore[attr-defined]
            return asked and Doctor.objects.applying(user).exists()

        request.find_staff = find_staff  # type: ignore[attr-defined]
        request.is_applying = is_applying  # type: ignore[attr-defined]
        return get_response(request)

    return middleware
