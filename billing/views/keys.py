"""The hospital's own keys to Razorpay. Nothing secret is ever on these pages again once it was typed."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.forms.two_factor import Prove
from accounts.permissions import Permission, requires
from billing.forms.keys import Keys, WebhookSecret
from billing.models import BillingRules, GatewayAccount, WebhookEvent
from billing.services import gateway, keys
from billing.views.settings import form_door, tabs, typed
from core.forms import refusals_on
from core.hosts import hospital_url
from core.http import HospitalRequest
from core.pages import page


@require_safe
@requires(Permission.MONEY_RULES)
def overview(request: HospitalRequest) -> HttpResponse:
    """Whose keys are used, and what to set up in Razorpay's dashboard."""
    account = GatewayAccount.objects.current()
    context = {
        "tabs": tabs("settings_keys"),
        "own": account,
        "is_test": gateway.has_keys() and gateway.takes_test_money(),
        "has_platform_keys": bool(settings.RAZORPAY_KEY_ID),
        "takes_online": BillingRules.objects.get().takes_online,
        "has_previous_secret": account is not None and account.has_previous_secret(now()),
        "last_message": WebhookEvent.objects.of_own_keys().newest_first().first() if account else None,
        **_dashboard(request),
    }
    return page(request, "billing_settings/keys.html", context)


@form_door
@requires(Permission.MONEY_RULES)
def use(request: HospitalRequest) -> HttpResponse:
    """Keys to be used from now on."""
    form = Keys(typed(request), request=request, user=request.user)
    if form.is_valid():
        with refusals_on(form):
            keys.use(request=request, by=request.user, now=now(), **form.cleaned_data)
            messages.success(request, _("Razorpay knows your keys. Patients pay into your own account from now on."))
            return redirect("settings_keys")
    context = {"form": form, "has_own": GatewayAccount.objects.current() is not None, **_dashboard(request)}
    return page(request, "billing_settings/keys_use.html", context)


@form_door
@requires(Permission.MONEY_RULES)
def webhook_secret(request: HospitalRequest) -> HttpResponse:
    """Another secret that Razorpay's messages are signed with."""
    if GatewayAccount.objects.current() is None:
        return redirect("settings_keys")
    form = WebhookSecret(typed(request), request=request, user=request.user)
    if form.is_valid():
        with refusals_on(form):
            keys.replace_webhook_secret(request=request, by=request.user, now=now(), **form.cleaned_data)
            messages.success(request, _("The webhook secret is replaced. The one before counts for 3 more days."))
            return redirect("settings_keys")
    return page(request, "billing_settings/keys_webhook.html", {"form": form})


@form_door
@requires(Permission.MONEY_RULES)
def stop(request: HospitalRequest) -> HttpResponse:
    """Use no keys of the hospital's own any more."""
    if GatewayAccount.objects.current() is None:
        return redirect("settings_keys")
    form = Prove(typed(request), request=request, user=request.user)
    if form.is_valid():
        with refusals_on(form):
            keys.stop(request=request, by=request.user, now=now(), **form.cleaned_data)
            messages.success(request, _("Your own keys are not used any more."))
            return redirect("settings_keys")
    context = {"form": form, "has_platform_keys": bool(settings.RAZORPAY_KEY_ID)}
    return page(request, "billing_settings/keys_stop.html", context)


def _dashboard(request: HospitalRequest) -> dict[str, Any]:
    """What is to be typed into Razorpay's dashboard."""
    return {"webhook_url": hospital_url(request.hospital.slug, "razorpay_webhook"), "events": keys.EVENTS}
