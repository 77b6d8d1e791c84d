"""What the API takes and gives about hospitals. Serializers never save; services do."""

from typing import Any

from django.utils.translation import gettext as _
from phonenumber_field.serializerfields import PhoneNumberField
from rest_framework import serializers

from accounts.permissions import STAFF_ROLES, Permission, may
from audit.models import AuditLog
from core.errors import DomainError
from core.hosts import hospital_url
from core.pictures import Picture, judge
from directory.models import DepartmentListing, HospitalListing
from hospitals.models import Department, Settings, Staff
from hospitals.services import joining, staff
from notifications.models import Notification
from tenants import provisioning
from tenants.models import ACCENT, Hospital
from tenants.states import State


class PictureField(serializers.FileField):
    """A picture of at most 5 MB; its content decides what it is."""

    def to_internal_value(self, data: Any) -> Picture:  # type: ignore[override]
        """Judge and re-encode it."""
        try:
            return judge(super().to_internal_value(data))
        except DomainError as error:
            raise serializers.ValidationError(str(error)) from None


class ListedDepartment(serializers.ModelSerializer[DepartmentListing]):
    """A department of an open hospital."""

    id = serializers.UUIDField(source="code")

    class Meta:
        model = DepartmentListing
        fields = ["id", "name", "slug"]


class ListedHospital(serializers.ModelSerializer[HospitalListing]):
    """An open hospital as everybody sees it."""

    id = serializers.UUIDField(source="hospital.code")
    name = serializers.CharField(source="hospital.name")
    address = serializers.CharField(source="hospital.address")
    city = serializers.CharField(source="hospital.city")
    state = serializers.CharField(source="hospital.get_state_display")
    phone_number = serializers.CharField(source="hospital.phone_number")
    logo = serializers.SerializerMethodField()
    site = serializers.SerializerMethodField()
    departments = ListedDepartment(many=True)

    class Meta:
        model = HospitalListing
        fields = ["id", "name", "address", "city", "state", "phone_number", "logo", "site", "departments"]

    def get_logo(self, listing: HospitalListing) -> str | None:
        """The address of its logo on this host."""
        url = listing.hospital.logo_url
        return self.context["request"].build_absolute_uri(url) if url else None

    def get_site(self, listing: HospitalListing) -> str:
        """The address of the hospital's own site."""
        return hospital_url(listing.hospital.slug, "home")


class Registration(serializers.Serializer[Any]):
    """A hospital that wants to join. Without a `subdomain` one is made from the name."""

    name = serializers.CharField(max_length=160)
    registration_number = serializers.CharField(max_length=60)
    email = serializers.EmailField()
    phone_number = PhoneNumberField(region="IN")
    address = serializers.CharField(max_length=400)
    city = serializers.CharField(max_length=80)
    state = serializers.ChoiceField(choices=State.choices)
    contact_person = serializers.CharField(max_length=120)
    subdomain = serializers.RegexField(r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=40, required=False)
    logo = PictureField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Say which unique value is taken, or make the subdomain."""
        if joining.is_number_taken(number=attrs["registration_number"], state=attrs["state"]):
            raise serializers.ValidationError({"registration_number": joining.number_taken()})
        slug = attrs.pop("subdomain", "") or joining.suggest_slug(attrs["name"])
        if not slug:
            raise serializers.ValidationError({"subdomain": _("Choose a subdomain: none can be made from the name.")})
        if not joining.is_slug_free(slug):
            raise serializers.ValidationError({"subdomain": joining.slug_taken()})
        return {**attrs, "slug": slug, "phone_number": str(attrs["phone_number"])}


class Registered(serializers.ModelSerializer[Hospital]):
    """A hospital in the queue, as its superadmin and the one who registered it see it, and what the caller may do.

    `pause` says why it is out of service for a moment, `pause_note` what went wrong. `is_up_to_date`: its tables are as
    this release wants them; null before it is opened and after it was closed. `deletion_archive` is the SHA-256 of the
    archive that was made before its deletion.
    """

    id = serializers.UUIDField(source="code")
    may = serializers.SerializerMethodField()
    subdomain = serializers.CharField(source="slug")
    host = serializers.CharField()
    is_up_to_date = serializers.SerializerMethodField()

    class Meta:
        model = Hospital
        fields = [
            "id",
            "reference",
            "name",
            "registration_number",
            "email",
            "email_confirmed_at",
            "phone_number",
            "address",
            "city",
            "state",
            "contact_person",
            "subdomain",
            "host",
            "status",
            "created_at",
            "cell",
            "is_up_to_date",
            "pause",
            "paused_at",
            "pause_note",
            "deletion_due_at",
            "deletion_archive",
            "may",
        ]

    def get_is_up_to_date(self, hospital: Hospital) -> bool | None:
        """Whether a migration is still to be run in its schema."""
        if hospital.status not in (Hospital.Status.APPROVED, Hospital.Status.SUSPENDED):
            return None
        return hospital.schema_version == provisioning.version()

    def get_may(self, hospital: Hospital) -> list[str]:
        """`approve`, `reject`, `suspend`, `resume` or `call_off_deletion`: the steps that are possible now."""
        request = self.context["request"]
        resume = () if hospital.pause else ("resume",)
        call_off = ("call_off_deletion",) if hospital.deletion_due_at else ()
        steps = {"pending": ("approve", "reject"), "approved": ("suspend",), "suspended": (*resume, *call_off)}
        return may(request, request.user, **dict.fromkeys(steps.get(hospital.status, ()), Permission.HOSPITAL_REVIEW))


class Reason(serializers.Serializer[Any]):
    """Why. The hospital reads it."""

    reason = serializers.CharField(min_length=3, max_length=1000)


class AuditRow(serializers.ModelSerializer[AuditLog]):
    """One thing that somebody did."""

    id = serializers.UUIDField(source="code")
    user = serializers.SerializerMethodField()
    supporter = serializers.SerializerMethodField()
    actor = serializers.CharField()

    class Meta:
        model = AuditLog
        fields = [
            "id",
            "timestamp",
            "user",
            "supporter",
            "actor",
            "action",
            "entity",
            "entity_id",
            "thing",
            "old",
            "new",
            "reason",
        ]

    def get_user(self, row: AuditLog) -> str | None:
        """The person's id; none for visitors and for the platform itself."""
        return str(row.user.code) if row.user else None

    def get_supporter(self, row: AuditLog) -> str | None:
        """The id of the superadmin who acted as support in that person's name; usually none did."""
        return str(row.supporter.code) if row.supporter else None


