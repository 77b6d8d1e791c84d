"""Replacing SECRET_KEY."""

from cryptography.fernet import InvalidToken

from accounts.models import Totp
from core.sealing import seal, unseal


def reseal() -> tuple[int, int]:
    """Seal the secrets of all authenticator apps with the present key; return how many, and how many nobody can read.

    Safe to run twice, and while people sign in: a secret that changed meanwhile is left as it is.
    """
    done = lost = 0
    for pk, sealed in Totp.objects.values_list("pk", "sealed_secret").iterator():
        try:
            secret = unseal(sealed)
        except InvalidToken:
            lost += 1
            continue
        done += Totp.objects.filter(pk=pk, sealed_secret=sealed).update(sealed_secret=seal(secret))
    return done, lost
