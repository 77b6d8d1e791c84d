"""/api/auth/register/ on every host: how people open an account through the API."""

from typing import Any

from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from phonenumber_field.serializerfields import PhoneNumberField
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Permission, Requires
from accounts.serializers import Problem
from core.errors import Invalid
from hospitals.services import newcomers
from hospitals.services.doctors.details import Details
from hospitals.services.newcomers import Newcomer

_OF_DOCTORS = ("specialization", "qualifications", "licence_number", "experience_years")


class NewPerson(serializers.Serializer[Any]):
    """Somebody who opens an account. Roles other than patient and doctor are given by a hospital, by invitation."""

    email = serializers.EmailField(max_length=254)
    username = serializers.RegexField(r"^[\w.+-]+$", max_length=150, required=False, allow_blank=True, default="")
    first_name = serializers.CharField(max_length=150)
    last_name = serializers.CharField(max_length=150, allow_blank=True, default="")
    password = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)
    password2 = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)
    role = serializers.CharField(max_length=30, default=newcomers.PATIENT)
    phone = PhoneNumberField(region="IN", required=False, allow_blank=True, default="")
    specialization = serializers.CharField(max_length=120, allow_blank=True, default="")
    qualifications = serializers.CharField(max_length=300, allow_blank=True, default="")
    licence_number = serializers.CharField(max_length=60, allow_blank=True, default="")
    experience_years = serializers.IntegerField(min_value=0, max_value=80, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The password is typed twice, the same way."""
        if attrs.pop("password2") != attrs["password"]:
            raise Invalid(_("The two passwords are not the same. Type them again."), field="password2")
        return {**attrs, "phone": str(attrs["phone"])}


class PersonRegistered(serializers.Serializer[Any]):
    """What happens next: the same whether the address had an account or not."""

    email = serializers.EmailField()
    detail = serializers.CharField()


class RegisterPerson(APIView):
    """Opening an account."""

    authentication_classes = []
    permission_classes = [Requires(Permission.PUBLIC)]

    @extend_schema(
        request=NewPerson, responses={201: PersonRegistered, 400: Problem, 409: Problem, 422: Problem, 429: Problem}
    )
    def post(self, request: Request) -> Response:
        """Register as a patient, or on a hospital's host as a doctor; a code goes to the address."""
        form = NewPerson(data=request.data)
        form.is_valid(raise_exception=True)
        given = dict(form.validated_data)
        details = Details(**{name: given.pop(name) for name in _OF_DOCTORS})
        role = given.pop("role")
        newcomers.register(
            request=request._request,
            newcomer=Newcomer(**given),
            role=role,
            details=details,
            sign_in_link=request.build_absolute_uri(reverse("sign_in")),
            now=now(),
        )
        sentence = _("We have sent a code to %(email)s. Confirm the address with it.") % {"email": given["email"]}
        return Response({"email": given["email"], "detail": sentence}, status=201)
