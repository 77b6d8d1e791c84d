"""Passkeys: made, used and given up, with a device that signs for real. In a browser: tests/journeys/test_passkeys.py."""

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils.timezone import now

from accounts.models import Passkey, RecoveryCode, User
from accounts.services import two_factor
from audit.models import Action, AuditLog
from core.schemas import schema_context
from notifications.models import Notification
from tenants.models import Domain, Hospital
from tests.accounts.test_two_factor import codes_on, is_two_factor, password_right, require_two_factor, turned_on
from tests.conftest import browser, come_in, forget
from tests.factories import PASSWORD
from tests.fakes.authenticator import Authenticator

OVERVIEW = "/account/two-factor/"
ADD, MAKE = "/account/passkeys/add/", "/account/passkeys/make/"
OPTIONS, SIGN_IN, SECOND = "/sign-in/passkey/options/", "/sign-in/passkey/", "/sign-in/second/passkey/"


def options_on(page: str) -> dict[str, Any]:
    """What the page hands to the browser."""
    found = re.search(r'data-options="([^"]+)"', page)
    assert found, page
    options: dict[str, Any] = json.loads(unescape(found[1]))
    return options


def begin(client: Client, name: str = "Laptop", password: str = PASSWORD) -> dict[str, Any]:
    return options_on(client.post(ADD, {"name": name, "password": password}).content.decode())


def add(client: Client, device: Authenticator, name: str = "Laptop") -> Any:
    return client.post(MAKE, {"credential": device.create(begin(client, name))})


def device_of(user: User, host: str = "localhost") -> Authenticator:
    """A device that keeps a passkey of this person for the host."""
    device = Authenticator(origin=f"http://{host}")
    client = browser(host)
    come_in(client, user, is_two_factor=True)
    assert add(client, device).status_code in (200, 302)
    return device


def asked(client: Client) -> dict[str, Any]:
    answer = client.post(OPTIONS)
    assert answer.status_code == 200
    options: dict[str, Any] = answer.json()
    return options


def come_in_with(client: Client, device: Authenticator) -> Any:
    return client.post(SIGN_IN, {"credential": device.get(asked(client))})


# --- Adding ----------------------------------------------------------------------------------------------------------


def test_a_passkey_is_added_and_the_session_becomes_two_factor(asha: User) -> None:
    client = browser("localhost", asha)
    before = client.cookies["sessionid"].value
    answer = add(client, Authenticator(origin="http://localhost"))
    assert len(codes_on(answer.content.decode())) == 10
    passkey = Passkey.objects.get(user=asha)
    assert (passkey.name, passkey.relying_party) == ("Laptop", "localhost")
    assert is_two_factor(client)
    assert client.cookies["sessionid"].value != before
    assert AuditLog.objects.about(asha).filter(action=Action.USER_PASSKEY_ADDED).exists()
    assert "“Laptop” was added" in Notification.objects.get(template="account_changed").text


def test_what_the_device_is_told(asha: User) -> None:
    options = begin(browser("localhost", asha))
    assert options["rp"] == {"name": "RHMS", "id": "localhost"}
    assert options["user"]["name"] == asha.email
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "preferred"


def test_the_second_one_brings_no_new_recovery_codes_and_the_first_is_not_offered_again(asha: User) -> None:
    client = browser("localhost", asha)
    add(client, Authenticator(origin="http://localhost"))
    digests = set(RecoveryCode.objects.values_list("digest", flat=True))
    options = begin(client, "Telephone")
    assert len(options["excludeCredentials"]) == 1
    second = Authenticator(origin="http://localhost", credential=b"another")
    assert client.post(MAKE, {"credential": second.create(options)})["Location"] == OVERVIEW
    assert set(RecoveryCode.objects.values_list("digest", flat=True)) == digests
    page = client.get(OVERVIEW).content.decode()
    assert "Laptop" in page
    assert "Telephone" in page


