"""What does not match: the list, one of it with everything that is known, who looks after it, and its explanation."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import urlencode
from django.utils.timesince import timesince
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Permission, requires
from audit.models import AuditLog
from billing import steps
from billing.filters import DiscrepancyFilter
from billing.forms.discrepancies import Explanation, Owner
from billing.models import Discrepancy, Reconciliation
from billing.models.gateway import Discrepancies
from billing.services import discrepancies
from core.forms import refusals_on
from core.http import HospitalRequest
from core.menus import Item
from core.pages import divide, page
from hospitals.entries import entry

OPEN, MINE, EXPLAINED = "", "mine", "explained"
Kind = Discrepancy.Kind
ADVICE = {
    Kind.UNKNOWN_PAYMENT: gettext_lazy(
        "Somebody has paid with your keys, but not a bill of yours. Look in Razorpay’s dashboard who it was. Bill it, or give it back there."
    ),
    Kind.AMOUNT_DIFFERS: gettext_lazy(
        "Compare both sides in Razorpay’s dashboard. What the gateway says is what reaches your bank."
    ),
    Kind.NOT_AT_GATEWAY: gettext_lazy(
        "Check that the keys in your settings are those it was paid with. If they are, ask Razorpay’s support."
    ),
    Kind.NOT_SETTLED: gettext_lazy(
        "Razorpay pays out after two working days. Look in its dashboard whether the settlement is on hold."
    ),
    Kind.UNKNOWN_SETTLEMENT: gettext_lazy(
        "The bank has it, and no bill of yours does. Look the id up in Razorpay’s dashboard: it may be a fee, a dispute or a payment link."
    ),
    Kind.REFUND_STUCK: gettext_lazy(
        "The patient waits for this money. Open the refund: try it again, or hand the money out at the desk."
    ),
    Kind.UNKNOWN_REFUND: gettext_lazy(
        "It was given back in Razorpay’s dashboard, past your bills. If that is right, take it into the books: the bill is then credited."
    ),
    Kind.UNREADABLE_EVENT: gettext_lazy(
        "What it told of is found by comparing all the same. Only if something is missing, ask your administrator."
    ),
    Kind.BOOKS_DIFFER: gettext_lazy(
        "This must never happen. Explain it only when you know why, and tell your administrator."
    ),
}


@require_safe
@requires(Permission.MONEY_VIEW)
def index(request: HospitalRequest) -> HttpResponse:
    """What is open, the oldest first; one's own; or what is explained, the latest first."""
    show = request.GET.get("show", "")
    show = show if show in (MINE, EXPLAINED) else OPEN
    narrowed = DiscrepancyFilter(request.GET, Discrepancy.objects.all(), request=request)
    rows = divide(request, _standing(request, narrowed.qs, show).with_things())
    context = {
        "rows": rows,
        "listed": [(row, age(row, now())) for row in rows],
        "show": show,
        "tabs": _tabs(request, show),
        "form": narrowed.form,
        "is_narrowed": any(request.GET.get(name) for name in narrowed.form.fields),
        "last": Reconciliation.objects.exclude(ended_at=None).newest_first().first(),
    }
    return page(request, "reconciliation/list.html", context, part="results")


def _standing(request: HospitalRequest, rows: Discrepancies, show: str) -> Discrepancies:
    if show == EXPLAINED:
        return rows.explained().last_explained_first()
    return (rows.open().filter(owner=request.user) if show == MINE else rows.open()).oldest_first()


def _tabs(request: HospitalRequest, show: str) -> list[Item]:
    given = [(name, str(value)) for name, value in request.GET.items() if value]
    kept = [pair for pair in given if pair[0] not in ("show", "page")]
    rows = Discrepancy.objects.open()

    def tab(label: str, name: str, count: int | None) -> Item:
        asked = [*kept, ("show", name)] if name else kept
        return Item(label=label, url="?" + urlencode(asked), icon="", current=show == name, count=count)

    return [
        tab(_("Open"), OPEN, rows.count()),
        tab(_("Yours"), MINE, rows.filter(owner=request.user).count() or None),
        tab(_("Explained"), EXPLAINED, None),
    ]


def age(row: Discrepancy, moment: datetime) -> str:
    """How long it is known, in words."""
    return timesince(row.found_at, moment, depth=1)


@require_safe
@requires(Permission.MONEY_VIEW)
def detail(request: HospitalRequest, code: UUID) -> HttpResponse:
    """One of it: what is known, what to do, who looks after it, and what happened."""
    return _shown(request, code)


def _find(code: UUID) -> Discrepancy:
    return get_object_or_404(Discrepancy.objects.with_things(), code=code)


def _shown(request: HospitalRequest, code: UUID, form: Form | None = None) -> HttpResponse:
    """It as it is now; after a refusal with `form`, which says why."""
    row = _find(code)
    kind = Kind(row.kind)
    context = {
        "row": row,
        "age": age(row, now()),
        "tone": "warn" if row.is_open else "ok",
        "advice": ADVICE[kind],
        "explain": form if isinstance(form, Explanation) else Explanation(),
        "owner": form if isinstance(form, Owner) else Owner(),
        "can": steps.on_discrepancy(request, row),
        "history": [entry(one) for one in AuditLog.objects.about(row).newest_first()],
        "form": form,
    }
    return page(request, "reconciliation/detail.html", context)


@require_POST
@requires(Permission.MONEY_VIEW)
def take(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Look after it, or hand it to a colleague."""
    row = _find(code)
    form = Owner(request.POST if "owner" in request.POST else {"owner": request.user.code})
    if form.is_valid():
        owner = form.cleaned_data["owner"]
        with refusals_on(form):
            discrepancies.take(discrepancy=row, owner=owner, by=request.user)
            is_self = owner.pk == request.user.pk
            messages.success(request, _("You look after it.") if is_self else _("%s looks after it.") % owner)
            return redirect("discrepancy", code)
    return _shown(request, code, form)


@require_POST
@requires(Permission.MONEY_VIEW)
def explain(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Take it off the list with a word of explanation."""
    row = _find(code)
    form = Explanation(request.POST)
    if form.is_valid():
        with refusals_on(form):
            discrepancies.resolve(discrepancy=row, by=request.user, now=now(), **form.cleaned_data)
            messages.success(request, _("It is explained, and off the list."))
            return redirect("discrepancies")
    return _shown(request, code, form)


@require_POST
@requires(Permission.REFUND_GIVE)
def book(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Take a refund that was made in the gateway's dashboard into the books."""
    row = _find(code)
    form = Explanation(request.POST)
    if form.is_valid():
        with refusals_on(form):
            discrepancies.book_refund(
                hospital=request.hospital, discrepancy=row, by=request.user, now=now(), **form.cleaned_data
            )
            messages.success(request, _("The refund is in the books, and the bill is credited."))
            return redirect("discrepancy", code)
    return _shown(request, code, form)
