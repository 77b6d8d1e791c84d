"""What the API takes and gives about doctors as patients see them. Serializers never save; services do."""

from typing import Any

from django.urls import reverse
from django.utils.timezone import localtime
from rest_framework import serializers

from accounts.permissions import Permission, may
from core.languages import Language
from core.rest import hospital
from core.visits import VisitKind
from hospitals.models import BookingPolicy
from hospitals.services import settings
from hospitals.services.doctors.cards import Card


def _fee(kind: VisitKind) -> serializers.DecimalField:
    return serializers.DecimalField(10, 2, allow_null=True, source=f"doctor.fee_{kind}")


class DoctorOut(serializers.Serializer[Card]):
    """A verified doctor whom patients can book. A fee of null means that this kind of visit is not offered.

    `consultation_fee` is the lowest fee that can be asked, in rupees; `next_free_at` when the doctor is free next.
    """

    id = serializers.UUIDField(source="doctor.code")
    name = serializers.CharField(source="doctor.name")
    specialization = serializers.CharField(source="doctor.specialization")
    qualifications = serializers.CharField(source="doctor.qualifications")
    experience_years = serializers.IntegerField(source="doctor.experience_years", allow_null=True)
    department = serializers.SerializerMethodField()
    department_id = serializers.SerializerMethodField()
    bio = serializers.CharField(source="doctor.bio")
    languages = serializers.ListField(child=serializers.ChoiceField(Language.choices), source="doctor.languages")
    fee_in_person = _fee(VisitKind.IN_PERSON)
    fee_video = _fee(VisitKind.VIDEO)
    fee_chat = _fee(VisitKind.CHAT)
    consultation_fee = serializers.DecimalField(10, 2, allow_null=True, source="fee")
    consultation_types = serializers.ListField(child=serializers.ChoiceField(VisitKind.choices), source="doctor.kinds")
    photo = serializers.SerializerMethodField()
    is_verified = serializers.BooleanField(source="doctor.is_verified")
    hospital_id = serializers.SerializerMethodField()
    next_free_at = serializers.DateTimeField(allow_null=True)

    def get_department(self, card: Card) -> str:
        """The name of the department, "" without one that patients see."""
        department = card.doctor.department
        return department.name if department and department.is_active else ""

    def get_department_id(self, card: Card) -> str | None:
        """The department's id."""
        department = card.doctor.department
        return str(department.code) if department and department.is_active else None

    def get_photo(self, card: Card) -> str | None:
        """The address of the photo on this host."""
        if not card.doctor.photo:
            return None
        path = reverse("doctor_photo", args=[card.doctor.code, card.doctor.photo_name])
        return str(self.context["request"].build_absolute_uri(path))

    def get_hospital_id(self, card: Card) -> str:
        """The hospital's id."""
        return str(hospital(self.context["request"]).code)


class FreeTimeOut(serializers.Serializer[Any]):
    """A time that can be booked, and for which kinds of visit."""

    starts_at = serializers.DateTimeField()
    kinds = serializers.ListField(child=serializers.ChoiceField(VisitKind.choices))


class AvailableDoctor(DoctorOut):
    """A doctor with their free times of one day: the one that was asked for, or else the first that has any."""

    free_times = serializers.SerializerMethodField()

    def get_free_times(self, card: Card) -> list[dict[str, Any]]:
        """The times by the hospital's calendar, the earliest first."""
        days = [localtime(time.starts_at).date() for time in card.times]
        wanted = self.context["day"] or (days[0] if days else None)
        found = [time for time, day in zip(card.times, days, strict=True) if day == wanted]
        shapes = [{"starts_at": time.starts_at, "kinds": sorted(time.kinds)} for time in found]
        return list(FreeTimeOut(shapes, many=True).data)


class ProfileOut(DoctorOut):
    """The same for who writes it: also of a doctor whom patients do not find, with the reasons and what may be done."""

    licence_number = serializers.CharField(source="doctor.licence_number")
    is_available = serializers.BooleanField(source="doctor.is_available")
    is_found = serializers.SerializerMethodField()
    obstacles = serializers.SerializerMethodField()
    may = serializers.SerializerMethodField()

    def get_is_found(self, card: Card) -> bool:
        """Whether patients find the doctor."""
        return bool(self.context["standing"].is_found)

    def get_obstacles(self, card: Card) -> list[str]:
        """Why patients cannot book now, each a sentence."""
        return list(self.context["standing"].obstacles)

    def get_may(self, card: Card) -> list[str]:
        """`change`: the profile; `correct`: what the hospital has checked."""
        request = self.context["request"]
        edit = Permission.DOCTOR_PROFILE_EDIT
        is_own = card.doctor.user_id == request.user.pk
        return may(request, request.user, change=Permission.OWN_DAY if is_own else edit, correct=edit)


class ProfileIn(serializers.Serializer[Any]):
    """What a doctor says to patients. A fee left out is not offered; `photo` is sent as multipart/form-data."""

    bio = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    languages = serializers.ListField(child=serializers.ChoiceField(Language.choices), required=False)
    fee_in_person = serializers.DecimalField(10, 2, required=False, allow_null=True)
    fee_video = serializers.DecimalField(10, 2, required=False, allow_null=True)
    fee_chat = serializers.DecimalField(10, 2, required=False, allow_null=True)
    is_available = serializers.BooleanField(required=False, default=True)
    photo = serializers.ImageField(required=False)
    without_photo = serializers.BooleanField(required=False)


class CheckedProfileIn(ProfileIn):
    """The same with what the hospital has checked."""

    specialization = serializers.CharField(max_length=120)
    qualifications = serializers.CharField(max_length=300)
    experience_years = serializers.IntegerField(min_value=0, max_value=80)


class BookingRules(serializers.ModelSerializer[BookingPolicy]):
    """The rules of booking, and `sentences`, how patients read them before they book."""

    sentences = serializers.SerializerMethodField()

    class Meta:
        model = BookingPolicy
        fields = [
            "confirmation",
            "free_cancellation_hours",
            "late_cancellation_percent",
            "no_show_percent",
            "no_show_limit",
            "check_in_minutes",
            "sentences",
        ]

    def get_sentences(self, policy: BookingPolicy) -> list[str]:
        """In the language of the request."""
        return settings.policy_sentences(policy)
