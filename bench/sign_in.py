"""`make bench`: whether an answer's time or words tell who has an account, and what signing in and being signed in cost.

Known and unknown addresses take turns in random order, each address once, with the real password hasher. An address
that is known would show in the time of the answers: the rank test says how sure one can be that the two differ, and
`tells` how often somebody who compares one answer of each kind guesses right (0.50 is chance).
"""

import logging
import os
import random
import re
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import erfc, sqrt
from pathlib import Path
from statistics import median
from typing import Any

import django

from bench.approve import row, servers, timed, write

SAMPLES = 250  # of each kind
SIGN_INS = 40
VISITS = 200
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


def main() -> int:
    """Measure and print; 1 when an answer tells who has an account."""
    with servers() as environment:
        os.environ |= environment
        django.setup()
        return measure()


def measure() -> int:
    """Everything, on an empty database."""
    # Only now are there settings.
    from django.conf import settings
    from django.core.management import call_command
    from django.test import override_settings

    logging.getLogger("django.request").setLevel(logging.ERROR)  # refusals are what is measured
    call_command("prepare", verbosity=0)
    files = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # none is collected
    static = Path(settings.MEDIA_ROOT).with_name("static")
    static.mkdir(exist_ok=True)
    with override_settings(STORAGES={**settings.STORAGES, **files}, STATIC_ROOT=static):
        tells = [ask(question) for question in QUESTIONS]
        cost()
    if not any(tells):
        write("\nNeither time nor words tell who has an account.")
        return 0
    write("\nAn answer tells who has an account: see above.")
    return 1


# --- Who has an account ----------------------------------------------------------------------------------------------


def ask(question: Question) -> bool:
    """Ask about known and unknown addresses in turn; print what came of it, and return whether it tells them apart."""
    order = [True, False] * SAMPLES
    random.Random(7).shuffle(order)  # noqa: S311  (the same order every time)
    people = iter(known(order.count(True)))
    times: dict[bool, list[float]] = {True: [], False: []}
    words: dict[bool, set[str]] = {True: set(), False: set()}
    for number, is_known in enumerate(order):
        email = next(people) if is_known else f"{secrets.token_hex(6)}@nobody.example"
        seconds, said = answer(question, email)
        words[is_known].add(said)
        if number >= 10:  # the first ones warm up
            times[is_known].append(seconds)
    return report(question.name, times[True], times[False], same_words=words[True] == words[False])


def known(count: int) -> list[str]:
    """That many new people with a password; hashing it once is enough."""
    from django.contrib.auth.hashers import make_password
    from django.utils.timezone import now

    from accounts.models import User

    password = make_password(PASSWORD)
    made = [
        User(email=f"{secrets.token_hex(6)}@person.example", password=password, email_verified_at=now())
        for _ in range(count)
    ]
    return [user.email for user in User.objects.bulk_create(made)]


def answer(question: Question, email: str) -> tuple[float, str]:
    """How long the answer takes, and what it says where it leads to."""
    from django.core.cache import cache
    from django.test import Client

    cache.clear()  # rate limits are tested elsewhere
    client = Client(HTTP_HOST="rhms.example")
    is_api = question.path.startswith("/api/")
    kind = {"content_type": "application/json"} if is_api else {}
    if question.before:
        client.post(question.before, {"email": email}, secure=True)
        cache.clear()
    answers: list[Any] = []
    seconds = timed(
        lambda: answers.append(client.post(question.path, question.body(email), secure=True, **kind))  # type: ignore[arg-type]  # headers and the rest are all keywords
    )
    [first] = answers
    if first.status_code not in (302, 401, 422):
        raise SystemExit(f"{question.path} answered {first.status_code}: {first.content[:300]!r}")
    last = client.get(first.headers["Location"], secure=True) if first.status_code == 302 else first
    said = f"{first.status_code} {first.headers.get('Location')} {last.status_code} {sorted(last.headers)} {sorted(client.cookies)}"
    return seconds, said + plain(last.content.decode(), email)


def plain(body: str, email: str) -> str:
    """A page without what differs from one request to the next: its forms' tokens, its reference, the typed address."""
    return re.sub(r"\b([0-9a-f]{12}|\w{64})\b", "", body.replace(email, ""))


