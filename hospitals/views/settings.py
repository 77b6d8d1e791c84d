"""What the hospital says of itself: brand, contact, home page, own domains."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import Permission, granted, has_second_factor, requires
from core import colour
from core.forms import KeptImageInput, refusals_on
from core.http import HospitalRequest
from core.pages import page
from hospitals import checklist
from hospitals.forms.settings import (
    AccentForm,
    BookingForm,
    BrandForm,
    ContactForm,
    DomainForm,
    SignInForm,
    VerifyForm,
    WelcomeForm,
)
from hospitals.models import BookingPolicy, Settings
from hospitals.services import settings as services
from tenants import services as tenants
from tenants.models import Domain

_form_door = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@requires(Permission.SETTINGS_EDIT)
def overview(request: HospitalRequest) -> HttpResponse:
    """The sections of the settings, each with how far it is."""
    with_money = granted(request, request.user, Permission.MONEY_RULES)
    sections = checklist.sections(checklist.facts(request.hospital), with_money=with_money)
    return page(request, "office/settings.html", {"sections": sections})


# --- Brand -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Preview:
    """How a colour looks in both themes."""

    stylesheet: str
    sentences: list[str]


@_form_door
@requires(Permission.SETTINGS_EDIT)
def brand(request: HospitalRequest) -> HttpResponse:
    """Name, colour and logo. The button "Preview" shows the colour without saving anything."""
    hospital = request.hospital
    present = {"name": hospital.name, "accent": hospital.accent}
    form = BrandForm(_data(request), request.FILES or None, initial=present)
    logo = form.fields["logo"].widget
    if isinstance(logo, KeptImageInput):
        logo.present_url = hospital.logo_url
    form.fields["accent"].widget.attrs |= {
        "hx-get": reverse("settings_brand_preview"),
        "hx-trigger": "input changed delay:250ms",
        "hx-target": "#preview",
        "hx-sync": "this:replace",
    }
    if form.is_valid() and "preview" not in request.POST:
        with refusals_on(form):
            services.change_brand(hospital=hospital, by=request.user, **form.cleaned_data)
            messages.success(request, _("Your brand is saved."))
            return redirect("settings_brand")
    accent = form.cleaned_data.get("accent") if form.is_bound else None
    return page(
        request,
        "office/settings_brand.html",
        {"form": form, "preview": _preview(accent or hospital.accent), "logo_url": hospital.logo_url},
    )


@require_safe
@requires(Permission.SETTINGS_EDIT)
def brand_preview(request: HospitalRequest) -> HttpResponse:
    """A colour in both themes, while it is being chosen; a colour half typed shows the present one."""
    hospital = request.hospital
    wanted = AccentForm(request.GET)
    accent = (wanted.cleaned_data["accent"] if wanted.is_valid() else "") or hospital.accent
    context = {
        "form": BrandForm(initial={"name": hospital.name, "accent": accent}),
        "preview": _preview(accent),
        "logo_url": hospital.logo_url,
    }
    return page(request, "office/settings_brand.html", context, part="preview")


def _preview(accent: str) -> Preview:
    stylesheet = reverse("theme_preview_css", args=[accent.removeprefix("#")])
    return Preview(stylesheet=stylesheet, sentences=_what_became_of(accent))


def _what_became_of(accent: str) -> list[str]:
    light = {
        "darker": _("In the light theme your colour is darker, so that text on it can be read."),
        "lighter": _("In the light theme your colour is lighter, so that text on it can be read."),
        "quieter": _("In the light theme your colour is a little quieter, so that it does not dazzle."),
        None: _("In the light theme your colour is used as it is."),
    }
    dark = {
        "darker": _("In the dark theme it is darker, so that it does not dazzle."),
        "lighter": _("In the dark theme it is lighter, so that it can be told from its surroundings."),
        "quieter": _("In the dark theme it is a little quieter, so that it does not dazzle."),
        None: _("In the dark theme it is used as it is, too."),
    }
    solved = colour.solved(accent)
    return [light[solved.light_change], dark[solved.dark_change]]


# --- Contact and home page -------------------------------------------------------------------------------------------


@_form_door
@requires(Permission.SETTINGS_EDIT)
def contact(request: HospitalRequest) -> HttpResponse:
    """How patients reach the hospital, and its time zone."""
    hospital = request.hospital
    present = {
        "email": hospital.email,
        "phone_number": hospital.phone_number,
        "address": hospital.address,
        "city": hospital.city,
        "state": hospital.state,
        "time_zone": hospital.time_zone,
    }
    form = ContactForm(_data(request), initial=present)
    if form.is_valid():
        with refusals_on(form):
            services.change_contact(hospital=hospital, by=request.user, **form.cleaned_data)
            messages.success(request, _("Your contact details are saved."))
            return redirect("settings_contact")
    return page(request, "office/settings_contact.html", {"form": form})


@_form_door
@requires(Permission.SETTINGS_EDIT)
def welcome(request: HospitalRequest) -> HttpResponse:
    """What the public home page says."""
    settings = Settings.objects.get()
    present = {
        "welcome": settings.welcome,
        "opening_hours": settings.opening_hours,
        "emergency_phone": settings.emergency_phone,
    }
    form = WelcomeForm(_data(request), initial=present)
    if form.is_valid():
        with refusals_on(form):
            services.change_welcome(settings=settings, by=request.user, **form.cleaned_data)
            messages.success(request, _("Your home page is saved."))
            return redirect("settings_welcome")
    return page(request, "office/settings_welcome.html", {"form": form})


@_form_door
@requires(Permission.SETTINGS_EDIT)
def booking(request: HospitalRequest) -> HttpResponse:
    """The rules of booking. The button "Preview" shows what patients will read without saving anything."""
    policy = BookingPolicy.objects.get()
    form = BookingForm(_data(request), initial={name: getattr(policy, name) for name in BookingForm.base_fields})
    if form.is_valid() and "preview" not in request.POST:
        with refusals_on(form):
            services.change_booking(policy=policy, by=request.user, **form.cleaned_data)
            messages.success(request, _("Your booking rules are saved."))
            return redirect("settings_booking")
    wanted = BookingPolicy(**form.cleaned_data) if form.is_valid() else policy
    context = {"form": form, "sentences": services.policy_sentences(wanted), "is_preview": form.is_valid()}
    return page(request, "office/settings_booking.html", context)


@_form_door
@requires(Permission.SETTINGS_EDIT)
def sign_in(request: HospitalRequest) -> HttpResponse:
    """Whether staff must use two-factor."""
    hospital, is_two_factor = request.hospital, has_second_factor(request)
    form = SignInForm(_data(request), initial={"requires_two_factor": hospital.requires_two_factor})
    if form.is_valid():
        with refusals_on(form):
            services.require_two_factor(
                hospital=hospital,
                is_required=form.cleaned_data["requires_two_factor"],
                is_two_factor=is_two_factor,
                by=request.user,
            )
            messages.success(request, _("Your sign-in settings are saved."))
            return redirect("settings_sign_in")
    return page(request, "office/settings_sign_in.html", {"form": form, "is_two_factor": is_two_factor})


# --- Own domains -----------------------------------------------------------------------------------------------------


@_form_door
@requires(Permission.SETTINGS_EDIT)
def domains(request: HospitalRequest) -> HttpResponse:
    """The hospital's own domains, those it has yet to prove, and a form to add one."""
    form = DomainForm(_data(request))
    if form.is_valid():
        with refusals_on(form):
            tenants.claim_domain(hospital=request.hospital, by=request.user, **form.cleaned_data)
            messages.success(request, _("The domain is added. Now put the TXT record below into its DNS."))
            return redirect("settings_domains")
    return _domains_page(request, form=form, add_form=form)


