"""On what was measured, because a number without its machine says little."""

import os
import platform
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from bench.cluster import maintenance
from bench.frame import timed

_PACKAGES = ("Django", "django-tenants", "psycopg2-binary", "gunicorn", "celery")


def machine(environment: dict[str, str]) -> dict[str, Any]:
    """What the table says about it."""
    with maintenance(environment) as cursor:
        cursor.execute("SHOW server_version")
        [postgres] = cursor.fetchone()
        cursor.execute(
            "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'shared_buffers')"
        )
        settings = dict(cursor.fetchall())
    pages, page = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(pages * page / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgres": postgres,
        "postgres_settings": settings,
        "packages": {name: version(name) for name in _PACKAGES},
        "disk_sync_ms": round(_disk_sync(), 2),
        "revision": _revision(),
    }


def load() -> float:
    """How many programs want a core, on average over the last minute."""
    return round(os.getloadavg()[0], 1)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _disk_sync() -> float:
    """The middle of how long the disk takes until a page of 8 KiB is really written."""
    with tempfile.TemporaryFile(prefix="rhms-bench-") as file:

        def write() -> None:
            os.pwrite(file.fileno(), os.urandom(8192), 0)
            os.fsync(file.fileno())

        return median(timed(write) for _ in range(50))


def _revision() -> str:
    """Which version of the code was measured, "" outside of a checkout."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout.strip()
