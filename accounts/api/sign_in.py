"""Tokens for API clients. The same paths on every host; a token works only on the host that issued it."""

from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import serializers, tokens
from accounts.permissions import Permission, Requires
from accounts.services import sign_in
from core.rest import person


class Login(APIView):
    """Exchange an e-mail address and a password for a pair of tokens."""

    authentication_classes = []
    permission_classes = [Requires(Permission.PUBLIC)]

    @extend_schema(
        request=serializers.Credentials,
        responses={200: serializers.TokenPair, 401: serializers.Problem, 429: serializers.Problem},
    )
    def post(self, request: Request) -> Response:
        """Sign in: an access token for an hour and a refresh token for a week."""
        form = serializers.Credentials(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(sign_in.for_tokens(request=request._request, **form.validated_data))


class Refresh(APIView):
    """Exchange a refresh token for a new pair; the old one stops working."""

    authentication_classes = []
    permission_classes = [Requires(Permission.PUBLIC)]

    @extend_schema(request=serializers.Refresh, responses={200: serializers.TokenPair, 401: serializers.Problem})
    def post(self, request: Request) -> Response:
        """Refresh: a new pair for a refresh token, which then stops working."""
        form = serializers.Refresh(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(tokens.rotate(request=request._request, token=form.validated_data["refresh"]))


class Logout(APIView):
    """End a sign-in."""

    permission_classes = [Requires(Permission.SIGNED_IN)]

    @extend_schema(
        request=serializers.LogOut,
        responses={205: OpenApiResponse(description="Signed out"), 401: serializers.Problem},
    )
    def post(self, request: Request) -> Response:
        """Sign out: neither the refresh token nor its access token is of any use from now on.

        Without a refresh token the sign-in that the request came with ends: this token's, or this session.
        """
        form = serializers.LogOut(data=request.data)
        form.is_valid(raise_exception=True)
        sign_in.end(request=request._request, user=person(request), token=form.validated_data["refresh"])
        return Response(status=205)


class Verify(APIView):
    """Confirm the address of a new account."""

    authentication_classes = []
    permission_classes = [Requires(Permission.PUBLIC)]

    @extend_schema(
        request=serializers.Confirmation,
        responses={200: serializers.TokenPair, 401: serializers.Problem, 429: serializers.Problem},
    )
    def post(self, request: Request) -> Response:
        """Confirm the address with the code from the mail, and sign in. Too late? Log in, and a new code is sent."""
        form = serializers.Confirmation(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(sign_in.confirm_for_tokens(request=request._request, now=now(), **form.validated_data))


class SendCode(APIView):
    """A code by mail, in place of the password."""

    authentication_classes = []
    permission_classes = [Requires(Permission.PUBLIC)]

    @extend_schema(request=serializers.Address, responses={202: serializers.Told, 429: serializers.Problem})
    def post(self, request: Request) -> Response:
        """Send a code to sign in with. The answer does not tell whether there is an account with the address."""
        form = serializers.Address(data=request.data)
        form.is_valid(raise_exception=True)
        sign_in.ask_for_code(
            request=request._request,
            join_link=request.build_absolute_uri(reverse("sign_up")),
            now=now(),
            **form.validated_data,
        )
        return Response({"detail": _("If there is an account with this address, a code is on its way.")}, status=202)


class CodeLogin(APIView):
    """Exchange the code from the mail for a pair of tokens."""

    authentication_classes = []
    permission_classes = [Requires(Permission.PUBLIC)]

    @extend_schema(
        request=serializers.MailedCode,
        responses={200: serializers.TokenPair, 401: serializers.Problem, 429: serializers.Problem},
    )
    def post(self, request: Request) -> Response:
        """Sign in with the code from the mail, and the second factor where the account has one."""
        form = serializers.MailedCode(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(sign_in.code_for_tokens(request=request._request, now=now(), **form.validated_data))
