"""`.env.example` tells of every setting, of nothing else, and in the words of `rhms.env.Env`."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from pydantic import SecretStr, ValidationError

from rhms.env import Env

TEXT = (Path(settings.BASE_DIR) / ".env.example").read_text()
# A variable with the comment that stands directly above it.
ENTRIES = re.findall(r"((?:^# .*\n)+)^([A-Z0-9_]+)=(.*)$", TEXT, flags=re.MULTILINE)
COMMENTS = {name: re.sub(r"\n?^# ", " ", comment, flags=re.MULTILINE).strip() for comment, name, _value in ENTRIES}


def test_it_names_every_variable_once_in_the_order_of_the_class_and_no_other() -> None:
    assert re.findall(r"^([A-Z0-9_]+)=", TEXT, flags=re.MULTILINE) == [name.upper() for name in Env.model_fields]


@pytest.mark.parametrize("name", Env.model_fields)
def test_the_comment_is_the_description_and_tells_the_default(name: str) -> None:
    field = Env.model_fields[name]
    assert field.description, f"{name} has no description in rhms/env.py"
    comment = COMMENTS[name.upper()]
    assert comment.startswith(field.description)
    if not isinstance(field.default, SecretStr) and field.default != "":
        shown = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
        assert comment.endswith(f"Default: {shown}")


def test_a_copy_of_it_changes_nothing() -> None:
    assert [name for _comment, name, value in ENTRIES if value] == []


def test_nothing_else_reads_the_environment() -> None:
    outside = {
        "rhms/run.py",
        "rhms/checks.py",
        "rhms/embedded.py",
        "rhms/processes.py",
        "rhms/wsgi.py",
        "rhms/celery.py",
    }
    rooms = ("rhms", "hospitals", "directory", "tenants", "accounts", "notifications", "audit", "core")
    readers = {
        str(path.relative_to(settings.BASE_DIR))
        for room in rooms
        for path in Path(settings.BASE_DIR, room).rglob("*.py")
        if re.search(r"os\.(environ|getenv)|from os import", path.read_text())
    }
    assert readers <= outside | {"rhms/env.py"}


@pytest.mark.parametrize(
    ("faults", "sentence"),
    [
        ({"secret_key": "short"}, "SECRET_KEY must be set"),
        ({"site_url": "http://rhms.example"}, "SITE_URL must start with https"),
        ({"email_url": "console:"}, "EMAIL_URL must name a mail server"),
        ({"db_password": "demo-only"}, "password is the demo's"),
        ({"razorpay_api_url": "http://localhost:8001"}, "RAZORPAY_API_URL must be https://api.razorpay.com"),
        ({"razorpay_key_id": "rzp_live_1"}, "set all or none"),
        ({"cells": "owner=postgres://a@b/c", "cell_owners": "owner=postgres://a@b/c"}, "cannot be the name of a cell"),
        ({"cells": "north=postgres://a@b/c"}, "must name the same cells"),
        ({"cells": "north=postgres://a@b/c", "cell_owners": "north=postgres://o@b/c"}, "CELL_REGISTRY_URL must be set"),
        (
            {
                "razorpay_key_id": "rzp_test_sandbox1",
                "razorpay_key_secret": "secret",
                "razorpay_webhook_secret": "secret",
            },
            "the sandbox's, whose money is none",
        ),
    ],
)
def test_production_refuses_what_is_only_good_for_development(faults: dict[str, Any], sentence: str) -> None:
    serious: dict[str, Any] = {
        "debug": False,
        "secret_key": "x" * 50,
        "site_url": "https://rhms.example",
        "email_url": "smtp://mail.example:25",
        "database_url": "",
    }
    Env(_env_file=None, **serious)
    with pytest.raises(ValidationError, match=sentence):
        Env(_env_file=None, **{**serious, **faults})
