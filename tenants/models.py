"""Hospitals, and the hosts they answer on (public schema)."""

import re
from typing import ClassVar, Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_tenants.models import DomainMixin, TenantMixin
from phonenumber_field.modelfields import PhoneNumberField

from core.codes import new_code, new_reference
from core.hosts import subdomain
from tenants.states import State

DEFAULT_ACCENT = "#0b6e6e"
ACCENT = re.compile(r"^#[0-9a-f]{6}$")
HOME_CELL = "default"  # the cell of the registry itself, where every hospital begins
SLUG = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"

# Names that are, or might become, hosts of the platform itself, and names that would mislead.
RESERVED_SLUGS = frozenset(
    [
        "about",
        "account",
        "accounts",
        "admin",
        "administrator",
        "api",
        "app",
        "apps",
        "assets",
        "auth",
        "billing",
        "blog",
        "cdn",
        "chat",
        "dashboard",
        "demo",
        "dev",
        "docs",
        "download",
        "email",
        "emergency",
        "files",
        "ftp",
        "git",
        "help",
        "home",
        "hospital",
        "hospitals",
        "imap",
        "images",
        "ip-127-0-0-1",
        "localhost",
        "login",
        "logout",
        "mail",
        "media",
        "mobile",
        "mx",
        "ns",
        "ns1",
        "ns2",
        "pay",
        "payments",
        "pop",
        "portal",
        "postmaster",
        "rhms",
        "root",
        "secure",
        "security",
        "server",
        "shop",
        "signin",
        "signup",
        "smtp",
        "ssl",
        "staff",
        "staging",
        "static",
        "status",
        "superadmin",
        "support",
        "test",
        "video",
        "web",
        "webmail",
        "webmaster",
        "ws",
        "www",
        "www1",
        "www2",
    ]
)


class Hospitals(models.QuerySet["Hospital"]):
    """Finding hospitals."""

    def with_schema(self) -> Self:
        """Hospitals that have been opened: their schema exists, whether they are suspended or not."""
        return self.filter(status__in=[Hospital.Status.APPROVED, Hospital.Status.SUSPENDED])

    def taking_names(self) -> Self:
        """Hospitals whose registration number and subdomain nobody else can have."""
        return self.exclude(status__in=[Hospital.Status.REJECTED, Hospital.Status.CLOSED])

    def open(self) -> Self:
        """Hospitals that work with patients now."""
        return self.filter(status=Hospital.Status.APPROVED)

    def out_of_service(self) -> Self:
        """Hospitals that nobody can enter for a moment."""
        return self.exclude(pause="")

    def matching(self, words: str) -> Self:
        """By name, city, registration number, reference, e-mail address or subdomain."""
        rows = self
        for word in words.split()[:8]:
            rows = rows.filter(
                Q(name__icontains=word)
                | Q(city__icontains=word)
                | Q(registration_number__icontains=word)
                | Q(reference__icontains=word)
                | Q(email__icontains=word)
                | Q(slug__icontains=word)
            )
        return rows


