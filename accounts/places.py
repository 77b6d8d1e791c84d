"""A place is where a sign-in counts: the portal, or one hospital with all its hosts."""

from typing import Any


def place_of(request: Any) -> str:
    """The hospital's code, or "" on the portal: what sessions, tokens and tickets made here say."""
    return str(request.hospital.code) if request.hospital else ""
