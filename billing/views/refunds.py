"""Money that goes back: the queue, one refund, and what is done with it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import Permission, granted, requires
from audit.models import AuditLog
from billing import steps
from billing.filters import RefundFilter
from billing.forms.refunds import Ask, Decline, PayOut
from billing.forms.refunds import Step as NoWords
from billing.models import CashDay, Method, Payment, Refund
from billing.models.refunds import Refunds
from billing.services import refunds
from core.forms import refusals_on
from core.http import HospitalRequest
from core.menus import Item
from core.pages import divide, page
from hospitals.entries import entry

OPEN, TO_APPROVE, TO_PAY, ON_THEIR_WAY, FAILED, OVER = "", "to-approve", "to-pay", "on-their-way", "failed", "over"
TONES = {
    Refund.Status.REQUESTED: "warn",
    Refund.Status.APPROVED: "info",
    Refund.Status.PROCESSING: "info",
    Refund.Status.PROCESSED: "ok",
    Refund.Status.FAILED: "bad",
    Refund.Status.DECLINED: "",
}


@require_safe
@requires(Permission.REFUND_GIVE)
def index(request: HospitalRequest) -> HttpResponse:
    """Refunds by what is to be done (?show=), the oldest first; those that are over, the latest first."""
    show = request.GET.get("show", "")
    show = show if show in (TO_APPROVE, TO_PAY, ON_THEIR_WAY, FAILED, OVER) else OPEN
    narrowed = RefundFilter(request.GET, Refund.objects.all(), request=request)
    found = _standing(narrowed.qs, show).with_people()
    rows = divide(request, found.newest_first() if show == OVER else found.oldest_first())
    context = {
        "rows": rows,
        "listed": [(refund, TONES[Refund.Status(refund.status)]) for refund in rows],
        "show": show,
        "tabs": _tabs(request, narrowed.qs, show),
        "form": narrowed.form,
        "is_narrowed": any(request.GET.get(name) for name in narrowed.form.fields),
    }
    return page(request, "refunds/list.html", context, part="results")


def _standing(rows: Refunds, show: str) -> Refunds:
    narrowings = {
        OPEN: rows.open,
        TO_APPROVE: rows.to_approve,
        TO_PAY: rows.to_pay_out,
        ON_THEIR_WAY: rows.on_their_way,
        FAILED: rows.failed,
        OVER: rows.over,
    }
    return narrowings[show]()


def _tabs(request: HospitalRequest, rows: Refunds, show: str) -> list[Item]:
    counts = rows.by_standing()

    def tab(label: str, name: str, count: int | None) -> Item:
        asked = request.GET.copy()
        asked.pop("page", None)
        asked["show"] = name
        return Item(label=label, url="?" + asked.urlencode(), icon="", current=show == name, count=count)

    return [
        tab(_("Open"), OPEN, sum(counts.values())),
        tab(_("To approve"), TO_APPROVE, counts["to_approve"]),
        tab(_("To pay at the desk"), TO_PAY, counts["to_pay_out"]),
        tab(_("On their way"), ON_THEIR_WAY, counts["on_their_way"]),
        tab(_("Failed"), FAILED, counts["failed"]),
        tab(_("Over"), OVER, None),
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.REFUND_GIVE)
def ask(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Ask for money of a payment to be given back; the page says beforehand how, and whether somebody must approve."""
    found = Payment.objects.with_people().prefetch_related("refunds")
    payment = get_object_or_404(found, code=code)
    left = refunds.left_of(payment)
    may_approve = granted(request, request.user, Permission.MONEY_APPROVE)
    form = Ask(request.POST or None, left=left)
    if form.is_valid():
        said: dict[str, Any] = {name: form.cleaned_data[name] for name in ("amount", "reason")}
        with refusals_on(form):
            refund = refunds.ask(
                hospital=request.hospital,
                payment=payment,
                by=request.user,
                may_approve=may_approve,
                now=now(),
                idempotency_key=form.cleaned_data["key"],
                **said,
            )
            messages.success(request, _asked(refund))
            return redirect("refund", refund.code)
    context = {
        "payment": payment,
        "left": left,
        "may_approve": may_approve,
        "at_once": min(refunds.without_approval(payment.invoice), left),
        "can_ask": steps.refundable(request, payment) > 0,
        "form": form,
    }
    return page(request, "refunds/ask.html", context)


