"""What the API takes and gives about doctors. Serializers never save; services do."""

from typing import Any

from django.urls import reverse
from phonenumber_field.serializerfields import PhoneNumberField
from rest_framework import serializers

from accounts.permissions import Permission, may
from hospitals.models import Department, Doctor, DoctorDocument
from hospitals.services.doctors import applying, importing, reviewing


class InDepartment(serializers.Serializer[Any]):
    """A department, by its id."""

    department = serializers.UUIDField()


class Answer(serializers.Serializer[Any]):
    """What is missing. The doctor reads it."""

    answer = serializers.CharField(min_length=3, max_length=1000)


class WhyNot(serializers.Serializer[Any]):
    """Why an application is not accepted. The doctor reads it."""

    reason = serializers.CharField(min_length=3, max_length=1000)


class DetailsIn(serializers.Serializer[Any]):
    """A doctor's profession; `department` is a wish."""

    specialization = serializers.CharField(max_length=120, required=False, allow_blank=True)
    qualifications = serializers.CharField(max_length=300, required=False, allow_blank=True)
    licence_number = serializers.CharField(max_length=60, required=False, allow_blank=True)
    experience_years = serializers.IntegerField(min_value=0, max_value=80, required=False, allow_null=True)
    department = serializers.UUIDField(required=False, allow_null=True)


class InvitedIn(serializers.Serializer[Any]):
    """A doctor whom the hospital knows."""

    email = serializers.EmailField()
    name = serializers.CharField(max_length=120)
    phone = PhoneNumberField(region="IN", required=False)
    specialization = serializers.CharField(max_length=120)
    qualifications = serializers.CharField(max_length=300)
    licence_number = serializers.CharField(max_length=60)
    experience_years = serializers.IntegerField(min_value=0, max_value=80)
    department = serializers.UUIDField()


class DocumentIn(serializers.Serializer[Any]):
    """A certificate to add."""

    kind = serializers.ChoiceField(choices=DoctorDocument.Kind.choices)
    document = serializers.FileField()


class DocumentOut(serializers.ModelSerializer[DoctorDocument]):
    """A certificate; `url` answers with its content."""

    id = serializers.UUIDField(source="code")
    url = serializers.SerializerMethodField()

    class Meta:
        model = DoctorDocument
        fields = ["id", "kind", "name", "content_type", "size", "created_at", "url"]

    def get_url(self, document: DoctorDocument) -> str:
        """The address of its content on this host."""
        path = reverse("api_doctor_document", args=[document.code])
        return str(self.context["request"].build_absolute_uri(path))


class DepartmentName(serializers.ModelSerializer[Department]):
    """A department by id and name."""

    id = serializers.UUIDField(source="code")

    class Meta:
        model = Department
        fields = ["id", "name"]


class Application(serializers.ModelSerializer[Doctor]):
    """A doctor from the application on, and what the caller may do with it."""

    id = serializers.UUIDField(source="code")
    name = serializers.CharField()
    email = serializers.EmailField(source="user.email")
    phone = serializers.SerializerMethodField()
    department = DepartmentName(allow_null=True)
    is_verified = serializers.BooleanField()
    documents = DocumentOut(many=True)
    may = serializers.SerializerMethodField()

    class Meta:
        model = Doctor
        fields = [
            "id",
            "name",
            "email",
            "phone",
            "specialization",
            "qualifications",
            "licence_number",
            "experience_years",
            "department",
            "status",
            "is_verified",
            "answer",
            "sent_at",
            "verified_at",
            "documents",
            "may",
        ]

    def get_phone(self, doctor: Doctor) -> str:
        """Of a doctor who was invited, only once they have come in."""
        return "" if doctor.invited_as else str(doctor.user.phone)

    def get_may(self, doctor: Doctor) -> list[str]:
        """`approve`, `ask`, `reject`, `change_department`; for its doctor `change`, `add_document`, `send` and more."""
        request = self.context["request"]
        review, own = Permission.DOCTOR_REVIEW, Permission.OWN_ACCOUNT
        steps: dict[str, Permission] = {}
        if doctor.status in reviewing.DECIDABLE:
            steps |= {"approve": review, "reject": review}
        if doctor.status == Doctor.Status.PENDING:
            steps["ask"] = review
        if doctor.is_verified:
            steps["change_department"] = review
        if doctor.user_id == request.user.pk:
            if doctor.status in applying.OPEN:
                steps["add_document"] = own
            if doctor.status in applying.EDITABLE:
                steps |= {"change": own, "remove_document": own, "send": own}
            if doctor.status == Doctor.Status.INCOMPLETE:
                steps["discard"] = own
        return may(request, request.user, **steps)


class ListIn(serializers.Serializer[Any]):
    """The text of a CSV file. With `dry_run`, as by default, nothing happens."""

    csv = serializers.CharField(max_length=importing.MAX_BYTES, trim_whitespace=False)
    dry_run = serializers.BooleanField(default=True)


class ListFault(serializers.Serializer[Any]):
    """What is wrong in one row; the first row under the heading is 2."""

    row = serializers.IntegerField()
    field = serializers.CharField()
    sentence = serializers.CharField()


class ListOut(serializers.Serializer[Any]):
    """How many doctors are in the file without a fault, or were invited."""

    doctors = serializers.IntegerField()
    faults = ListFault(many=True)
    is_done = serializers.BooleanField()
