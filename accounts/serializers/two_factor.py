"""What the endpoints about second factors take and give."""

from typing import Any

from rest_framework import serializers

from accounts.models import Passkey


class PasskeyOut(serializers.ModelSerializer[Passkey]):
    """A passkey of one's own. `relying_party` is the domain it works for, with its subdomains if it is the platform's."""

    id = serializers.UUIDField(source="code")

    class Meta:
        model = Passkey
        fields = ["id", "name", "relying_party", "created_at", "last_used_at"]


class TwoFactorState(serializers.Serializer[Any]):
    """What is set up. `is_required`: one's role here counts only with it; `is_proved`: this sign-in was made with it."""

    is_on = serializers.BooleanField()
    has_app = serializers.BooleanField()
    is_required = serializers.BooleanField()
    is_proved = serializers.BooleanField()
    recovery_codes_left = serializers.IntegerField()
    passkeys = PasskeyOut(many=True)
    may = serializers.ListField(child=serializers.CharField())


class Begun(serializers.Serializer[Any]):
    """A new secret: as text, and as the address an authenticator app reads from a QR code."""

    secret = serializers.CharField()
    address = serializers.CharField()


class FirstCode(serializers.Serializer[Any]):
    """The first code the app shows."""

    code = serializers.CharField(max_length=20)


class RecoveryCodesOut(serializers.Serializer[Any]):
    """Recovery codes, this once: they are not kept as they are."""

    recovery_codes = serializers.ListField(child=serializers.CharField())


class Proof(serializers.Serializer[Any]):
    """That it is still the person: the password, or a code of the app, or a recovery code."""

    password = serializers.CharField(max_length=200, trim_whitespace=False, required=False, default="")
    code = serializers.CharField(max_length=20, required=False, default="")
