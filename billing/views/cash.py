"""The cash desk: a clerk's day, from the float to the count, and everybody's days."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import Permission, granted, requires, role_of
from billing import steps
from billing.filters import CashDayFilter
from billing.forms.cash import Close, Open, plain
from billing.models import CashDay, Invoice
from billing.services import cash
from core.forms import refusals_on
from core.http import HospitalRequest
from core.pages import divide, page

_form_door = require_http_methods(["GET", "HEAD", "POST"])
_LAST = 8  # movements of the day that the desk shows
_CLOSE, _ADD = "close", "add"


@require_safe
@requires(Permission.PAYMENT_TAKE)
def desk(request: HospitalRequest) -> HttpResponse:
    """Finding the bill somebody wants to pay (?q=), and the clerk's day so far. A bill that is named is opened at once."""
    words = request.GET.get("q", "").strip()
    if words and not request.htmx:
        named = Invoice.objects.to_take_money_for().named(words).first()
        if named:
            return redirect("take_money", named.code)
    return _desk(request, words, Open())


@require_POST
@requires(Permission.PAYMENT_TAKE)
def open_day(request: HospitalRequest) -> HttpResponse:
    """Begin the clerk's cash day with what is in the drawer."""
    form = Open(request.POST)
    if form.is_valid():
        with refusals_on(form):
            cash.open_day(clerk=request.user, now=now(), **form.cleaned_data)
            messages.success(request, _("Your cash day is open."))
            return redirect("cash_desk")
    return _desk(request, "", form)


def _desk(request: HospitalRequest, words: str, form: Form) -> HttpResponse:
    context: dict[str, Any] = {"words": words, "form": form, "day": CashDay.objects.open_of(request.user)}
    if words:
        found = Invoice.objects.to_take_money_for()
        named = found.named(words)
        rows = named if named.exists() else found.matching(words)
        shown = divide(request, rows.with_people().with_books().prefetch_related("lines").newest_first())
        context |= {"rows": shown, "listed": [(invoice, steps.waits(invoice)) for invoice in shown]}
    elif context["day"]:
        context |= _figures(context["day"]) | {"movements": cash.movements_of(context["day"], _LAST)}
    context["may_see_all"] = granted(request, request.user, Permission.MONEY_VIEW)
    return page(request, "cash/desk.html", context, part="results")


def _figures(day: CashDay) -> dict[str, Any]:
    """What came and went on a day. `expected` is what was in the drawer, or should be."""
    return {
        "sums": cash.sums_of(day),
        "expected": cash.expected_in(day) if day.expected is None else day.expected,
    }


@_form_door
@requires(Permission.PAYMENT_TAKE)
def close_day(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Close a day: count, see the difference, and confirm it."""
    mine = CashDay.objects.closable_by(request.user, role_of(request, request.user)).select_related("clerk")
    day = mine.filter(code=code).first()
    if day is None:
        return redirect("cash_day", get_object_or_404(_visible(request), code=code).code)
    form = Close(request.POST if request.method == "POST" else None)
    act = request.POST.get("act", "")
    expected = cash.expected_in(day)
    if act == _ADD and form.is_bound:
        form = _added_up(form, request)
    elif form.is_valid():
        if act == _CLOSE and form.is_agreed:
            said = {name: form.cleaned_data[name] for name in ("counted", "note", "seen")}
            with refusals_on(form):
                cash.close_day(day=day, by=request.user, now=now(), **said)
                messages.success(request, _("The day is closed."))
                return redirect("cash_day", day.code)
        else:
            form = _told(form, expected)
    context = {"day": day, "form": form, "expected": expected} | _difference(form, expected)
    return page(request, "cash/close.html", context)


def _added_up(form: Close, request: HospitalRequest) -> Close:
    """The form with what the notes and coins come to; a fault among them is shown."""
    form.is_valid()
    if any(field.errors for field in form.faces):
        return form
    return Close(initial={**request.POST.dict(), "counted": plain(form.in_notes), "seen": None, "told": None})


def _told(form: Close, expected: Decimal) -> Close:
    """The form as the clerk agrees to it: with the count, and what is expected for it."""
    return Close(initial={**form.cleaned_data, "seen": expected, "told": form.cleaned_data["counted"]})


def _difference(form: Close, expected: Decimal) -> dict[str, Any]:
    told = form["told"].value()
    if told in (None, "") or form.errors.get("counted"):
        return {"is_told": False}
    difference = Decimal(str(told)) - expected
    return {"is_told": True, "counted": Decimal(str(told)), "difference": difference, "off": abs(difference)}


def _visible(request: HospitalRequest) -> Any:
    return CashDay.objects.visible_to(request.user, role_of(request, request.user)).select_related("clerk")


@require_safe
@requires(Permission.PAYMENT_TAKE)
def day(request: HospitalRequest, code: UUID) -> HttpResponse:
    """One day with every payment and payout: the sheet that is printed."""
    found: CashDay = get_object_or_404(_visible(request), code=code)
    closable = CashDay.objects.closable_by(request.user, role_of(request, request.user))
    difference = found.difference
    context = _figures(found) | {
        "day": found,
        "movements": cash.movements_of(found)[::-1],
        "off": None if difference is None else abs(difference),
        "may_close": closable.filter(pk=found.pk).exists(),
        "may_see_all": granted(request, request.user, Permission.MONEY_VIEW),
    }
    return page(request, "cash/day.html", context)


@require_safe
@requires(Permission.MONEY_VIEW)
def days(request: HospitalRequest) -> HttpResponse:
    """All clerks' days, the latest first."""
    narrowed = CashDayFilter(request.GET, CashDay.objects.all(), request=request)
    rows = divide(request, narrowed.qs.select_related("clerk").newest_first())
    context = {
        "rows": rows,
        "listed": [(one, abs(one.difference or 0)) for one in rows],
        "form": narrowed.form,
        "is_narrowed": any(request.GET.get(name) for name in narrowed.form.fields),
    }
    return page(request, "cash/days.html", context, part="results")
