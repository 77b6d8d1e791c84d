"""Which page comes after a step of signing in, and where the person is going in the end."""

from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.services.sign_in import Step

_PAGES = {
    Step.IN: "start",
    Step.CODE: "sign_in_code_enter",
    Step.CONFIRM_EMAIL: "sign_up_code",
    Step.SECOND_FACTOR: "second_step",
}


def next_page(step: Step, wanted: str = "") -> str:
    """The address of the page that goes on from `step`; `wanted` is where the person is going in the end."""
    if step is Step.IN:
        return wanted or reverse("start")
    return with_next(_PAGES[step], wanted)


def with_next(name: str, wanted: str) -> str:
    """The address of a page on the way, which keeps where the person is going."""
    page = reverse(name)
    return f"{page}?{urlencode({'next': wanted})}" if wanted else page


def wanted(request: HttpRequest) -> str:
    """Where `?next=` leads, if it stays on this host; otherwise ""."""
    address = request.GET.get("next", "")
    stays = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if stays else ""
