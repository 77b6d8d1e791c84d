"""How the hospital's money stands, on one page."""

from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _later
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, requires
from billing.models import Method
from billing.services import figures
from billing.services.figures import Figures, Span
from billing.views.charts import bars
from core.http import HospitalRequest
from core.menus import Item
from core.money import shown
from core.pages import page


@require_safe
@requires(Permission.MONEY_VIEW)
def money(request: HospitalRequest) -> HttpResponse:
    """What came in, was billed and went back in the days asked for (?period=), what is owed, and what waits."""
    asked = request.GET.get("period", "")
    span = Span(asked) if asked in set(Span) else Span.TODAY
    found = figures.of(hospital=request.hospital, span=span, now=timezone.now())
    context = {
        "figures": found,
        "spans": _spans(span),
        "compared": {
            "received": compared(span, found.now.total, found.before.total),
            "billed": compared(span, found.now.billed, found.before.billed),
            "refunded": compared(span, found.now.refunded, found.before.refunded),
        },
        "methods": _by_method(found),
        "chart": bars(found.days),
    }
    return page(request, "reports/money.html", context)


def _spans(span: Span) -> list[Item]:
    words = {
        Span.TODAY: _("Today"),
        Span.WEEK: _("7 days"),
        Span.DAYS_30: _("30 days"),
        Span.MONTH: _("This month"),
    }
    return [Item(label, f"?period={one}", "", current=one == span) for one, label in words.items()]


def compared(span: Span, present: Decimal, before: Decimal) -> str:
    """An amount beside that of the time before, as a sentence; "" where there is nothing to compare."""
    if not before:
        return str(_NOTHING_BEFORE[span]) if present else ""
    if present == before:
        return str(_AS_MUCH[span])
    sentence = _MORE[span] if present > before else _LESS[span]
    return str(sentence) % {"amount": shown(abs(present - before))}


# Whole sentences, as other languages put them together otherwise.
_MORE = {
    Span.TODAY: _later("%(amount)s more than yesterday at this time"),
    Span.WEEK: _later("%(amount)s more than in the 7 days before"),
    Span.DAYS_30: _later("%(amount)s more than in the 30 days before"),
    Span.MONTH: _later("%(amount)s more than in the same days of last month"),
}
_LESS = {
    Span.TODAY: _later("%(amount)s less than yesterday at this time"),
    Span.WEEK: _later("%(amount)s less than in the 7 days before"),
    Span.DAYS_30: _later("%(amount)s less than in the 30 days before"),
    Span.MONTH: _later("%(amount)s less than in the same days of last month"),
}
_AS_MUCH = {
    Span.TODAY: _later("As much as yesterday at this time"),
    Span.WEEK: _later("As much as in the 7 days before"),
    Span.DAYS_30: _later("As much as in the 30 days before"),
    Span.MONTH: _later("As much as in the same days of last month"),
}
_NOTHING_BEFORE = {
    Span.TODAY: _later("Nothing yesterday at this time"),
    Span.WEEK: _later("Nothing in the 7 days before"),
    Span.DAYS_30: _later("Nothing in the 30 days before"),
    Span.MONTH: _later("Nothing in the same days of last month"),
}


def _by_method(found: Figures) -> list[dict[str, Any]]:
    """What was received by each method that was used, the most first, with its share in percent."""
    whole = found.now.total
    used = sorted(found.now.received.items(), key=lambda one: -one[1])
    return [
        {"label": Method(method).label, "amount": amount, "percent": round(100 * amount / whole)}
        for method, amount in used
    ]
