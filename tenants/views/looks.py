"""What every host serves for its looks: theme files and logos. Their addresses change with their content."""

from collections.abc import Callable
from uuid import UUID

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, granted, requires
from core import colour
from core.http import Request
from tenants.models import ACCENT, Hospital

FOR_EVER = "public, max-age=31536000, immutable"


@require_safe
@requires(Permission.PUBLIC)
def theme(request: Request, accent: str, digest: str) -> HttpResponse:
    """The accent colours of a brand, for light and dark."""
    return _stylesheet(accent, colour.theme_css)


@require_safe
@requires(Permission.PUBLIC)
def theme_preview(request: Request, accent: str) -> HttpResponse:
    """Both themes side by side, for the settings page."""
    return _stylesheet(accent, colour.preview_css)


def _stylesheet(accent: str, build: Callable[[str], str]) -> HttpResponse:
    if not ACCENT.match(f"#{accent}"):
        raise Http404
    return HttpResponse(
        build(f"#{accent}"), content_type="text/css; charset=utf-8", headers={"Cache-Control": FOR_EVER}
    )


@require_safe
@requires(Permission.PUBLIC)
def logo(request: Request, code: UUID, name: str) -> FileResponse:
    """A hospital's logo: of an open one for everybody, of one that is still in the queue for the superadmin."""
    hospital = get_object_or_404(Hospital, code=code, logo__endswith=f"-{name}")
    shown_to_all = hospital.status in (Hospital.Status.APPROVED, Hospital.Status.SUSPENDED)
    if not shown_to_all and not granted(request, request.user, Permission.HOSPITAL_REVIEW):
        raise Http404
    try:
        file = default_storage.open(hospital.logo)
    except FileNotFoundError:
        raise Http404 from None
    caching = FOR_EVER if shown_to_all else "private, max-age=300"
    return FileResponse(file, content_type="image/webp", headers={"Cache-Control": caching})
