"""Nobody but the backend moves the connection, and nothing is left in a session that a pooler may hand to others."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

ROOMS = (
    *("core", "audit", "notifications", "accounts", "tenants", "directory", "hospitals", "patients"),
    *("billing", "appointments", "rhms"),
)
# A statement's beginning inside a string; SET LOCAL ends with its transaction, and the other two are about one.
_SESSION = re.compile(r"""["'](?:SET (?!LOCAL\b|CONSTRAINTS\b|TRANSACTION\b)|RESET |DISCARD |LISTEN )[A-Za-z"{]""")
_PLACE = re.compile(r"\bSET (?:LOCAL |SESSION )?(?:ROLE|SESSION AUTHORIZATION|SCHEMA|search_path)\b", re.IGNORECASE)
_CONFIG = re.compile(r"\bset_config\(", re.IGNORECASE)
_LOCK = re.compile(r"\bpg_(?:try_)?advisory_lock(?:_shared)?\(")
_TEMPORARY = re.compile(r"\bCREATE TEMP", re.IGNORECASE)


def files_with(what: re.Pattern[str]) -> set[str]:
    return {str(file.relative_to(settings.BASE_DIR)) for file in sources() if what.search(file.read_text())}


def sources() -> Iterator[Path]:
    for room in ROOMS:
        for file in Path(settings.BASE_DIR, room).rglob("*.py"):
            if "migrations" not in file.parts and "postgres" not in file.parts:
                yield file


def test_only_the_owners_commands_change_what_a_session_remembers() -> None:
    assert files_with(_SESSION) <= {"tenants/fleet/upgrading.py"}


def test_only_the_owners_texts_choose_a_place() -> None:
    lint = {"tenants/expand_form.py"}  # only speaks of it
    assert files_with(_PLACE) - lint <= {
        "tenants/archives/contents.py",
        "tenants/fleet/upgrading.py",
        "tenants/roles.py",
    }


def test_settings_for_one_transaction_do_not_come_from_a_function_but_once() -> None:
    """A webhook is kept without waiting for the disk, in the message of its INSERT: it ends with the transaction."""
    assert files_with(_CONFIG) == {"billing/models/gateway.py"}
    text = Path(settings.BASE_DIR, "billing/models/gateway.py").read_text()
    assert re.findall(r"set_config\(.*?\)", text) == ["set_config('synchronous_commit', 'off', true)"]


def test_locks_and_tables_of_a_session_are_the_owners_alone() -> None:
    assert files_with(_LOCK) <= {"tenants/cells/moving.py", "tenants/fleet/upgrading.py"}
    assert files_with(_TEMPORARY) == set()
