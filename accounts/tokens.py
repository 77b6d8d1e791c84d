"""Access and refresh tokens. A token says on which host it was issued (`hospital`) and works only there."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.request import Request as ApiRequest
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken, Token
from rest_framework_simplejwt.utils import get_md5_hash_password

from accounts.models import User
from core.errors import Invalid

CLAIM = "hospital"
REVOKE_CLAIM = api_settings.REVOKE_TOKEN_CLAIM  # a digest of the password the token was made with


class WrongToken(Invalid):
    """A refresh token that is not ours, is too old, was used, or belongs to another host."""

    status = 401

    def __init__(self) -> None:
        super().__init__(_("This token is not valid here any more. Sign in again."))


def issuer(request: Any) -> str:
    """What a token issued on this host says: the hospital's code, or "" on the portal."""
    return str(request.hospital.code) if request.hospital else ""


def issue(*, request: HttpRequest, user: User) -> dict[str, str]:
    """A new pair for somebody who has just proved who they are."""
    refresh = RefreshToken.for_user(user)
    refresh[CLAIM] = issuer(request)
    return {"access": str(refresh.access_token), "refresh": str(refresh)}


def refresh_token(*, request: HttpRequest, token: str) -> RefreshToken:
    """The refresh token, if it is valid on this host. Raises WrongToken."""
    try:
        refresh = RefreshToken(token)  # type: ignore[arg-type]  # the stubs want a Token; the text is what is parsed
    except TokenError:
        raise WrongToken from None
    if refresh.get(CLAIM) != issuer(request):
        raise WrongToken
    return refresh


def rotate(*, request: HttpRequest, token: str) -> dict[str, str]:
    """A new pair for a refresh token, which then stops working. Raises WrongToken."""
    old = refresh_token(request=request, token=token)
    user = User.objects.filter(code=old["sub"], is_active=True).first()
    if user is None or old.get(REVOKE_CLAIM) != get_md5_hash_password(user.password):
        raise WrongToken
    with transaction.atomic():
        outstanding = OutstandingToken.objects.filter(jti=old["jti"]).first()
        _blacklisted, first = BlacklistedToken.objects.get_or_create(token=outstanding)
        if not first:  # two at once with one token: only one of them gets a new pair
            raise WrongToken
        return issue(request=request, user=user)


class BearerAuthentication(JWTAuthentication):
    """`Authorization: Bearer <access token>`, refused on any host but the one that issued it."""

    def authenticate(self, request: ApiRequest) -> tuple[Any, Token] | None:
        """The person and the token, or None without the header."""
        found = super().authenticate(request)
        if found is not None and found[1].get(CLAIM) != issuer(request):
            raise InvalidToken(_("This token was issued for another address."))
        return found


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the API's description names it."""

    target_class = "accounts.tokens.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """An HTTP bearer token in JWT form."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
