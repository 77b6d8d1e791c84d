"""What a person is in the hospital whose host was asked."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.models import User
from hospitals.models import Staff


def staff_of_request(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give the request `find_staff(user)`: the person's active staff row in this hospital, asked for once."""

    def middleware(request: HttpRequest) -> HttpResponse:
        found: dict[int, Staff | None] = {}

        def find_staff(user: User) -> Staff | None:
            if request.hospital is None:  # type: ignore[attr-defined]
                return None
            if user.pk not in found:
                found[user.pk] = Staff.objects.working().filter(user=user).first()
            return found[user.pk]

        request.find_staff = find_staff  # type: ignore[attr-defined]
        return get_response(request)

    return middleware
