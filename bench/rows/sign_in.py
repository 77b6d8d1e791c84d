"""Whether an answer's time or words tell who has an account, and what signing in and being signed in cost.

Known and unknown addresses take turns in random order, each address once, with the real password hasher. An address
that is known would show in the time of the answers: the rank test says how sure one can be that the two differ, and
`guessed` how often somebody who compares one answer of each kind guesses right (0.50 is chance).
"""

import logging
import random
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import erfc, sqrt
from statistics import median
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.core.cache import cache
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from bench import world
from bench.cluster import HOST
from bench.frame import Figure, Size, figure, in_turn, timed
from bench.pages import visiting
from core.schemas import schema_context
from hospitals.models import Staff

SAMPLES = 150  # of each kind
PASSWORD = secrets.token_urlsafe(12)
# A difference that is both certain and large enough to be seen through a network fails the measurement.
CERTAIN, LARGE = 0.001, 0.05


@dataclass(frozen=True)
class Question:
    """Something a visitor may ask about an address. `before` is sent first, without being timed."""

    name: str
    path: str
    fields: dict[str, str]
    before: str = ""

    def body(self, email: str) -> dict[str, str]:
        """What is sent."""
        return {name: value.replace("EMAIL", email) for name, value in self.fields.items()}


_NEW = {"email": "EMAIL", "first_name": "Asha", "last_name": "Patel", "phone": "", "password": "a-long-enough-word-9"}
QUESTIONS = [
    Question("sign in, wrong password", "/sign-in/", {"email": "EMAIL", "password": "wrong-horse-7"}),
    Question("the same by the API", "/api/auth/login/", {"email": "EMAIL", "password": "wrong-horse-7"}),
    Question("ask for a code", "/sign-in/code/", {"email": "EMAIL"}),
    Question("type a wrong code", "/sign-in/code/enter/", {"code": "000000"}, before="/sign-in/code/"),
    Question("ask for a new password", "/password/forgotten/", {"email": "EMAIL"}),
    Question("sign up", "/sign-up/", _NEW),
]


def measure(size: Size) -> Iterator[Figure]:
    """Every question, then the costs."""
    logging.getLogger("django.request").setLevel(logging.ERROR)  # refusals are what is measured
    for question in QUESTIONS:
        yield from ask(question, size.rounds(SAMPLES))
    yield from cost(size)


# --- Who has an account ----------------------------------------------------------------------------------------------


def ask(question: Question, samples: int) -> Iterator[Figure]:
    """Ask about known and unknown addresses in turn: whether time or words tell them apart."""
    order = [True, False] * samples
    random.Random(7).shuffle(order)  # the same order every time
    people = iter(known(samples))
    times: dict[bool, list[float]] = {True: [], False: []}
    words: dict[bool, set[str]] = {True: set(), False: set()}
    for number, is_known in enumerate(order):
        email = next(people) if is_known else f"{secrets.token_hex(6)}@nobody.example"
        took, said = answer(question, email)
        words[is_known].add(said)
        if number >= samples // 15:  # the first ones warm up
            times[is_known].append(took)
    chance, guessed = rank_test(times[True], times[False])
    ratio = median(times[False]) / median(times[True])
    tells = words[True] != words[False] or (chance < CERTAIN and abs(ratio - 1) > LARGE)
    yield figure(f"{question.name}: an address with an account", times[True])
    yield figure(f"{question.name}: an address without", times[False], of=times[True])
    yield Figure(f"{question.name}: guessed right", guessed, unit="of 1")
    yield Figure(f"{question.name}: tells who has an account", int(tells), unit="", most=0)


def known(count: int) -> list[str]:
    """That many new people with a password; hashing it once is enough."""
    password = make_password(PASSWORD)
    made = [
        User(email=f"{secrets.token_hex(6)}@person.example", password=password, email_verified_at=now())
        for _ in range(count)
    ]
    return [user.email for user in User.objects.bulk_create(made)]


def answer(question: Question, email: str) -> tuple[float, str]:
    """How many milliseconds the answer takes, and what it says where it leads to."""
    cache.clear()  # rate limits are tested elsewhere
    client = Client(HTTP_HOST=HOST)
    kind: dict[str, Any] = {"content_type": "application/json"} if question.path.startswith("/api/") else {}
    if question.before:
        client.post(question.before, {"email": email}, secure=True)
        cache.clear()
    answers: list[Any] = []
    took = timed(lambda: answers.append(client.post(question.path, question.body(email), secure=True, **kind)))
    [first] = answers
    if first.status_code not in (302, 401, 422):
        raise RuntimeError(f"{question.path} answered {first.status_code}: {first.content[:300]!r}")
    last = client.get(first.headers["Location"], secure=True) if first.status_code == 302 else first
    seen = f"{first.status_code} {first.headers.get('Location')} {last.status_code} {sorted(last.headers)} {sorted(client.cookies)}"
    return took, seen + plain(last.content.decode(), email)


def plain(body: str, email: str) -> str:
    """A page without what differs from one request to the next: its forms' tokens, its reference, the typed address."""
    return re.sub(r"\b([0-9a-f]{12}|\w{64})\b", "", body.replace(email, ""))


def rank_test(first: list[float], second: list[float]) -> tuple[float, float]:
    """Mann and Whitney's test: the chance of such ranks if nothing differed, and how often a value of `second` is more.

    By the normal approximation, two-sided, which is good from twenty values of each kind; times hardly ever tie.
    """
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks = sum(rank for rank, (_value, which) in enumerate(ranked, start=1) if which)
    n, m = len(first), len(second)
    larger = ranks - m * (m + 1) / 2
    z = (larger - n * m / 2) / sqrt(n * m * (n + m + 1) / 12)
    return erfc(abs(z) / sqrt(2)), larger / (n * m)


# --- What it costs ---------------------------------------------------------------------------------------------------


def cost(size: Size) -> Iterator[Figure]:
    """Signing in by password, and pages of somebody who is signed in at a hospital beside /healthz."""
    host, email = admin()
    client = Client(HTTP_HOST=host)

    def sign_in() -> None:
        fresh = Client(HTTP_HOST=host)
        sent = fresh.post("/sign-in/", {"email": email, "password": PASSWORD}, secure=True)
        if sent.status_code != 302:
            raise RuntimeError(f"Signing in answered {sent.status_code}.")
        client.cookies = fresh.cookies

    def sign_in_again() -> float:
        cache.clear()
        return timed(sign_in)

    digest = make_password(PASSWORD)
    hashing = partial(timed, partial(check_password, PASSWORD, digest))
    found = in_turn([("sign in by password", sign_in_again), ("of it the password's hash", hashing)], size.rounds(30))
    for name, times in found.items():
        yield figure(name, times)
    pages = [
        ("/healthz", visiting(Client(HTTP_HOST=host), "/healthz")),
        ("account, signed in", visiting(client, "/account/")),
        ("start, signed in", visiting(client, "/start/")),
    ]
    in_turn(pages, 5)
    found = in_turn(pages, size.rounds(150))
    for name, times in found.items():
        yield figure(f"{name}, without the network", times, of=found["/healthz"])


def admin() -> tuple[str, str]:
    """An open hospital's host and its admin, who has come in."""
    hospital = world.opened()
    hari = User.objects.get(email=hospital.email)
    hari.set_password(PASSWORD)
    hari.email_verified_at = now()
    hari.save(update_fields=["password", "email_verified_at"])
    with schema_context(hospital.schema_name):
        Staff.objects.update(joined_at=now())
    return hospital.host, hari.email
