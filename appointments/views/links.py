"""Links from messages. Looking changes nothing: programs that check mail follow every link."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timezone import localdate, now
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.forms import Again
from accounts.permissions import Permission, requires
from appointments.forms.booking import PickAnother, instant
from appointments.services import day, links, tokens
from appointments.services.links import Link, State
from appointments.services.tokens import Purpose
from appointments.views.picking import day_asked, picker
from core.forms import refusals_on
from core.http import HospitalRequest
from core.pages import page
from core.visits import VisitKind


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PUBLIC)
def visit_link(request: HospitalRequest, token: str) -> HttpResponse:
    """One visit and one button, without signing in: I will come, another time, or cancel."""
    link = links.behind(token=token, now=now())
    is_pressed = request.method == "POST" and link.state == State.OPEN
    form = (PickAnother if link.purpose == Purpose.MOVE else Again)(request.POST if is_pressed else None)
    if form.is_valid():
        with refusals_on(form):
            links.use(hospital=request.hospital, link=link, now=now(), starts_at=form.cleaned_data.get("starts_at"))
            return redirect("visit_link", token)
    if form.is_bound:  # refused: as it is now
        link = links.behind(token=token, now=now())
    if link.state == State.OPEN and link.purpose == Purpose.MOVE:
        response = page(request, "links/move.html", _choice(request, token, link, form), part="picker")
    else:
        money = day.if_cancelled(link.visit, now()) if link.purpose == Purpose.CANCEL else None
        ways = {"move": _path(Purpose.MOVE, link), "cancel": _path(Purpose.CANCEL, link)}
        response = page(request, "links/visit.html", {"link": link, "form": form, "money": money, "ways": ways})
        if link.state == State.OVER:
            response.status_code = 410
    response["X-Robots-Tag"] = "noindex"
    return response


def _choice(request: HospitalRequest, token: str, link: Link, form: PickAnother | Again) -> dict[str, Any]:
    """The week of times to choose from."""
    visit, action = link.visit, reverse("visit_link", args=[token])
    at = instant(request.POST.get("starts_at", "")) if form.is_bound else None
    shown = picker(
        request,
        doctor=visit.doctor,
        kind=VisitKind(visit.kind),
        day=localdate(at) if at else day_asked(request),
        at=at,
        form=form if form.is_bound else None,
    )
    return shown | {"link": link, "visit": visit, "action": action, "here": f"{action}?", "fee": visit.fee}


def _path(purpose: Purpose, link: Link) -> str:
    """Where the same person does something else with the visit."""
    return reverse("visit_link", args=[tokens.make(purpose=purpose, code=link.visit.code)])
