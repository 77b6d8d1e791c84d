"""`python -m bench.search`: how fast doctors are found among 100,000, in the database and as a page.

The servers live in a temporary folder and forget everything at the end.
"""

import io
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from http.client import HTTPConnection
from itertools import product
from pathlib import Path
from statistics import median, quantiles
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django

from bench.approve import row, servers, timed, write

DOCTORS = 100_000
HOSPITALS = 300
ROUNDS = 120
QUERY_TARGET = 10.0  # milliseconds, the 95th of 100
PAGE_TARGET = 10.0  # times what an answer takes that asks nobody

CITIES = [
    *("Mumbai", "Delhi", "Bengaluru", "Hyderabad", "Chennai", "Kolkata", "Pune", "Ahmedabad", "Jaipur", "Lucknow"),
    *("Surat", "Kanpur", "Nagpur", "Indore", "Thane", "Bhopal", "Patna", "Vadodara", "Ludhiana", "Agra", "Nashik"),
    *("Ranchi", "Kochi", "Mysuru", "Guwahati", "Chandigarh", "Coimbatore", "Madurai", "Jodhpur", "Raipur"),
]
LANGUAGES = ("en", "hi", "mr", "ta", "te", "kn", "bn", "gu", "ml", "pa", "ur", "or", "as", "kok", "tcy")
_BEGINNINGS = (
    "Ra",
    "Vi",
    "Sa",
    "An",
    "Ka",
    "Me",
    "Su",
    "De",
    "Ni",
    "Pri",
    "Ar",
    "Ma",
    "Lak",
    "Go",
    "Bha",
    "Sha",
    "Te",
    "Ya",
)
_MIDDLES = ("ni", "ke", "ja", "mi", "va", "shi", "ri", "ta", "lo", "pu")
_ENDS = ("sh", "ra", "n", "ya", "l", "ma", "t", "i")


def main() -> int:
    """Measure and print; 1 when a target is missed."""
    with servers() as environment:
        os.environ |= environment
        django.setup()
        return measure()


@dataclass(frozen=True)
class Kind:
    """One way of searching, with parameters that differ each time."""

    name: str
    query: Callable[[random.Random], Any]


def measure() -> int:
    """Everything, on a database with nothing else in it."""
    # Only now are there settings.
    from django.core.management import call_command
    from django.db import connection, transaction
    from django.utils.timezone import now

    call_command("prepare", verbosity=0)
    with connection.cursor() as cursor:
        with transaction.atomic():
            names = fill(cursor, random.Random(7), now())  # noqa: S311  (the same doctors every time)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute(
            "SELECT pg_size_pretty(pg_table_size(c)), pg_size_pretty(pg_indexes_size(c)) "
            "FROM (VALUES ('directory_doctorlisting'::regclass)) AS listings (c)"
        )
        write(f"{DOCTORS:,} doctors of {HOSPITALS} hospitals: {' and '.join(cursor.fetchone())} of indexes\n")
    missed = [*queries(names, now()), *pages()]
    for sentence in missed:
        write(sentence)
    return 1 if missed else 0