def report(name: str, known_times: list[float], unknown_times: list[float], *, same_words: bool) -> bool:
    """Print one question's table; return whether known and unknown addresses can be told apart."""
    chance, tells = rank_test(known_times, unknown_times)
    ratio = median(unknown_times) / median(known_times)
    write(f"\n{name:<34}{'p50':>8}{'p95':>8}{'max':>8}   n     (milliseconds)")
    row("  an address with an account", [1000 * each for each in known_times], digits=2)
    row("  an address without", [1000 * each for each in unknown_times], digits=2)
    write(
        f"  without/with {ratio:.3f}   tells {tells:.2f}   p {chance:.3g}   words {'equal' if same_words else 'DIFFER'}"
    )
    return not same_words or (chance < CERTAIN and abs(ratio - 1) > LARGE)


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


def cost() -> None:
    """Signing in by password, and pages of somebody who is signed in at a hospital beside /healthz."""
    from django.contrib.auth.hashers import check_password, make_password
    from django.core.cache import cache
    from django.test import Client

    host, email = hospital()
    client = Client(HTTP_HOST=host)

    def sign_in() -> None:
        fresh = Client(HTTP_HOST=host)
        sent = fresh.post("/sign-in/", {"email": email, "password": PASSWORD}, secure=True)
        if sent.status_code != 302:
            raise SystemExit(f"Signing in answered {sent.status_code}.")
        client.cookies = fresh.cookies

    sign_ins = []
    for _ in range(SIGN_INS):
        cache.clear()
        sign_ins.append(timed(sign_in))
    digest = make_password(PASSWORD)
    hashes = [timed(partial(check_password, PASSWORD, digest)) for _ in range(SIGN_INS)]
    write(f"\n{'milliseconds, one process':<34}{'p50':>8}{'p95':>8}{'max':>8}   n")
    row("sign in by password", [1000 * each for each in sign_ins], digits=1)
    row("  of it the password's hash", [1000 * each for each in hashes], digits=1)
    write(f"That is {1 / median(sign_ins):.0f} sign-ins a second for each process.")

    write(f"\n{'milliseconds, without the network':<34}{'p50':>8}{'p95':>8}{'max':>8}   n")
    counted = {
        "/healthz": visits(Client(HTTP_HOST=host).get, "/healthz"),
        "account, signed in": visits(client.get, "/account/"),
        "start, signed in": visits(client.get, "/start/"),
    }
    for name, (times, queries) in counted.items():
        row(name, [1000 * each for each in times], digits=2)
        if queries:
            about_people = [query for query in queries if not query.startswith(("SET ", "SAVEPOINT", "RELEASE"))]
            write(f"  {len(about_people)} queries: " + ", ".join(re.findall(r'FROM "(\w+)"', " ".join(about_people))))
    base = median(counted["/healthz"][0])
    write("Times /healthz: " + ", ".join(f"{name} {median(times) / base:.0f}" for name, (times, _) in counted.items()))


def hospital() -> tuple[str, str]:
    """An open hospital's host and its admin, who has come in."""
    from django.utils.timezone import now
    from django_tenants.utils import schema_context

    from accounts.models import User
    from hospitals.models import Staff
    from hospitals.services import joining

    usha = User.objects.create_superuser("usha@rhms.example", PASSWORD, first_name="Usha", last_name="Menon")
    one = joining.register(
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
    joining.approve(hospital=one, by=usha, now=now())
    hari = User.objects.get(email=one.email)
    hari.set_password(PASSWORD)
    hari.email_verified_at = now()
    hari.save(update_fields=["password", "email_verified_at"])
    with schema_context(one.schema_name):
        Staff.objects.update(joined_at=now())
    return one.host, hari.email


def visits(get: Callable[..., Any], path: str) -> tuple[list[float], list[str]]:
    """How long each of many requests takes, the first ones left out, and what one of them asks the database."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def visit() -> None:
        status = get(path, secure=True).status_code
        if status != 200:
            raise SystemExit(f"{path} answered {status}.")

    times = [timed(visit) for _ in range(VISITS)][10:]
    with CaptureQueriesContext(connection) as queries:
        visit()
    return times, [query["sql"] for query in queries.captured_queries]


if __name__ == "__main__":
    sys.exit(main())
