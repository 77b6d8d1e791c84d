"""Second factors, for API clients."""

import re
from typing import Any

import pyotp
import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import Passkey, TokenFamily, User
from accounts.services import two_factor
from tenants.models import Hospital
from tests.accounts.test_two_factor import fresh, require_two_factor, turned_on
from tests.conftest import browser, come_in
from tests.factories import PASSWORD

API = "/api/auth/two-factor/"
CONFIRM, CODES, PASSKEYS = f"{API}confirm/", f"{API}recovery-codes/", "/api/auth/passkeys/"
JSON: Any = {"content_type": "application/json"}


def signed_in(user: User, host: str = "localhost", **more: str) -> dict[str, str]:
    """The headers of an API client that has signed in."""
    fields = {"email": user.email, "password": PASSWORD, **more}
    answer = browser(host).post("/api/auth/login/", fields, **JSON)
    assert answer.status_code == 200, answer.json()
    return {"Authorization": f"Bearer {answer.json()['access']}"}


def proved(user: User, host: str = "localhost") -> Client:
    client = Client(HTTP_HOST=host)
    come_in(client, user, is_two_factor=True)
    return client


def test_the_state_is_read(portal: Client, asha: User) -> None:
    assert portal.get(API, headers=signed_in(asha)).json() == {
        "is_on": False,
        "has_app": False,
        "is_required": False,
        "is_proved": False,
        "recovery_codes_left": 0,
        "passkeys": [],
        "may": ["begin"],
    }


def test_an_app_is_set_up_and_the_token_stays_what_it_was(portal: Client, asha: User) -> None:
    headers = signed_in(asha)
    begun = portal.post(API, headers=headers, **JSON)
    assert begun.status_code == 201
    app = pyotp.parse_uri(begun.json()["address"])
    assert isinstance(app, pyotp.TOTP)
    assert (app.secret, app.name, app.issuer) == (begun.json()["secret"], asha.email, "RHMS")
    answer = portal.post(CONFIRM, {"code": app.at(now())}, headers=headers, **JSON)
    assert len(answer.json()["recovery_codes"]) == 10
    assert all(re.fullmatch("[2-9a-z]{5}-[2-9a-z]{5}", code) for code in answer.json()["recovery_codes"])
    state = portal.get(API, headers=headers).json()
    assert (state["is_on"], state["is_proved"], state["recovery_codes_left"]) == (True, False, 10)
    assert not TokenFamily.objects.get().is_two_factor


def test_a_wrong_first_code_is_refused(portal: Client, asha: User) -> None:
    headers = signed_in(asha)
    portal.post(API, headers=headers, **JSON)
    answer = portal.post(CONFIRM, {"code": "000000"}, headers=headers, **JSON)
    assert (answer.status_code, answer.json()["field"]) == (422, "code")


def test_without_beginning_there_is_nothing_to_confirm(portal: Client, asha: User) -> None:
    assert portal.post(CONFIRM, {"code": "000000"}, headers=signed_in(asha), **JSON).status_code == 409


def test_a_new_sign_in_needs_the_code_and_has_two_factor(portal: Client, asha: User) -> None:
    turned_on(asha)
    fields = {"email": asha.email, "password": PASSWORD}
    refused = portal.post("/api/auth/login/", fields, **JSON)
    assert (refused.status_code, refused.json()["field"]) == (401, "second_factor")
    assert portal.get(API, headers=signed_in(asha, second_factor=fresh(asha))).json()["is_proved"]


def test_new_recovery_codes_are_made_by_password_or_by_code(portal: Client, asha: User) -> None:
    [first, *_others] = turned_on(asha)
    headers = signed_in(asha, second_factor=fresh(asha))
    assert portal.post(CODES, {"password": "not-it"}, headers=headers, **JSON).status_code == 422
    assert portal.post(CODES, {}, headers=headers, **JSON).status_code == 422
    by_password = portal.post(CODES, {"password": PASSWORD}, headers=headers, **JSON).json()["recovery_codes"]
    assert portal.post(CODES, {"code": first}, headers=headers, **JSON).status_code == 401
    answer = portal.post(CODES, {"code": by_password[0]}, headers=headers, **JSON)
    assert len(answer.json()["recovery_codes"]) == 10


def test_a_token_without_the_second_factor_needs_a_code_for_everything(portal: Client, asha: User) -> None:
    headers = signed_in(asha)
    codes = turned_on(asha)
    for method, path in ((portal.delete, API), (portal.post, CODES)):
        answer = method(path, {"password": PASSWORD}, headers=headers, **JSON)
        assert (answer.status_code, answer.json()["field"]) == (422, "code")
    assert portal.delete(API, {"code": codes[0]}, headers=headers, **JSON).status_code == 204
    assert not two_factor.is_on(asha)


def test_the_app_is_given_up_but_not_where_the_role_needs_it(hari: User, cedar: Hospital) -> None:
    require_two_factor(cedar)
    turned_on(hari)
    answer = proved(hari, "cedar.localhost").delete(API, {"password": PASSWORD}, **JSON)
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("Your role here needs two-factor.")
    assert proved(hari).delete(API, {"password": PASSWORD}, **JSON).status_code == 204
    assert proved(hari).delete(API, {"password": PASSWORD}, **JSON).status_code == 409


def test_a_passkey_is_listed_and_removed_by_its_owner_alone(asha: User, kiran: User) -> None:
    passkey = asha.passkeys.create(name="Laptop", relying_party="localhost", credential=b"1", public_key=b"1")
    client = proved(asha)
    [listed] = client.get(API).json()["passkeys"]
    assert (listed["id"], listed["name"], listed["last_used_at"]) == (str(passkey.code), "Laptop", None)
    path = f"{PASSKEYS}{passkey.code}/"
    assert proved(kiran).delete(path, {"password": PASSWORD}, **JSON).status_code == 404
    assert client.delete(path, {"password": "not-it"}, **JSON).status_code == 422
    assert client.delete(path, {"password": PASSWORD}, **JSON).status_code == 204
    assert not Passkey.objects.exists()


@pytest.mark.parametrize("path", [API, CONFIRM, CODES, f"{PASSKEYS}01932c07-6a2e-7cc0-8b1a-0a1b2c3d4e5f/"])
def test_visitors_are_refused(portal: Client, path: str) -> None:
    method = portal.delete if path.startswith(PASSKEYS) else portal.post
    assert method(path, {}, **JSON).status_code == 401


def test_the_state_costs_the_same_however_many_passkeys(asha: User, django_assert_num_queries: Any) -> None:
    for number in range(5):
        asha.passkeys.create(name="Key", relying_party="localhost", credential=b"%d" % number, public_key=b"1")
    client = browser("localhost", asha)
    client.get(API)
    with django_assert_num_queries(5):  # session, person, passkeys, app, recovery codes
        client.get(API)
