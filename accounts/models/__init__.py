"""People, what proves who they are, and where they are signed in. All of it stands in public."""

from accounts.models.doors import Session, Ticket, TokenFamily
from accounts.models.people import User
from accounts.models.proofs import OneTimeCode, Passkey, RecoveryCode, Totp

__all__ = ["OneTimeCode", "Passkey", "RecoveryCode", "Session", "Ticket", "TokenFamily", "Totp", "User"]