def _asked(refund: Refund) -> str:
    if refund.status == Refund.Status.REQUESTED:
        return _("The refund waits for approval.")
    if refund.method == Method.ONLINE:
        return _("The refund is on its way.")
    return _("The refund is granted. Hand the money out now.")


@require_safe
@requires(Permission.REFUND_GIVE)
def detail(request: HospitalRequest, code: UUID) -> HttpResponse:
    """One refund: for which bill and payment, why, how it stands, and what can be done."""
    return _shown(request, code)


def _find(code: UUID) -> Refund:
    found = Refund.objects.with_people().select_related("credit_note", "cash_day", "payment__invoice")
    return get_object_or_404(found, code=code)


def _shown(request: HospitalRequest, code: UUID, form: Form | None = None, refused: str = "") -> HttpResponse:
    """The refund as it is now; after a refusal with `form`, which says why, in the part that was refused."""
    refund = _find(code)
    can = steps.on_refund(request, refund)
    ways = refunds.ways(refund)
    context = {
        "refund": refund,
        "tone": TONES[Refund.Status(refund.status)],
        "can": can,
        "pay": form if refused == "pay" else PayOut(ways=ways),
        "ways": ways,
        "day": CashDay.objects.open_of(request.user) if Method.CASH in ways else None,
        "history": [entry(row) for row in AuditLog.objects.about_any([refund]).newest_first()],
        "form": form,
        "refused": refused,
        "reason_error": str(next(iter(form.errors.get("reason", [])), "")) if form else "",
        "reason_value": str(form["reason"].value() or "") if form and "reason" in form.fields else "",
    }
    return page(request, "refunds/detail.html", context)


@require_POST
@requires(Permission.MONEY_APPROVE)
def approve(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Grant a refund that waits for it."""
    refund, form = _find(code), NoWords(request.POST)
    with refusals_on(form):
        refunds.approve(hospital=request.hospital, refund=refund, by=request.user, now=now())
    return _after(request, refund, form, "approve", _("The refund is approved."))


@require_POST
@requires(Permission.MONEY_APPROVE)
def decline(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Refuse it, and say why."""
    refund, form = _find(code), Decline(request.POST)
    if form.is_valid():
        with refusals_on(form):
            refunds.decline(refund=refund, by=request.user, **form.cleaned_data)
    return _after(request, refund, form, "decline", _("The refund is declined."))


@require_POST
@requires(Permission.REFUND_GIVE)
def pay(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Hand granted money out at the desk."""
    refund = _find(code)
    form = PayOut(request.POST, ways=refunds.ways(refund) or [Method(refund.method)])
    if form.is_valid():
        said: dict[str, Any] = {"reference": "", **form.cleaned_data}
        with refusals_on(form):
            refunds.pay_out(refund=refund, by=request.user, now=now(), **said)
    return _after(request, refund, form, "pay", _("The money is paid out."))


@require_POST
@requires(Permission.REFUND_GIVE)
def retry(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Try a failed refund again."""
    refund, form = _find(code), NoWords(request.POST)
    with refusals_on(form):
        refunds.retry(refund=refund, by=request.user, now=now())
    return _after(request, refund, form, "retry", _("The refund is on its way again."))


def _after(request: HospitalRequest, refund: Refund, form: Form, step: str, done: str) -> HttpResponse:
    """Back to the refund; after a refusal the refund as it is now, with what was refused and why."""
    if form.is_valid():
        messages.success(request, done)
        return redirect("refund", refund.code)
    return _shown(request, refund.code, form, step)
