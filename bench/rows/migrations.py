"""A release that adds one column to every hospital: RHMS's command, and django-tenants' for a few of them."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from io import StringIO
from pathlib import Path
from statistics import median

from django.core.management import CommandError, call_command
from django.db import connection
from django.utils.timezone import now

from bench import fleet
from bench.frame import Figure, Size, timed
from core.schemas import as_owner
from tenants.fleet import planning, running
from tenants.models import Hospital
from tenants.provisioning import version
from tests.tenants.releases import next_release

EACH, NOTHING = 10.0, 1000.0  # milliseconds, at most
SAMPLE = 3
JOBS = 2
COLUMN = 'operations = [migrations.AddField("patient", "{name}", models.CharField(max_length=80, null=True))]'


def measure(size: Size) -> Iterator[Figure]:
    """All, nothing to do, one that cannot be migrated, and a few by django-tenants."""
    number = Hospital.objects.with_schema().count()
    victim, *others = fleet.hospitals()
    with tempfile.TemporaryDirectory(prefix="rhms-bench-") as made:
        folder = Path(made)
        with next_release(folder, COLUMN.format(name="nickname")):
            moments: list[float] = []
            took = timed(lambda: settle_all(moments))
            yield Figure(f"{number} hospitals, the plan included", took)
            yield Figure("each further hospital", 1000 * (moments[-1] - moments[0]) / (number - 1), most=EACH)
            nothing = [timed(migrate) for _ in range(size.rounds(5))]
            yield Figure("when there is nothing to do", median(nothing), most=NOTHING)
            with next_release(folder, COLUMN.format(name="second_nickname")):
                few = others[: size.rounds(SAMPLE)]
                sample = [timed(partial(by_stock, one)) for one in few]
                yield Figure(
                    f"each of {len(few)} by migrate_schemas of django-tenants",
                    median(sample),
                    times=median(sample) * number / took,
                )
                rename(victim, "patients_patient", "patients_away")
                with suppress(CommandError):
                    migrate()
                behind = Hospital.objects.with_schema().exclude(schema_version=version()).count()
                yield Figure(f"one of {number} is broken: left behind", behind, unit="", least=1, most=1)
                rename(victim, "patients_away", "patients_patient")


def settle_all(moments: list[float]) -> None:
    """What the command does, noting when each hospital is done."""
    refused = running.migrate(
        hospitals=planning.behind(), jobs=JOBS, tell=lambda _outcome: moments.append(time.perf_counter()), now=now()
    )
    if refused:
        raise RuntimeError(f"{refused[0].hospital} could not be migrated: {refused[0].error}")


def migrate() -> None:
    """As a deployment does."""
    call_command("migrate_hospitals", jobs=JOBS, stdout=StringIO(), stderr=StringIO())


def by_stock(hospital: Hospital) -> None:
    """One schema at a time, by the ordinary executor."""
    with as_owner():
        call_command("migrate_schemas", tenant=True, schema_name=hospital.schema_name, interactive=False, verbosity=0)
    Hospital.objects.filter(pk=hospital.pk).update(schema_version=version())


def rename(hospital: Hospital, table: str, to: str) -> None:
    """Take a table away, or give it back."""
    name = connection.ops.quote_name
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name(hospital.schema_name)}.{name(table)} RENAME TO {name(to)}")
