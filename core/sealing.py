"""Keeping what must be read again so that a copy of the database does not give it away."""

import base64

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes


def seal(text: str) -> str:
    """`text` encrypted and authenticated with a key made from SECRET_KEY."""
    return _box().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """What was sealed, also with a key of SECRET_KEY_FALLBACKS. Raises cryptography's InvalidToken for anything else."""
    return _box().decrypt(sealed.encode()).decode()


def _box() -> MultiFernet:
    return MultiFernet([Fernet(_key(secret)) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str | bytes) -> bytes:
    raw = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"core.sealing").derive(force_bytes(secret))
    return base64.urlsafe_b64encode(raw)
