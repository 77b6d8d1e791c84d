"""The same proof shown twice at the same moment counts once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection, connections
from django.test import Client

from accounts.models import TokenFamily, User
from audit.models import Action, AuditLog
from core.schemas import enter_public
from tests.accounts.mail import code_for

ASHA = "asha@example.com"
AT_ONCE = 6


def at_once(path: str, body: Callable[[int], dict[str, str]]) -> list[Any]:
    """What the API answers when several ask the same at the same moment, each over a connection of its own."""
    gate = Barrier(AT_ONCE)

    def ask(number: int) -> Any:
        try:
            enter_public()
            connection.ensure_connection()
            client = Client(HTTP_HOST="localhost")
            gate.wait(10)
            return client.post(path, body(number), content_type="application/json")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, range(AT_ONCE)))


def test_one_code_opens_one_sign_in(committed: None) -> None:
    Client(HTTP_HOST="localhost").post("/api/auth/login/code/", {"email": ASHA}, content_type="application/json")
    code = code_for(ASHA)
    answers = at_once("/api/auth/login/code/verify/", lambda _: {"email": ASHA, "code": code})
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * (AT_ONCE - 1)
    assert TokenFamily.objects.filter(user__email=ASHA).count() == 1


def test_one_refresh_token_gives_one_pair_and_showing_it_again_ends_all(committed: None) -> None:
    body = {"email": ASHA, "password": "correct-horse-7"}
    client = Client(HTTP_HOST="localhost")
    pair = client.post("/api/auth/login/", body, content_type="application/json").json()
    answers = at_once("/api/auth/refresh/", lambda _: {"refresh": pair["refresh"]})
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * (AT_ONCE - 1)
    assert TokenFamily.objects.get(user__email=ASHA).ended_at
    assert AuditLog.objects.filter(action=Action.TOKEN_REPLAYED).count() == 1


def test_one_address_becomes_one_account(committed: None) -> None:
    gate = Barrier(AT_ONCE)

    def sign_up(number: int) -> int:
        try:
            enter_public()
            connection.ensure_connection()
            client = Client(HTTP_HOST="localhost", REMOTE_ADDR=f"198.51.100.{number}")
            given = {"first_name": f"Nita {number}", "email": "nita@example.com", "password": "correct-horse-7"}
            gate.wait(10)
            return client.post("/sign-up/", given).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(sign_up, range(AT_ONCE)))
    # Told apart: accepted; another one was quicker; more codes than one address is sent in an hour.
    assert set(answers) <= {302, 422, 429}
    assert 302 in answers
    assert User.objects.filter(email="nita@example.com").count() == 1
