"""Bookings and free times a second over HTTP, and what the booking's statement costs Postgres.

gunicorn with two workers; eight clients, each with a doctor of its own, and a new connection for each request.
"""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as clock
from functools import partial
from itertools import count
from statistics import median
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Availability, Schedule
from appointments.services import listing
from bench import world
from bench.frame import Figure, Size, in_turn
from bench.statement import statements
from bench.web import Visitor, cpu_seconds, gunicorn
from core.schemas import schema_context
from hospitals.services.doctors import publishing
from patients.services import register
from tenants.models import Hospital

CLIENTS = 8
BOOK, WEEK = "book a visit", "a doctor's week"
# The nearest peer on two cores with two workers: the most it booked, and the most doctor's days it listed, in a second.
PEERS = {BOOK: 48.0, WEEK: 27.0}
LEAST = {BOOK: 3.0, WEEK: 5.0}  # times the peer
MOST_QUERIES = {BOOK: 12, WEEK: 8}
_keys = count(1)


@dataclass(frozen=True)
class Person:
    """A client: the token it shows, the doctor it books, and the times it takes one after another."""

    headers: dict[str, str]
    host: str
    doctor: UUID
    times: Iterator[datetime]


def measure(size: Size) -> Iterator[Figure]:
    """Everything, on a hospital with nothing else in it."""
    people = prepare(world.opened())
    questions = count_queries(people[0])
    used: dict[str, list[float]] = {BOOK: [], WEEK: []}
    with gunicorn({}, workers=2) as (port, workers):

        def crowd(name: str, ask: Callable[[int, Person], None]) -> float:
            before = cpu_seconds(workers)
            seconds = size.seconds(4)
            done = together(people, partial(ask, port), seconds)
            used[name].append(1000 * (cpu_seconds(workers) - before) / max(done, 1))
            return done / seconds

        acts = [(BOOK, partial(crowd, BOOK, book)), (WEEK, partial(crowd, WEEK, week))]
        in_turn(acts, 1)
        rates = in_turn(acts, size.rounds(4))
    for name, found in rates.items():
        yield Figure(f"{name}: a second", median(found), unit="", times=median(found) / PEERS[name], least=LEAST[name])
        yield Figure(f"{name}: CPU of the workers", median(used[name]))
        yield Figure(f"{name}: statements", questions[name], unit="", most=MOST_QUERIES[name])
    yield from statements(size)


def prepare(hospital: Hospital) -> list[Person]:
    """As many doctors and patients as clients, each signed in."""
    usha = world.usha()
    users = [
        User.objects.create_user(f"p{number}@example.com", world.PASSWORD, first_name="Asha", email_verified_at=now())
        for number in range(CLIENTS)
    ]
    with schema_context(hospital.schema_name):
        doctors = [bookable(hospital, usha, number) for number in range(CLIENTS)]
        for user in users:
            register.for_person(user=user, member=None, by=user)
    return [
        Person(sign_in(hospital.host, user.email), hospital.host, code, slots(hospital.time_zone))
        for user, code in zip(users, doctors, strict=True)
    ]


def bookable(hospital: Hospital, by: User, number: int) -> UUID:
    """A doctor with eight hours every day, in visits of twenty minutes, whom the search shows."""
    made = world.doctor(f"d{number}@cedar.example", f"Vikram{number}", by=by)
    Schedule.objects.create(doctor=made, horizon_days=180)
    Availability.objects.bulk_create(
        Availability(doctor=made, kind="weekly", weekday=day, starts=clock(9), ends=clock(17)) for day in range(7)
    )
    publishing.publish(hospital=hospital, doctor=made)
    listing.refresh_times(doctor_id=made.pk, now=now())
    return made.code


def sign_in(host: str, email: str) -> dict[str, str]:
    """What a client shows that is signed in."""
    said = {"email": email, "password": world.PASSWORD}
    answer = Client(HTTP_HOST=host).post("/api/auth/login/", said, content_type="application/json", secure=True)
    return {"Authorization": f"Bearer {answer.json()['access']}", "Content-Type": "application/json"}


def slots(zone: str) -> Iterator[datetime]:
    """Every time of a doctor, from the day after tomorrow on: no doctor is written to about those."""
    today = datetime.now(ZoneInfo(zone)).replace(hour=9, minute=0, second=0, microsecond=0)
    for day in range(2, 180):
        for number in range(24):
            yield today + timedelta(days=day, minutes=20 * number)


def body(person: Person) -> str:
    """The next booking."""
    starts = next(person.times)
    return json.dumps(
        {"doctor": str(person.doctor), "appointment_date": f"{starts:%Y-%m-%d}", "appointment_time": f"{starts:%H:%M}"}
    )


def book(port: int, person: Person) -> None:
    """Book a free time, with a key of its own."""
    ask(port, person, "/api/appointments/book/", method="POST", body=body(person), status=201)


def week(port: int, person: Person) -> None:
    """Read when a doctor is free in the next seven days."""
    ask(port, person, f"/api/doctors/{person.doctor}/availability/")


def ask(port: int, person: Person, path: str, **rest: Any) -> None:
    """One request over a connection of its own."""
    visitor = Visitor(port)
    visitor.ask(path, host=person.host, headers={**person.headers, "Idempotency-Key": str(next(_keys))}, **rest)
    visitor.leave()


def together(people: list[Person], act: Callable[[Person], None], seconds: float) -> int:
    """How often all clients do it in that time."""
    end = time.perf_counter() + seconds

    def go_on(person: Person) -> int:
        done = 0
        while time.perf_counter() < end:
            act(person)
            done += 1
        return done

    with ThreadPoolExecutor(len(people)) as pool:
        return sum(pool.map(go_on, people))


def count_queries(person: Person) -> dict[str, int]:
    """How often each asks the database, once everything is warm. The transaction's beginning and end are not counted."""
    client = Client(HTTP_HOST=person.host, headers=person.headers)
    kind = "application/json"
    acts: dict[str, Callable[[], Any]] = {
        BOOK: lambda: client.post("/api/appointments/book/", body(person), content_type=kind, secure=True),
        WEEK: lambda: client.get(f"/api/doctors/{person.doctor}/availability/", secure=True),
    }
    found: dict[str, int] = {}
    for _round in range(2):
        for name, act in acts.items():
            with CaptureQueriesContext(connection) as asked:
                answer = act()
            if answer.status_code not in (200, 201):
                raise RuntimeError(f"{name}: {answer.status_code} {answer.content[:300]!r}")
            found[name] = sum(query["sql"] not in ("BEGIN", "COMMIT") for query in asked)
    connection.close()
    return found
