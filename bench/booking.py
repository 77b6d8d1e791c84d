"""`python -m bench.booking`: bookings and free times a second over HTTP, and what the booking's statement costs Postgres.

As production serves: gunicorn with two workers, on servers that write to disk, in a temporary folder that forgets everything
at the end. Eight clients, each with a doctor of its own. What is compared takes turns in one run.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import django

from bench.approve import servers, write
from bench.statement import statements

CLIENTS = 8
WORKERS = 2
SECONDS = 6.0
ROUNDS = 5
HOST = "cedar.rhms.example"
PASSWORD = "correct-horse-7"
# The nearest peer on two cores with two workers: the most it booked, and the most doctor's days it listed, in a second.
PEER_BOOKS, PEER_LISTS = 48.0, 27.0
MOST_QUERIES = {"book": 12, "a doctor's week": 8}


def main() -> int:
    """Measure and print; 1 when a target is missed."""
    with servers() as environment:
        os.environ |= environment | {"TRUSTED_PROXIES": "1"}
        django.setup()
        return measure()


@dataclass(frozen=True)
class Person:
    """A client: the token it shows, the doctor it books, and the times it takes one after another."""

    headers: dict[str, str]
    doctor: UUID
    times: Iterator[datetime]


def measure() -> int:
    """Everything, on a hospital with nothing else in it."""
    people = prepare()
    questions = count_queries(people[0])
    with gunicorn() as port:
        rates = take_turns(
            {
                "book": partial(crowd, people, partial(book, port)),
                "a doctor's week": partial(crowd, people, partial(week, port)),
            },
            warm_up=1.5,
        )
    write(f"{'over HTTP, a second':<44}{'median':>8}{'best':>8}{'ms CPU':>8}{'queries':>9}   times the peer")
    peers = {"book": PEER_BOOKS, "a doctor's week": PEER_LISTS}
    for name, found in rates.items():
        best, middle = max(rate for rate, _cpu in found), median(rate for rate, _cpu in found)
        cpu = 1000 * median(cpu for _rate, cpu in found)
        write(f"{name:<44}{middle:>8.0f}{best:>8.0f}{cpu:>8.1f}{questions[name]:>9}   {middle / peers[name]:.1f}")
    write("The CPU is that of the workers alone. BEGIN and COMMIT are not counted as queries.\n")
    shares = statements()
    missed = [f"{name} asks {questions[name]} times." for name, most in MOST_QUERIES.items() if questions[name] > most]
    times = {name: median(rate for rate, _cpu in found) / peers[name] for name, found in rates.items()}
    missed += [
        f"{name}: less than {least} times the peer."
        for name, least in (("book", 3), ("a doctor's week", 5))
        if times[name] < least
    ]
    missed += [f"{name}: less than half of a plain INSERT." for name, share in shares.items() if share < 0.5]
    for sentence in missed:
        write(sentence)
    return 1 if missed else 0


# --- The hospital ----------------------------------------------------------------------------------------------------


def prepare() -> list[Person]:
    """An open hospital with as many doctors and patients as clients, each signed in."""
    from django.core.management import call_command
    from django.utils.timezone import now
    from django_tenants.utils import schema_context

    from accounts.models import User
    from core import schemas
    from hospitals.services import joining

    call_command("prepare", verbosity=0)
    usha = User.objects.create_superuser("usha@rhms.example", PASSWORD, first_name="Usha", last_name="Menon")
    hospital = joining.register(
        registration=joining.Registration(
            name="Cedar Hospital",
            registration_number="MH/00001",
            email="hari@cedar.example",
            phone_number="+919845012345",
            address="12 Lake Road",
            city="Pune",
            state="MH",
            contact_person="Hari Rao",
            slug="cedar",
        ),
        logo=None,
        address="visitor",
    )
    joining.approve(hospital=hospital, by=usha, now=now())
    users = [
        User.objects.create_user(f"p{number}@example.com", PASSWORD, first_name="Asha", email_verified_at=now())
        for number in range(CLIENTS)
    ]
    with schema_context(hospital.schema_name):
        doctors = [doctor(hospital, usha, number) for number in range(CLIENTS)]
        for user in users:
            register(user)
    schemas.enter_public()
    return [
        Person(headers=sign_in(user.email), doctor=code, times=slots(hospital.time_zone))
        for user, code in zip(users, doctors, strict=True)
    ]


def doctor(hospital: Any, by: Any, number: int) -> UUID:
    """A doctor with eight hours every day, in visits of twenty minutes, whom the search shows."""
    from datetime import time as clock

    from django.db import transaction
    from django.utils.timezone import now

    from accounts.models import User
    from accounts.permissions import Role
    from appointments.models import Availability, Schedule
    from appointments.services import listing
    from audit import services as audit
    from audit.models import Action
    from hospitals.models import Doctor, Staff
    from hospitals.services.doctors import publishing

    user = User.objects.create_user(f"d{number}@cedar.example", PASSWORD, first_name=f"Vikram{number}")
    with transaction.atomic():
        made = Doctor.objects.create(
            user=user, status="approved", verified_at=now(), verified_by=by, fee_in_person=700, fee_video=500
        )
        audit.record(action=Action.DOCTOR_APPROVED, target=made, by=by, new=made.status)
    Staff.objects.create(user=user, role=Role.DOCTOR, joined_at=now())
    Schedule.objects.create(doctor=made, horizon_days=180)
    Availability.objects.bulk_create(
        Availability(doctor=made, kind="weekly", weekday=day, starts=clock(9), ends=clock(17)) for day in range(7)
    )
    publishing.publish(hospital=hospital, doctor=made)
    listing.refresh_times(doctor_id=made.pk, now=now())
    return made.code


def register(user: Any) -> None:
    """Make somebody a patient."""
    from patients.services import register as patients

    patients.for_person(user=user, member=None, by=user)


def sign_in(email: str) -> dict[str, str]:
    """What a client shows that is signed in."""
    from django.test import Client

    said = {"email": email, "password": PASSWORD}
    answer = Client(HTTP_HOST=HOST).post(
        "/api/auth/login/", said, content_type="application/json", headers={"X-Forwarded-Proto": "https"}
    )
    return {
        "Authorization": f"Bearer {answer.json()['access']}",
        "Content-Type": "application/json",
        "X-Forwarded-Proto": "https",
        "Host": HOST,
    }


def slots(zone: str) -> Iterator[datetime]:
    """Every time of a doctor, from the day after tomorrow on: no doctor is written to about those."""
    from zoneinfo import ZoneInfo

    today = datetime.now(ZoneInfo(zone)).replace(hour=9, minute=0, second=0, microsecond=0)
    for day in range(2, 180):
        for number in range(24):
            yield today + timedelta(days=day, minutes=20 * number)


# --- Over HTTP -------------------------------------------------------------------------------------------------------


def body(person: Person) -> str:
    """The next booking."""
    starts = next(person.times)
    return json.dumps(
        {"doctor": str(person.doctor), "appointment_date": f"{starts:%Y-%m-%d}", "appointment_time": f"{starts:%H:%M}"}
    )


def book(port: int, person: Person) -> None:
    """Book a free time, with a key of its own."""
    ask(port, "POST", "/api/appointments/book/", person, body(person), status=201)


def week(port: int, person: Person) -> None:
    """Read when a doctor is free in the next seven days."""
    ask(port, "GET", f"/api/doctors/{person.doctor}/availability/", person, None, status=200)


_keys = count(1)


def ask(port: int, method: str, path: str, person: Person, said: str | None, *, status: int) -> None:
    """One request; another answer than the one that is wanted ends the measurement."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        link.request(method, path, said, {**person.headers, "Idempotency-Key": str(next(_keys))})
        answer = link.getresponse()
        words = answer.read()
    finally:
        link.close()
    if answer.status != status:
        raise SystemExit(f"{method} {path} answered {answer.status}: {words[:300]!r}")


