"""Whose host is it? By what this process heard less than a second ago, by Redis, and by the database."""

from collections.abc import Iterator
from functools import partial
from itertools import cycle

from django.core.cache import cache

from bench import fleet
from bench.frame import Figure, Size, figure, in_turn, timed
from tenants.hosts import forget_here, hospital_at
from tenants.models import Domain


def measure(size: Size) -> Iterator[Figure]:
    """Each of the three, beside the query that django-tenants asks in every request."""
    turns = cycle([hospital.host for hospital in fleet.hospitals()])

    def near() -> float:
        host = next(turns)
        hospital_at(host)
        return timed(partial(hospital_at, host))

    def by_redis() -> float:
        host = next(turns)
        hospital_at(host)
        forget_here()
        return timed(partial(hospital_at, host))

    def by_database() -> float:
        cache.clear()
        forget_here()
        return timed(partial(hospital_at, next(turns)))

    def stock() -> float:
        host = next(turns)
        return timed(lambda: Domain.objects.select_related("tenant").get(domain=host).tenant)

    query = "django-tenants' query"
    acts = [(query, stock), ("by this process", near), ("by Redis", by_redis), ("by the database", by_database)]
    in_turn(acts, 10)
    found = in_turn(acts, size.rounds(500))
    for name, times in found.items():
        yield figure(name, times, of=found[query])
