"""Passkeys (W3C WebAuthn): made on a person's device, which makes sure of the person each time, so they are both factors.

Every use answers a challenge that stands in the session, counts once, and for five minutes.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accounts.models import Passkey, Session, User
from accounts.services import people, two_factor
from audit import services as audit
from audit.models import Action
from core import throttle
from core.errors import Invalid, NotAllowedNow
from core.hosts import PORTAL_NAME
from core.text import one_line

AT_MOST = 20
_PER_ADDRESS = "60/5minutes"
_CHALLENGE = "passkey_challenge"
_VALID_FOR = timedelta(minutes=5)


class WrongPasskey(Invalid):
    """Not an answer to our challenge, or not by a passkey that is known here."""

    status = 401

    def __init__(self) -> None:
        super().__init__(_("This passkey did not work here. Try again, or sign in another way."))


def host_of(request: HttpRequest) -> str:
    """The host that was asked, without its port."""
    return request.get_host().partition(":")[0]


def relying_party(request: HttpRequest) -> str:
    """The domain that passkeys made here belong to: the platform's for all of its hosts, or a hospital's own domain.

    A name without a dot, like `localhost`, covers no subdomain: browsers refuse that.
    """
    host, base = host_of(request), settings.BASE_DOMAIN
    return base if host == base or ("." in base and host.endswith(f".{base}")) else host


def _origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def usable_here(request: HttpRequest, user: User) -> bool:
    """Whether the person has a passkey for the host that was asked."""
    return Passkey.objects.filter(user=user).usable_at(relying_party(request)).exists()


# --- Challenges ------------------------------------------------------------------------------------------------------


def _remember(request: HttpRequest, challenge: bytes, user: User | None, *, name: str = "") -> None:
    request.session[_CHALLENGE] = {
        "challenge": bytes_to_base64url(challenge),
        "user": str(user.code) if user else "",
        "name": name,  # of a passkey that is being added
        "until": (timezone.now() + _VALID_FOR).timestamp(),
    }


def _take(request: HttpRequest, user: User | None, now: datetime) -> tuple[bytes, str]:
    """The challenge of this session, made for this person (or for whoever comes), and the name that was given with it.

    It is used up by being looked at: of two requests at once, which hold the same session, one gets it.
    """
    request.session.pop(_CHALLENGE, None)
    row = Session.objects.filter(session_key=request.session.session_key or "").first()
    stored = request.session.decode(row.session_data) if row else {}
    known: dict[str, Any] | None = stored.pop(_CHALLENGE, None)
    if row is None or known is None:
        raise WrongPasskey
    same = Session.objects.filter(pk=row.pk, session_data=row.session_data)
    if not same.update(session_data=request.session.encode(stored)):
        raise WrongPasskey
    if known["until"] < now.timestamp() or known["user"] != (str(user.code) if user else ""):
        raise WrongPasskey
    return base64url_to_bytes(known["challenge"]), known["name"]


# --- Signing in ------------------------------------------------------------------------------------------------------


def ask(*, request: HttpRequest, user: User | None) -> dict[str, Any]:
    """What the browser needs to ask for a passkey: one of this person's, or without a person any that it keeps."""
    throttle.hit("passkey asked", _PER_ADDRESS, getattr(request, "address", ""))
    own = Passkey.objects.filter(user=user).usable_at(relying_party(request)) if user else []
    options = generate_authentication_options(
        rp_id=relying_party(request),
        allow_credentials=[PublicKeyCredentialDescriptor(id=bytes(passkey.credential)) for passkey in own],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    _remember(request, options.challenge, user)
    return _plain(options)


def check(*, request: HttpRequest, credential: str, now: datetime, user: User | None = None) -> User:
    """Whose passkey has answered the challenge; it must be `user`'s if one is given. Raises WrongPasskey, TooMany."""
    throttle.hit("passkey tried", _PER_ADDRESS, getattr(request, "address", ""))
    challenge, _name = _take(request, user, now)
    try:
        answer = parse_authentication_credential_json(credential)
    except (WebAuthnException, ValueError):
        raise WrongPasskey from None
    keys = Passkey.objects.usable_at(relying_party(request)).select_related("user").filter(user__is_active=True)
    passkey = keys.filter(credential=answer.raw_id).first()
    handle = answer.response.user_handle
    # A device that was told which keys are wanted need not say whose they are.
    if passkey is None or passkey.user != (user or passkey.user):
        raise WrongPasskey
    if handle != passkey.user.code.bytes and not (user and handle is None):
        raise WrongPasskey
    try:
        proved = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=passkey.relying_party,
            expected_origin=_origin(request),
            credential_public_key=bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError):
        with transaction.atomic():
            people.note(Action.USER_SIGN_IN_REFUSED, passkey.user)
        raise WrongPasskey from None
    # A counter that somebody else has moved meanwhile means a copied key. (Many devices keep theirs at 0.)
    mine = Passkey.objects.filter(pk=passkey.pk, sign_count=passkey.sign_count)
    if not mine.update(sign_count=proved.new_sign_count, last_used_at=now):
        raise WrongPasskey
    return passkey.user


# --- Adding ----------------------------------------------------------------------------------------------------------


def begin(*, request: HttpRequest, user: User, name: str) -> dict[str, Any]:
    """What the browser needs to make a passkey with this name. The door has made sure of who asks."""
    own = Passkey.objects.filter(user=user)
    if own.count() >= AT_MOST:
        raise NotAllowedNow(_("You have %(n)d passkeys. Remove one that you no longer use first.") % {"n": AT_MOST})
    here = relying_party(request)
    options = generate_registration_options(
        rp_id=here,
        rp_name=PORTAL_NAME if here == settings.BASE_DOMAIN else here,
        user_id=user.code.bytes,
        user_name=user.email,
        user_display_name=str(user),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=bytes(passkey.credential)) for passkey in own.usable_at(here)
        ],
    )
    _remember(request, options.challenge, user, name=one_line(name))
    return _plain(options)


def add(*, request: HttpRequest, user: User, credential: str, now: datetime) -> list[str]:
    """Keep the passkey that the browser has made; this session counts as two-factor.

    Returns recovery codes, shown this once, if it is the person's first second factor. Raises Invalid.
    """
    two_factor.must_have_been_proved(request=request, user=user)
    try:
        challenge, name = _take(request, user, now)
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=relying_party(request),
            expected_origin=_origin(request),
            require_user_verification=True,
        )
    except (WebAuthnException, WrongPasskey, ValueError):
        raise Invalid(_("The passkey could not be added. Try again.")) from None
    try:
        with transaction.atomic():
            is_first = not two_factor.is_on(user)
            Passkey.objects.create(
                user=user,
                name=name,
                relying_party=relying_party(request),
                credential=made.credential_id,
                public_key=made.credential_public_key,
                sign_count=made.sign_count,
            )
            audit.record(action=Action.USER_PASSKEY_ADDED, target=user, by=user, data={"name": name})
            what = _("The passkey “%(name)s” was added to your account.") % {"name": name}
            two_factor.tell(request=request, user=user, what=what)
            two_factor.mark_session(request)
            return two_factor.new_recovery_codes(user) if is_first else []
    except IntegrityError:
        raise Invalid(_("This passkey is known already. Use another device, or another password manager.")) from None


def _plain(options: Any) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(options_to_json(options))
    return plain