def crowd(people: list[Person], act: Callable[[Person], None], seconds: float) -> tuple[float, float]:
    """How often all clients together do it in a second, and the workers' CPU seconds for each."""

    def go_on(person: Person) -> int:
        done = 0
        while time.perf_counter() < end:
            act(person)
            done += 1
        return done

    used, began = cpu_of_workers(), time.perf_counter()
    end = began + seconds
    with ThreadPoolExecutor(len(people)) as pool:
        total = sum(pool.map(go_on, people))
    return total / (time.perf_counter() - began), (cpu_of_workers() - used) / max(total, 1)


def take_turns(
    acts: dict[str, Callable[[float], tuple[float, float]]], *, warm_up: float
) -> dict[str, list[tuple[float, float]]]:
    """What each act reaches in each round."""
    for act in acts.values():
        act(warm_up)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in acts}
    for _round in range(ROUNDS):
        for name, act in acts.items():
            found[name].append(act(SECONDS))
    return found


_workers: list[int] = []


def cpu_of_workers() -> float:
    """The CPU seconds that gunicorn's processes have used."""
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0
    for pid in _workers:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / ticks


@contextmanager
def gunicorn() -> Iterator[int]:
    """The platform as production runs it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--config", "python:rhms.serving", "--workers", str(WORKERS), "--bind", f"127.0.0.1:{port}"]
    server = subprocess.Popen([sys.executable, "-m", "gunicorn", "rhms.wsgi", *options, "--log-level", "warning"])
    try:
        await_answer(port)
        while len(_workers) < WORKERS:  # the port is open before they are there
            time.sleep(0.1)
            _workers[:] = map(int, Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split())
        yield port
    finally:
        server.terminate()
        server.wait(30)


def await_answer(port: int) -> None:
    """Wait until somebody listens."""
    for _try in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("gunicorn did not start.")


def count_queries(person: Person) -> dict[str, int]:
    """How often each asks the database, once everything is warm."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers=person.headers)
    kind = "application/json"
    acts: dict[str, Callable[[], Any]] = {
        "book": lambda: client.post("/api/appointments/book/", body(person), content_type=kind),
        "a doctor's week": lambda: client.get(f"/api/doctors/{person.doctor}/availability/"),
    }
    found: dict[str, int] = {}
    for _round in range(2):
        for name, act in acts.items():
            with CaptureQueriesContext(connection) as asked:
                answer = act()
            if answer.status_code not in (200, 201):
                raise SystemExit(f"{name}: {answer.status_code} {answer.content[:300]!r}")
            found[name] = sum(query["sql"] not in ("BEGIN", "COMMIT") for query in asked)
    connection.close()
    return found


if __name__ == "__main__":
    sys.exit(main())