def fill(cursor: Any, chance: random.Random, now: datetime) -> list[str]:
    """Hospitals and doctors that nobody has made up carefully; returns the family names."""
    from audit import services as audit
    from audit.models import Action
    from directory.models import SearchWord
    from tenants.models import Hospital

    families = ["".join(parts) for parts in product(_BEGINNINGS, _MIDDLES, _ENDS)]
    given = ["".join(parts) for parts in product(_BEGINNINGS, _ENDS)]
    hospitals = Hospital.objects.bulk_create(
        Hospital(
            schema_name=f"h_{number}",
            name=f"{chance.choice(families)} {chance.choice(['Hospital', 'Clinic', 'Heart Centre', 'Medical Centre'])}",
            registration_number=f"MH/{number}",
            email=f"office{number}@hospital.example",
            phone_number="+919845012345",
            address="12 Lake Road",
            city=city,
            state="MH",
            contact_person="Meera Shah",
            slug=f"hospital-{number}",
            status=Hospital.Status.APPROVED,
        )
        for number, city in enumerate(chance.choices(CITIES, weights=range(len(CITIES), 0, -1), k=HOSPITALS))
    )
    for hospital in hospitals:
        audit.record(action=Action.HOSPITAL_APPROVED, target=hospital, by=None, actor="bench", new=hospital.status)
    rows = [doctor(chance, number, chance.choice(hospitals), given, families) for number in range(DOCTORS)]
    learnt = {word for *_, known, _number in rows for word in known}
    SearchWord.objects.bulk_create((SearchWord(word=word) for word in learnt if len(word) > 2), ignore_conflicts=True)
    cursor.execute(
        "CREATE TEMP TABLE made (hospital_id bigint, code uuid, name text, title text, years int, spoken text[], "
        "fee numeric, video numeric, lowest numeric, photo text, words text, pattern int)"
    )
    lines = ("\t".join(str(value) if value != "" else "\\N" for value in (*row[:-2], row[-1])) for row in rows)
    cursor.copy_expert("COPY made FROM STDIN", io.StringIO("\n".join(lines)))
    cursor.execute("CREATE TEMP TABLE patterns (pattern int, times int[], days int[])")
    cursor.executemany(
        "INSERT INTO patterns VALUES (%s, %s, %s)", [(number, *pattern(chance, now)) for number in range(500)]
    )
    cursor.execute(
        """
        INSERT INTO directory_doctorlisting (hospital_id, code, is_published, name, specialization, department,
            qualifications, experience_years, languages, fee_in_person, fee_video, lowest_fee, photo_thumb, search_text,
            free_times, free_days, notice_minutes, next_free_at, next_in_person_at, next_video_at, first_passes_at, stale_at)
        SELECT hospital_id, code, true, name, title, title, 'MBBS, MD', years, spoken, fee, video, lowest, coalesce(photo, ''),
            words, times, days, 60, to_timestamp(times[1] / 8 * 60.0), to_timestamp(times[1] / 8 * 60.0),
            CASE WHEN video IS NOT NULL THEN to_timestamp(times[1] / 8 * 60.0) END,
            to_timestamp(times[1] / 8 * 60.0) - interval '1 hour', now() + interval '1 day'
        FROM made NATURAL JOIN patterns
        """
    )
    return families


def doctor(chance: random.Random, number: int, hospital: Any, given: list[str], families: list[str]) -> list[Any]:
    """The columns of one doctor, with the words by which they are found before the last."""
    from core.codes import new_code
    from directory import expressions, specialties

    specialty = specialties.SPECIALTIES[common(chance)]
    name = f"{chance.choice(given)} {chance.choice(families)}"
    spoken = ["en", *chance.sample(LANGUAGES, k=2)] if number % 3 else ["en", "hi"]
    fee = chance.randrange(100, 2500, 50)
    video = "" if number % 2 else str(fee - 50)
    title = specialty.titles.split(",")[0]
    words = dict.fromkeys(specialties.words_of(f"{name} {title} {hospital.name} {hospital.city}"))
    marks = [expressions.mark("is", specialty.slug), expressions.mark("in", hospital.city)]
    marks += [expressions.mark("speaks", language) for language in spoken]
    marks += [expressions.mark("offers", kind) for kind in ("in_person", *(["video"] if video else []))]
    photo = "data:image/webp;base64," + "QUJD" * 400 if number % 5 else ""
    columns = [hospital.pk, new_code(), name, title, chance.randrange(2, 40), f"{{{','.join(spoken)}}}", fee, video]
    known = {*words, *specialties.vocabulary([specialty])}
    return [*columns, video or fee, photo, " ".join([*words, *marks]), known, number % 500]


def common(chance: random.Random) -> int:
    """The number of a specialty: few are common."""
    from directory.specialties import SPECIALTIES

    return min(int(chance.expovariate(0.1)), len(SPECIALTIES) - 1)


