"""The checkout as a form that needs no JavaScript, and who is let in at the sandbox."""

import os
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.fakes.razorpay import ROOT, Gateway

CALLBACK = "http://cedar.localhost:8000/bills/1/paid/"
CANCEL = "http://cedar.localhost:8000/bills/1/"


class Page(HTMLParser):
    """The forms of a page, by where they go, with the values a browser would send; and its links."""

    def __init__(self, answer: requests.Response) -> None:
        super().__init__()
        self.text = answer.text
        self.forms: dict[str, dict[str, str]] = {}
        self.links: list[str] = []
        self._form: dict[str, str] = {}
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = self.forms.setdefault(given["action"], {})
        elif tag == "a":
            self.links.append(given["href"])
        elif tag == "input" and (given.get("type") not in ("radio", "checkbox") or "checked" in given):
            self._form[given["name"]] = given.get("value", "")


@pytest.fixture
def payer() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def fields(gateway: Gateway, order: dict[str, Any]) -> dict[str, str]:
    """What the bill's form sends along."""
    return {
        "key_id": gateway.keys.key_id,
        "order_id": order["id"],
        "name": "Cedar <Hospital>",
        "description": "Video visit with Dr Rao",
        "prefill[name]": "Asha",
        "prefill[contact]": "+919000090000",
        "callback_url": CALLBACK,
        "cancel_url": CANCEL,
    }


def opened(payer: requests.Session, gateway: Gateway, fields: dict[str, str]) -> Page:
    return Page(payer.post(f"{gateway.url}/v1/checkout/embedded", fields))


def paid(payer: requests.Session, gateway: Gateway, page: Page, **chosen: str) -> Page:
    return Page(payer.post(f"{gateway.url}/v1/checkout/pay", {**page.forms["/v1/checkout/pay"], **chosen}))


def test_it_says_whom_how_much_and_that_it_is_test_money(
    payer: requests.Session, gateway: Gateway, fields: dict[str, str]
) -> None:
    page = opened(payer, gateway, fields)
    assert "Test money. No money moves." in page.text
    assert "Cedar &lt;Hospital&gt;" in page.text
    assert "Pay ₹700" in page.text
    assert page.links == [CANCEL]
    assert not any("card" in name for name in page.forms["/v1/checkout/pay"]), "no card number is asked for"


def test_paying_brings_a_verified_signature_to_the_callback(
    payer: requests.Session, gateway: Gateway, client: Any, fields: dict[str, str]
) -> None:
    page = paid(payer, gateway, opened(payer, gateway, fields))
    assert client.utility.verify_payment_signature(page.forms[CALLBACK])
    payment = client.payment.fetch(page.forms[CALLBACK]["razorpay_payment_id"])
    assert (payment["status"], payment["method"], payment["contact"]) == ("captured", "upi", "+919000090000")


def test_a_failure_brings_the_error_and_another_try(
    payer: requests.Session, gateway: Gateway, client: Any, fields: dict[str, str]
) -> None:
    page = paid(payer, gateway, opened(payer, gateway, fields), method="card", outcome="fails")
    assert page.forms[CALLBACK]["error[code]"] == "BAD_REQUEST_ERROR"
    assert page.forms[CALLBACK]["error[reason]"] == "payment_declined"
    assert fields["order_id"] in page.forms[CALLBACK]["error[metadata]"]
    again = opened(payer, gateway, page.forms["/v1/checkout/embedded"])
    paid(payer, gateway, again, method="netbanking")
    assert client.order.fetch(fields["order_id"])["status"] == "paid"


def test_a_paid_order_is_not_offered_again(payer: requests.Session, gateway: Gateway, fields: dict[str, str]) -> None:
    page = opened(payer, gateway, fields)
    paid(payer, gateway, page)
    assert "This order is paid already." in opened(payer, gateway, fields).text
    assert "Payment already done for this order." in paid(payer, gateway, page).text


def test_another_accounts_order_an_unknown_key_and_a_script_for_an_address_are_refused(
    payer: requests.Session, gateway: Gateway, fields: dict[str, str]
) -> None:
    stranger = gateway.sandbox.account()
    assert "does not exist" in opened(payer, gateway, {**fields, "key_id": stranger.keys.key_id}).text
    assert "unknown" in opened(payer, gateway, {**fields, "key_id": "rzp_test_nobody"}).text
    scripted = opened(payer, gateway, {**fields, "callback_url": "javascript:alert(1)", "cancel_url": "javascript:1"})
    assert "javascript:" not in scripted.text


def test_the_developers_page_shows_everything_and_turns_switches(
    payer: requests.Session, gateway: Gateway, client: Any, order: dict[str, Any]
) -> None:
    payment = gateway.pay(order["id"])["payment"]
    gateway.faults(refunds="pending")
    refund = client.payment.refund(payment["id"], {"amount": 10_000})
    home = f"{gateway.url}/?account={gateway.keys.key_id}"
    page = Page(payer.get(home))
    assert {order["id"], payment["id"], refund["id"], "payment.captured"} <= set(page.text.replace("<", ">").split(">"))
    switches = f"/_sandbox/accounts/{gateway.keys.key_id}/faults"
    form = {**page.forms[switches], "repeat": "2", "how": "500", "when": "before", "refunds": "failed"}
    assert payer.post(f"{gateway.url}{switches}", form).url == home
    assert 'value="2"' in payer.get(home).text
    payer.post(f"{gateway.url}/_sandbox/refunds/{refund['id']}/process", {"": ""})
    assert client.refund.fetch(refund["id"])["status"] == "processed"


@pytest.mark.parametrize(
    ("header", "value"), [("Origin", "http://elsewhere.example"), ("Origin", "null"), ("Host", "rebound.example:80")]
)
def test_another_sites_page_cannot_turn_switches(
    payer: requests.Session, gateway: Gateway, header: str, value: str
) -> None:
    command = f"{gateway.url}/_sandbox/accounts/{gateway.keys.key_id}/settle"
    assert payer.post(command, headers={header: value}).status_code == 403


def test_it_does_not_start_outside_development(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if name != "DEBUG"}
    command = [sys.executable, "-m", "sandbox", "--port", "1", "--data", str(tmp_path / "data")]
    for debug in ({}, {"DEBUG": "false"}):
        ended = subprocess.run(command, cwd=ROOT, env={**env, **debug}, capture_output=True, text=True, timeout=20)
        assert ended.returncode == 1
        assert "only runs for development" in ended.stderr
    assert not (tmp_path / "data").exists()