def test_adding_asks_for_the_password_and_a_name(asha: User) -> None:
    client = browser("localhost", asha)
    answer = client.post(ADD, {"name": "Laptop", "password": "not-it"})
    assert answer.status_code == 422
    assert b"This is not your password." in answer.content
    assert b'value="Laptop"' in answer.content
    assert client.post(ADD, {"name": "", "password": PASSWORD}).status_code == 422


def test_the_password_alone_adds_none_beside_a_second_factor_that_was_not_proved(asha: User) -> None:
    client = browser("localhost", asha)
    turned_on(asha)
    answer = client.post(ADD, {"name": "Laptop", "password": PASSWORD, "code": "123456"})
    assert answer.status_code == 422
    assert b"without your second factor" in answer.content


@pytest.mark.parametrize("device", [
    Authenticator(origin="http://evil.example"),
    Authenticator(origin="https://localhost"),
    Authenticator(origin="http://cedar.localhost"),
    Authenticator(origin="http://localhost", is_verifying=False),
], ids=["another site", "another scheme", "another host", "nobody verified"])  # fmt: skip
def test_a_passkey_from_elsewhere_or_without_verification_is_not_added(asha: User, device: Authenticator) -> None:
    answer = add(browser("localhost", asha), device)
    assert answer.status_code == 422
    assert b"The passkey could not be added." in answer.content
    assert not Passkey.objects.exists()


def test_a_challenge_makes_one_passkey(asha: User) -> None:
    client = browser("localhost", asha)
    options = begin(client)
    client.post(MAKE, {"credential": Authenticator(origin="http://localhost").create(options)})
    again = Authenticator(origin="http://localhost", credential=b"another").create(options)
    assert client.post(MAKE, {"credential": again}).status_code == 422
    assert Passkey.objects.count() == 1


@pytest.mark.parametrize("credential", ["", "nonsense", "{}", "[]", '{"id": "a", "rawId": "!", "type": "public-key"}'])
def test_nonsense_is_refused(asha: User, credential: str) -> None:
    client = browser("localhost", asha)
    begin(client)
    assert client.post(MAKE, {"credential": credential}).status_code == 422
    asked(browser("localhost"))
    visitor = browser("localhost")
    asked(visitor)
    assert visitor.post(SIGN_IN, {"credential": credential}).status_code == 422


def test_a_passkey_that_somebody_has_is_not_taken_over(asha: User, kiran: User) -> None:
    device_of(asha)
    answer = add(browser("localhost", kiran), Authenticator(origin="http://localhost"))
    assert answer.status_code == 422
    assert b"This passkey is known already." in answer.content


def test_there_are_at_most_twenty(asha: User) -> None:
    client = browser("localhost")
    come_in(client, asha, is_two_factor=True)
    for number in range(20):
        asha.passkeys.create(name="Key", relying_party="localhost", credential=b"%d" % number, public_key=b"1")
    answer = client.post(ADD, {"name": "One more", "password": PASSWORD})
    assert answer.status_code == 422
    assert b"You have 20 passkeys." in answer.content


# --- Coming in -------------------------------------------------------------------------------------------------------


def test_a_passkey_alone_signs_in_as_two_factor(asha: User) -> None:
    device = device_of(asha)
    client = browser("localhost")
    options = asked(client)
    assert options["allowCredentials"] == []
    answer = client.post(f"{SIGN_IN}?next=/hospitals/", {"credential": device.get(options)})
    assert answer["Location"] == "/hospitals/"
    assert is_two_factor(client)
    assert Passkey.objects.get().last_used_at is not None
    assert AuditLog.objects.about(asha).newest_first()[0].data == {"second_factor": True}


def test_a_superadmin_comes_in_with_it(usha: User) -> None:
    device = device_of(usha)
    client = browser("localhost")
    come_in_with(client, device)
    assert client.get("/admin/").status_code == 200


