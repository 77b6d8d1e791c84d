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
