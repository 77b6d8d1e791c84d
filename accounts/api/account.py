"""One's own account, for API clients: name, addresses, password, and where one is signed in."""

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import forms, serializers, sign_ins
from accounts.models import Session
from accounts.permissions import Permission, Requires, Role, may, role_of
from accounts.services import addresses, passwords, people, sessions, two_factor
from core.rest import Pagination, cleaned, person

OWN = [Requires(Permission.OWN_ACCOUNT)]


def own_profile(request: Request) -> dict[str, Any]:
    """Who asks, what they are on this host, and what they may do with their account."""
    asked, user = request._request, person(request)
    hospital = asked.hospital  # type: ignore[attr-defined]  # see tenants.middleware
    role = role_of(asked, user)
    is_applying = role is None and asked.is_applying(user)  # type: ignore[attr-defined]  # see hospitals.middleware
    own = Permission.OWN_ACCOUNT
    shown = {
        **{name: getattr(user, name) for name in ("code", "username", "email", "first_name", "last_name", "phone")},
        "role": role.value if role else "doctor" if is_applying else "patient",
        "is_approved": False if is_applying else True if role is Role.DOCTOR else None,
        "hospital": {"id": hospital.code, "name": hospital.name} if hospital else None,
        "two_factor": two_factor.is_on(user),
        "may": may(asked, user, change=own, change_email=own, change_password=own, sign_out_everywhere=own),
    }
    return dict(serializers.OwnProfile(shown).data)


class Profile(APIView):
    """Who one is."""

    permission_classes = OWN

    @extend_schema(responses={200: serializers.OwnProfile})
    def get(self, request: Request) -> Response:
        """Read one's name, addresses, and role on this host."""
        return Response(own_profile(request))

    @extend_schema(request=serializers.OwnProfile, responses={200: serializers.OwnProfile, 400: serializers.Problem})
    def put(self, request: Request) -> Response:
        """Change one's name and telephone number."""
        user = person(request)
        people.change_profile(user=user, by=user, **cleaned(forms.Profile(request.data)))
        return Response(own_profile(request))

    @extend_schema(request=serializers.OwnProfile, responses={200: serializers.OwnProfile, 400: serializers.Problem})
    def patch(self, request: Request) -> Response:
        """Change what is sent of one's name and telephone number."""
        user = person(request)
        present = {"first_name": user.first_name, "last_name": user.last_name, "phone": str(user.phone)}
        people.change_profile(user=user, by=user, **cleaned(forms.Profile({**present, **request.data})))
        return Response(own_profile(request))


class Password(APIView):
    """One's password."""

    permission_classes = OWN

    @extend_schema(request=serializers.NewPassword, responses={204: None, 422: serializers.Problem})
    def post(self, request: Request) -> Response:
        """Change it, proved by the present one. Every other sign-in ends."""
        form = serializers.NewPassword(data=request.data)
        form.is_valid(raise_exception=True)
        passwords.change(request=request._request, user=person(request), now=now(), **form.validated_data)
        return Response(status=204)


class ForgottenPassword(APIView):
    """A password that is forgotten."""

    authentication_classes = []
    permission_classes = [Requires(Permission.PUBLIC)]

    @extend_schema(request=serializers.Address, responses={202: serializers.Told, 429: serializers.Problem})
    def post(self, request: Request) -> Response:
        """Send a link to set a new one. The answer does not tell whether there is an account with the address."""
        form = serializers.Address(data=request.data)
        form.is_valid(raise_exception=True)
        passwords.ask_for_reset(
            request=request._request,
            link=lambda key, token: request.build_absolute_uri(reverse("password_new", args=[key, token])),
            join_link=request.build_absolute_uri(reverse("sign_up")),
            **form.validated_data,
        )
        return Response({"detail": _("If there is an account with this address, a link is on its way.")}, status=202)


class LinkedPassword(APIView):
    """A new password by the link from the mail."""

    authentication_classes = []
    permission_classes = [Requires(Permission.PUBLIC)]

    @extend_schema(
        request=serializers.LinkedPassword,
        responses={204: None, 410: serializers.Problem, 422: serializers.Problem},
    )
    def post(self, request: Request) -> Response:
        """Set it; every sign-in ends. The link works once. Sign in with the new password afterwards."""
        form = serializers.LinkedPassword(data=request.data)
        form.is_valid(raise_exception=True)
        passwords.set_by_link(now=now(), **form.validated_data)
        return Response(status=204)


class Email(APIView):
    """One's e-mail address."""

    permission_classes = OWN

    @extend_schema(
        request=serializers.NewEmail,
        responses={202: serializers.Told, 422: serializers.Problem, 429: serializers.Problem},
    )
    def post(self, request: Request) -> Response:
        """Send a code to another address, which is used once the code is sent back."""
        form = serializers.NewEmail(data=request.data)
        form.is_valid(raise_exception=True)
        addresses.ask_for_change(
            request=request._request,
            user=person(request),
            sign_in_link=request.build_absolute_uri(reverse("sign_in")),
            now=now(),
            **form.validated_data,
        )
        return Response({"detail": _("We sent a message to your new address. Send the code from it.")}, status=202)


class ConfirmEmail(APIView):
    """The code that went to a new address."""

    permission_classes = OWN

    @extend_schema(
        request=serializers.Digits,
        responses={200: serializers.OwnProfile, 401: serializers.Problem, 409: serializers.Problem},
    )
    def post(self, request: Request) -> Response:
        """Use the new address from now on."""
        form = serializers.Digits(data=request.data)
        form.is_valid(raise_exception=True)
        addresses.change(request=request._request, user=person(request), now=now(), **form.validated_data)
        return Response(own_profile(request))


class Sessions(GenericAPIView[Session]):
    """Where one is signed in."""

    permission_classes = OWN
    pagination_class = Pagination
    filter_backends = []
    queryset = Session.objects.none()
    serializer_class = serializers.SignInRow

    @extend_schema(responses={200: serializers.SignInRow(many=True)})
    def get(self, request: Request) -> Response:
        """List every browser and app in which one is signed in, on all hosts, the last used first."""
        rows = self.paginate_queryset(sign_ins.of(person(request), now())) or []
        shown = [sign_ins.shown(row, request._request) for row in rows]
        return self.get_paginated_response(serializers.SignInRow(shown, many=True).data)

    @extend_schema(operation_id="auth_sessions_destroy_all", responses={204: None})
    def delete(self, request: Request) -> Response:
        """Sign out everywhere, here too."""
        sessions.sign_out_everywhere(request=request._request, user=person(request), now=now())
        return Response(status=204)


class OneSession(APIView):
    """One place where one is signed in."""

    permission_classes = OWN

    @extend_schema(responses={204: None, 404: serializers.Problem})
    def delete(self, request: Request, code: UUID) -> Response:
        """Sign out there."""
        sessions.end_one(user=person(request), code=code, now=now())
        return Response(status=204)
