"""Access and refresh tokens. A token says in which place it was issued (`hospital`) and works only there."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.request import Request as ApiRequest
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import RefreshToken, Token

from accounts.models import TokenFamily, User
from accounts.places import place_of
from audit import services as audit
from audit.models import Action
from core.errors import Invalid
from core.prepared import given, prepared

CLAIM = "hospital"
FAMILY_CLAIM = "family"


class WrongToken(Invalid):
    """A refresh token that is not ours, is too old, was used, or belongs to another host."""

    status = 401

    def __init__(self) -> None:
        super().__init__(_("This token is not valid here any more. Sign in again."))


def issue(*, request: HttpRequest, user: User, is_two_factor: bool) -> dict[str, str]:
    """The first pair of a new family, for somebody who has just proved who they are."""
    refresh = RefreshToken.for_user(user)
    now = timezone.now()
    family = TokenFamily.objects.create(
        user=user,
        place=place_of(request),
        token_id=refresh["jti"],
        is_two_factor=is_two_factor,
        host=request.get_host(),
        address=getattr(request, "address", "") or None,
        agent=request.headers.get("User-Agent", "")[:300],
        expires_at=now + api_settings.REFRESH_TOKEN_LIFETIME,
    )
    return _pair(refresh, family.place, str(family.code))


def _pair(refresh: RefreshToken, place: str, family: str) -> dict[str, str]:
    refresh[CLAIM], refresh[FAMILY_CLAIM] = place, family
    return {"access": str(refresh.access_token), "refresh": str(refresh)}


def family_of(*, request: HttpRequest, token: str) -> tuple[TokenFamily, str]:
    """The family of a refresh token that is valid in this place, and the token's own id. Raises WrongToken."""
    try:
        refresh = RefreshToken(token)  # type: ignore[arg-type]  # the stubs want a Token; the text is what is parsed
    except TokenError:
        raise WrongToken from None
    if refresh.get(CLAIM) != place_of(request):
        raise WrongToken
    family = _find(refresh, place_of(request))
    if family is None:
        raise WrongToken
    return family, str(refresh["jti"])


def _find(token: Token, place: str) -> TokenFamily | None:
    """The open family a token names, with its person, in one query."""
    try:
        code, person = UUID(str(token.get(FAMILY_CLAIM))), UUID(str(token["sub"]))
    except ValueError:
        return None
    return _open_families.first(now=timezone.now(), code=code, place=place, person=person)


@prepared
def _open_families() -> QuerySet[TokenFamily]:
    families = TokenFamily.objects.open(given("now")).select_related("user")
    return families.filter(code=given("code"), place=given("place"), user__is_active=True, user__code=given("person"))


def rotate(*, request: HttpRequest, token: str) -> dict[str, str]:
    """A new pair for a refresh token, which then stops working.

    Raises WrongToken. A token that was used before has been copied: nobody knows by whom, so the family ends.
    """
    family, token_id = family_of(request=request, token=token)
    refresh = RefreshToken.for_user(family.user)
    now = timezone.now()
    won = (
        TokenFamily.objects.open(now)
        .filter(pk=family.pk, token_id=token_id)
        .update(token_id=refresh["jti"], last_seen_at=now, expires_at=now + api_settings.REFRESH_TOKEN_LIFETIME)
    )
    if won:
        return _pair(refresh, family.place, str(family.code))
    with transaction.atomic():
        if TokenFamily.objects.open(now).filter(pk=family.pk).update(ended_at=now):
            audit.record(action=Action.TOKEN_REPLAYED, target=family.user, by=None, actor=_("A visitor"))
    raise WrongToken


class BearerAuthentication(JWTAuthentication):
    """`Authorization: Bearer <access token>`, refused in any place but the one that issued it."""

    def authenticate(self, request: ApiRequest) -> tuple[Any, Token] | None:
        """The person and the token, or None without the header. Asks whether the sign-in still stands: one query."""
        raw = self.get_raw_token(self.get_header(request) or b"")
        if raw is None:
            return None
        token = self.get_validated_token(raw)
        place = place_of(request)
        if token.get(CLAIM) != place:
            raise InvalidToken(_("This token was issued for another address."))
        family = _find(token, place)
        if family is None:
            raise InvalidToken(_("This token is not valid any more. Sign in again."))
        request._request.token_family = family  # type: ignore[attr-defined]  # accounts.permissions asks it
        return family.user, token


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the API's description names it."""

    target_class = "accounts.tokens.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """An HTTP bearer token in JWT form."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
