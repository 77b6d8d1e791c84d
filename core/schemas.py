"""Which schema the database connection works in. The only place that talks to django-tenants' connection."""

from typing import Any, Protocol, cast

from django.db import connection
from django_tenants.utils import get_public_schema_name


class _TenantConnection(Protocol):
    schema_name: str | None

    def set_tenant(self, tenant: Any) -> None: ...

    def set_schema_to_public(self) -> None: ...


def _connection() -> _TenantConnection:
    return cast(_TenantConnection, connection)


def active() -> str:
    """The name of the schema that is active now."""
    return _connection().schema_name or get_public_schema_name()


def enter(hospital: Any) -> None:
    """Work in the hospital's schema from now on; a block of code uses `schema_context` instead."""
    _connection().set_tenant(hospital)


def enter_public() -> None:
    """Work in the public schema from now on."""
    _connection().set_schema_to_public()
