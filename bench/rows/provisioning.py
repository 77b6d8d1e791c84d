"""Making one more hospital's schema: RHMS's way, django-tenants' copy of a schema, and running all migrations.

In a database with many hospitals, and RHMS's way also in one without any, taking turns. Each begins with a new session.
Only RHMS's way makes a role and its rights as well.
"""

import os
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from statistics import median

from django.core.management import call_command
from django.db import connection, connections, transaction
from django.utils.timezone import now
from django_tenants.clone import CloneSchema  # type: ignore[import-untyped]

from bench import cluster, world
from bench.fleet import hospitals
from bench.frame import Figure, Size, figure, in_turn, timed
from core import schemas
from hospitals.services import joining
from tenants import provisioning

FEW = "few_hospitals"  # a database that begins with none
OPENING = 1000.0  # milliseconds, at most
SHARE, GROWTH = 0.1, 1.5
_numbers = count(100_000)


def measure(size: Size) -> Iterator[Figure]:
    """The schemas alone, then the whole approval."""
    cluster.make_database(dict(os.environ), FEW)
    many = connection.settings_dict["NAME"]
    base, number = hospitals()[0].schema_name, len(hospitals())
    few, ours, copy, migrate = (
        "RHMS, beside the first few hospitals",
        f"RHMS, beside {number}",
        f"clone_schema of django-tenants, beside {number}",
        f"migrate_schemas of django-tenants, beside {number}",
    )
    acts = [
        *[(few, partial(at, FEW, provision)), (ours, partial(at, many, provision))] * 3,
        (copy, partial(at, many, partial(clone, base))),
        (migrate, partial(at, many, migrated)),
    ]
    for _name, act in acts[:2]:
        act()
    found = in_turn(acts, size.rounds(3))
    yield figure(few, found[few])
    yield figure(ours, found[ours], of=found[few], most=GROWTH)
    yield figure(copy, found[copy], of=found[few])
    yield figure(migrate, found[migrate], of=found[few])
    share = median(found[ours]) / median(found[migrate])
    yield Figure("RHMS, beside what migrate_schemas takes", share, unit="times", most=SHARE)
    yield figure(
        "approving: all that belongs to an open hospital",
        [at(many, approved) for _ in range(size.rounds(10))],
        most=OPENING,
    )


def at(database: str, act: Callable[[], float]) -> float:
    """Do it in that database, in a new session."""
    connection.close()
    connection.settings_dict["NAME"] = connections.settings["owner"]["NAME"] = database
    return act()


def provision() -> float:
    """As approval does."""
    [hospital] = world.many(number := next(_numbers), number + 1)

    @transaction.atomic
    def work() -> None:
        provisioning.provision(hospital=hospital)

    return timed(work)


def clone(base: str) -> float:
    """As django-tenants does when a tenant has a base schema: copy it, then record all migrations as done."""
    name = f"h_cloned_{next(_numbers)}"

    def work() -> None:
        CloneSchema().clone_schema(base, name, "NODATA")
        call_command("migrate_schemas", tenant=True, fake=True, schema_name=name, interactive=False, verbosity=0)

    return as_owner(work, name)


def migrated() -> float:
    """As django-tenants does otherwise."""
    name = f"h_migrated_{next(_numbers)}"

    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA {connection.ops.quote_name(name)}")
        call_command("migrate_schemas", tenant=True, schema_name=name, interactive=False, verbosity=0)

    return as_owner(work, name)


def as_owner(work: Callable[[], None], name: str) -> float:
    """Do it as the owner; the session is there before. Raises RuntimeError when tables are missing afterwards."""
    with schemas.as_owner():
        wanted = tables(hospitals()[0].schema_name)
        took = timed(work)
        if tables(name) != wanted:
            raise RuntimeError(f"{name} has {tables(name)} tables and not {wanted}: what is compared differs.")
    return took


def tables(schema: str) -> int:
    """How many a schema has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = %s", [schema])
        [number] = cursor.fetchone()
    return int(number)


def approved() -> float:
    """What a superadmin waits for."""
    hospital, usha = world.pending(f"new-{next(_numbers)}"), world.usha()
    return timed(lambda: joining.approve(hospital=hospital, by=usha, now=now()))