class Hospital(TenantMixin):
    """A hospital, from its registration on. Its departments, staff and patients live in its own schema.

    `registration_number` is the number under which the state registered it. `slug` is its subdomain. `schema_name` is
    opaque and never changes; `schema_version` is the digest of the DDL its schema was made or migrated to, "" before.
    `cell` names the database and the workers it lives with (`tenants.cells`). `deletion_archive` is the SHA-256 of the
    archive that was made before its deletion was planned.
    """

    class Status(models.TextChoices):
        """Where it stands with the platform."""

        PENDING = "pending", _("Pending")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")
        SUSPENDED = "suspended", _("Suspended")
        CLOSED = "closed", _("Closed")  # it has left, and what was in its schema is deleted

    class Pause(models.TextChoices):
        """Why an open hospital is out of service for a moment. Its visitors are told to come back soon."""

        UPGRADE = "upgrade", _("Its upgrade failed")
        MOVE = "move", _("It moves to another database")
        RESTORE = "restore", _("It is being restored")

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        Status.PENDING: {Status.APPROVED, Status.REJECTED},
        Status.APPROVED: {Status.SUSPENDED},
        Status.SUSPENDED: {Status.APPROVED, Status.CLOSED},
        Status.REJECTED: set(),
        Status.CLOSED: {Status.SUSPENDED},  # restored from its archive
    }

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    reference = models.CharField(_("reference"), max_length=12, default=new_reference, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=160)
    registration_number = models.CharField(_("registration number"), max_length=60)
    email = models.EmailField(_("e-mail address"))
    phone_number = PhoneNumberField(_("phone number"))
    address = models.TextField(_("address"), max_length=400)
    city = models.CharField(_("city"), max_length=80)
    state = models.CharField(_("state"), max_length=2, choices=State.choices)
    contact_person = models.CharField(_("contact person"), max_length=120)
    slug = models.CharField(_("subdomain"), max_length=40, validators=[RegexValidator(SLUG)])
    logo = models.CharField(_("logo"), max_length=200, blank=True, help_text=_("Path in the file storage."))
    logo_thumb = models.TextField(_("small logo"), blank=True, default="", help_text=_("A data: address, for lists."))
    accent = models.CharField(_("accent colour"), max_length=7, default=DEFAULT_ACCENT)
    time_zone = models.CharField(_("time zone"), max_length=60, default="Asia/Kolkata")
    requires_two_factor = models.BooleanField(_("two-factor required of staff"), default=False, db_default=False)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.PENDING)
    email_confirmed_at = models.DateTimeField(_("e-mail address confirmed"), null=True, blank=True)
    created_at = models.DateTimeField(_("registered"), default=timezone.now)
    schema_version = models.CharField(_("schema version"), max_length=64, blank=True, editable=False)
    cell = models.CharField(_("cell"), max_length=40, default=HOME_CELL, db_default=HOME_CELL, editable=False)
    pause = models.CharField(
        _("out of service"), max_length=10, choices=Pause.choices, blank=True, default="", db_default=""
    )
    paused_at = models.DateTimeField(_("out of service since"), null=True, blank=True)
    pause_note = models.TextField(_("what went wrong"), blank=True, default="", db_default="")
    deletion_due_at = models.DateTimeField(_("to be deleted on"), null=True, blank=True)
    deletion_archive = models.CharField(_("archive"), max_length=64, blank=True, default="", db_default="")

    # The schema is made by tenants.provisioning inside the approval's transaction, not by saving a row.
    auto_create_schema = False
    auto_drop_schema = False

    objects = Hospitals.as_manager()

    class Meta:
        verbose_name = _("hospital")
        verbose_name_plural = _("hospitals")
        constraints = [
            models.UniqueConstraint(
                fields=["state", "registration_number"],
                condition=~Q(status__in=["rejected", "closed"]),
                name="one_hospital_per_registration_number",
            ),
            models.UniqueConstraint(
                fields=["slug"], condition=~Q(status__in=["rejected", "closed"]), name="one_hospital_per_slug"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "approved", "rejected", "suspended", "closed"]),
                name="hospital_status_known",
            ),
            models.CheckConstraint(
                condition=Q(pause="", paused_at=None) | (~Q(pause="") & Q(paused_at__isnull=False)),
                name="hospital_pause_has_time",
            ),
            models.CheckConstraint(condition=Q(accent__regex=ACCENT.pattern), name="hospital_accent_is_hex"),
            models.CheckConstraint(condition=Q(slug__regex=SLUG), name="hospital_slug_is_a_host_name"),
        ]
        indexes = [models.Index(fields=["status", "-created_at"], name="hospital_by_status")]

    def __str__(self) -> str:
        return self.name

    @property
    def host(self) -> str:
        """Its address under the platform's own domain."""
        return subdomain(self.slug)

    @property
    def logo_url(self) -> str:
        """The address of its logo on any host, "" without one. It changes with the picture: it is cached for ever."""
        return f"/logo/{self.code}/{self.logo.rpartition('-')[2]}" if self.logo else ""


class Domain(DomainMixin):
    """A host that answers for a hospital: its subdomain, or a domain of its own that it has proved to hold."""

    tenant = models.ForeignKey(Hospital, db_index=True, related_name="domains", on_delete=models.CASCADE)
    created_at = models.DateTimeField(_("added"), default=timezone.now)

    class Meta:
        verbose_name = _("domain")
        verbose_name_plural = _("domains")

    def __str__(self) -> str:
        return self.domain


class DomainClaim(models.Model):
    """A domain that a hospital says is its own, until the DNS says so too.

    Claims are apart from domains so that nobody can keep a hospital off its own name by claiming it first.
    """

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    hospital = models.ForeignKey(Hospital, on_delete=models.CASCADE, related_name="domain_claims")
    domain = models.CharField(_("domain"), max_length=253)
    token = models.CharField(_("TXT value"), max_length=60)
    created_at = models.DateTimeField(_("added"), default=timezone.now)

    class Meta:
        verbose_name = _("domain claim")
        verbose_name_plural = _("domain claims")
        constraints = [models.UniqueConstraint(fields=["hospital", "domain"], name="one_claim_per_domain")]

    def __str__(self) -> str:
        return self.domain

    @property
    def record_name(self) -> str:
        """The DNS name whose TXT record must hold the token."""
        return f"_rhms-verify.{self.domain}"

    @property
    def record_value(self) -> str:
        """What the TXT record must say."""
        return f"rhms-verify={self.token}"
