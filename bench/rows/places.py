"""What it costs that a statement runs with the rights of one hospital, beside a search path alone and beside neither.

Here each statement goes to another hospital; a request goes to one, once.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import cycle
from statistics import median
from typing import Any

import psycopg2
from django.db import connections
from django.test import Client

from bench import fleet
from bench.frame import Act, Figure, Size, figure, in_turn, timed
from bench.pages import visiting

STATEMENT = "SELECT count(*) FROM patients_patient"
SHARE = 2.0  # percent of a request, at most


def measure(size: Size) -> Iterator[Figure]:
    """A statement in four ways beside a whole page, then a session's first role."""
    hospitals = fleet.hospitals()
    schemas = [hospital.schema_name for hospital in hospitals[:20]]
    stays, paths, roles, pooled, page = (
        "a statement where the session stands",
        "the same at another search path",
        "the same at another role and search path",
        "the same as behind PgBouncer, in a transaction",
        "a hospital's first page, without the network",
    )
    acts = [
        (stays, asking(session("default"), schemas[:1])),
        (paths, asking(session("owner"), schemas)),
        (roles, asking(session("default"), schemas)),
        (pooled, asking(session("default", IS_POOLED=True), schemas)),
        (page, visiting(Client(HTTP_HOST=hospitals[0].host), "/")),
    ]
    in_turn(acts, 2 * len(schemas))  # everything is warm now
    found = in_turn(acts, size.rounds(1000))
    for name, times in found.items():
        yield figure(name, times, of=found[stays])
    share = 100 * (median(found[roles]) - median(found[stays])) / median(found[page])
    yield Figure("what role and search path add to that page", share, unit="%", most=SHARE)
    first, later = first_roles(schemas, size.rounds(30))
    yield figure("a session's next role", later)
    yield figure(f"a session's first role, of {len(hospitals)} it may take", first, of=later)


def session(login: str, **settings: Any) -> Any:
    """A session of its own as that login, with other settings of the database."""
    made = connections.create_connection(login)
    made.settings_dict = {**made.settings_dict, **settings}
    return made


def asking(connection: Any, schemas: Sequence[str]) -> Act:
    """Ask one statement, in one schema after the other."""
    turns = cycle(schemas)

    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute(STATEMENT)
            cursor.fetchone()

    def act() -> float:
        connection.set_schema(next(turns))
        return timed(ask)

    return act


def first_roles(roles: Sequence[str], rounds: int) -> tuple[list[float], list[float]]:
    """What the first role of a new session takes, and what its later ones take."""
    first, later = [], []
    for _round in range(rounds):
        link = psycopg2.connect(os.environ["DATABASE_URL"])
        with link.cursor() as cursor:
            cursor.execute("SELECT 1")
            times = [timed(lambda role=role: cursor.execute(f'SET ROLE "{role}"')) for role in roles]  # type: ignore[misc]
        link.close()
        first.append(times[0])
        later += times[1:]
    return first, later or first