def pattern(chance: random.Random, now: datetime) -> tuple[list[int], list[int]]:
    """Two weeks of a doctor of whom some times are taken."""
    if chance.random() < 0.05:
        return [], []
    first = int(now.timestamp()) // 86400
    days = sorted(chance.sample(range(first, first + 14), k=chance.randrange(3, 13)))
    times = [(day * 1440 + 210 + slot * 20) * 8 + 3 for day in days for slot in range(24) if chance.random() < 0.7]
    numbers = [number for number in times if number > (int(now.timestamp()) // 60 + 60) * 8]
    return numbers, sorted({number // 8 // 1440 * 8 + bit for number in numbers for bit in (1, 2)})


def kinds(names: list[str], today: date) -> list[Kind]:
    """What people look for."""
    from core.visits import VisitKind
    from directory.models import Wanted
    from directory.specialties import SPECIALTIES

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


def queries(names: list[str], now: datetime) -> Iterator[str]:
    """How long the database takes for the first page of each kind of search, its count included."""
    from django.db import connection

    from core.pages import PER_PAGE, LongPaginator
    from directory import services as directory
    from directory.models import DoctorListing

    chance = random.Random(11)  # noqa: S311  (the same searches every time)

    def ask(wanted: Any) -> float:
        taken: list[float] = []

        def measured(execute: Any, *what: Any) -> Any:
            began = time.perf_counter()
            answer = execute(*what)
            taken.append(1000 * (time.perf_counter() - began))
            return answer

        rows = DoctorListing.objects.published().wanted(wanted).with_hospital().earliest_first(wanted.kind)
        with connection.execute_wrapper(measured):
            list(LongPaginator(rows, PER_PAGE).get_page(1).object_list)
        return sum(taken)

    write(f"{'milliseconds in the database':<46}{'p50':>8}{'p95':>8}{'max':>8}   n")
    for kind in kinds(names, now.date()):
        times = [ask(kind.query(chance)) for _ in range(ROUNDS + 5)][5:]
        row(kind.name, times, digits=2, width=46)
        if p95(times) > QUERY_TARGET:
            yield f"{kind.name}: {p95(times):.1f} ms is more than {QUERY_TARGET:.0f}."
    mistyped = [name[:3] + name[4:] + "x" for name in names]
    guesses = [1000 * timed(partial(directory.meant, chance.choice(mistyped))) for _ in range(ROUNDS)]
    row("what a mistyped word meant", guesses, digits=2, width=46)
    if p95(guesses) > QUERY_TARGET:
        yield f"Guessing what was meant: {p95(guesses):.1f} ms is more than {QUERY_TARGET:.0f}."


def p95(times: list[float]) -> float:
    """The 95th of a hundred."""
    return quantiles(times, n=20, method="inclusive")[-1]


def pages() -> Iterator[str]:
    """How long a page takes over HTTP, beside an answer that asks nobody: in turn, so that both meet the same load."""
    from django.conf import settings
    from django.test import override_settings

    files = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # none is collected
    static = Path(settings.MEDIA_ROOT).with_name("static")
    static.mkdir()
    addresses = ["/healthz", "/doctors/", "/doctors/?specialty=cardiology&city=Pune", "/doctors/?q=heart+in+Pune"]
    changed = {"STORAGES": {**settings.STORAGES, **files}, "STATIC_ROOT": static, "SECURE_SSL_REDIRECT": False}
    with override_settings(**changed), serving() as port:
        taken = [[1000 * timed(partial(visit, port, address)) for address in addresses] for _ in range(ROUNDS)][5:]
    write(f"\n{'milliseconds over HTTP, one worker':<46}{'p50':>8}{'p95':>8}{'max':>8}   n")
    times = dict(zip(addresses, map(list, zip(*taken, strict=True)), strict=True))
    for address in addresses:
        row(address, times[address], digits=2, width=46)
    base = times.pop("/healthz")
    for address, each in times.items():
        ratio = p95(each) / p95(base)
        write(f"{address}: {ratio:.1f} times as long as /healthz (middle: {median(each) / median(base):.1f})")
        if ratio > PAGE_TARGET:
            yield f"{address}: {ratio:.1f} times /healthz is more than {PAGE_TARGET:.0f}."


class Quiet(WSGIRequestHandler):
    """Answers without writing a line for each request."""

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def serving() -> Iterator[int]:
    """The platform on a port of this machine."""
    from rhms.wsgi import application

    server = make_server("127.0.0.1", 0, application, handler_class=Quiet)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()


def visit(port: int, address: str) -> None:
    """Ask for one page."""
    link = HTTPConnection("127.0.0.1", port)
    link.request("GET", address, headers={"Host": "rhms.example"})
    answer = link.getresponse()
    answer.read()
    link.close()
    if answer.status != 200:
        raise SystemExit(f"{address} answered {answer.status}.")


if __name__ == "__main__":
    sys.exit(main())
