"""The brand of the host that was asked: the portal's, or a hospital's."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.http import HttpRequest

from core.colour import theme_css
from core.hosts import PORTAL_NAME
from tenants.models import Hospital
from tenants.ways import to_portal


@dataclass(frozen=True)
class Brand:
    """What a page needs to look like whoever it belongs to."""

    name: str
    logo_url: str
    theme_url: str
    is_portal: bool
    home_url: str
    phone: Any
    email: str
    address: str


def brand_of(hospital: Hospital | None, home_url: str = "/") -> Brand:
    """The brand of a hospital, or of the portal."""
    if hospital is None:
        return Brand(PORTAL_NAME, "", "", is_portal=True, home_url=home_url, phone="", email="", address="")
    return Brand(
        name=hospital.name,
        logo_url=hospital.logo_url,
        theme_url=theme_address(hospital.accent),
        is_portal=False,
        home_url=home_url,
        phone=hospital.phone_number,
        email=hospital.email,
        address=", ".join([*hospital.address.splitlines(), hospital.city, hospital.get_state_display()]),
    )


@lru_cache(maxsize=512)
def theme_address(accent: str) -> str:
    """The address of a colour's theme file. It changes with what is in it, so that it is cached for ever."""
    digest = hashlib.sha256(theme_css(accent).encode()).hexdigest()[:10]
    return f"/theme/{accent.removeprefix('#')}-{digest}.css"


def brand(request: HttpRequest) -> dict[str, Any]:
    """Context: `brand`, the visitor's `theme` (auto, light or dark), and a hospital's `portal_way` to the portal."""
    theme = request.COOKIES.get("theme", "auto")
    hospital = getattr(request, "hospital", None)
    return {
        "brand": brand_of(hospital, getattr(request, "home_url", "/")),
        "theme": theme if theme in ("light", "dark") else "auto",
        "request_id": getattr(request, "id", ""),
        "portal_way": (lambda: to_portal(request, "hospital_list")) if hospital else "",
    }