@require_POST
@requires(Permission.SETTINGS_EDIT)
def verify_domain(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Look for our value in the DNS; what was found instead is said at the domain."""
    claim = get_object_or_404(request.hospital.domain_claims, code=code)
    form = VerifyForm(request.POST)
    if form.is_valid():
        with refusals_on(form):
            domain = tenants.verify_domain(claim=claim, by=request.user)
            messages.success(request, _("Your site answers on %(domain)s now.") % {"domain": domain})
            return redirect("settings_domains")
    return _domains_page(request, form=form, add_form=DomainForm(), looked_at=claim.code)


@require_POST
@requires(Permission.SETTINGS_EDIT)
def drop_domain_claim(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Forget a domain that was not proved."""
    claim = get_object_or_404(request.hospital.domain_claims, code=code)
    tenants.drop_claim(claim=claim, by=request.user)
    messages.success(request, _("%(domain)s is removed from the list.") % {"domain": claim})
    return redirect("settings_domains")


@require_POST
@requires(Permission.SETTINGS_EDIT)
def remove_domain(request: HospitalRequest, domain: str) -> HttpResponse:
    """Stop answering on an own domain."""
    found = get_object_or_404(Domain, tenant=request.hospital, domain=domain)
    tenants.remove_domain(domain=found, by=request.user)
    messages.success(request, _("Your site no longer answers on %(domain)s.") % {"domain": domain})
    return redirect("settings_domains")


def _domains_page(request: HospitalRequest, **context: Any) -> HttpResponse:
    hospital = request.hospital
    context |= {
        "domains": Domain.objects.filter(tenant=hospital, is_primary=False).order_by("domain"),
        "claims": hospital.domain_claims.order_by("domain"),
        "host": hospital.host,
    }
    return page(request, "office/settings_domains.html", context)


def _data(request: HospitalRequest) -> QueryDict | None:
    """What a form is bound to: the data of a POST, nothing otherwise."""
    return request.POST if request.method == "POST" else None
