"""Where a connection stands: whose rights it uses, and in which schemas it looks for tables."""

import re
from dataclasses import dataclass
from functools import cache

# NOLOGIN roles that `manage.py prepare` makes. A hospital's own role is named like its schema.
PORTAL_ROLE = "rhms_portal"  # what the portal may do: the shared tables, and opening a hospital
SHARED_ROLE = "rhms_shared"  # what everybody may do: read and write the shared tables

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True)
class Place:
    """A role (None: the login itself) and a search path, which are only ever set together."""

    role: str | None
    path: tuple[str, ...]

    def sql(self, *, for_transaction: bool, with_path: bool = True) -> str:
        """SQL that goes there, until the present transaction ends or until told otherwise."""
        how_long = "LOCAL " if for_transaction else ""
        role = f'SET {how_long}ROLE "{self.role}";' if self.role else ""
        if not with_path:
            return role
        path = ", ".join(f'"{schema}"' for schema in self.path)
        return f"{role}SET {how_long}search_path TO {path};"

    @property
    def reported(self) -> str:
        """How Postgres says, from version 18 on, that its search path is this one."""
        return ", ".join(self.path)


@cache
def place_of(schema: str, *, includes_public: bool = True, switches_role: bool = True) -> Place:
    """The place of a schema. Raises ValueError for a name that is no schema's of ours."""
    if not _NAME.fullmatch(schema):
        raise ValueError(f"{schema!r} cannot be the name of a schema.")
    if schema == "public":
        return Place(role=PORTAL_ROLE if switches_role else None, path=("public",))
    path = (schema, "public") if includes_public else (schema,)
    return Place(role=schema if switches_role else None, path=path)
