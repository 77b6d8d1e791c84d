"""What the API takes and gives about patients. Serializers never save; services do."""

from typing import Any

from rest_framework import serializers

from accounts.models import Sex
from accounts.permissions import Permission, granted, may
from patients.models import BloodGroup, Patient
from patients.services.merging import CHOSEN

# As the API names them, and as the register does; the register's names are understood, too.
ALIASES = {
    "date_of_birth": "birth_date",
    "phone_number": "phone",
    "emergency_contact": "emergency_contact_name",
    "medical_history": "conditions",
}
_CHOSEN = [*CHOSEN, *(name for name, ours in ALIASES.items() if ours in CHOSEN)]


def with_our_names(sent: Any) -> dict[str, Any]:
    """What was sent, under the names that forms and services use."""
    return {ALIASES.get(name, name): value for name, value in sent.items()}


class PatientRow(serializers.ModelSerializer[Patient]):
    """An entry of the register. `has_account`: whether this patient books online."""

    id = serializers.UUIDField(source="code")
    date_of_birth = serializers.DateField(source="birth_date")
    phone_number = serializers.CharField(source="phone")
    has_account = serializers.SerializerMethodField()
    may = serializers.SerializerMethodField()

    class Meta:
        model = Patient
        fields = [
            "id",
            "number",
            "name",
            "date_of_birth",
            "is_birth_date_estimated",
            "sex",
            "phone_number",
            "email",
            "is_blocked",
            "has_account",
            "may",
        ]

    def get_has_account(self, patient: Patient) -> bool:
        """Whether it is linked to one."""
        return patient.user_id is not None

    def get_may(self, patient: Patient) -> list[str]:
        """What the caller can do with the entry."""
        block = "unblock" if patient.is_blocked else "block"
        steps = {"merge": Permission.PATIENT_MERGE, block: Permission.PATIENT_MERGE}
        request = self.context["request"]
        known = {"change": Permission.PATIENT_EDIT, "change_clinical": Permission.PATIENT_CLINICAL}
        return may(request, request.user, **known, **steps)


class PatientOut(PatientRow):
    """All that is known of a patient; `clinical` is null for who may not read it.

    In it, null is "not asked yet" and an empty list "none known".
    """

    emergency_contact = serializers.CharField(source="emergency_contact_name")
    emergency_contact_phone = serializers.CharField()
    clinical = serializers.SerializerMethodField()

    class Meta(PatientRow.Meta):
        fields = [
            *PatientRow.Meta.fields[:-1],
            "address",
            "emergency_contact",
            "emergency_contact_phone",
            "created_at",
            "updated_at",
            "clinical",
            "may",
        ]

    def get_clinical(self, patient: Patient) -> "dict[str, Any] | None":
        """Blood group, allergies and conditions."""
        request = self.context["request"]
        if not granted(request, request.user, Permission.PATIENT_CLINICAL):
            return None
        return dict(ClinicalFacts(patient).data)


class ClinicalFacts(serializers.ModelSerializer[Patient]):
    """What must be known before a visit. Null is "not asked yet", an empty list "none known"."""

    blood_group = serializers.ChoiceField(choices=BloodGroup.choices, allow_blank=True)
    medical_history = serializers.ListField(child=serializers.CharField(), source="conditions", allow_null=True)

    class Meta:
        model = Patient
        fields = ["blood_group", "allergies", "medical_history"]


class OwnPatient(serializers.ModelSerializer[Patient]):
    """What this hospital knows of oneself, or of a member of one's family (`family_member`).

    In `allergies` and `medical_history`, null is "not asked yet" and an empty list "none known".
    """

    id = serializers.UUIDField(source="code")
    date_of_birth = serializers.DateField(source="birth_date")
    phone_number = serializers.CharField(source="phone")
    emergency_contact = serializers.CharField(source="emergency_contact_name")
    emergency_contact_phone = serializers.CharField()
    medical_history = serializers.ListField(child=serializers.CharField(), source="conditions", allow_null=True)

    class Meta:
        model = Patient
        fields = [
            "id",
            "number",
            "family_member",
            "name",
            "date_of_birth",
            "sex",
            "phone_number",
            "email",
            "address",
            "emergency_contact",
            "emergency_contact_phone",
            "blood_group",
            "allergies",
            "medical_history",
        ]


class OwnRegister(OwnPatient):
    """What this hospital knows of oneself, and of each member of one's family who is a patient here."""

    family = OwnPatient(many=True)

    class Meta(OwnPatient.Meta):
        fields = [*OwnPatient.Meta.fields, "family"]


class _Contact(serializers.Serializer[None]):
    name = serializers.CharField(max_length=150)
    date_of_birth = serializers.DateField(required=False)
    sex = serializers.ChoiceField(choices=Sex.choices, required=False)
    phone_number = serializers.CharField(required=False)
    email = serializers.EmailField(required=False)
    address = serializers.CharField(required=False, max_length=400)
    emergency_contact = serializers.CharField(required=False, max_length=150)
    emergency_contact_phone = serializers.CharField(required=False)


class OwnPatientIn(_Contact):
    """What one says of oneself; what is left out stays."""

    blood_group = serializers.ChoiceField(choices=BloodGroup.choices, required=False, allow_blank=True)
    allergies = serializers.ListField(child=serializers.CharField(), required=False, allow_null=True)
    medical_history = serializers.ListField(child=serializers.CharField(), required=False, allow_null=True)


class PatientIn(_Contact):
    """Who a patient is; `age` in years instead of a date of birth that nobody knows."""

    age = serializers.IntegerField(required=False, min_value=0, max_value=130)


class NewPatient(PatientIn):
    """Somebody to be registered. `is_new` says that it is nobody of the candidates an earlier answer named."""

    is_new = serializers.BooleanField(required=False, default=False)


class Candidate(serializers.Serializer[Any]):
    """A patient who may be the one to be registered."""

    id = serializers.UUIDField()
    number = serializers.CharField()
    name = serializers.CharField()
    date_of_birth = serializers.DateField(allow_null=True)
    sex = serializers.CharField()
    phone_number = serializers.CharField()


class Doubles(serializers.Serializer[Any]):
    """Why nobody was registered: these patients may be the same person."""

    detail = serializers.CharField()
    candidates = Candidate(many=True)


class Into(serializers.Serializer[None]):
    """The entry that stays, and the fields in which the one that goes is right."""

    into = serializers.UUIDField()
    take = serializers.ListField(child=serializers.ChoiceField(choices=_CHOSEN), required=False, default=list)

    def validate_take(self, names: list[str]) -> list[str]:
        """Under the names that services use."""
        return [ALIASES.get(name, name) for name in names]


class Reason(serializers.Serializer[None]):
    """Why."""

    reason = serializers.CharField(min_length=3, max_length=500)
