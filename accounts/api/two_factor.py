"""One's own second factors, for API clients. Passkeys are made and used in browsers; here they are listed and removed."""

from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Passkey
from accounts.permissions import Permission, Requires, has_second_factor, may, needs_second_factor
from accounts.serializers import Problem
from accounts.serializers import two_factor as serializers
from accounts.services import second_step, two_factor
from core.hosts import PORTAL_NAME
from core.rest import person

OWN = [Requires(Permission.OWN_ACCOUNT)]


def _state(request: Request) -> dict[str, object]:
    user, asked = person(request), request._request
    passkeys, has_app = list(Passkey.objects.filter(user=user).newest_first()), two_factor.has_app(user)
    is_on, is_proved = has_app or bool(passkeys), has_second_factor(asked)
    possible = {
        "begin": not has_app and (is_proved or not is_on),
        "make_recovery_codes": is_on,
        "turn_off": has_app,
    }
    own = {action: Permission.OWN_ACCOUNT for action, can in possible.items() if can}
    return serializers.TwoFactorState(
        {
            "is_on": is_on,
            "has_app": has_app,
            "is_required": needs_second_factor(asked, user),
            "is_proved": is_proved,
            "recovery_codes_left": two_factor.codes_left(user),
            "passkeys": passkeys,
            "may": may(asked, user, **own),
        }
    ).data


def _proof(request: Request) -> dict[str, str]:
    form = serializers.Proof(data=request.data)
    form.is_valid(raise_exception=True)
    proof: dict[str, str] = form.validated_data
    return proof


class TwoFactor(APIView):
    """What proves one's identity besides the password."""

    permission_classes = OWN

    @extend_schema(responses={200: serializers.TwoFactorState})
    def get(self, request: Request) -> Response:
        """Read what is set up."""
        return Response(_state(request))

    @extend_schema(request=None, responses={201: serializers.Begun, 409: Problem})
    def post(self, request: Request) -> Response:
        """Begin to set up an authenticator app. It counts once its first code was sent to `confirm/`."""
        secret = two_factor.begin(user=person(request))
        address = two_factor.address_of(user=person(request), secret=secret, issuer=PORTAL_NAME)
        return Response({"secret": secret, "address": address}, status=201)

    @extend_schema(request=serializers.Proof, responses={204: None, 401: Problem, 409: Problem, 422: Problem})
    def delete(self, request: Request) -> Response:
        """Give up the authenticator app. Send `password` or `code` as JSON. Refused where one's role here needs it."""
        second_step.remove_app(request=request._request, user=person(request), now=now(), **_proof(request))
        return Response(status=204)


class Confirm(APIView):
    """The first code of an authenticator app."""

    permission_classes = OWN

    @extend_schema(
        request=serializers.FirstCode, responses={200: serializers.RecoveryCodesOut, 409: Problem, 422: Problem}
    )
    def post(self, request: Request) -> Response:
        """Take the app into use. The token that asks stays what it was: sign in again to have one with two-factor."""
        form = serializers.FirstCode(data=request.data)
        form.is_valid(raise_exception=True)
        made = two_factor.turn_on(
            request=request._request, user=person(request), code=form.validated_data["code"], now=now()
        )
        return Response({"recovery_codes": made})


class NewRecoveryCodes(APIView):
    """Codes for the day the telephone is lost."""

    permission_classes = OWN

    @extend_schema(
        request=serializers.Proof,
        responses={200: serializers.RecoveryCodesOut, 401: Problem, 409: Problem, 422: Problem},
    )
    def post(self, request: Request) -> Response:
        """Make new recovery codes; the old ones stop counting."""
        made = second_step.renew_recovery_codes(
            request=request._request, user=person(request), now=now(), **_proof(request)
        )
        return Response({"recovery_codes": made})


class OnePasskey(APIView):
    """A passkey of one's own."""

    permission_classes = OWN

    @extend_schema(
        request=serializers.Proof, responses={204: None, 401: Problem, 404: Problem, 409: Problem, 422: Problem}
    )
    def delete(self, request: Request, code: UUID) -> Response:
        """Give a passkey up. Send `password` or `code` as JSON. Refused where one's role here needs it."""
        user = person(request)
        passkey = get_object_or_404(Passkey, user=user, code=code)
        second_step.remove_passkey(request=request._request, user=user, passkey=passkey, now=now(), **_proof(request))
        return Response(status=204)
