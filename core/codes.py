"""Names that leave the database: codes for machines, references for people."""

import secrets
from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7

# Crockford's alphabet without the letters and digits that are mistaken for one another on the telephone.
_SPOKEN = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_code() -> UUID:
    """A UUIDv7: unguessable enough for an address, ordered by time so that its index stays small."""
    return _uuid7()


def new_reference() -> str:
    """A reference that a person can read out, like `RH-7K3M-9QWX`."""
    letters = "".join(secrets.choice(_SPOKEN) for _ in range(8))
    return f"RH-{letters[:4]}-{letters[4:]}"


def as_reference(text: str) -> str:
    """The reference that somebody typed or scanned, however it is written: `rh7k3m9qwx` too; "" if it is none."""
    written = "".join(letter for letter in text.upper() if letter.isalnum())
    is_one = len(written) == 10 and written.startswith("RH") and all(letter in _SPOKEN for letter in written[2:])
    return f"RH-{written[2:6]}-{written[6:]}" if is_one else ""
