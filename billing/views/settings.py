"""What the hospital decides about money: who it is on its bills, what its people may do alone, and how things are taxed."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localdate, now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import Permission, requires
from billing.forms import settings as forms
from billing.models import BillingRules, TaxCategory, TaxRate
from billing.services import gateway, rules
from core.forms import refusals_on
from core.http import HospitalRequest
from core.menus import Item
from core.pages import page

form_door = require_http_methods(["GET", "HEAD", "POST"])


def typed(request: HospitalRequest) -> QueryDict | None:
    """What a form is bound to: the data of a POST, nothing otherwise."""
    return request.POST if request.method == "POST" else None


def tabs(current: str) -> list[Item]:
    """The parts of the billing settings."""
    parts = {
        "settings_billing": _("Bills"),
        "settings_taxes": _("Taxes"),
        "settings_promos": _("Promo codes"),
        "settings_keys": _("Online payments"),
    }
    return [Item(label=parts[name], url=reverse(name), icon="", current=name == current) for name in parts]


@form_door
@requires(Permission.MONEY_RULES)
def bills(request: HospitalRequest) -> HttpResponse:
    """Who the hospital is on its bills, and what its people may do alone."""
    form = forms.Rules(typed(request), initial=forms.Rules.of(BillingRules.objects.get()))
    if form.is_valid():
        with refusals_on(form):
            rules.change(hospital=request.hospital, by=request.user, **form.cleaned_data)
            messages.success(request, _("Your billing rules are saved."))
            return redirect("settings_billing")
    context = {"form": form, "tabs": tabs("settings_billing"), "has_keys": gateway.has_keys()}
    return page(request, "billing_settings/bills.html", context)


# --- Taxes -----------------------------------------------------------------------------------------------------------


@require_safe
@requires(Permission.MONEY_RULES)
def taxes(request: HospitalRequest) -> HttpResponse:
    """Every category with its rates by date."""
    moment = now()
    listed = [
        (category, rules.rates_of(hospital=request.hospital, category=category, now=moment))
        for category in TaxCategory.objects.by_name().prefetch_related("rates")
    ]
    return page(request, "billing_settings/taxes.html", {"listed": listed, "tabs": tabs("settings_taxes")})


@form_door
@requires(Permission.MONEY_RULES)
def add_category(request: HospitalRequest) -> HttpResponse:
    """A new kind of goods or services."""
    form = forms.Category(typed(request), initial={"valid_from": localdate()})
    if form.is_valid():
        with refusals_on(form):
            added = rules.add_category(hospital=request.hospital, by=request.user, now=now(), **form.cleaned_data)
            messages.success(request, _("“%(name)s” can be chosen on bills.") % {"name": added})
            return redirect("settings_taxes")
    return page(request, "billing_settings/tax_category.html", {"form": form})


@form_door
@requires(Permission.MONEY_RULES)
def add_rate(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Another rate for a category, from a day on."""
    category = get_object_or_404(TaxCategory.objects.with_rate(localdate()), code=code)
    form = forms.Rate(typed(request), initial={"valid_from": localdate()})
    if form.is_valid():
        with refusals_on(form):
            rate = rules.add_rate(
                hospital=request.hospital, category=category, by=request.user, now=now(), **form.cleaned_data
            )
            day = date_format(rate.valid_from, "D j M Y")
            messages.success(request, _("The new rate counts from %(day)s.") % {"day": day})
            return redirect("settings_taxes")
    return page(request, "billing_settings/tax_rate.html", {"form": form, "category": category})


@require_POST
@requires(Permission.MONEY_RULES)
def remove_rate(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Take a rate back that no bill carries."""
    rate = get_object_or_404(TaxRate.objects.select_related("category"), code=code)
    rules.remove_rate(hospital=request.hospital, rate=rate, by=request.user, now=now())
    messages.success(request, _("The rate is removed."))
    return redirect("settings_taxes")
