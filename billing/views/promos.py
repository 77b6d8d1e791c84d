"""Promo codes: which there are, and who has used them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import urlencode
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.permissions import Permission, requires
from billing.filters import PromoFilter
from billing.forms.promos import New, Terms
from billing.models import PromoCode
from billing.models.promos import Standing
from billing.services import promos
from billing.views.settings import form_door, tabs, typed
from core.forms import refusals_on
from core.http import HospitalRequest
from core.menus import Item
from core.pages import divide, page

TONES = {Standing.COUNTS: "ok", Standing.PLANNED: "info", Standing.USED_UP: "warn"}


@require_safe
@requires(Permission.MONEY_RULES)
def index(request: HospitalRequest) -> HttpResponse:
    """The codes that count or will (?show=ended: the others), the newest first, by words (?q=)."""
    narrowed = PromoFilter(request.GET, PromoCode.objects.all(), request=request)
    found = divide(request, narrowed.qs.with_uses().newest_first())
    words = request.GET.get("q", "").strip()
    context = {
        "tabs": tabs("settings_promos"),
        "rows": found,
        "listed": [_shown(promo) for promo in found],
        "kinds": _kinds(words, request.GET.get("show", "")),
        "words": words,
        "show": request.GET.get("show", ""),
    }
    return page(request, "billing_settings/promos.html", context, part="results")


def _kinds(words: str, show: str) -> list[Item]:
    """Current ones and ended ones, with how many match."""
    today, found = localdate(), PromoCode.objects.matching(words)
    kinds = [("", _("Current"), found.current(today)), ("ended", _("Ended"), found.ended(today))]
    return [
        Item(
            label=label,
            url="?" + urlencode({name: value for name, value in (("q", words), ("show", kind)) if value}),
            icon="",
            current=kind == show,
            count=rows.count(),
        )
        for kind, label, rows in kinds
    ]


def _shown(promo: PromoCode) -> dict[str, Any]:
    """A code read `with_uses`, and how it stands today."""
    uses: int = promo.uses  # type: ignore[attr-defined]
    standing = promo.standing(localdate(), uses=uses)
    return {"promo": promo, "uses": uses, "standing": standing.label, "tone": TONES.get(standing, "")}


@form_door
@requires(Permission.MONEY_RULES)
def add(request: HospitalRequest) -> HttpResponse:
    """A new code."""
    form = New(typed(request), initial={"kind": "percent", "first_date": localdate()})
    if form.is_valid():
        with refusals_on(form):
            promo = promos.add(by=request.user, **form.cleaned_data)
            messages.success(request, _("The code %(word)s is added.") % {"word": promo})
            return redirect("promo", promo.code)
    return page(request, "billing_settings/promo_add.html", {"form": form})


@require_safe
@requires(Permission.MONEY_RULES)
def detail(request: HospitalRequest, code: UUID) -> HttpResponse:
    """One code, its terms, and the bills that carry it."""
    promo = _find(code)
    bills = divide(request, promo.invoices.with_people().newest_first())
    return page(request, "billing_settings/promo.html", {**_shown(promo), "bills": bills}, part="bills")


@form_door
@requires(Permission.MONEY_RULES)
def edit(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Other terms for a code."""
    promo = _find(code)
    form = Terms(typed(request), initial=Terms.of(promo), promo=promo)
    if form.is_valid():
        with refusals_on(form):
            promos.change(promo=promo, by=request.user, **form.cleaned_data)
            messages.success(request, _("The code %(word)s is saved.") % {"word": promo})
            return redirect("promo", promo.code)
    return page(request, "billing_settings/promo_edit.html", {"form": form, "promo": promo})


@require_POST
@requires(Permission.MONEY_RULES)
def stop(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Let a code count no more."""
    promo = _find(code)
    promos.stop(promo=promo, by=request.user)
    messages.success(request, _("The code %(word)s counts no more.") % {"word": promo})
    return redirect("promo", code)


@require_POST
@requires(Permission.MONEY_RULES)
def resume(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Let a stopped code count again."""
    promo = _find(code)
    promos.resume(promo=promo, by=request.user)
    messages.success(request, _("The code %(word)s counts again.") % {"word": promo})
    return redirect("promo", code)


def _find(code: UUID) -> PromoCode:
    return get_object_or_404(PromoCode.objects.with_uses(), code=code)
