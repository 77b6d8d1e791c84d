"""What the endpoints about people take and give."""

from typing import Any

from rest_framework import serializers


class Credentials(serializers.Serializer[None]):
    """`email` (or `username`, which some clients insist on sending; an e-mail address or a username) and password."""

    email = serializers.CharField(required=False, max_length=254)
    username = serializers.CharField(required=False, max_length=254)
    password = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)
    second_factor = serializers.CharField(required=False, max_length=20, write_only=True)

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        """One of the two names must be there."""
        name = attrs.get("email") or attrs.get("username")
        if not name:
            raise serializers.ValidationError({"email": "Send an e-mail address."})
        return {"email": name, "password": attrs["password"], "second_factor": attrs.get("second_factor", "")}


class Confirmation(serializers.Serializer[None]):
    """The code from the mail, with the password that was chosen at registration."""

    email = serializers.EmailField()
    password = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)
    code = serializers.CharField(max_length=20, write_only=True)


class Address(serializers.Serializer[None]):
    """An e-mail address that something is sent to."""

    email = serializers.EmailField()


class MailedCode(serializers.Serializer[None]):
    """The code from the mail to sign in with."""

    email = serializers.EmailField()
    code = serializers.CharField(max_length=20, write_only=True)
    second_factor = serializers.CharField(required=False, default="", max_length=20, write_only=True)


class Refresh(serializers.Serializer[None]):
    """A refresh token."""

    refresh = serializers.CharField()


class LogOut(serializers.Serializer[None]):
    """Which sign-in ends: the one of this refresh token, or without it the one that asks."""

    refresh = serializers.CharField(required=False, default="")


class TokenPair(serializers.Serializer[None]):
    """A fresh pair of tokens."""

    access = serializers.CharField()
    refresh = serializers.CharField()


class Problem(serializers.Serializer[None]):
    """Why something was refused: a sentence, and the field it is about."""

    detail = serializers.CharField()
    field = serializers.CharField(required=False)


class OwnHospital(serializers.Serializer[None]):
    """The hospital whose host was asked."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class OwnProfile(serializers.Serializer[Any]):
    """Who one is, and what one may do here.

    `role` is what one is on this host; without one it is `patient`. `is_approved` is null for everybody but doctors: a
    doctor whose documents are not checked yet has the role `doctor`, may do nothing, and reads false.
    """

    id = serializers.UUIDField(source="code", read_only=True)
    username = serializers.CharField(read_only=True, allow_null=True)
    email = serializers.EmailField(read_only=True)
    first_name = serializers.CharField(max_length=150)
    last_name = serializers.CharField(max_length=150, required=False, allow_blank=True)
    phone = serializers.CharField(required=False, allow_blank=True)
    role = serializers.CharField(read_only=True)
    is_approved = serializers.BooleanField(read_only=True, allow_null=True)
    hospital = OwnHospital(read_only=True, allow_null=True)
    two_factor = serializers.BooleanField(read_only=True)
    may = serializers.ListField(child=serializers.CharField(), read_only=True)


class NewPassword(serializers.Serializer[None]):
    """One's present password, and the one from now on."""

    present = serializers.CharField(max_length=128, trim_whitespace=False, write_only=True)
    password = serializers.CharField(max_length=128, trim_whitespace=False, write_only=True)


class LinkedPassword(serializers.Serializer[None]):
    """The two parts of a reset link, `/password/new/<key>/<token>/`, and the password from now on."""

    key = serializers.CharField(max_length=200)
    token = serializers.CharField(max_length=200, write_only=True)
    password = serializers.CharField(max_length=128, trim_whitespace=False, write_only=True)


class NewEmail(serializers.Serializer[None]):
    """The address from now on, and one's password."""

    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=128, trim_whitespace=False, write_only=True)


class Digits(serializers.Serializer[None]):
    """A code from a mail."""

    code = serializers.CharField(max_length=20, write_only=True)


class SignInRow(serializers.Serializer[Any]):
    """One place where one is signed in: a browser, or an app with tokens. `supporter` acts there in one's name, if anybody does."""

    id = serializers.UUIDField(source="code")
    is_app = serializers.BooleanField()
    is_this = serializers.BooleanField()
    device = serializers.CharField()
    host = serializers.CharField()
    address = serializers.CharField()
    supporter = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    may = serializers.ListField(child=serializers.CharField())


class Told(serializers.Serializer[None]):
    """What was done, or what to do next, in a sentence."""

    detail = serializers.CharField()
