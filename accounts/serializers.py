"""What the sign-in endpoints take and give."""

from rest_framework import serializers


class Credentials(serializers.Serializer[None]):
    """`email` (or `username`, which some clients insist on sending; an e-mail address or a username) and password."""

    email = serializers.CharField(required=False, max_length=254)
    username = serializers.CharField(required=False, max_length=254)
    password = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        """One of the two names must be there."""
        name = attrs.get("email") or attrs.get("username")
        if not name:
            raise serializers.ValidationError({"email": "Send an e-mail address."})
        return {"email": name, "password": attrs["password"]}


class Refresh(serializers.Serializer[None]):
    """A refresh token."""

    refresh = serializers.CharField()


class TokenPair(serializers.Serializer[None]):
    """A fresh pair of tokens."""

    access = serializers.CharField()
    refresh = serializers.CharField()


class Problem(serializers.Serializer[None]):
    """Why something was refused: a sentence, and the field it is about."""

    detail = serializers.CharField()
    field = serializers.CharField(required=False)
