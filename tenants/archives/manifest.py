"""What an archive says of itself, signed with the platform's key."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from django.core import signing

from core.errors import Conflict
from tenants.archives.contents import Sum, Table

FORMAT = 1
_SALT = "tenants.archives"


class Refused(Conflict):
    """An archive cannot be used, or a hospital not be exported, restored or deleted. The sentence says what to do."""


@dataclass(frozen=True)
class Rows:
    """A table: the columns that were written, and the sum of its rows."""

    columns: list[str]
    key: list[str]
    rows: int
    sha256: str

    @classmethod
    def of(cls, table: Table, found: Sum) -> Self:
        """What was written of a table."""
        return cls(list(table.columns), list(table.key), found.rows, found.sha256)

    @property
    def sum(self) -> Sum:
        """As `contents.sums` gives it."""
        return Sum(self.rows, self.sha256)


@dataclass(frozen=True)
class Stored:
    """A file of the storage."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """Everything that is needed to restore a hospital and to prove that it is whole.

    `hospital`, `domains` and `claims` are its rows of public. Everything else that public knows of it (its entries in the
    search, when its patients have visits) follows from the schema. `people` are the numbers of the people whom its rows
    name, with their codes: they stay in public, and neither their names nor their addresses are in here.
    """

    exported_at: str
    schema_version: str
    schema: str  # the SHA-256 of the DDL
    hospital: dict[str, Any]
    domains: list[dict[str, Any]]
    claims: list[dict[str, Any]]
    migrations: list[str]
    people: dict[str, str]
    tables: dict[str, Rows]
    sequences: dict[str, tuple[int, bool]]
    files: dict[str, Stored]
    missing_files: list[str] = field(default_factory=list)
    format: int = FORMAT

    @property
    def name(self) -> str:
        """The hospital's."""
        return str(self.hospital["name"])

    @property
    def schema_name(self) -> str:
        """The schema's."""
        return str(self.hospital["schema_name"])

    @property
    def folder(self) -> str:
        """Where the hospital's files lie in the storage."""
        return str(self.hospital["code"])

    @property
    def rows(self) -> int:
        """In all tables."""
        return sum(table.rows for table in self.tables.values())

    def to_json(self) -> str:
        """As it is signed."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote. Raises Refused for what is no manifest, or one of another format."""
        try:
            said = json.loads(text)
            if said["format"] != FORMAT:
                raise Refused(f"This archive has the format {said['format']}, and this version reads {FORMAT} only.")
            said["tables"] = {name: Rows(**table) for name, table in said["tables"].items()}
            said["files"] = {path: Stored(**file) for path, file in said["files"].items()}
            said["sequences"] = {name: (last, is_called) for name, (last, is_called) in said["sequences"].items()}
            return cls(**said)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise Refused("This archive's manifest cannot be read.") from None


def sign(text: str) -> str:
    """The signature of a manifest."""
    return signing.Signer(salt=_SALT).signature(text)


def is_signed(text: str, signature: str) -> bool:
    """Whether we have signed it, with the key of today or an earlier one that still counts."""
    try:
        signing.Signer(salt=_SALT).unsign(f"{text}:{signature}")
    except signing.BadSignature:
        return False
    return True
