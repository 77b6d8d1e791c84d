"""How fast doctors are found among 100,000: in the database, and as a page beside an answer that asks nobody."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.utils.timezone import now

from bench.doctors import CITIES, HOSPITALS, LANGUAGES, common, fill
from bench.frame import Act, Figure, Size, figure, in_turn, p95, timed
from bench.web import Visitor, gunicorn
from core.pages import PER_PAGE, LongPaginator
from core.schemas import as_owner
from core.visits import VisitKind
from directory import services as directory
from directory.models import DoctorListing, Wanted
from directory.specialties import SPECIALTIES

DOCTORS = 100_000
QUERY_TARGET = 10.0  # milliseconds, 95 of 100
PAGE_TARGET = 10.0  # times /healthz
PAGES = ("/doctors/", "/doctors/?specialty=cardiology&city=Pune", "/doctors/?q=heart+in+Pune", "/hospitals/")


@dataclass(frozen=True)
class Kind:
    """One way of searching, with parameters that differ each time."""

    name: str
    query: Callable[[random.Random], Any]


def measure(size: Size) -> Iterator[Figure]:
    """Everything, in a database with nothing else in it."""
    with as_owner(), connection.cursor() as cursor:
        with transaction.atomic():
            names = fill(cursor, size.rounds(DOCTORS), now())
        cursor.execute("VACUUM ANALYZE")
    yield from queries(names, size.rounds(120))
    yield from pages(size.rounds(120))


def kinds(names: list[str], today: date) -> list[Kind]:
    """What people look for."""

    def specialty(chance: random.Random) -> str:
        return SPECIALTIES[common(chance)].slug

    def city(chance: random.Random) -> str:
        return chance.choices(CITIES, weights=range(len(CITIES), 0, -1))[0]

    def soon(chance: random.Random) -> date:
        return today + timedelta(days=chance.randrange(5))

    def rupees(chance: random.Random, first: int, last: int) -> Decimal:
        return Decimal(chance.randrange(first, last, 50))

    return [
        Kind("nothing in particular", lambda chance: Wanted()),
        Kind("specialty", lambda chance: Wanted(specialty=specialty(chance))),
        Kind("city", lambda chance: Wanted(city=city(chance))),
        Kind("specialty, city", lambda chance: Wanted(specialty=specialty(chance), city=city(chance))),
        Kind(
            "specialty, city, fee, language",
            lambda chance: Wanted(
                specialty=specialty(chance),
                city=city(chance),
                fee_to=rupees(chance, 300, 900),
                language=chance.choice(LANGUAGES),
            ),
        ),
        Kind("specialty, video", lambda chance: Wanted(specialty=specialty(chance), kind=VisitKind.VIDEO)),
        Kind(
            "city, day, in person", lambda chance: Wanted(city=city(chance), day=soon(chance), kind=VisitKind.IN_PERSON)
        ),
        Kind(
            "specialty, city, day",
            lambda chance: Wanted(specialty=specialty(chance), city=city(chance), day=soon(chance)),
        ),
        Kind("day", lambda chance: Wanted(day=soon(chance))),
        Kind(
            "specialty, experience, fee range",
            lambda chance: Wanted(
                specialty=specialty(chance), experience=15, fee_from=Decimal(500), fee_to=Decimal(900)
            ),
        ),
        Kind("a low fee", lambda chance: Wanted(fee_to=rupees(chance, 100, 200))),
        Kind("language", lambda chance: Wanted(language=chance.choice(LANGUAGES))),
        Kind("hospital", lambda chance: Wanted(hospital=f"hospital-{chance.randrange(HOSPITALS)}")),
        Kind("words: a name", lambda chance: Wanted(words=chance.choice(names))),
        Kind("words: a name and a city", lambda chance: Wanted(words=f"{chance.choice(names)} in {city(chance)}")),
        Kind(
            "words: half a name and a city", lambda chance: Wanted(words=f"{chance.choice(names)[:3]} {city(chance)}")
        ),
        Kind(
            "words: a symptom and a city",
            lambda chance: Wanted(
                words=f"{chance.choice(['heart', 'skin doctor', 'chest pain', 'haddi', 'fever'])} in {city(chance)}"
            ),
        ),
        Kind(
            "words: the beginning of one", lambda chance: Wanted(words=chance.choice(["ca", "der", "pu", "ra", "hosp"]))
        ),
        Kind(
            "words: a symptom, by fee",
            lambda chance: Wanted(words=chance.choice(["eye", "child", "knee pain"]), fee_to=rupees(chance, 300, 900)),
        ),
    ]


def queries(names: list[str], rounds: int) -> Iterator[Figure]:
    """How long the database takes for the first page of each kind of search, its count included."""
    chance = random.Random(11)  # the same searches every time
    mistyped = [name[:3] + name[4:] + "x" for name in names]
    acts: list[tuple[str, Act]] = [(kind.name, partial(asked, kind, chance)) for kind in kinds(names, now().date())]
    acts.append(("what a mistyped word meant", lambda: timed(partial(directory.meant, chance.choice(mistyped)))))
    in_turn(acts, 3)
    for name, times in in_turn(acts, rounds).items():
        yield figure(name, times, most_p95=QUERY_TARGET)


def asked(kind: Kind, chance: random.Random) -> float:
    """The milliseconds of one search in the database."""
    taken: list[float] = []

    def measured(execute: Any, *what: Any) -> Any:
        began = time.perf_counter()
        answer = execute(*what)
        taken.append(1000 * (time.perf_counter() - began))
        return answer

    wanted = kind.query(chance)
    rows = DoctorListing.objects.published().wanted(wanted).with_hospital().earliest_first(wanted.kind)
    with connection.execute_wrapper(measured):
        list(LongPaginator(rows, PER_PAGE).get_page(1).object_list)
    return sum(taken)


def pages(rounds: int) -> Iterator[Figure]:
    """How long a page takes over HTTP, beside an answer that asks nobody: 95 of 100 of each."""
    with gunicorn({}, threads=1) as (port, _workers):
        visitor = Visitor(port)
        acts = [(path, partial(visitor.ask, path)) for path in ("/healthz", *PAGES)]
        in_turn(acts, 5)
        found = in_turn(acts, rounds)
    yield figure("/healthz", found["/healthz"])
    for path in PAGES:
        yield figure(path, found[path], of=found["/healthz"], by=p95, most=PAGE_TARGET)
