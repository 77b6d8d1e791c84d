"""People, what proves who they are, and where they are signed in. All of it stands in public."""

from accounts.models.doors import Session, Ticket, TokenFamily
from accounts.models.family import FamilyMember, Relation, Sex
from accounts.models.people import User
from accounts.models.proofs import OneTimeCode, Passkey, RecoveryCode, Totp

__all__ = [
    "FamilyMember",
    "OneTimeCode",
    "Passkey",
    "RecoveryCode",
    "Relation",
    "Session",
    "Sex",
    "Ticket",
    "TokenFamily",
    "Totp",
    "User",
]
