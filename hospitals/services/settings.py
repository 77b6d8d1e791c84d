"""What a hospital says of itself: brand, contact, address, time zone."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from audit import services as audit
from audit.models import Action
from core import pictures
from core.errors import NotAllowedNow
from core.pictures import Picture
from core.text import one_line
from directory import services as directory
from hospitals.models import BookingPolicy, Settings
from hospitals.services.departments import shown_to_patients
from hospitals.services.doctors import publishing
from tenants import hosts
from tenants.models import Hospital


def change_brand(*, hospital: Hospital, name: str, accent: str, logo: Picture | None, by: User) -> None:
    """Change name, accent colour (any hex value; what is drawn with it is solved for contrast) and logo."""
    new = {"name": one_line(name), "accent": accent.lower()}
    if logo:
        new["logo"] = pictures.store(logo, folder=str(hospital.code), kind="logo")
        new["logo_thumb"] = pictures.thumbnail(logo)
    _change_hospital(hospital, by, new)


def change_contact(
    *, hospital: Hospital, email: str, phone_number: str, address: str, city: str, state: str, time_zone: str, by: User
) -> None:
    """Change how patients reach the hospital, and the zone its times are shown in."""
    new = {
        "email": email.lower(),
        "phone_number": phone_number,
        "address": address,
        "city": one_line(city),
        "state": state,
        "time_zone": time_zone,
    }
    if audit.changes(hospital, new):
        _change_hospital(hospital, by, new)
        return
    with transaction.atomic():  # saved as they were: somebody has looked, which the set-up checklist asks for
        audit.record(action=Action.CONTACT_CHECKED, target=hospital, by=by)


def change_welcome(*, settings: Settings, welcome: str, emergency_phone: str, opening_hours: str, by: User) -> None:
    """Change what the public home page says."""
    new = {"welcome": welcome, "emergency_phone": emergency_phone, "opening_hours": opening_hours}
    changes = audit.changes(settings, new)
    if not changes:
        return
    with transaction.atomic():
        Settings.objects.filter(pk=settings.pk).update(**new)
        audit.record(action=Action.SETTINGS_CHANGED, target=settings, by=by, data=changes)


def change_booking(*, policy: BookingPolicy, by: User, **new: Any) -> None:
    """Change the rules of booking. Visits that are booked already keep the rules they were booked under."""
    changes = audit.changes(policy, new)
    with transaction.atomic():
        if changes:
            BookingPolicy.objects.filter(pk=policy.pk).update(**new)
            audit.record(action=Action.SETTINGS_CHANGED, target=policy, by=by, data=changes)
        else:  # saved as they were: somebody has looked, which the set-up checklist asks for
            audit.record(action=Action.BOOKING_RULES_CHECKED, target=policy, by=by)


def policy_sentences(policy: BookingPolicy, *, is_free: bool = False) -> list[str]:
    """The rules of booking in the words that patients read before they book; of a visit that `is_free` nothing is kept."""
    sentences = [
        _confirmation(policy, is_free=is_free),
        _cancellation(policy, is_free=is_free),
        _missed(policy, is_free=is_free),
    ]
    return [sentence for sentence in sentences if sentence]


def _confirmation(policy: BookingPolicy, *, is_free: bool) -> str:
    if policy.confirmation == BookingPolicy.Confirmation.DOCTOR:
        return _("The hospital confirms your visit and writes to you then.")
    if policy.confirmation == BookingPolicy.Confirmation.PAYMENT and not is_free:
        return _("Your visit is confirmed when it is paid.")
    return ""


def _cancellation(policy: BookingPolicy, *, is_free: bool) -> str:
    hours, percent = policy.free_cancellation_hours, policy.late_cancellation_percent
    if is_free or not hours or not percent:
        return _("Free to cancel until the visit begins.")
    if percent == 100:
        sentence = ngettext(
            "Free to cancel until %(hours)d hour before. Later, the whole fee.",
            "Free to cancel until %(hours)d hours before. Later, the whole fee.",
            hours,
        )
    else:
        sentence = ngettext(
            "Free to cancel until %(hours)d hour before. Later, %(percent)d%% of the fee.",
            "Free to cancel until %(hours)d hours before. Later, %(percent)d%% of the fee.",
            hours,
        )
    return sentence % {"hours": hours, "percent": percent}


def _missed(policy: BookingPolicy, *, is_free: bool) -> str:
    if is_free or not policy.no_show_percent:
        return ""
    if policy.no_show_percent == 100:
        return _("A missed visit costs the whole fee.")
    return _("A missed visit costs %(percent)d%% of the fee.") % {"percent": policy.no_show_percent}


def require_two_factor(*, hospital: Hospital, is_required: bool, is_two_factor: bool, by: User) -> None:
    """Ask all staff for a second factor, or no longer. It holds from the next page on, for whoever is signed in, too.

    Raises NotAllowedNow for somebody who would shut themselves out: they must have signed in with one (`is_two_factor`).
    """
    if is_required and not is_two_factor:
        raise NotAllowedNow(
            _("Set two-factor up for your own account first, and sign in with it. Then you can ask it of everybody."),
            field="requires_two_factor",
        )
    _change_hospital(hospital, by, {"requires_two_factor": is_required})


def _change_hospital(hospital: Hospital, by: User, new: dict[str, Any]) -> None:
    changes = audit.changes(hospital, new)
    if not changes:
        return
    with transaction.atomic():
        Hospital.objects.filter(pk=hospital.pk).update(**new)
        hospital.refresh_from_db()
        changes.pop("logo_thumb", None)
        audit.record(action=Action.SETTINGS_CHANGED, target=hospital, by=by, data=changes)
        directory.publish(hospital=hospital, departments=shown_to_patients)
        publishing.republish(hospital=hospital)
        hosts.changed(hospital)