def test_it_is_the_second_step_after_the_password(hari: User, cedar: Hospital) -> None:
    device = device_of(hari, "cedar.localhost")
    client = browser("cedar.localhost")
    assert password_right(client, hari)["Location"] == "/sign-in/second/"
    assert b"Use a passkey" in client.get("/sign-in/second/").content
    options = asked(client)
    assert len(options["allowCredentials"]) == 1
    assert client.post(SECOND, {"credential": device.get(options)})["Location"] == "/start/"
    assert is_two_factor(client)


def test_somebody_elses_passkey_is_no_second_step(asha: User, hari: User) -> None:
    turned_on(hari)
    device = device_of(asha)
    client = browser("localhost")
    password_right(client, hari)
    answer = client.post(SECOND, {"credential": device.get(asked(client))})
    assert answer.status_code == 422
    assert b"This passkey did not work here." in answer.content
    assert client.get("/account/").status_code == 302


def test_the_challenge_of_the_second_step_signs_nobody_else_in(asha: User, hari: User) -> None:
    turned_on(hari)
    device = device_of(asha)
    client = browser("localhost")
    password_right(client, hari)
    assert client.post(SIGN_IN, {"credential": device.get(asked(client))}).status_code == 422


def test_a_session_from_before_is_proved_with_it(asha: User) -> None:
    client = browser("localhost", asha)
    device = device_of(asha)
    assert not is_two_factor(client)
    answer = client.post(f"{OVERVIEW}passkey/?next=/hospitals/", {"credential": device.get(asked(client))})
    assert answer["Location"] == "/hospitals/"
    assert is_two_factor(client)


@pytest.mark.parametrize(("change", "why"), [
    ({"origin": "http://evil.example"}, "another site"),
    ({"is_verifying": False}, "nobody was verified"),
    ({"user_handle": b"somebody else's"}, "another person"),
    ({"user_handle": b""}, "nobody's name"),
    ({"credential": b"unknown"}, "unknown"),
])  # fmt: skip
def test_an_answer_that_is_not_right_opens_nothing(asha: User, change: dict[str, Any], why: str) -> None:
    device = device_of(asha)
    for name, value in change.items():
        setattr(device, name, value)
    client = browser("localhost")
    answer = come_in_with(client, device)
    assert answer.status_code == 422
    assert b"This passkey did not work here." in answer.content
    assert client.get("/account/").status_code == 302


def test_another_key_with_the_same_name_opens_nothing_and_is_recorded(asha: User) -> None:
    device_of(asha)
    assert (
        come_in_with(browser("localhost"), Authenticator("http://localhost", user_handle=asha.code.bytes)).status_code
        == 422
    )
    assert AuditLog.objects.about(asha).newest_first()[0].action == Action.USER_SIGN_IN_REFUSED


def test_an_answer_counts_once(asha: User) -> None:
    device = device_of(asha)
    client = browser("localhost")
    answer = device.get(asked(client))
    assert client.post(SIGN_IN, {"credential": answer}).status_code == 302
    client.post("/sign-out/")
    assert client.post(SIGN_IN, {"credential": answer}).status_code == 422


def test_an_answer_counts_only_in_the_browser_that_asked(asha: User) -> None:
    device = device_of(asha)
    answer = device.get(asked(browser("localhost")))
    other = browser("localhost")
    asked(other)
    assert other.post(SIGN_IN, {"credential": answer}).status_code == 422


def test_a_challenge_of_five_minutes_ago_no_longer_counts(asha: User) -> None:
    device = device_of(asha)
    client = browser("localhost")
    options = asked(client)
    with time_machine.travel(now() + timedelta(minutes=5, seconds=1)):
        assert client.post(SIGN_IN, {"credential": device.get(options)}).status_code == 422


def test_a_counter_that_runs_backwards_means_a_copied_key(asha: User) -> None:
    device = device_of(asha)
    device.counter = 7
    assert come_in_with(browser("localhost"), device).status_code == 302
    device.counter = 3
    assert come_in_with(browser("localhost"), device).status_code == 422


def test_who_was_deactivated_stays_outside(asha: User) -> None:
    device = device_of(asha)
    User.objects.filter(pk=asha.pk).update(is_active=False)
    assert come_in_with(browser("localhost"), device).status_code == 422


