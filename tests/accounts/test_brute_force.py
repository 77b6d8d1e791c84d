"""A thousand guesses, from one address or from a thousand: none gets in, and the real person does."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import OneTimeCode, User
from tests.accounts.mail import code_for, sent, wrong
from tests.conftest import browser
from tests.factories import PASSWORD

GUESSES = 1000
LOGIN = "/api/auth/login/"
VERIFY = "/api/auth/login/code/verify/"


@pytest.fixture(params=["from one address", "from a thousand addresses"])
def attack(request: Any, settings: Any) -> Any:
    """Send a guess; each comes through our proxy, which says from where."""
    settings.TRUSTED_PROXIES = 1
    client = Client(HTTP_HOST="localhost")
    many = request.param == "from a thousand addresses"

    def guess(number: int, path: str, **body: str) -> Any:
        address = f"198.51.{number // 250}.{number % 250 + 1}" if many else "198.51.100.7"
        # What the attacker claims himself stands to the left of it, and counts for nothing.
        headers = {"X-Forwarded-For": f"10.0.{number // 250}.{number % 250}, {address}"}
        return client.post(path, body, content_type="application/json", headers=headers)

    return guess


def comes_in_by_reset(email: str) -> bool:
    """Whether the real person, at home, gets in by a reset link."""
    home = browser("localhost")
    home.post("/password/forgotten/", {"email": email})
    link = sent("password_reset", to=email)[0].text.split("http://localhost")[1].split()[0]
    home.post(link, {"password": "a-fresh-river-9"})
    return home.get("/account/").status_code == 200


def test_a_thousand_passwords(attack: Any, asha: User) -> None:
    answers = [attack(n, LOGIN, email=asha.email, password=f"guess-{n}") for n in range(GUESSES)]
    looked_at = [answer for answer in answers if answer.status_code != 429]
    assert len(looked_at) <= 20  # ten in five minutes, should a window end on the way
    assert {answer.status_code for answer in looked_at} == {401}
    last = answers[-1]
    assert last.json()["detail"].startswith("Too many tries. Wait ")
    assert 0 < int(last["Retry-After"]) <= 300
    # Not even the right one, now: who guesses it learns nothing.
    assert attack(GUESSES, LOGIN, email=asha.email, password=PASSWORD).status_code == 429
    assert comes_in_by_reset(asha.email)


def test_a_thousand_codes(attack: Any, asha: User) -> None:
    answers, guess = [], ""
    for number in range(GUESSES):
        if number % 100 == 0:  # a new code for every hundred guesses, as often as one is given
            attack(number, "/api/auth/login/code/", email=asha.email)
            guess = wrong(code_for(asha.email))
        answers.append(attack(number, VERIFY, email=asha.email, code=guess).status_code)
    assert set(answers) <= {401, 429}
    assert len(sent("code", to=asha.email)) == 4
    assert OneTimeCode.objects.get(user=asha).tries <= 5
    # The right digits of the last message do not count any more.
    assert attack(GUESSES, VERIFY, email=asha.email, code=code_for(asha.email)).status_code in (401, 429)
    refused = attack(GUESSES, "/api/auth/login/code/", email=asha.email)
    assert refused.status_code == 429
    assert refused.json()["detail"].startswith("Too many tries. Wait ")
    assert comes_in_by_reset(asha.email)


def test_others_come_in_while_one_account_is_attacked(attack: Any, asha: User, hari: User) -> None:
    for number in range(20):
        attack(number, LOGIN, email=asha.email, password="guess")
    assert attack(21, LOGIN, email=hari.email, password=PASSWORD).status_code == 200
