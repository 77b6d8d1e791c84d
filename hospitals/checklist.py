"""What a new hospital has still to set up, read from what is true and never from boxes that somebody ticked."""

from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.models import Action, AuditLog
from directory.models import DoctorListing
from hospitals.models import Department, Doctor, Settings, Staff
from tenants.models import DEFAULT_ACCENT, Domain, Hospital

# What the room of money, which stands above this one, calls the hospital's rules and keys.
_MONEY = ["billing.billingrules", "billing.gatewayaccount"]
_BOOKING = "hospitals.bookingpolicy"
_CONTACT_FIELDS = ["email", "phone_number", "address", "city", "state", "time_zone"]


@dataclass(frozen=True)
class Step:
    """One thing to set up. `state` stands in the place of Completed or To do."""

    title: str
    text: str
    url: str
    done: bool
    state: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Facts:
    """What the checklist is computed from."""

    has_logo: bool
    has_colour: bool
    has_checked_contact: bool
    has_welcome: bool
    departments: int
    staff: int
    domains: int
    claims: int
    requires_two_factor: bool
    has_booking_rules: bool
    has_billing_rules: bool
    doctors: int
    free_doctors: int


def facts(hospital: Hospital) -> Facts:
    """How far the hospital is."""
    contact = Q(action=Action.CONTACT_CHECKED) | Q(action=Action.SETTINGS_CHANGED, data__has_any_keys=_CONTACT_FIELDS)
    rules = AuditLog.objects.filter(entity__in=[_BOOKING, *_MONEY])
    looked_at = set(rules.order_by().values_list("entity", flat=True).distinct())
    return Facts(
        has_logo=bool(hospital.logo),
        has_colour=hospital.accent != DEFAULT_ACCENT,
        has_checked_contact=AuditLog.objects.about(hospital).filter(contact).exists(),
        has_welcome=Settings.objects.exclude(welcome="").exists(),
        departments=Department.objects.active().count(),
        staff=Staff.objects.filter(is_active=True).count(),
        domains=Domain.objects.filter(tenant=hospital, is_primary=False).count(),
        claims=hospital.domain_claims.count(),
        requires_two_factor=hospital.requires_two_factor,
        has_booking_rules=_BOOKING in looked_at,
        has_billing_rules=not looked_at.isdisjoint(_MONEY),
        doctors=Doctor.objects.verified().count(),
        free_doctors=DoctorListing.objects.published().filter(hospital=hospital, next_free_at__isnull=False).count(),
    )


def steps(known: Facts, *, with_money: bool) -> list[Step]:
    """The start page's checklist; payments stand on it for who decides about money."""
    brand, contact = reverse("settings_brand"), reverse("settings_contact")
    payments = Step(
        _("Set up payments"),
        _("Your name and GSTIN on bills, and how patients pay online."),
        reverse("settings_billing"),
        known.has_billing_rules,
    )
    return [
        Step(
            _("Add your logo"), _("It stands on every page, and beside your name on the portal."), brand, known.has_logo
        ),
        Step(
            _("Choose your colour"), _("Buttons and links take it on, in light and in dark."), brand, known.has_colour
        ),
        Step(
            _("Check your contact details"),
            _("They come from your registration. Patients see them on every page."),
            contact,
            known.has_checked_contact,
        ),
        Step(
            _("Welcome your patients"),
            _("A few words and your opening hours for the home page."),
            reverse("settings_welcome"),
            known.has_welcome,
        ),
        Step(
            _("Add your departments"),
            _("Patients find you by them, here and on the portal."),
            reverse("department_admin" if known.departments else "department_add"),
            bool(known.departments),
        ),
        Step(
            _("Invite your colleagues"),
            _("Each signs in as themselves, and their role decides what they see."),
            reverse("staff_admin" if known.staff > 1 else "staff_invite"),
            known.staff > 1,
        ),
        Step(
            _("Set your booking rules"),
            _("When a visit is confirmed, and what cancelling late or not coming costs."),
            reverse("settings_booking"),
            known.has_booking_rules,
        ),
        *([payments] if with_money else []),
        Step(
            _("Give your doctors fees and hours"),
            _("Then patients find them and book their free times."),
            reverse("doctor_profiles"),
            bool(known.free_doctors),
            state=_free_doctors(known),
        ),
        Step(
            _("Use a domain of your own"),
            _("Your site also answers on an address like www.yourhospital.in."),
            reverse("settings_domains"),
            bool(known.domains),
            state="" if known.domains else _("Optional"),
            optional=True,
        ),
    ]


def sections(known: Facts, *, with_money: bool) -> list[Step]:
    """The settings, each with how far it is; billing for who decides about money."""
    billing = Step(
        _("Billing"),
        _("What stands on bills, taxes, promo codes, and keys for online payments."),
        reverse("settings_billing"),
        known.has_billing_rules,
        state="" if known.has_billing_rules else _("To check"),
    )
    return [
        Step(
            _("Brand"),
            _("Name, logo and colour."),
            reverse("settings_brand"),
            known.has_logo and known.has_colour,
            state="" if known.has_logo else _("No logo yet"),
        ),
        Step(
            _("Contact"),
            _("How patients reach you, your address and your time zone."),
            reverse("settings_contact"),
            known.has_checked_contact,
            state="" if known.has_checked_contact else _("To check"),
        ),
        Step(
            _("Home page"),
            _("Welcome text, opening hours and the emergency number."),
            reverse("settings_welcome"),
            known.has_welcome,
            state="" if known.has_welcome else _("No welcome text yet"),
        ),
        Step(
            _("Booking"),
            _("When a visit is confirmed, and what cancelling late or not coming costs."),
            reverse("settings_booking"),
            known.has_booking_rules,
            state="" if known.has_booking_rules else _("To check"),
        ),
        *([billing] if with_money else []),
        Step(
            _("Own domains"),
            _("Addresses of your own that lead to this site."),
            reverse("settings_domains"),
            bool(known.domains) and not known.claims,
            state=_domains(known),
        ),
        Step(
            _("Sign-in"),
            _("Whether your staff must use two-factor."),
            reverse("settings_sign_in"),
            known.requires_two_factor,
            state="" if known.requires_two_factor else _("Optional"),
        ),
    ]


def _free_doctors(known: Facts) -> str:
    if not known.doctors:
        return ""
    return ngettext(
        "%(free)d of %(n)d doctor has free times", "%(free)d of %(n)d doctors have free times", known.doctors
    ) % {"free": known.free_doctors, "n": known.doctors}


def _domains(known: Facts) -> str:
    if known.claims:
        return ngettext("%(n)d to verify", "%(n)d to verify", known.claims) % {"n": known.claims}
    if known.domains:
        return ngettext("%(n)d domain", "%(n)d domains", known.domains) % {"n": known.domains}
    return _("Optional")
