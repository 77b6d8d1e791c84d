"""Passkeys in a real browser, with the device that it pretends to have."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Passkey, User
from tests import factories
from tests.journeys.conftest import Complaints, Visitor, come_in
from tests.journeys.server import Platform

Address = Callable[[Platform, str], str]
PLACES: dict[str, tuple[str, Address]] = {
    "portal": ("asha@example.com", lambda platform, name: platform.portal(name)),
    "hospital": ("hari@cedar.example", lambda platform, name: platform.hospital("cedar", name)),
}


class Device:
    """A telephone with a fingerprint reader, as far as the page can tell."""

    def __init__(self, page: Page) -> None:
        self._browser = page.context.new_cdp_session(page)
        self._browser.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = self._browser.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self._id = made["authenticatorId"]

    def keys(self) -> list[dict[str, Any]]:
        """The passkeys it keeps."""
        kept: list[dict[str, Any]] = self._browser.send("WebAuthn.getCredentials", {"authenticatorId": self._id})[
            "credentials"
        ]
        return kept

    def learn(self, key: dict[str, Any]) -> None:
        """Keep a passkey that another device has made."""
        self._browser.send("WebAuthn.addCredential", {"authenticatorId": self._id, "credential": key})

    def refuse(self) -> None:
        """Nobody's finger fits from now on."""
        self._browser.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": False})


def add_passkey(page: Page, name: str) -> None:
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Create the passkey").click()


@pytest.mark.parametrize("place", PLACES)
def test_a_passkey_is_added_signs_in_and_is_removed(visitor: Visitor, platform: Platform, place: str) -> None:
    email, address = PLACES[place]
    page = visitor()
    come_in(page.context, User.objects.get(email=email), address(platform, "home"))
    device = Device(page)
    page.goto(address(platform, "two_factor"))
    add_passkey(page, "My telephone")
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_be_visible()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("My telephone")).to_be_visible()
    assert len(device.keys()) == 1

    page.context.clear_cookies()
    page.goto(address(platform, "sign_in") + "?next=/account/two-factor/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(address(platform, "two_factor"))
    expect(page.get_by_text("Last used on")).to_be_visible()

    page.get_by_role("link", name="Remove My telephone").click()
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Remove passkey").click()
    expect(page.get_by_text("is removed").first).to_be_visible()
    assert not Passkey.objects.exists()


def test_a_passkey_is_the_second_step(visitor: Visitor, platform: Platform) -> None:
    page = visitor()
    come_in(page.context, User.objects.get(email="hari@cedar.example"), platform.hospital("cedar", "home"))
    device = Device(page)
    page.goto(platform.hospital("cedar", "two_factor"))
    add_passkey(page, "Laptop")
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    page.context.clear_cookies()

    page.goto(platform.hospital("cedar", "sign_in"))
    page.get_by_label("E-mail address").fill("hari@cedar.example")
    page.get_by_label("Password", exact=True).fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(platform.hospital("cedar", "start"))
    assert device.keys()[0]["signCount"] >= 1


def test_a_finger_that_does_not_fit_is_told_and_may_be_tried_again(visitor: Visitor, platform: Platform) -> None:
    page = visitor()
    come_in(page.context, User.objects.get(email="asha@example.com"), platform.portal("home"))
    device = Device(page)
    page.goto(platform.portal("two_factor"))
    add_passkey(page, "Laptop")
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    page.context.clear_cookies()

    device.refuse()
    page.goto(platform.portal("sign_in"))
    button = page.get_by_role("button", name="Sign in with a passkey")
    button.click()
    expect(page.get_by_text("No passkey was used.")).to_be_visible()
    expect(button).not_to_have_attribute("aria-busy", "true")


def test_a_passkey_of_one_domain_opens_nothing_at_another(
    visitor: Visitor, platform: Platform, complaints: Complaints
) -> None:
    page = visitor()
    come_in(page.context, User.objects.get(email="hari@cedar.example"), platform.hospital("cedar", "home"))
    device = Device(page)
    page.goto(platform.hospital("cedar", "two_factor"))
    add_passkey(page, "Laptop")
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    [key] = device.keys()
    assert key["rpId"] == "cedar.localhost"

    # A device that claims the same key for another domain.
    other = visitor()
    Device(other).learn({**key, "rpId": "localhost"})
    complaints.expect(422, platform.portal("passkey_sign_in"))
    other.goto(platform.portal("sign_in"))
    other.get_by_role("button", name="Sign in with a passkey").click()
    expect(other.get_by_role("alert").first).to_contain_text("This passkey did not work here.")


def test_without_javascript_there_is_no_button(visitor: Visitor, platform: Platform) -> None:
    page = visitor(java_script_enabled=False)
    page.goto(platform.portal("sign_in"))
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