# --- Domains ---------------------------------------------------------------------------------------------------------


def test_one_made_on_the_platform_works_on_every_hospital_of_it(hari: User, cedar: Hospital, settings: Any) -> None:
    settings.BASE_DOMAIN = "rhms.example"
    Domain.objects.create(tenant=cedar, domain="cedar.rhms.example", is_primary=False)
    device = device_of(hari, "rhms.example")
    assert Passkey.objects.get().relying_party == "rhms.example"
    device.origin = "http://cedar.rhms.example"
    assert come_in_with(browser("cedar.rhms.example"), device).status_code == 302


def test_one_made_for_an_own_domain_works_only_there(hari: User, cedar: Hospital) -> None:
    Domain.objects.create(tenant=cedar, domain="www.cedar.example", is_primary=False)
    forget()
    device = device_of(hari, "www.cedar.example")
    assert Passkey.objects.get().relying_party == "www.cedar.example"
    assert come_in_with(browser("www.cedar.example"), device).status_code == 302
    for host in ("cedar.localhost", "localhost"):
        device.origin = f"http://{host}"
        assert come_in_with(browser(host), device).status_code == 422


def test_where_no_passkey_fits_a_recovery_code_lets_in(hari: User, cedar: Hospital) -> None:
    device_of(hari)
    client = browser("cedar.localhost")
    password_right(client, hari)
    page = client.get("/sign-in/second/").content.decode()
    assert "Your passkeys belong to another address." in page
    codes = two_factor.make_recovery_codes(user=hari)
    assert client.post("/sign-in/second/", {"code": codes[0]})["Location"] == "/start/"


# --- Giving up -------------------------------------------------------------------------------------------------------


def test_a_passkey_is_removed_by_password_and_the_codes_with_the_last(asha: User) -> None:
    device = device_of(asha)
    client = browser("localhost")
    come_in_with(client, device)
    path = f"/account/passkeys/{Passkey.objects.get().code}/remove/"
    assert "your last second factor" in client.get(path).content.decode()
    assert client.post(path, {"password": "not-it"}).status_code == 422
    assert client.post(path, {"password": PASSWORD})["Location"] == OVERVIEW
    assert not Passkey.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert AuditLog.objects.about(asha).filter(action=Action.USER_PASSKEY_REMOVED).exists()
    assert come_in_with(browser("localhost"), device).status_code == 422


def test_the_last_one_is_kept_where_the_role_needs_it(hari: User, cedar: Hospital) -> None:
    require_two_factor(cedar)
    device = device_of(hari, "cedar.localhost")
    client = browser("cedar.localhost")
    come_in_with(client, device)
    path = f"/account/passkeys/{Passkey.objects.get().code}/remove/"
    answer = client.post(path, {"password": PASSWORD})
    assert answer.status_code == 422
    assert b"Your role here needs two-factor" in answer.content
    with schema_context(cedar.schema_name):
        assert not AuditLog.objects.filter(action=Action.USER_PASSKEY_REMOVED).exists()


def test_nobody_removes_another_persons(asha: User, kiran: User) -> None:
    device_of(asha)
    path = f"/account/passkeys/{Passkey.objects.get().code}/remove/"
    assert browser("localhost", kiran).get(path).status_code == 404
    assert browser("localhost", kiran).post(path, {"password": PASSWORD}).status_code == 404


def test_forms_are_protected_against_other_sites(asha: User, db: None) -> None:
    client = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
    for path in (OPTIONS, SIGN_IN, SECOND):
        assert client.post(path).status_code == 403


def test_an_address_that_was_reloaded_leads_back(portal: Client, asha: User) -> None:
    assert portal.get(SIGN_IN)["Location"] == "/sign-in/"
    assert portal.get(SECOND)["Location"] == "/sign-in/second/"
    client = browser("localhost", asha)
    assert client.get(MAKE)["Location"] == ADD
    assert client.get(f"{OVERVIEW}passkey/")["Location"] == OVERVIEW
