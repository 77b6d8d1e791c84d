"""Loaded before Django's settings (`-p tests.servers`): the tests' own Postgres and Valkey, and their environment.

Nothing here touches var/ of a running platform. With several workers the first process starts the servers; each worker
has its own database (pytest-django) and its own Redis database (here).
"""

import atexit
import os
from contextlib import ExitStack
from tempfile import TemporaryDirectory

from rhms.embedded import temporary_servers

_servers = ExitStack()
_worker = os.environ.get("PYTEST_XDIST_WORKER", "")

if not _worker:
    addresses = _servers.enter_context(temporary_servers())
    atexit.register(_servers.close)
    os.environ |= {
        "DATABASE_URL": addresses.database_url,
        "DATABASE_OWNER_URL": addresses.database_owner_url,
        "REDIS_URL": addresses.redis_url,
        "DEBUG": "true",  # settings are loaded as in development; pytest-django then sets settings.DEBUG to False
        "SECRET_KEY": "tests-only-" + "x" * 50,
        "SITE_URL": "http://localhost:8000",
        "EMAIL_URL": "console:",
        "MEDIA_ROOT": _servers.enter_context(TemporaryDirectory(prefix="rhms-media-")),
    }
else:
    base, _, _number = os.environ["REDIS_URL"].rpartition("/")
    os.environ["REDIS_URL"] = f"{base}/{int(_worker.removeprefix('gw')) + 1}"
    os.environ["MEDIA_ROOT"] += f"-{_worker}"
# Playwright's sync API runs an event loop in the test's thread.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