class DepartmentOut(serializers.ModelSerializer[Department]):
    """A department of this hospital, and what the caller may do with it."""

    id = serializers.UUIDField(source="code")
    may = serializers.SerializerMethodField()

    class Meta:
        model = Department
        fields = ["id", "name", "slug", "description", "is_active", "may"]

    def get_may(self, department: Department) -> list[str]:
        """`change`, `delete`, and `hide` or `show`."""
        turn = "hide" if department.is_active else "show"
        edit = Permission.DEPARTMENT_EDIT
        request = self.context["request"]
        return may(request, request.user, **{"change": edit, "delete": edit, turn: edit})


class DepartmentIn(serializers.Serializer[Any]):
    """A department to add or change."""

    name = serializers.CharField(max_length=120)
    description = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    image = PictureField(required=False, default=None)


class Activity(serializers.Serializer[Any]):
    """Whether patients see the department."""

    is_active = serializers.BooleanField()


class BrandOut(serializers.ModelSerializer[Hospital]):
    """A hospital's name, colour and contact, as its admin changes them."""

    id = serializers.UUIDField(source="code")

    class Meta:
        model = Hospital
        fields = ["id", "name", "accent", "email", "phone_number", "address", "city", "state", "time_zone"]


class BrandIn(serializers.Serializer[Any]):
    """Name, accent colour (any hex value) and, if it changes, the logo."""

    name = serializers.CharField(max_length=160)
    accent = serializers.RegexField(ACCENT)
    logo = PictureField(required=False, default=None)


class Contact(serializers.ModelSerializer[Hospital]):
    """How patients reach the hospital, and the zone its times are shown in."""

    class Meta:
        model = Hospital
        fields = ["email", "phone_number", "address", "city", "state", "time_zone"]


class Welcome(serializers.ModelSerializer[Settings]):
    """What the public home page says."""

    class Meta:
        model = Settings
        fields = ["welcome", "opening_hours", "emergency_phone"]


class SignInSettings(serializers.Serializer[Any]):
    """What is asked of staff when they sign in."""

    requires_two_factor = serializers.BooleanField()
    may = serializers.ListField(child=serializers.CharField(), read_only=True)


class OwnDomain(serializers.Serializer[Any]):
    """A host the hospital answers on, or one it has still to prove by this TXT record."""

    domain = serializers.CharField()
    is_serving = serializers.BooleanField(read_only=True)
    record_name = serializers.CharField(read_only=True)
    record_value = serializers.CharField(read_only=True)


class Message(serializers.ModelSerializer[Notification]):
    """A message of the platform and how its delivery goes; never its text, which may hold a one-time link."""

    id = serializers.UUIDField(source="code")

    class Meta:
        model = Notification
        fields = [
            "id",
            "channel",
            "to_name",
            "to_address",
            "template",
            "subject",
            "state",
            "attempts",
            "next_attempt_at",
            "last_error",
            "created_at",
            "sent_at",
        ]


class StaffIn(serializers.Serializer[Any]):
    """Who is to become a colleague; not as a `doctor`: doctors are invited with their licence number."""

    name = serializers.CharField(max_length=120)
    email = serializers.EmailField()
    role = serializers.ChoiceField(choices=[(role.value, role.label) for role in STAFF_ROLES])


class StaffRole(serializers.Serializer[Any]):
    """What somebody is from now on; `doctor` only for somebody whose documents the hospital has checked."""

    role = serializers.ChoiceField(choices=[(role.value, role.label) for role in STAFF_ROLES])


class Deactivation(serializers.Serializer[Any]):
    """Why, for the hospital's log."""

    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)


class StaffOut(serializers.ModelSerializer[Staff]):
    """Somebody who works here or is invited, and what the caller may do with them now.

    `may` holds some of `change_role`, `deactivate`, `activate`, `resend_invitation` and `take_back`; nothing for the only
    admin. Asks for `only_admin` in the context.
    """

    id = serializers.UUIDField(source="code")
    name = serializers.CharField()
    email = serializers.EmailField(source="user.email")
    state = serializers.ChoiceField(choices=["active", "invited", "deactivated", "taken_back"])
    invited_at = serializers.DateTimeField(source="created_at")
    two_factor = serializers.SerializerMethodField()
    may = serializers.SerializerMethodField()

    class Meta:
        model = Staff
        fields = ["id", "name", "email", "role", "state", "invited_at", "joined_at", "two_factor", "may"]

    def get_two_factor(self, row: Staff) -> bool:
        """Whether they prove who they are twice; of somebody who has not come in it is not told."""
        return row.joined_at is not None and bool(row.has_two_factor)  # type: ignore[attr-defined]  # with_two_factor

    def get_may(self, row: Staff) -> list[str]:
        """The steps its state permits."""
        request = self.context["request"]
        steps = staff.possible(staff=row, only_admin=self.context["only_admin"])
        return may(request, request.user, **dict.fromkeys(steps, Permission.STAFF_EDIT))
