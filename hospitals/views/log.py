"""The two audit logs, the platform's and a hospital's: one page, read from the log of the schema that is active."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, is_support, requires
from audit.models import AuditLog
from core.http import Request
from core.pages import divide, page
from hospitals.entries import entry
from hospitals.filters import AuditLogFilter


@require_safe
@requires(Permission.PLATFORM_LOG_VIEW)
def platform(request: Request) -> HttpResponse:
    """What was done on the platform, by whom, to what, and when."""
    return _log(
        request,
        title=_("Audit log"),
        text=_(
            "Everything done on the platform, newest first. Nobody can change or delete it. "
            "What hospitals do inside stays with them."
        ),
        empty=_("Registrations, decisions and sign-ins appear here."),
    )


@require_safe
@requires(Permission.ACTIVITY_VIEW)
def activity(request: Request) -> HttpResponse:
    """Everything that was done in this hospital."""
    return _log(
        request,
        title=_("Activity"),
        text=_("Everything that was done here, newest first. Nobody can change or delete it."),
        empty=_("Sign-ins and changes of settings and departments appear here."),
    )


def _log(request: Request, *, title: str, text: str, empty: str) -> HttpResponse:
    narrowed = AuditLogFilter(request.GET, AuditLog.objects.shown_to(is_support=is_support(request)).newest_first())
    rows = divide(request, narrowed.qs)
    return page(
        request,
        "log.html",
        {
            "title": title,
            "text": text,
            "empty": empty,
            "form": narrowed.form,
            "is_narrowed": any(request.GET.get(name) for name in narrowed.form.fields),
            "rows": rows,
            "entries": [entry(row) for row in rows],
        },
        part="results",
    )
