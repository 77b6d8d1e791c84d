"""How the API describes itself. Apart from core.rest, which the API framework loads while it is loading itself."""

from typing import Any

from drf_spectacular.openapi import AutoSchema


class Schema(AutoSchema):
    """How an endpoint is described: one that is open to everybody needs no token."""

    def get_auth(self) -> list[dict[str, Any]]:
        """The ways to be let in."""
        ways: list[dict[str, Any]] = super().get_auth()
        is_open = any(getattr(each, "permission", "") == "public" for each in self.view.get_permissions())
        return [*ways, {}] if is_open else ways
