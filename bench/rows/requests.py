"""The same three pages, tables and middleware, served in three ways; requests take turns, so that all meet the same noise.

Each way has a gunicorn worker for every number of hospitals it is asked about: what a worker and its database session
remember is part of what is measured. `cold` is the first visit that a worker sees to a hospital.
"""

import os
import random
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import cycle

from bench import cluster, fleet
from bench.frame import Figure, Size, figure, in_turn
from bench.web import Visitor, gunicorn

SINGLE = "single_schema"  # the twin's database
PAGES = {"ping": ("GET", 200), "list": ("GET", 200), "insert": ("POST", 201)}
WAYS = {"stock": "django-tenants", "ours": "RHMS"}
SAME, RANDOM = 1.05, 1.3  # at most so many times the twin


class Way:
    """One server, and the hosts it is asked for."""

    def __init__(self, name: str, port: int, hosts: list[str], target: float | None = None) -> None:
        self.name, self.hosts, self.target = name, hosts, target
        self._visitor = Visitor(port)
        chance = random.Random(3)  # the same visits in every run
        self._next = cycle([chance.choice(hosts) for _ in range(10 * len(hosts))])

    def visit(self, page: str, host: str = "") -> float:
        """Milliseconds for one request to that host, or the next one's."""
        method, status = PAGES[page]
        return self._visitor.ask(f"/{page}", host=host or next(self._next), method=method, status=status)


def measure(size: Size) -> Iterator[Figure]:
    """The twin, and the others beside it."""
    make_twin()
    hosts = [hospital.host for hospital in fleet.hospitals()]
    with ExitStack() as stack:

        def serve(way: str, name: str, asked: list[str], target: float | None = None) -> Way:
            port, _workers = stack.enter_context(gunicorn(environment_of(way), threads=1))
            return Way(name, port, asked, target)

        twin = serve("single", "one schema, no hospitals", hosts[:1])
        others = []
        for number in sorted({1, min(100, len(hosts)), len(hosts)}):
            asked = "the same hospital" if number == 1 else f"{number} hospitals at random"
            target = SAME if number == 1 else RANDOM
            others += [
                serve(way, f"{title}, {asked}", hosts[:number], target if way == "ours" else None)
                for way, title in WAYS.items()
            ]
        for page in PAGES:
            twin.visit(page)
        # Also what makes everything warm.
        cold = {(way.name, page): first_visits(twin, way, page) for page in PAGES for way in others}
        acts = [((way, page), partial(way.visit, page)) for page in PAGES for way in (twin, *others)]
        named = [(f"{page}: {way.name}", act) for (way, page), act in acts]
        in_turn(named, size.rounds(60))
        warm = in_turn(named, size.rounds(800))
        for (way, page), _act in acts:
            name = f"{page}: {way.name}"
            if way is twin:
                yield figure(name, warm[name])
                continue
            yield figure(name, warm[name], of=warm[f"{page}: {twin.name}"], most=way.target)
            if len(way.hosts) > 1:
                visits, beside = cold[way.name, page]
                yield figure(f"{name}, cold", visits, of=beside)


def first_visits(twin: Way, way: Way, page: str) -> tuple[list[float], list[float]]:
    """What the first visit to each hospital takes, and what the twin takes beside it."""
    pairs = [(way.visit(page, host), twin.visit(page)) for host in way.hosts]
    return [visit for visit, _twins in pairs], [twins for _visit, twins in pairs]


def environment_of(way: str) -> dict[str, str]:
    """Whose login and database a way uses. Only ours gets along with a login that may do nothing by itself."""
    owner = os.environ["DATABASE_OWNER_URL"]
    url = {"single": cluster.at_database(owner, SINGLE), "stock": owner, "ours": os.environ["DATABASE_URL"]}[way]
    return {"BENCH_WAY": way, "DJANGO_SETTINGS_MODULE": "bench.twin.settings", "DATABASE_URL": url}


def make_twin() -> None:
    """A database in which everything stands in one schema, with the patients of one hospital."""
    environment = dict(os.environ)
    cluster.make_database(environment, SINGLE, copy_of=None)
    there = environment | environment_of("single")
    cluster.run(there, "-m", "django", "migrate", "--verbosity", "0")
    program = "import django; django.setup(); from bench import fleet; fleet.admit(fleet.accounts())"
    cluster.run(there, "-c", program)
