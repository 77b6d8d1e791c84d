"""The two outboxes, the platform's and a hospital's: one page, read from the outbox of the schema that is active."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, QuerySet
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.utils.http import urlencode
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Permission, is_support, requires
from core.forms import refusals_on
from core.http import Request
from core.menus import Item
from core.pages import divide, page
from hospitals.forms.platform import Retry
from notifications import services as notifications
from notifications.models import Notification, Notifications, State


@require_safe
@requires(Permission.OUTBOX_VIEW)
def index(request: Request) -> HttpResponse:
    """Every message, by state (?state=) and words (?q=)."""
    words = request.GET.get("q", "").strip()
    state = request.GET.get("state", "")
    if state not in State.values:
        state = ""
    found = _shown_to(request).matching(words)
    shown = found.filter(state=state) if state else found
    return page(
        request,
        "outbox.html",
        {
            "rows": divide(request, shown.defer("facts", "sent_text", "sent_html").newest_first()),
            "tabs": _tabs(found, words, state),
            "state": state,
            "words": words,
            "text": _("Every message this hospital has written.")
            if request.hospital
            else _("Every message the platform has written. Hospitals keep their own."),
        },
        part="results",
    )


def _tabs(found: "QuerySet[Notification]", words: str, state: str) -> list[Item]:
    counts = dict(found.values_list("state").annotate(Count("pk")).order_by())
    everything = [("", _("All"), sum(counts.values()))]
    return [
        Item(
            label=label,
            url="?" + urlencode({name: value for name, value in (("state", value), ("q", words)) if value}),
            icon="",
            current=value == state,
            count=count,
        )
        for value, label, count in (
            *everything,
            *((one.value, str(one.label), counts.get(one.value, 0)) for one in State),
        )
    ]


@require_safe
@requires(Permission.OUTBOX_VIEW)
def message(request: Request, code: UUID) -> HttpResponse:
    """One message, and how its delivery goes."""
    return _message(request, get_object_or_404(_shown_to(request), code=code))


@require_POST
@requires(Permission.OUTBOX_VIEW)
def retry(request: Request, code: UUID) -> HttpResponse:
    """Send a failed message again."""
    row = get_object_or_404(_shown_to(request), code=code)
    form = Retry(request.POST)
    with refusals_on(form):
        notifications.retry(message=row, by=request.user, now=now())
    if form.is_valid():
        messages.success(request, _("The message is on its way again."))
        return redirect("outbox_message", code)
    return _message(request, get_object_or_404(_shown_to(request), code=code), form)


def _shown_to(request: Request) -> Notifications:
    return Notification.objects.shown_to(is_support=is_support(request))


def _message(request: Request, row: Notification, form: Form | None = None) -> HttpResponse:
    is_shown = settings.DEBUG or not row.is_secret
    return page(
        request,
        "outbox_message.html",
        {
            "row": row,
            "form": form,
            # The demo has no mailbox: there its links can be followed here. Elsewhere a one-time link is nobody else's.
            "is_demo": settings.DEBUG,
            "is_shown": is_shown,
            "text": _words(row) if is_shown else "",
        },
    )


def _words(row: Notification) -> str:
    try:
        return row.text
    except (TemplateDoesNotExist, TemplateSyntaxError):
        return _("It cannot be shown: this release does not know how to write it.")
