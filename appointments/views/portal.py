"""One's visits at all hospitals, on the portal. Moving and cancelling happens on the hospital's own site."""

from django.http import HttpResponse
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, requires
from appointments.services import everywhere
from appointments.services.everywhere import Elsewhere
from core.http import Request
from core.pages import divide, page
from tenants import ways


@never_cache
@require_safe
@requires(Permission.OWN_ACCOUNT)
def index(request: Request) -> HttpResponse:
    """Visits to come at any hospital, and page by page the others. A link to a visit carries the sign-in along."""
    moment = now()
    past = divide(request, everywhere.past(user=request.user, now=moment))
    context = {
        "out_of_service": everywhere.out_of_service(user=request.user, now=moment),
        "coming": _with_links(request, everywhere.coming(user=request.user, now=moment)),
        "past": past,
        "past_visits": _with_links(request, everywhere.details(user=request.user, rows=past)),
    }
    return page(request, "visits/everywhere.html", context, part="past")


def _with_links(request: Request, found: list[Elsewhere]) -> list[tuple[Elsewhere, str]]:
    return [(one, ways.to_hospital(request, one.hospital.slug, "visit_detail", one.visit.code)) for one in found]
