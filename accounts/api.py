"""Tokens for API clients. The same paths on every host; a token works only on the host that issued it."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import serializers, services, tokens
from accounts.permissions import Permission, Requires
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
        user = services.sign_in_for_tokens(request=request._request, **form.validated_data)
        return Response(tokens.issue(request=request._request, user=user))


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
    """End a refresh token."""

    permission_classes = [Requires(Permission.SIGNED_IN)]

    @extend_schema(
        request=serializers.Refresh,
        responses={205: OpenApiResponse(description="Signed out"), 401: serializers.Problem},
    )
    def post(self, request: Request) -> Response:
        """Sign out: the refresh token is of no use any more; the access token ends within the hour."""
        form = serializers.Refresh(data=request.data)
        form.is_valid(raise_exception=True)
        services.sign_out_of_tokens(
            request=request._request, user=person(request), token=form.validated_data["refresh"]
        )
        return Response(status=205)
